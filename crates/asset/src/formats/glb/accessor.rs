//! Arrays of a GLB, checked before they are read: every offset, stride and count of the description is a claim.

use gltf::json;
use json::accessor::{ComponentType, Type};
use json::validation::Checked::Valid;
use json::{Accessor, Index, Root};

use crate::formats::FormatError;

/// Entries that an array may have without data of its own (only listed exceptions).
const MAX_EMPTY_COUNT: u64 = 1 << 20;

/// A scene's description and data.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) root: &'a Root,
    pub(super) binary: &'a [u8],
    /// The content of each buffer view that is compressed in the file.
    pub(super) decompressed: &'a [Option<Vec<u8>>],
}

impl<'a> Scene<'a> {
    /// The bytes of a buffer view.
    pub(super) fn view(&self, index: Index<json::buffer::View>) -> Result<&'a [u8], FormatError> {
        if let Some(Some(bytes)) = self.decompressed.get(index.value()) {
            return Ok(bytes);
        }
        let view = get(&self.root.buffer_views, index)?;
        let buffer = get(&self.root.buffers, view.buffer)?;
        if view.buffer.value() != 0 || buffer.uri.is_some() {
            return Err(FormatError::unsupported(
                "data in other files (save it as a single GLB)",
            ));
        }
        let start = view.byte_offset.unwrap_or_default().0;
        let end = start.saturating_add(view.byte_length.0);
        let range = usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
        self.binary
            .get(range)
            .ok_or_else(|| FormatError::truncated("data", end, self.binary.len()))
    }

    /// An array of `N` floating-point numbers an entry; integers are scaled where the file says so.
    pub(super) fn floats<const N: usize>(&self, index: Index<Accessor>) -> Result<Vec<[f32; N]>, FormatError> {
        let accessor = get(&self.root.accessors, index)?;
        let is_normalized = accessor.normalized;
        self.entries(accessor, N, |bytes, component| {
            std::array::from_fn(|at| float(&bytes[at * component.size()..], component, is_normalized))
        })
    }

    /// Colours with three or four components an entry; alpha is left out.
    pub(super) fn colors(&self, index: Index<Accessor>) -> Result<Vec<[f32; 3]>, FormatError> {
        if matches!(get(&self.root.accessors, index)?.type_, Valid(Type::Vec4)) {
            let with_alpha = self.floats::<4>(index)?;
            return Ok(with_alpha
                .into_iter()
                .map(|[red, green, blue, _]| [red, green, blue])
                .collect());
        }
        self.floats::<3>(index)
    }

    /// Vertex indices.
    pub(super) fn indices(&self, index: Index<Accessor>) -> Result<Vec<u32>, FormatError> {
        let accessor = get(&self.root.accessors, index)?;
        self.entries(accessor, 1, unsigned)
    }

    /// Entries that an array claims to have.
    pub(super) fn count(&self, index: Index<Accessor>) -> Result<u64, FormatError> {
        Ok(get(&self.root.accessors, index)?.count.0)
    }

    fn entries<T: Clone + ZeroEntry>(
        &self,
        accessor: &Accessor,
        num_components: usize,
        convert: impl Fn(&[u8], ComponentType) -> T,
    ) -> Result<Vec<T>, FormatError> {
        let (Valid(component), Valid(type_)) = (accessor.component_type, accessor.type_) else {
            return Err(FormatError::damaged("an array has no known type"));
        };
        let component = component.0;
        if type_.multiplicity() != num_components {
            return Err(FormatError::damaged(format!(
                "an array has {} numbers an entry where {num_components} belong",
                type_.multiplicity()
            )));
        }
        let entry = num_components * component.size();
        let count = accessor.count.0;
        let mut values = match accessor.buffer_view {
            Some(view) => {
                let offset = accessor.byte_offset.unwrap_or_default().0;
                let stride = get(&self.root.buffer_views, view)?
                    .byte_stride
                    .map_or(entry, |stride| stride.0);
                let rows = rows(self.view(view)?, offset, count, stride, entry)?;
                rows.map(|bytes| convert(bytes, component)).collect()
            }
            None if accessor.sparse.is_some() && count <= MAX_EMPTY_COUNT => vec![T::ZERO; count as usize],
            None => return Err(FormatError::damaged(format!("an array of {count} entries has no data"))),
        };
        if let Some(sparse) = &accessor.sparse {
            let Valid(index_type) = sparse.indices.component_type else {
                return Err(FormatError::damaged("an array has no known type"));
            };
            let num_exceptions = sparse.count.0;
            let index_size = index_type.0.size();
            let index_bytes = self.view(sparse.indices.buffer_view)?;
            let indices = rows(
                index_bytes,
                sparse.indices.byte_offset.0,
                num_exceptions,
                index_size,
                index_size,
            )?;
            let value_bytes = self.view(sparse.values.buffer_view)?;
            let exceptions = rows(value_bytes, sparse.values.byte_offset.0, num_exceptions, entry, entry)?;
            for (index, bytes) in indices.zip(exceptions) {
                let target = values
                    .get_mut(unsigned(index, index_type.0) as usize)
                    .ok_or_else(|| FormatError::damaged("an array names an entry that it does not have"))?;
                *target = convert(bytes, component);
            }
        }
        Ok(values)
    }
}

