//! Reads the meshes that people made.

use std::path::Path;

use bozzetto_asset::TriMesh;
use glam::Vec3;

/// Positions and triangulated faces; texture seams are not in it.
pub fn read_obj(path: &Path) -> TriMesh {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut mesh = TriMesh::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("v") => {
                let place: Vec<f32> = words.map(|word| word.parse().expect("a number")).collect();
                mesh.positions.push(Vec3::from_slice(&place));
            }
            Some("f") => {
                let number = |word: &str| word.split('/').next().and_then(|number| number.parse::<u32>().ok());
                let corners: Vec<u32> = words.map(|word| number(word).expect("an index") - 1).collect();
                mesh.triangles
                    .extend((2..corners.len()).map(|i| [corners[0], corners[i - 1], corners[i]]));
            }
            _ => {}
        }
    }
    mesh
}
