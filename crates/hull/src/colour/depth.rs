use bozzetto_asset::TriMesh;
use bozzetto_engine::EngineError;
use glam::{IVec2, UVec2, Vec2, Vec3};

use crate::fit::FittedView;
use crate::progress::Part;

/// Longest side of a depth map.
const MAX_SIDE: f32 = 1024.0;
/// Pixels about an occluder that count as hidden by it, against outlines that are a little off.
const GUARD_PX: i32 = 2;

/// Nearest and farthest surface along each pixel's ray.
#[derive(Clone, Debug)]
pub(super) struct DepthMap {
    size: UVec2,
    /// Map pixels for one picture pixel.
    scale: Vec2,
    nearest: Vec<f32>,
    farthest: Vec<f32>,
}

impl DepthMap {
    /// Draws a mesh as a view sees it.
    pub fn render(view: &FittedView, mesh: &TriMesh, part: &Part<'_, '_>) -> Result<Self, EngineError> {
        let picture = view.silhouette.picture_px.as_vec2();
        let size = (picture * (MAX_SIDE / picture.max_element()).min(1.0))
            .ceil()
            .max(Vec2::ONE)
            .as_uvec2();
        let mut map = Self {
            size,
            scale: size.as_vec2() / picture,
            nearest: vec![f32::INFINITY; (size.x * size.y) as usize],
            farthest: vec![f32::NEG_INFINITY; (size.x * size.y) as usize],
        };
        let mut seen = Vec::with_capacity(mesh.positions.len());
        for chunk in mesh.positions.chunks(1 << 14) {
            part.check()?;
            seen.extend(chunk.iter().map(|&position| {
                let projected = view.projector.project(position);
                (projected.pixel * map.scale).extend(projected.depth)
            }));
        }
        part.check()?;
        let mut work = 0;
        for triangle in &mesh.triangles {
            let corners = triangle.map(|vertex| seen[vertex as usize]);
            // The image of a triangle that reaches behind a pinhole is no triangle.
            if !corners.iter().any(|corner| view.projector.is_behind(corner.z)) {
                work += map.draw(corners);
            }
            work += 16;
            if work > 1 << 19 {
                part.check()?;
                work = 0;
            }
        }
        map.widen();
        Ok(map)
    }

    /// Draws a triangle and returns how many pixels it looked at.
    fn draw(&mut self, corners: [Vec3; 3]) -> usize {
        let [a, b, c] = corners;
        let area = (b - a).truncate().perp_dot((c - a).truncate());
        let limit = self.size.as_ivec2() - 1;
        let low = a.min(b).min(c).truncate();
        let high = a.max(b).max(c).truncate();
        let first = (low - 0.5).ceil().as_ivec2().max(IVec2::ZERO);
        let last = (high - 0.5).floor().as_ivec2().min(limit);
        if area.abs() < 1e-9 || first.cmpgt(last).any() {
            return 0;
        }
        for y in first.y..=last.y {
            for x in first.x..=last.x {
                let pixel = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                let weight =
                    |from: Vec3, to: Vec3| (to.truncate() - from.truncate()).perp_dot(pixel - from.truncate()) / area;
                let (wa, wb, wc) = (weight(b, c), weight(c, a), weight(a, b));
                if wa >= -1e-4 && wb >= -1e-4 && wc >= -1e-4 {
                    let depth = wa * a.z + wb * b.z + wc * c.z;
                    let index = y as usize * self.size.x as usize + x as usize;
                    self.nearest[index] = self.nearest[index].min(depth);
                    self.farthest[index] = self.farthest[index].max(depth);
                }
            }
        }
        let looked_at = last - first + 1;
        (looked_at.x * looked_at.y) as usize
    }

    /// Spreads what is in front over its neighbourhood, so that nothing right beside an occluder takes its colour.
    fn widen(&mut self) {
        let (width, height) = (self.size.x as usize, self.size.y as usize);
        spread(&mut self.nearest, width, height, f32::min);
        spread(&mut self.farthest, width, height, f32::max);
    }

