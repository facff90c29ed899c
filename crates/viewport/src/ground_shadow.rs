//! A soft shadow on the ground, made from how high the asset hangs over each place: what is near the ground gives a
//! dark and sharp shadow, what is high a faint and wide one, as under a large studio light.

use bozzetto_asset::{GaussianSplats, TriMesh};
use glam::{Vec2, Vec3};

use crate::Bounds;

/// Texels along each side of the shadow picture.
pub const SHADOW_PX: usize = 128;
/// The picture reaches beyond the asset by this share of its larger side, each way.
const MARGIN: f32 = 0.45;
/// Triangles looked at; of larger meshes evenly spread ones are taken.
const MAX_TRIANGLES: usize = 400_000;
/// Splats more transparent than this cast no shadow.
const MIN_OPACITY: f32 = 0.3;
/// Height up to which a layer reaches, its blur radius, both as shares of the asset's larger side, and its darkness.
const LAYERS: [(f32, f32, f32); 4] = [
    (0.025, 0.012, 0.62),
    (0.10, 0.045, 0.42),
    (0.35, 0.11, 0.36),
    (10.0, 0.24, 0.34),
];

/// Darkness of the ground, `[SHADOW_PX, SHADOW_PX]`, rows along +Z, columns along +X, 255 is darkest.
#[derive(Clone)]
pub struct GroundShadow {
    pub texels: Vec<u8>,
    /// Middle of the picture, (x, z), metres.
    pub center: Vec2,
    /// Half of the picture's side, metres.
    pub half_extent: f32,
}

impl GroundShadow {
    pub fn of_mesh(mesh: &TriMesh, bounds: &Bounds) -> Self {
        let mut heights = Heights::new(bounds);
        let stride = mesh.triangles.len().div_ceil(MAX_TRIANGLES).max(1);
        for index in (0..mesh.triangles.len()).step_by(stride) {
            heights.add_triangle(mesh.corners(index));
        }
        heights.shadow()
    }

    /// Of cubes, given by their low corners and their edge.
    pub fn of_cubes(corners: impl Iterator<Item = Vec3>, edge: f32, bounds: &Bounds) -> Self {
        let mut heights = Heights::new(bounds);
        let (along_x, along_z) = (Vec3::X * edge, Vec3::Z * edge);
        for corner in corners {
            heights.add_triangle([corner, corner + along_x, corner + along_z]);
            heights.add_triangle([corner + along_x + along_z, corner + along_x, corner + along_z]);
        }
        heights.shadow()
    }

    pub fn of_splats(splats: &GaussianSplats, bounds: &Bounds) -> Self {
        let mut heights = Heights::new(bounds);
        for (&position, &opacity) in splats.positions.iter().zip(&splats.opacities) {
            if opacity >= MIN_OPACITY {
                heights.add_point(position);
            }
        }
        heights.shadow()
    }
}

/// Lowest height over the ground of anything above each texel; infinite where there is nothing.
struct Heights {
    lowest: Vec<f32>,
    ground: f32,
    size: f32,
    center: Vec2,
    half_extent: f32,
}

impl Heights {
    fn new(bounds: &Bounds) -> Self {
        let size = bounds.size().max_element().max(1e-4);
        let center = bounds.center();
        Self {
            lowest: vec![f32::INFINITY; SHADOW_PX * SHADOW_PX],
            ground: bounds.min.y,
            size,
            center: Vec2::new(center.x, center.z),
            half_extent: size * (0.5 + MARGIN),
        }
    }

    fn add_point(&mut self, point: Vec3) {
        let at = (Vec2::new(point.x, point.z) - self.center) / (2.0 * self.half_extent) + 0.5;
        let texel = at * SHADOW_PX as f32;
        if texel.min_element() >= 0.0 && texel.max_element() < SHADOW_PX as f32 {
            let lowest = &mut self.lowest[texel.y as usize * SHADOW_PX + texel.x as usize];
            *lowest = lowest.min(point.y - self.ground);
        }
    }

