//! Rows of plain data to and from safetensors.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use bytemuck::Pod;
use safetensors::{Dtype, SafeTensors, View};

use super::Notes;
use crate::files::write_atomic;
use crate::formats::FormatError;

/// Metadata key of [`Notes`].
const NOTES_KEY: &str = "bozzetto";

/// Plain data whose rows are made of one type of number.
pub(super) trait Row: Pod {
    const DTYPE: Dtype;
}

macro_rules! rows_of {
    ($dtype:expr => $($row:ty),*) => {
        $(impl Row for $row { const DTYPE: Dtype = $dtype; })*
    };
}

rows_of!(Dtype::F32 => f32, [f32; 3], [f32; 4], glam::Vec2, glam::Vec3, crate::PbrSample);
rows_of!(Dtype::U32 => [u32; 3]);
rows_of!(Dtype::I32 => glam::IVec3);
rows_of!(Dtype::U8 => u8);

/// A tensor that is about to be written.
pub(super) struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

impl View for &Tensor<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Tensors that become one file.
#[derive(Default)]
pub(super) struct TensorList<'a> {
    tensors: Vec<(String, Tensor<'a>)>,
}

impl<'a> TensorList<'a> {
    /// Adds rows of the given shape each.
    pub(super) fn push<T: Row>(&mut self, name: &str, row_shape: &[usize], rows: &'a [T]) {
        self.push_bytes::<T>(name, rows.len(), row_shape, Cow::Borrowed(bytemuck::cast_slice(rows)));
    }

    /// Adds rows unless there are none.
    pub(super) fn push_optional<T: Row>(&mut self, name: &str, row_shape: &[usize], rows: &'a [T]) {
        if !rows.is_empty() {
            self.push(name, row_shape, rows);
        }
    }

    /// Adds a copy of rows that were made for writing.
    pub(super) fn push_copy<T: Row>(&mut self, name: &str, row_shape: &[usize], rows: &[T]) {
        self.push_bytes::<T>(
            name,
            rows.len(),
            row_shape,
            Cow::Owned(bytemuck::cast_slice(rows).to_vec()),
        );
    }

    /// Adds rows of which the first number of the shape make one entry.
    pub(super) fn push_grouped<T: Row>(&mut self, name: &str, entry_shape: &[usize], rows: &'a [T]) {
        let count = rows.len() / entry_shape[0];
        self.push_bytes::<T>(name, count, entry_shape, Cow::Borrowed(bytemuck::cast_slice(rows)));
    }

    fn push_bytes<T: Row>(&mut self, name: &str, count: usize, row_shape: &[usize], bytes: Cow<'a, [u8]>) {
        let tensor = Tensor {
            dtype: T::DTYPE,
            shape: [&[count], row_shape].concat(),
            bytes,
        };
        self.tensors.push((name.to_owned(), tensor));
    }

    /// Adds one tensor of bytes with its whole shape.
    pub(super) fn push_picture(&mut self, name: String, shape: &[usize], bytes: &'a [u8]) {
        let tensor = Tensor {
            dtype: Dtype::U8,
            shape: shape.to_vec(),
            bytes: Cow::Borrowed(bytes),
        };
        self.tensors.push((name, tensor));
    }

    pub(super) fn write(&self, path: &Path, notes: &Notes) -> Result<(), FormatError> {
        let unwritable = |reason: String| FormatError::unwritable(reason).at(path);
        let notes = serde_json::to_string(notes).map_err(|error| unwritable(error.to_string()))?;
        let metadata = HashMap::from([(NOTES_KEY.to_owned(), notes)]);
        let tensors = self.tensors.iter().map(|(name, tensor)| (name, tensor));
        let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| unwritable(error.to_string()))?;
        write_atomic(path, |writer| writer.write_all(&bytes))
    }
}

/// A parsed file whose tensors are looked up by name.
pub(super) struct TensorFile<'a> {
    tensors: SafeTensors<'a>,
}

impl<'a> TensorFile<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<(Self, Notes), FormatError> {
        let wrong =
            |error: safetensors::SafeTensorError| FormatError::damaged(format!("its header is broken ({error})"));
        // Checks names, types, shapes and offsets against the bytes that are there.
        let tensors = SafeTensors::deserialize(bytes).map_err(wrong)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
        let text = header.metadata().as_ref().and_then(|metadata| metadata.get(NOTES_KEY));
        let notes = match text {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| FormatError::damaged(format!("its description is broken ({error})")))?,
            None => Notes::default(),
        };
        Ok((Self { tensors }, notes))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    pub(super) fn shape(&self, name: &str) -> Result<Vec<usize>, FormatError> {
        Ok(self.tensor(name)?.shape().to_vec())
    }

    /// All rows of a tensor whose shape must be `[any, row_shape...]`.
    pub(super) fn rows<T: Row>(&self, name: &str, row_shape: &[usize]) -> Result<Vec<T>, FormatError> {
        let tensor = self.tensor(name)?;
        let shape = tensor.shape();
        if tensor.dtype() != T::DTYPE || shape.len() != row_shape.len() + 1 || shape[1..] != *row_shape {
            return Err(FormatError::damaged(format!(
                "its '{name}' is {:?} {shape:?} where {:?} [any, {row_shape:?}] belongs",
                tensor.dtype(),
                T::DTYPE
            )));
        }
        // The parser made sure that the bytes are as many as type and shape say; they may lie at any address.
        Ok(bytemuck::pod_collect_to_vec(tensor.data()))
    }

    /// Rows of a tensor, or none where the file has no such tensor.
    pub(super) fn optional_rows<T: Row>(&self, name: &str, row_shape: &[usize]) -> Result<Vec<T>, FormatError> {
        if self.has(name) {
            self.rows(name, row_shape)
        } else {
            Ok(Vec::new())
        }
    }

    /// A tensor of bytes and its shape, with as many dimensions as asked.
    pub(super) fn picture<const N: usize>(&self, name: &str) -> Result<([usize; N], Vec<u8>), FormatError> {
        let tensor = self.tensor(name)?;
        match tensor.shape().try_into() {
            Ok(shape) if tensor.dtype() == Dtype::U8 => Ok((shape, tensor.data().to_vec())),
            _ => Err(FormatError::damaged(format!(
                "its '{name}' is {:?} {:?} where U8 with {N} dimensions belongs",
                tensor.dtype(),
                tensor.shape()
            ))),
        }
    }

    fn tensor(&self, name: &str) -> Result<safetensors::tensor::TensorView<'a>, FormatError> {
        self.tensors
            .tensor(name)
            .map_err(|_| FormatError::damaged(format!("it has no '{name}'")))
    }
}
