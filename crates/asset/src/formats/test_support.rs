//! Strategies and checks that the readers' tests share.

use std::fmt::Debug;
use std::sync::Arc;

use glam::{Vec2, Vec3, Vec3Swizzles as _};
use image::{RgbImage, RgbaImage};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::FormatError;
use crate::{AlphaMode, Material, Provenance, TexturedMesh, TriMesh};

/// Random bytes, cut-off beginnings of a valid file, and a valid file with some bytes changed, removed or repeated.
pub(crate) fn mutated(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = valid.len();
    let (for_cut, for_edit, for_splice) = (valid.clone(), valid.clone(), valid);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        2 => (0..=length).prop_map(move |end| for_cut[..end].to_vec()),
        4 => prop::collection::vec((0..length, any::<u8>()), 1..12).prop_map(move |edits| {
            let mut bytes = for_edit.clone();
            for (index, value) in edits {
                bytes[index] = value;
            }
            bytes
        }),
        2 => (0..length, 0..length, 0..length).prop_map(move |(start, end, at)| {
            let (start, end) = (start.min(end), start.max(end));
            [&for_splice[..at], &for_splice[start..end], &for_splice[at..]].concat()
        }),
    ]
}

/// Decodes and, where that fails, checks that the error reads as a sentence. A panic fails the test by itself.
pub(crate) fn never_panics<T: Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, FormatError>,
) -> Result<(), TestCaseError> {
    if let Err(error) = decode(bytes) {
        let sentence = error.to_string();
        prop_assert!(
            sentence.ends_with('.') && sentence.starts_with("The file "),
            "{sentence}"
        );
    }
    Ok(())
}

/// Three small triangles: red out on +X, green on +Y, blue on +Z, and white where they begin near the origin.
pub(crate) fn axes_mesh() -> TriMesh {
    let mut mesh = TriMesh::default();
    for axis in [Vec3::X, Vec3::Y, Vec3::Z] {
        let first = mesh.positions.len() as u32;
        let sideways = Vec3::new(axis.z, axis.x, axis.y) * 0.125;
        mesh.positions
            .extend([axis * 0.5, sideways, Vec3::new(axis.y, axis.z, axis.x) * 0.125]);
        mesh.colors.extend([axis, sideways, sideways.zxy()]);
        mesh.triangles.push([first, first + 1, first + 2]);
    }
    mesh.compute_normals();
    mesh
}

/// A quad with everything that a finished mesh can have.
pub(crate) fn textured_quad(alpha_mode: AlphaMode) -> TexturedMesh {
    let mesh = TriMesh {
        positions: vec![Vec3::ZERO, Vec3::X, Vec3::ONE - Vec3::Z, Vec3::Y],
        triangles: vec![[0, 1, 2], [0, 2, 3]],
        normals: vec![Vec3::Z; 4],
        uvs: vec![Vec2::Y, Vec2::ONE, Vec2::X, Vec2::ZERO],
        tangents: vec![[1.0, 0.0, 0.0, 1.0]; 4],
        ..TriMesh::default()
    };
    let rgb = |seed: u32| RgbImage::from_fn(8, 4, |x, y| image::Rgb([seed, x * 31, y * 63].map(|value| value as u8)));
    TexturedMesh {
        mesh: Arc::new(mesh),
        material: Material {
            base_color: Arc::new(RgbaImage::from_fn(8, 4, |x, y| {
                image::Rgba([x * 20, y * 60, x ^ y, 255 - x * 10].map(|value| value as u8))
            })),
            orm: Some(Arc::new(rgb(200))),
            normal: Some(Arc::new(rgb(128))),
            alpha_mode,
            metallic_factor: 1.0,
            roughness_factor: 1.0,
            has_occlusion: true,
        },
        provenance: Provenance {
            generator: "Bozzetto test".to_owned(),
            engine: "hull".to_owned(),
            parameters: [("carve.resolution".to_owned(), serde_json::json!(128))].into(),
            seed: u64::MAX,
            duration_secs: 1.5,
            ..Provenance::default()
        },
        coverage: Arc::default(),
    }
}
