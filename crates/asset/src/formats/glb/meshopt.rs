//! Compressed arrays: `EXT_meshopt_compression`, and its later twin `KHR_meshopt_compression` on the way in.
//!
//! Written is the older name, because what reads compressed files today (three.js, Babylon.js, Unity's glTFast with its
//! package) reads that one; Blender up to 5.1 and Unreal read neither. Vertex data takes version 0 of the codec, which is
//! all that the older name allows; no filters are used. Reading takes every mode and filter.

use std::path::PathBuf;

use bytemuck::Pod;
use gltf::json;
use json::Root;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::TriMesh;
use crate::formats::FormatError;

/// The extension as it is written.
pub(super) const EXTENSION: &str = "EXT_meshopt_compression";
/// The same under its later name.
pub(super) const KHRONOS_EXTENSION: &str = "KHR_meshopt_compression";

/// What an array may grow by: codecs reach 64 for arrays of one value, so that more is a false claim.
const MAX_GROWTH: u64 = 256;

/// What kind of array it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Mode {
    /// Vertex data.
    Attributes,
    /// Corners of triangles.
    Triangles,
    /// Any list of indices.
    Indices,
}

/// How vertex data was changed before it was compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Filter {
    #[default]
    None,
    Octahedral,
    Quaternion,
    Exponential,
    Color,
}

/// The extension's object at a buffer view.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompressedView {
    pub(super) buffer: u32,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) byte_length: u64,
    pub(super) byte_stride: u64,
    pub(super) count: u64,
    pub(super) mode: Mode,
    #[serde(default, skip_serializing)]
    filter: Filter,
}

impl CompressedView {
    /// An array of `count` entries of `stride` bytes that lies compressed in the file's own data.
    pub(super) fn new(offset: usize, length: usize, stride: usize, count: usize, mode: Mode) -> Self {
        Self {
            buffer: 0,
            byte_offset: offset as u64,
            byte_length: length as u64,
            byte_stride: stride as u64,
            count: count as u64,
            mode,
            filter: Filter::None,
        }
    }

    fn num_bytes(&self) -> u64 {
        self.count.saturating_mul(self.byte_stride)
    }
}

/// The mesh with triangles and vertices in the order that compresses best, and that graphics cards draw fastest.
pub(super) fn reordered(mesh: &TriMesh) -> TriMesh {
    let count = mesh.positions.len();
    let mut corners = meshopt::optimize_vertex_cache(mesh.triangles.as_flattened(), count);
    let new_index = meshopt::optimize_vertex_fetch_remap(&corners, count);
    for corner in &mut corners {
        *corner = new_index[*corner as usize];
    }
    TriMesh {
        positions: moved(&mesh.positions, &new_index),
        triangles: corners.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect(),
        normals: moved(&mesh.normals, &new_index),
        uvs: moved(&mesh.uvs, &new_index),
        colors: moved(&mesh.colors, &new_index),
        tangents: moved(&mesh.tangents, &new_index),
    }
}

/// An attribute that is empty or whole with each entry at its new place. Every vertex must be used.
fn moved<T: Copy>(values: &[T], new_index: &[u32]) -> Vec<T> {
    let mut moved = values.to_vec();
    for (value, &index) in values.iter().zip(new_index) {
        moved[index as usize] = *value;
    }
    moved
}

/// Vertex data, compressed. The stride is one that [`with_stride`] knows.
pub(super) fn encode_attributes(bytes: &[u8], stride: usize) -> Result<Vec<u8>, FormatError> {
    struct Encode<'a>(&'a [u8]);
    impl ForStride for Encode<'_> {
        type Output = Result<Vec<u8>, FormatError>;

        fn run<Row: Pod + Default>(self) -> Self::Output {
            let rows: Vec<Row> = values(self.0);
            meshopt::encode_vertex_buffer_level(&rows, 2, Some(0)).map_err(|error| unwritable(&error))
        }
    }
    with_stride(stride, Encode(bytes)).unwrap_or_else(|| {
        Err(FormatError::unwritable(format!(
            "an entry of {stride} bytes is too long"
        )))
    })
}

