//! Binary STL: triangles and nothing else.
//!
//! Slicers and CAD programs are z-up with the front towards -Y, so files are too: `(x, y, z) -> (x, -z, y)` on the way
//! out and back again on the way in. The format knows no unit: slicers take its numbers as millimetres, Blender as metres.
//! Numbers are written in the unit that is asked for and read as they are.

use std::path::Path;

use glam::Vec3;

use super::weld::Welder;
use super::z_up::{y_up, z_up};
use super::{FormatError, read_file};
use crate::{LengthUnit, TriMesh, files};

const HEADER_BYTES: usize = 80;
const FIRST_FACET: usize = HEADER_BYTES + 4;
const FACET_BYTES: usize = 50;

/// Reads a binary file; corners at exactly the same place become one vertex.
pub fn read(path: &Path) -> Result<TriMesh, FormatError> {
    decode(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read`].
pub fn decode(bytes: &[u8]) -> Result<TriMesh, FormatError> {
    let claimed = bytes
        .get(HEADER_BYTES..FIRST_FACET)
        .map(|count| u32::from_le_bytes(std::array::from_fn(|index| count[index])));
    // Some binary files begin with the word `solid` too, so that their length has to tell.
    let needed = claimed.map_or(FIRST_FACET as u64, |count| {
        FIRST_FACET as u64 + u64::from(count) * FACET_BYTES as u64
    });
    if needed > bytes.len() as u64 {
        return Err(if bytes.trim_ascii_start().starts_with(b"solid") {
            FormatError::unsupported("numbers as text (save it as binary STL)")
        } else {
            FormatError::truncated("list of triangles", needed, bytes.len())
        });
    }
    let mut welder = Welder::default();
    let mut triangles = Vec::with_capacity(claimed.unwrap_or_default() as usize);
    for facet in bytes[FIRST_FACET..needed as usize].chunks_exact(FACET_BYTES) {
        let number = |at: usize| f32::from_le_bytes(std::array::from_fn(|index| facet[at + index]));
        let corner = |at: usize| y_up(Vec3::new(number(at), number(at + 4), number(at + 8)));
        // The facet's own normal comes first; the corners' order says the same.
        let corners = [corner(12), corner(24), corner(36)];
        if !corners.iter().all(|corner| corner.is_finite()) {
            return Err(FormatError::damaged(format!(
                "triangle {} has a corner that is not made of finite numbers",
                triangles.len()
            )));
        }
        triangles.push(corners.map(|corner| welder.vertex(corner)));
    }
    if triangles.is_empty() {
        return Err(FormatError::damaged("it holds no triangles"));
    }
    Ok(TriMesh::new(welder.positions, triangles))
}

/// Writes a binary file whose numbers are in `unit`.
pub fn write(path: &Path, mesh: &TriMesh, unit: LengthUnit) -> Result<(), FormatError> {
    files::write_bytes(path, &encode(mesh, unit).map_err(|error| error.at(path))?)
}

/// Writes to memory; see [`write`].
pub fn encode(mesh: &TriMesh, unit: LengthUnit) -> Result<Vec<u8>, FormatError> {
    if !mesh.is_consistent() {
        return Err(FormatError::unwritable("the mesh contradicts itself"));
    }
    let count = u32::try_from(mesh.triangles.len())
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| FormatError::unwritable(format!("an STL cannot hold {} triangles", mesh.triangles.len())))?;
    let mut bytes = Vec::with_capacity(FIRST_FACET + mesh.triangles.len() * FACET_BYTES);
    bytes.extend(format!("Bozzetto, +Z up, {}", unit.name()).as_bytes());
    bytes.resize(HEADER_BYTES, 0);
    bytes.extend(count.to_le_bytes());
    for index in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(index).map(|corner| z_up(corner) * unit.per_metre());
        let normal = (b - a).cross(c - a).normalize_or_zero();
        for value in [normal, a, b, c].into_iter().flat_map(|vector| vector.to_array()) {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 2]);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::test_support::{axes_mesh, mutated, never_panics};

    #[test]
    fn triangles_and_shared_vertices_survive() {
        let mesh = TriMesh::new(
            vec![Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z],
            vec![[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]],
        );
        let back = decode(&encode(&mesh, LengthUnit::Metre).unwrap()).unwrap();
        assert_eq!(back.positions.len(), 4);
        let corners = |mesh: &TriMesh| (0..4).map(|index| mesh.corners(index)).collect::<Vec<_>>();
        assert_eq!(corners(&back), corners(&mesh));
    }

    #[test]
    fn files_are_z_up_with_the_front_towards_minus_y() {
        let bytes = encode(
            &TriMesh::new(vec![Vec3::X, Vec3::Y, Vec3::Z], vec![[0, 1, 2]]),
            LengthUnit::Metre,
        )
        .unwrap();
        let corner = |at: usize| -> [f32; 3] {
            std::array::from_fn(|axis| {
                let at = FIRST_FACET + 12 + at * 12 + axis * 4;
                f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
            })
        };
        assert_eq!(
            [corner(0), corner(1), corner(2)],
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
        );
    }

    #[test]
    fn numbers_are_in_the_unit_that_slicers_expect_when_it_is_asked_for() {
        let mesh = axes_mesh();
        let back = decode(&encode(&mesh, LengthUnit::Millimetre).unwrap()).unwrap();
        let (_, high) = back.bounds().unwrap();
        assert_eq!(high.max_element(), mesh.bounds().unwrap().1.max_element() * 1000.0);
    }

    #[test]
    fn bad_files_are_told_apart() {
        let mut claim = vec![0; FIRST_FACET + FACET_BYTES];
        claim[80..84].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(decode(&claim), Err(FormatError::Truncated { .. })));
        assert!(matches!(
            decode(b"solid cube\nfacet normal 0 0 1"),
            Err(FormatError::Unsupported { .. })
        ));
        claim[80..84].copy_from_slice(&1_u32.to_le_bytes());
        claim[FIRST_FACET + 12..FIRST_FACET + 16].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(matches!(decode(&claim), Err(FormatError::Damaged { .. })));
        assert!(matches!(
            encode(&TriMesh::default(), LengthUnit::Metre),
            Err(FormatError::Unwritable { .. })
        ));
    }

    proptest! {
        #[test]
        fn bad_bytes_never_panic(bytes in mutated(encode(&axes_mesh(), LengthUnit::Metre).unwrap())) {
            never_panics(&bytes, decode)?;
        }
    }
}
