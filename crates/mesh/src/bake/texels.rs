//! Which triangle each texel belongs to.

use bozzetto_asset::TriMesh;
use glam::{Vec2, Vec3};
use rayon::prelude::*;

use crate::topology::NONE;

/// Rows that one thread rasterises at a time.
const BAND: usize = 32;
/// Texels this far outside a chart get a value of their own, so that bilinear lookups at its border read no fill.
const GUTTER_PX: f32 = 1.6;
/// Marks a texel outside of its triangle.
const OUTSIDE: u32 = 1 << 31;
/// Barycentric weights beyond this come from slivers and would point far off the surface.
const MAX_EXTRAPOLATION: f32 = 3.0;

/// A texel with a place on the mesh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texel {
    pub(crate) triangle: u32,
    /// Weights of the corners; negative ones extrapolate beyond the border of a chart.
    pub(crate) barycentric: Vec3,
}

/// The triangle of each texel of a square texture.
pub(crate) struct TexelMap {
    size: usize,
    owners: Vec<u32>,
}

impl TexelMap {
    /// Rasterises the UV triangles. A texel belongs to the triangle that holds its centre, the lowest one where several
    /// do; texels close outside belong to the closest triangle.
    pub(crate) fn new(mesh: &TriMesh, size: usize) -> Self {
        let corners = |triangle: u32| uv_corners(mesh, triangle, size);
        let num_bands = size.div_ceil(BAND);
        let mut bands: Vec<Vec<u32>> = vec![Vec::new(); num_bands];
        for triangle in 0..mesh.triangles.len() as u32 {
            let (low, high) = texel_bounds(&corners(triangle), GUTTER_PX, size);
            if low.1 < high.1 {
                for band in &mut bands[low.1 / BAND..=(high.1 - 1) / BAND] {
                    band.push(triangle);
                }
            }
        }
        let mut owners = vec![NONE; size * size];
        owners
            .par_chunks_mut(size * BAND)
            .zip(bands)
            .enumerate()
            .for_each(|(index, (rows, triangles))| {
                rasterise_band(rows, index * BAND, size, &triangles, &corners);
            });
        Self { size, owners }
    }

    /// Whether a chart covers the centre of a texel.
    pub(crate) fn is_inside(&self, texel: usize) -> bool {
        self.owners[texel] & OUTSIDE == 0
    }

    /// The place of a texel on the mesh, where it has one.
    pub(crate) fn texel(&self, mesh: &TriMesh, index: usize) -> Option<Texel> {
        let owner = self.owners[index];
        if owner == NONE {
            return None;
        }
        let triangle = owner & !OUTSIDE;
        let corners = uv_corners(mesh, triangle, self.size);
        let center = texel_center(index % self.size, index / self.size);
        let barycentric = barycentric(center, &corners)
            .filter(|weights| weights.abs().max_element() <= MAX_EXTRAPOLATION)
            .unwrap_or_else(|| closest_on_triangle(center, &corners));
        Some(Texel { triangle, barycentric })
    }
}

fn uv_corners(mesh: &TriMesh, triangle: u32, size: usize) -> [Vec2; 3] {
    mesh.triangles[triangle as usize].map(|vertex| mesh.uvs[vertex as usize] * size as f32)
}

fn texel_center(x: usize, y: usize) -> Vec2 {
    Vec2::new(x as f32 + 0.5, y as f32 + 0.5)
}

/// Texels (from, to exclusive) whose centres lie within a margin of the corners' bounding box.
pub(crate) fn texel_bounds(corners: &[Vec2; 3], margin: f32, size: usize) -> ((usize, usize), (usize, usize)) {
    let [a, b, c] = *corners;
    let low = (a.min(b).min(c) - margin - 0.5).ceil().max(Vec2::ZERO);
    let high = (a.max(b).max(c) + margin - 0.5).floor() + 1.0;
    let high = high.clamp(Vec2::ZERO, Vec2::splat(size as f32));
    ((low.x as usize, low.y as usize), (high.x as usize, high.y as usize))
}