/// Corners of triangles, compressed. Their order within a triangle may turn, which changes nothing.
pub(super) fn encode_triangles(triangles: &[[u32; 3]], num_vertices: usize) -> Result<Vec<u8>, FormatError> {
    meshopt::encode_index_buffer(triangles.as_flattened(), num_vertices).map_err(|error| unwritable(&error))
}

fn unwritable(error: &meshopt::Error) -> FormatError {
    FormatError::unwritable(format!("its arrays could not be compressed ({error})"))
}

/// The content of every buffer view, where it is compressed.
pub(super) fn decompressed(root: &Root, binary: &[u8]) -> Result<Vec<Option<Vec<u8>>>, FormatError> {
    let views: Vec<Option<CompressedView>> = root
        .buffer_views
        .iter()
        .map(compressed_view)
        .collect::<Result<_, _>>()?;
    let claimed = views
        .iter()
        .flatten()
        .fold(0_u64, |sum, view| sum.saturating_add(view.num_bytes()));
    let limit = MAX_GROWTH.saturating_mul(binary.len() as u64);
    if claimed > limit {
        return Err(FormatError::TooLarge {
            path: PathBuf::new(),
            what: "bytes in compressed arrays",
            claimed,
            limit,
        });
    }
    views
        .into_par_iter()
        .map(|view| view.map(|view| decode(&view, binary)).transpose())
        .collect()
}

fn compressed_view(view: &json::buffer::View) -> Result<Option<CompressedView>, FormatError> {
    let Some(extensions) = &view.extensions else {
        return Ok(None);
    };
    let object = [EXTENSION, KHRONOS_EXTENSION]
        .iter()
        .find_map(|name| extensions.others.get(*name));
    object
        .map(|object| {
            serde_json::from_value(object.clone())
                .map_err(|error| FormatError::damaged(format!("a compressed array is not described ({error})")))
        })
        .transpose()
}

fn decode(view: &CompressedView, binary: &[u8]) -> Result<Vec<u8>, FormatError> {
    if view.buffer != 0 {
        return Err(FormatError::unsupported(
            "data in other files (save it as a single GLB)",
        ));
    }
    let end = view.byte_offset.saturating_add(view.byte_length);
    let range = usize::try_from(view.byte_offset).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
    let encoded = binary
        .get(range)
        .ok_or_else(|| FormatError::truncated("compressed data", end, binary.len()))?;
    // Claims are limited before this, so that the count fits.
    let (count, stride) = (view.count as usize, view.byte_stride as usize);
    match (view.mode, stride) {
        (Mode::Attributes, _) => decode_attributes(view, encoded),
        (Mode::Triangles, _) if !count.is_multiple_of(3) => {
            Err(FormatError::damaged(format!("its triangles have {count} corners")))
        }
        (Mode::Triangles, 2) => bytes_of(meshopt::decode_index_buffer::<u16>(encoded, count)),
        (Mode::Triangles, 4) => bytes_of(meshopt::decode_index_buffer::<u32>(encoded, count)),
        (Mode::Indices, 2) => bytes_of(meshopt::decode_index_sequence::<u16>(encoded, count)),
        (Mode::Indices, 4) => bytes_of(meshopt::decode_index_sequence::<u32>(encoded, count)),
        (Mode::Triangles | Mode::Indices, _) => {
            Err(FormatError::damaged(format!("an index of it takes {stride} bytes")))
        }
    }
}