    /// Points over the triangle, about one a texel.
    fn add_triangle(&mut self, [a, b, c]: [Vec3; 3]) {
        let texel = 2.0 * self.half_extent / SHADOW_PX as f32;
        let longest = (b - a).length().max((c - a).length()).max((c - b).length());
        let steps = ((longest / texel).ceil() as usize).clamp(1, SHADOW_PX);
        for i in 0..=steps {
            for j in 0..=(steps - i) {
                let (u, v) = (i as f32 / steps as f32, j as f32 / steps as f32);
                self.add_point(a + (b - a) * u + (c - a) * v);
            }
        }
    }

    fn shadow(&self) -> GroundShadow {
        let mut light = vec![1.0_f32; SHADOW_PX * SHADOW_PX];
        let mut from = f32::NEG_INFINITY;
        for (reach, blur, darkness) in LAYERS {
            let to = reach * self.size;
            let mut layer: Vec<f32> = self
                .lowest
                .iter()
                .map(|&height| f32::from(u8::from(height > from && height <= to)))
                .collect();
            let radius = blur * self.size / (2.0 * self.half_extent) * SHADOW_PX as f32;
            for _ in 0..3 {
                blur_rows(&mut layer, radius);
                transpose(&mut layer);
                blur_rows(&mut layer, radius);
                transpose(&mut layer);
            }
            for (light, cover) in light.iter_mut().zip(&layer) {
                *light *= 1.0 - darkness * cover;
            }
            from = to;
        }
        GroundShadow {
            texels: light.iter().map(|light| ((1.0 - light) * 255.0 + 0.5) as u8).collect(),
            center: self.center,
            half_extent: self.half_extent,
        }
    }
}

/// A box blur along rows with a fractional radius; three in a row come close to a Gaussian.
fn blur_rows(layer: &mut [f32], radius: f32) {
    let whole = radius.floor() as usize;
    let part = radius - whole as f32;
    let scale = 1.0 / (2.0 * radius + 1.0);
    let mut padded = vec![0.0; SHADOW_PX + 2 * whole + 2];
    for row in layer.chunks_exact_mut(SHADOW_PX) {
        padded[whole + 1..whole + 1 + SHADOW_PX].copy_from_slice(row);
        for (index, texel) in row.iter_mut().enumerate() {
            let window = &padded[index..index + 2 * whole + 3];
            let ends = (window[0] + window[window.len() - 1]) * part;
            *texel = (window[1..window.len() - 1].iter().sum::<f32>() + ends) * scale;
        }
    }
}

fn transpose(layer: &mut [f32]) {
    for row in 0..SHADOW_PX {
        for column in 0..row {
            layer.swap(row * SHADOW_PX + column, column * SHADOW_PX + row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(height: f32) -> (TriMesh, Bounds) {
        let corner = |x: f32, z: f32| Vec3::new(x, height, z);
        let positions = vec![
            corner(-0.2, -0.2),
            corner(0.2, -0.2),
            corner(0.2, 0.2),
            corner(-0.2, 0.2),
        ];
        let bounds = Bounds {
            min: Vec3::splat(-0.5),
            max: Vec3::splat(0.5),
        };
        (TriMesh::new(positions, vec![[0, 2, 1], [0, 3, 2]]), bounds)
    }

    #[test]
    fn contact_is_dark_and_sharp_and_height_is_faint_and_wide() {
        let at = |shadow: &GroundShadow, x: f32| {
            let column = ((x / (2.0 * shadow.half_extent) + 0.5) * SHADOW_PX as f32) as usize;
            shadow.texels[SHADOW_PX / 2 * SHADOW_PX + column]
        };
        let (low, bounds) = square(-0.5);
        let (high, _) = square(0.3);
        let (low, high) = (
            GroundShadow::of_mesh(&low, &bounds),
            GroundShadow::of_mesh(&high, &bounds),
        );
        assert!(
            at(&low, 0.0) > 130 && at(&low, 0.35) == 0,
            "{} {}",
            at(&low, 0.0),
            at(&low, 0.35)
        );
        assert!(at(&high, 0.0) < at(&low, 0.0) && at(&high, 0.35) > 0);
        assert_eq!(at(&high, -0.9), 0);
    }
}
