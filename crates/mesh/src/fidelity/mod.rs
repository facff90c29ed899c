//! How close a finished mesh stays to the surface it was made of, in space and to the eye.
//!
//! In space: distances between points of either surface and the other surface. To the eye: pictures of both from the same
//! cameras all around, taken by rays, four a pixel, the finished one with its textures looked up as a graphics card does.

mod distances;
mod edges;
mod pictures;

use bozzetto_asset::TexturedMesh;

pub use self::edges::Deviation;
use crate::bake::{Sampler, Surface};
use crate::nearest::SearchTree;

/// Cameras that both are looked at from.
pub const NUM_CAMERAS: usize = 16;

/// What separates a finished mesh from its original.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fidelity {
    /// The greatest distance from a vertex or a middle of a face of either surface to the other surface, metres. Between
    /// those places it may be a little more (Hausdorff distance, sampled).
    pub greatest_distance: f32,
    /// The mean distance from the middles of faces, weighted by area, to the other surface; of both ways the larger one,
    /// metres.
    pub mean_distance: f32,
    /// The mean angle between the normals of both in the pictures, with the normal map where there is one, radians.
    pub normal_deviation: f32,
    /// The same without the normal map.
    pub vertex_normal_deviation: f32,
    /// Likeness of the pictures in base colour, linear light, dB of the peak signal-to-noise ratio.
    pub base_color_psnr: f32,
    /// The same for base colour under a white light that hangs in the upper left behind the viewer of the front, with a
    /// fifth of its strength from everywhere: what the normal map changes is in it.
    pub shaded_psnr: f32,
}

impl Fidelity {
    /// Compares a finished mesh with the surface it was made of and the colours that it was baked from, in pictures of
    /// `picture_px` squared. All pixels count that either shows; where only one does, the other is black.
    pub fn of(finished: &TexturedMesh, original: Surface<'_>, sampler: &dyn Sampler, picture_px: u32) -> Self {
        let tree = SearchTree::new(&finished.mesh);
        let (greatest_there, mean_there) = distances::greatest_and_mean(original.mesh, &tree);
        let (greatest_back, mean_back) = distances::greatest_and_mean(&finished.mesh, original.tree);
        let pair = pictures::Pair {
            original,
            sampler,
            finished,
            tree: &tree,
        };
        let likeness = pair.likeness(NUM_CAMERAS, picture_px);
        Self {
            greatest_distance: greatest_there.max(greatest_back),
            mean_distance: mean_there.max(mean_back),
            normal_deviation: likeness.normal_deviation,
            vertex_normal_deviation: likeness.vertex_normal_deviation,
            base_color_psnr: likeness.base_color_psnr,
            shaded_psnr: likeness.shaded_psnr,
        }
    }
}