fn rasterise_band(
    rows: &mut [u32],
    first_row: usize,
    size: usize,
    triangles: &[u32],
    corners: &impl Fn(u32) -> [Vec2; 3],
) {
    let last_row = first_row + rows.len() / size;
    let mut distances = vec![f32::INFINITY; rows.len()];
    for &triangle in triangles {
        let uvs = corners(triangle);
        let (low, high) = texel_bounds(&uvs, GUTTER_PX, size);
        for y in low.1.max(first_row)..high.1.min(last_row) {
            for x in low.0..high.0 {
                let place = (y - first_row) * size + x;
                if distances[place] == 0.0 {
                    continue;
                }
                let center = texel_center(x, y);
                if barycentric(center, &uvs).is_some_and(|weights| weights.min_element() >= 0.0) {
                    distances[place] = 0.0;
                    rows[place] = triangle;
                    continue;
                }
                let weights = closest_on_triangle(center, &uvs);
                let closest = uvs[0] * weights.x + uvs[1] * weights.y + uvs[2] * weights.z;
                // Never zero: a centre that rounding puts outside of both neighbours belongs to the first.
                let distance = closest.distance_squared(center).max(f32::MIN_POSITIVE);
                if distance < distances[place] && distance <= GUTTER_PX * GUTTER_PX {
                    distances[place] = distance;
                    rows[place] = if distance < 1e-8 { triangle } else { triangle | OUTSIDE };
                }
            }
        }
    }
}

/// Weights of a point in the plane, `None` for a triangle without area.
pub(crate) fn barycentric(point: Vec2, [a, b, c]: &[Vec2; 3]) -> Option<Vec3> {
    let (ab, ac, ap) = (*b - *a, *c - *a, point - *a);
    let area = ab.perp_dot(ac);
    if area.abs() < 1e-12 {
        return None;
    }
    let (v, w) = (ap.perp_dot(ac) / area, ab.perp_dot(ap) / area);
    Some(Vec3::new(1.0 - v - w, v, w))
}

fn closest_on_triangle(point: Vec2, [a, b, c]: &[Vec2; 3]) -> Vec3 {
    crate::nearest::closest_barycentric(point.extend(0.0), [a.extend(0.0), b.extend(0.0), c.extend(0.0)])
}

/// Share of the used texels whose centre lies strictly inside more than one face, on a grid of `size * size`.
pub fn uv_overlap(mesh: &TriMesh, size: usize) -> f32 {
    if mesh.uvs.is_empty() {
        return 0.0;
    }
    let mut counts = vec![0_u8; size * size];
    for triangle in 0..mesh.triangles.len() as u32 {
        let uvs = uv_corners(mesh, triangle, size);
        let (low, high) = texel_bounds(&uvs, 0.0, size);
        for y in low.1..high.1 {
            for x in low.0..high.0 {
                // A hair inside, so that a centre on the edge of two neighbours doesn't count.
                if barycentric(texel_center(x, y), &uvs).is_some_and(|weights| weights.min_element() > 1e-4) {
                    let count = &mut counts[y * size + x];
                    *count = count.saturating_add(1);
                }
            }
        }
    }
    let used = counts.iter().filter(|&&count| count > 0).count();
    let shared = counts.iter().filter(|&&count| count > 1).count();
    shared as f32 / used.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad() -> TriMesh {
        let mut mesh = TriMesh::new(
            vec![Vec3::ZERO, Vec3::X, Vec3::ONE, Vec3::Y],
            vec![[0, 1, 2], [0, 2, 3]],
        );
        mesh.uvs = vec![
            Vec2::splat(0.25),
            Vec2::new(0.75, 0.25),
            Vec2::splat(0.75),
            Vec2::new(0.25, 0.75),
        ];
        mesh
    }

    #[test]
    fn a_square_covers_its_texels_and_a_gutter() {
        let mesh = quad();
        let map = TexelMap::new(&mesh, 64);
        let count = |test: &dyn Fn(usize) -> bool| (0..64 * 64).filter(|&texel| test(texel)).count();
        let has_place = |texel: usize| map.texel(&mesh, texel).is_some();
        assert_eq!(count(&|texel| has_place(texel) && map.is_inside(texel)), 32 * 32);
        // One ring of texels at 0.5 and one at 1.5 texels, without its four corners.
        assert_eq!(count(&has_place), 36 * 36 - 4);
        let texel = map.texel(&mesh, 16 * 64 + 15).unwrap();
        assert!(
            texel.barycentric.min_element() < 0.0,
            "extrapolated beyond the edge: {texel:?}"
        );
    }

    #[test]
    fn overlap_is_measured() {
        let mut mesh = quad();
        assert_eq!(uv_overlap(&mesh, 64), 0.0);
        mesh.triangles.push([0, 1, 2]);
        assert!((uv_overlap(&mesh, 64) - 0.5).abs() < 0.05);
    }
}