fn decode_attributes(view: &CompressedView, encoded: &[u8]) -> Result<Vec<u8>, FormatError> {
    struct Decode<'a>(&'a CompressedView, &'a [u8]);
    impl ForStride for Decode<'_> {
        type Output = Result<Vec<u8>, FormatError>;

        fn run<Row: Pod + Default>(self) -> Self::Output {
            let Self(view, encoded) = self;
            let rows = meshopt::decode_vertex_buffer::<Row>(encoded, view.count as usize);
            let mut rows = rows.map_err(|error| undecodable(&error))?;
            undo(view.filter, &mut rows)?;
            Ok(bytemuck::cast_slice(&rows).to_vec())
        }
    }
    with_stride(view.byte_stride as usize, Decode(view, encoded)).unwrap_or_else(|| {
        Err(FormatError::unsupported(format!(
            "compressed entries of {} bytes",
            view.byte_stride
        )))
    })
}

/// Takes a filter back, which wants entries of its own size.
fn undo<Row: Pod>(filter: Filter, rows: &mut [Row]) -> Result<(), FormatError> {
    match (filter, size_of::<Row>()) {
        (Filter::None, _) => {}
        (Filter::Octahedral, 4) => meshopt::decode_filter_oct::<i8>(bytemuck::cast_slice_mut(rows)),
        (Filter::Octahedral, 8) => meshopt::decode_filter_oct::<i16>(bytemuck::cast_slice_mut(rows)),
        (Filter::Quaternion, 8) => meshopt::decode_filter_quat(bytemuck::cast_slice_mut(rows)),
        (Filter::Exponential, _) => meshopt::decode_filter_exp::<1>(bytemuck::cast_slice_mut(rows)),
        (Filter::Color, 4) => meshopt::decode_filter_color::<u8>(bytemuck::cast_slice_mut(rows)),
        (Filter::Color, 8) => meshopt::decode_filter_color::<u16>(bytemuck::cast_slice_mut(rows)),
        (filter, size) => {
            return Err(FormatError::damaged(format!(
                "a filter ({filter:?}) was used on entries of {size} bytes"
            )));
        }
    }
    Ok(())
}

fn values<T: Pod>(bytes: &[u8]) -> Vec<T> {
    bytes
        .chunks_exact(size_of::<T>())
        .map(bytemuck::pod_read_unaligned)
        .collect()
}

fn bytes_of<T: Pod>(decoded: meshopt::Result<Vec<T>>) -> Result<Vec<u8>, FormatError> {
    decoded
        .map(|values| bytemuck::cast_slice(&values).to_vec())
        .map_err(|error| undecodable(&error))
}

fn undecodable(error: &meshopt::Error) -> FormatError {
    FormatError::damaged(format!("a compressed array does not decode ({error})"))
}

/// Something to be done with entries whose size is known when the program is built, as the codec wants it.
trait ForStride {
    type Output;

    fn run<Row: Pod + Default>(self) -> Self::Output;
}

