#![expect(
    unsafe_code,
    reason = "memory maps, and tensors that look into them until they are copied"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use bozzetto_engine::CancelToken;
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use safetensors::{SafeTensorError, SafeTensors};
use tch::{Device, Kind, Tensor};

use super::{Weights, WeightsError};
use crate::Result;

/// A safetensors file of one model, mapped into memory.
///
/// Nothing is read before a tensor is asked for, and what is read goes straight to the device; the system keeps or drops the
/// file's pages as it sees fit.
pub struct Checkpoint {
    path: PathBuf,
    map: Mmap,
    header: Metadata,
    /// Where the tensors' bytes begin in the file.
    data_start: usize,
    /// Stops the building of a model, which may have to wait for a slow disk.
    cancel: CancelToken,
}

impl Checkpoint {
    /// Maps a file and reads its header.
    ///
    /// # Errors
    /// [`WeightsError::Read`], and [`WeightsError::Damaged`] when the file is cut short or of another format.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let read_error = |source| WeightsError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(read_error)?;
        if file.metadata().map_err(read_error)?.is_dir() {
            return Err(read_error(std::io::ErrorKind::IsADirectory.into()));
        }
        // SAFETY: weights are written once, under another name, and never changed in place; a program that does so
        // all the same crashes this process, which the window survives.
        let map = unsafe { Mmap::map(&file) }.map_err(read_error)?;
        let (header_length, header) = SafeTensors::read_metadata(&map).map_err(|error| WeightsError::Damaged {
            path: path.to_owned(),
            reason: in_words(&error),
        })?;
        Ok(Self {
            path: path.to_owned(),
            map,
            header,
            data_start: size_of::<u64>() + header_length,
            cancel: CancelToken::new(),
        })
    }

    /// The same, whose models stop being built when the run that wants them is cancelled.
    #[must_use]
    pub fn cancelled_by(self, cancel: CancelToken) -> Self {
        Self { cancel, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, key: &str) -> bool {
        self.header.info(key).is_some()
    }

    /// A tensor's shape, if there is one of this name.
    pub fn shape(&self, key: &str) -> Option<Vec<i64>> {
        self.header.info(key).map(shape_of)
    }

    /// What the file says about itself beside its tensors.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// Builds a model from the file, on a device. Fails as `build` does, and with [`WeightsError::SpareKeys`] when it
    /// left tensors of the file aside.
    pub fn load<T>(&self, device: Device, build: impl FnOnce(&Weights<'_>) -> Result<T>) -> Result<T> {
        let used = RefCell::new(BTreeSet::new());
        let model = build(&Weights::of_file(self, &used, device))?;
        let used = used.into_inner();
        let spare: BTreeSet<_> = self
            .header
            .offset_keys()
            .into_iter()
            .filter(|key| !used.contains(key))
            .collect();
        match spare.first() {
            None => Ok(model),
            Some(key) => Err(WeightsError::SpareKeys {
                path: self.path.clone(),
                key: key.clone(),
                count: spare.len(),
            }
            .into()),
        }
    }

    /// One tensor as the file holds it, in `kind` on `device`.
    pub fn tensor(&self, key: &str, device: Device, kind: Kind) -> Result<Tensor> {
        let info = self.info(key)?;
        self.copied(
            info,
            stored_kind(info).ok_or_else(|| self.wrong_kind(key, info, kind))?,
            device,
            kind,
        )
    }

    /// One tensor of a known shape. `kind` is a floating-point kind, and then any of F32, F16 and BF16 is taken, or
    /// [`Kind::Int64`].
    pub(super) fn tensor_of_shape(&self, key: &str, shape: &[i64], device: Device, kind: Kind) -> Result<Tensor> {
        self.cancel.check()?;
        let info = self.info(key)?;
        let found = shape_of(info);
        if found != shape {
            return Err(WeightsError::WrongShape {
                path: self.path.clone(),
                key: key.to_owned(),
                expected: shape.to_owned(),
                found,
            }
            .into());
        }
        let stored = stored_kind(info).filter(|stored| is_whole(*stored) == is_whole(kind));
        self.copied(
            info,
            stored.ok_or_else(|| self.wrong_kind(key, info, kind))?,
            device,
            kind,
        )
    }

    fn info(&self, key: &str) -> Result<&TensorInfo, WeightsError> {
        self.header.info(key).ok_or_else(|| WeightsError::MissingKey {
            path: self.path.clone(),
            key: key.to_owned(),
        })
    }

    fn wrong_kind(&self, key: &str, info: &TensorInfo, wanted: Kind) -> WeightsError {
        WeightsError::WrongKind {
            path: self.path.clone(),
            key: key.to_owned(),
            expected: if is_whole(wanted) {
                "I64 or I32"
            } else {
                "F32, F16 or BF16"
            },
            found: format!("{:?}", info.dtype),
        }
    }

    fn copied(&self, info: &TensorInfo, stored: Kind, device: Device, kind: Kind) -> Result<Tensor> {
        let (start, end) = info.data_offsets;
        // The header was checked against the file's length.
        let bytes = &self.map[self.data_start + start..self.data_start + end];
        let shape = shape_of(info);
        let is_aligned = (bytes.as_ptr() as usize).is_multiple_of(stored.elt_size_in_bytes().max(1));
        let mapped = if is_aligned && !bytes.is_empty() {
            // SAFETY: the bytes are the tensor's, as the header was checked, and the map outlives this tensor.
            unsafe { Tensor::f_from_blob(bytes.as_ptr(), &shape, &[], stored, Device::Cpu)? }
        } else {
            Tensor::f_from_data_size(bytes, &shape, stored)?
        };
        Ok(mapped.f_to_device_(device, kind, false, true)?)
    }
}

fn shape_of(info: &TensorInfo) -> Vec<i64> {
    info.shape.iter().map(|&length| length as i64).collect()
}

fn is_whole(kind: Kind) -> bool {
    matches!(kind, Kind::Int64 | Kind::Int)
}

fn stored_kind(info: &TensorInfo) -> Option<Kind> {
    match info.dtype {
        Dtype::F32 => Some(Kind::Float),
        Dtype::F16 => Some(Kind::Half),
        Dtype::BF16 => Some(Kind::BFloat16),
        Dtype::I64 => Some(Kind::Int64),
        Dtype::I32 => Some(Kind::Int),
        _ => None,
    }
}

fn in_words(error: &SafeTensorError) -> String {
    match error {
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength => "its header is cut short".to_owned(),
        SafeTensorError::MetadataIncompleteBuffer => "it is shorter or longer than its header says".to_owned(),
        SafeTensorError::HeaderTooLarge
        | SafeTensorError::InvalidHeader(_)
        | SafeTensorError::InvalidHeaderDeserialization(_) => "it is no safetensors file".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