    /// How freely a point is seen, in `[0, 1]`: from the camera, or through the object from behind. `tolerance` is
    /// the depth in metres that a point may lie behind the surface.
    pub fn visibility(&self, pixel: Vec2, depth: f32, tolerance: f32, from_behind: bool) -> f32 {
        let limit = (self.size - 1).as_vec2();
        let at = (pixel * self.scale - 0.5).clamp(Vec2::ZERO, limit);
        let base = at.floor().min((limit - 1.0).max(Vec2::ZERO));
        let f = at - base;
        let width = self.size.x as usize;
        let step_x = usize::from(self.size.x > 1);
        let step_y = if self.size.y > 1 { width } else { 0 };
        let index = base.y as usize * width + base.x as usize;
        let free = |index: usize| {
            let behind = if from_behind {
                self.farthest[index] - depth
            } else {
                depth - self.nearest[index]
            };
            1.0 - ((behind - tolerance) / tolerance).clamp(0.0, 1.0)
        };
        let row = |index: usize| {
            let first = free(index);
            first + f.x * (free(index + step_x) - first)
        };
        row(index) + f.y * (row(index + step_y) - row(index))
    }

    /// Picture pixels that the guard about occluders spans.
    pub fn guard_px(&self) -> f32 {
        (GUARD_PX as f32 + 0.5) / self.scale.max_element()
    }
}

/// Replaces each value by the best one of its square neighbourhood, rows first, then columns.
fn spread(plane: &mut [f32], width: usize, height: usize, best: fn(f32, f32) -> f32) {
    let reach = GUARD_PX as usize;
    let before = plane.to_vec();
    for y in 0..height {
        for x in 0..width {
            let row = &before[y * width + x.saturating_sub(reach)..=y * width + (x + reach).min(width - 1)];
            plane[y * width + x] = row.iter().copied().fold(before[y * width + x], best);
        }
    }
    let before = plane.to_vec();
    for y in 0..height {
        for x in 0..width {
            plane[y * width + x] = (y.saturating_sub(reach)..=(y + reach).min(height - 1))
                .map(|row| before[row * width + x])
                .fold(before[y * width + x], best);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bozzetto_asset::{Camera, PreparedView, Projection};
    use bozzetto_engine::{CancelToken, RunContext};
    use image::{GrayImage, Luma, RgbImage};

    use super::*;
    use crate::progress::Progress;
    use crate::projector::Projector;
    use crate::silhouette::Silhouette;

    #[test]
    fn a_triangle_that_reaches_behind_the_eye_hides_nothing() {
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|_| (),
        };
        let progress = Progress::new(&context, "colour");
        let camera = Camera::orbit(0.0, 0.0, 2.0, Projection::Perspective { fov_y_rad: 0.8 }, 1.0);
        let matte = GrayImage::from_pixel(32, 32, Luma([255]));
        let silhouette = Silhouette::new(&matte, true, &progress)
            .expect("not cancelled")
            .expect("full");
        let view = FittedView {
            view: PreparedView {
                name: "inside".to_owned(),
                color: Arc::new(RgbImage::new(32, 32)),
                matte: Arc::new(matte),
                direction: None,
                camera: Some(camera),
                weight: 1.0,
            },
            camera,
            projector: Projector::new(&camera, 32, 32),
            silhouette: Arc::new(silhouette),
            is_exact: true,
        };
        let num_drawn = |near: f32| {
            let mesh = TriMesh {
                positions: vec![
                    Vec3::new(-0.2, -0.3, 0.0),
                    Vec3::new(0.2, -0.3, 0.0),
                    Vec3::new(0.0, 0.3, near),
                ],
                triangles: vec![[0, 1, 2]],
                ..TriMesh::default()
            };
            let map = DepthMap::render(&view, &mesh, &progress.part(0, 1, 1)).expect("not cancelled");
            map.nearest.iter().filter(|depth| depth.is_finite()).count()
        };
        assert!(num_drawn(0.1) > 20);
        assert_eq!(num_drawn(2.5), 0);
    }
}