/// The entry of arrays without data.
pub(super) trait ZeroEntry {
    const ZERO: Self;
}

impl ZeroEntry for u32 {
    const ZERO: Self = 0;
}

impl<const N: usize> ZeroEntry for [f32; N] {
    const ZERO: Self = [0.0; N];
}

/// An entry of a list of the description.
pub(super) fn get<T>(list: &[T], index: Index<T>) -> Result<&T, FormatError> {
    list.get(index.value())
        .ok_or_else(|| FormatError::damaged(format!("it names entry {} of a list of {}", index.value(), list.len())))
}

/// `count` entries of `entry` bytes each, `stride` bytes apart, once they are known to be there.
fn rows(
    bytes: &[u8],
    offset: u64,
    count: u64,
    stride: usize,
    entry: usize,
) -> Result<impl Iterator<Item = &[u8]>, FormatError> {
    if stride < entry {
        return Err(FormatError::damaged(format!(
            "an array's entries of {entry} bytes are {stride} bytes apart"
        )));
    }
    let needed = match count {
        0 => 0,
        _ => (count - 1)
            .saturating_mul(stride as u64)
            .saturating_add(offset)
            .saturating_add(entry as u64),
    };
    if needed > bytes.len() as u64 {
        return Err(FormatError::truncated(
            format!("array of {count} entries"),
            needed,
            bytes.len(),
        ));
    }
    let (offset, count) = (if count == 0 { 0 } else { offset as usize }, count as usize);
    Ok((0..count).map(move |index| &bytes[offset + index * stride..][..entry]))
}

/// A component at the start of `bytes`, which must hold it.
fn float(bytes: &[u8], component: ComponentType, is_normalized: bool) -> f32 {
    let (value, scale) = match component {
        ComponentType::F32 => return f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        ComponentType::I8 => (f32::from(bytes[0] as i8), 127.0),
        ComponentType::U8 => (f32::from(bytes[0]), 255.0),
        ComponentType::I16 => (f32::from(i16::from_le_bytes([bytes[0], bytes[1]])), 32_767.0),
        ComponentType::U16 => (f32::from(u16::from_le_bytes([bytes[0], bytes[1]])), 65_535.0),
        ComponentType::U32 => (unsigned(bytes, component) as f32, 4_294_967_295.0),
    };
    if is_normalized {
        (value / scale).max(-1.0)
    } else {
        value
    }
}

/// An index at the start of `bytes`; types that no index has give a value that no list reaches.
fn unsigned(bytes: &[u8], component: ComponentType) -> u32 {
    match component {
        ComponentType::U8 => u32::from(bytes[0]),
        ComponentType::U16 => u32::from(u16::from_le_bytes([bytes[0], bytes[1]])),
        ComponentType::U32 => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        ComponentType::I8 | ComponentType::I16 | ComponentType::F32 => u32::MAX,
    }
}
