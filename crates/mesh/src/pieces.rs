//! Cuts a large surface into pieces of connected faces, so that work on them can be shared among processors.

use std::collections::VecDeque;

use bozzetto_asset::TriMesh;

use crate::clean::neighbors;
use crate::simplify::curve::along_curve;
use crate::topology::NONE;

/// Faces of each piece, in ascending order: each face lies in exactly one. Pieces grow from seeds spread over the surface
/// until they meet, so that their borders are short; each has roughly `faces_a_piece` faces. What no seed reaches is
/// gathered in pieces that are not connected.
pub(crate) fn pieces(mesh: &TriMesh, faces_a_piece: usize) -> Vec<Vec<u32>> {
    let num_faces = mesh.triangles.len();
    if num_faces <= faces_a_piece {
        return vec![(0..num_faces as u32).collect()];
    }
    let neighbors = neighbors(&mesh.triangles);
    let order = along_curve(&mesh.positions, &mesh.triangles, 0.0);
    // From the middle of each stretch of the curve.
    let seeds: Vec<u32> = order
        .chunks(faces_a_piece)
        .map(|stretch| stretch[stretch.len() / 2])
        .collect();
    let mut piece_of = vec![NONE; num_faces];
    let mut front: VecDeque<u32> = seeds.iter().copied().collect();
    for (piece, &seed) in seeds.iter().enumerate() {
        piece_of[seed as usize] = piece as u32;
    }
    while let Some(face) = front.pop_front() {
        for &neighbor in neighbors[face as usize].iter().filter(|neighbor| **neighbor != NONE) {
            if piece_of[neighbor as usize] == NONE {
                piece_of[neighbor as usize] = piece_of[face as usize];
                front.push_back(neighbor);
            }
        }
    }
    let mut pieces = vec![Vec::new(); seeds.len()];
    let mut rest = Vec::new();
    for (face, &piece) in piece_of.iter().enumerate() {
        match pieces.get_mut(piece as usize) {
            Some(faces) => faces.push(face as u32),
            None => rest.push(face as u32),
        }
    }
    pieces.extend(rest.chunks(faces_a_piece).map(<[u32]>::to_vec));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn every_face_lies_in_one_piece_of_roughly_the_size_asked_for() {
        let both = shapes::together(
            shapes::noisy_sphere(6, 0.02, 40.0, 0.0),
            &shapes::torus(0.02, 0.005, 24, 12),
        );
        let pieces = pieces(&both, 10_000);
        let mut all = pieces.concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..both.triangles.len() as u32));
        for piece in &pieces[..pieces.len() - 1] {
            assert!((2_000..40_000).contains(&piece.len()), "{}", piece.len());
        }
    }

    #[test]
    fn a_small_surface_stays_whole() {
        assert_eq!(
            pieces(&shapes::cube(glam::Vec3::ZERO), 12),
            [(0..12).collect::<Vec<_>>()]
        );
    }
}