/// Runs with entries of `stride` bytes: any multiple of four up to 64, `None` for others.
fn with_stride<F: ForStride>(stride: usize, f: F) -> Option<F::Output> {
    macro_rules! dispatch {
        ($($words:literal)*) => {
            match stride {
                $(stride if stride == 4 * $words => Some(f.run::<[u32; $words]>()),)*
                _ => None,
            }
        };
    }
    dispatch!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::test_support::axes_mesh;

    fn view(count: u64, stride: u64, mode: Mode, filter: Filter, encoded: &[u8]) -> CompressedView {
        CompressedView {
            filter,
            ..CompressedView::new(0, encoded.len(), stride as usize, count as usize, mode)
        }
    }

    #[test]
    fn vertex_data_of_every_stride_comes_back() {
        for stride in (4..=64).step_by(4) {
            let bytes: Vec<u8> = (0..stride * 300).map(|index| (index * index % 251) as u8).collect();
            let encoded = encode_attributes(&bytes, stride).unwrap();
            assert_eq!(encoded[0], 0xa0, "version 0 of the codec");
            let view = view(300, stride as u64, Mode::Attributes, Filter::None, &encoded);
            assert_eq!(decode(&view, &encoded).unwrap(), bytes, "{stride}");
            assert!(decode(&view, &encoded[..encoded.len() - 1]).is_err());
        }
        assert!(encode_attributes(&[0; 6], 6).is_err());
    }

    #[test]
    fn triangles_come_back_turned_at_most() {
        let triangles: Vec<[u32; 3]> = (0..500).map(|index| [index, index + 1, index + 2]).collect();
        let encoded = encode_triangles(&triangles, 502).unwrap();
        assert_eq!(encoded[0], 0xe1, "version 1 of the codec");
        for stride in [2, 4] {
            let view = view(1500, stride, Mode::Triangles, Filter::None, &encoded);
            let decoded = decode(&view, &encoded).unwrap();
            let corners: Vec<u32> = match stride {
                2 => values::<u16>(&decoded).into_iter().map(u32::from).collect(),
                _ => values(&decoded),
            };
            for (triangle, corners) in triangles.iter().zip(corners.chunks_exact(3)) {
                let turned = |by: usize| (0..3).all(|corner| corners[corner] == triangle[(corner + by) % 3]);
                assert!((0..3).any(turned), "{triangle:?} {corners:?}");
            }
        }
        let uneven = view(1499, 4, Mode::Triangles, Filter::None, &encoded);
        assert!(matches!(decode(&uneven, &encoded), Err(FormatError::Damaged { .. })));
    }

    #[test]
    fn filters_of_other_programs_are_undone() {
        let directions = [[0.0_f32, 0.6, 0.8, 0.0], [-1.0, 0.0, 0.0, 1.0]];
        let filtered = meshopt::encode_filter_oct::<i16>(&directions, 12);
        let encoded = meshopt::encode_vertex_buffer_level(&filtered, 2, Some(0)).unwrap();
        let octahedral = view(2, 8, Mode::Attributes, Filter::Octahedral, &encoded);
        let decoded: Vec<[i16; 4]> = values(&decode(&octahedral, &encoded).unwrap());
        for (stored, exact) in decoded.iter().zip(&directions) {
            for axis in 0..3 {
                assert!((f32::from(stored[axis]) / 32_767.0 - exact[axis]).abs() < 2e-3);
            }
        }
        let exact = [[0.5_f32, -3.25, 1e-3]];
        let filtered = meshopt::encode_filter_exp(&exact, 20, meshopt::EncodeExpMode::Separate);
        let encoded = meshopt::encode_vertex_buffer_level(&filtered, 2, Some(0)).unwrap();
        let exponential = view(1, 12, Mode::Attributes, Filter::Exponential, &encoded);
        let decoded: Vec<f32> = values(&decode(&exponential, &encoded).unwrap());
        assert!(
            decoded
                .iter()
                .zip(&exact[0])
                .all(|(stored, exact)| (stored - exact).abs() < 1e-5)
        );
        let misused = view(1, 12, Mode::Attributes, Filter::Octahedral, &encoded);
        assert!(matches!(decode(&misused, &encoded), Err(FormatError::Damaged { .. })));
    }

    #[test]
    fn reordering_keeps_every_triangle_with_all_its_attributes() {
        let mut mesh = axes_mesh();
        mesh.triangles.reverse();
        let after = reordered(&mesh);
        let corners = |mesh: &TriMesh| -> Vec<_> {
            let mut corners: Vec<_> = mesh
                .triangles
                .iter()
                .flatten()
                .copied()
                .map(|vertex| {
                    let vertex = vertex as usize;
                    format!(
                        "{} {} {}",
                        mesh.positions[vertex], mesh.normals[vertex], mesh.colors[vertex]
                    )
                })
                .collect();
            corners.sort();
            corners
        };
        assert_eq!(corners(&after), corners(&mesh));
        assert_eq!(after.triangles[0], [0, 1, 2]);
    }
}
