use glam::{IVec2, UVec2, Vec2};

use crate::silhouette::Silhouette;

/// Nodes along the longer side of an outline's bounds.
const NODES: f32 = 112.0;
/// How far beyond a disc its height is painted, in nodes: what interpolation at the rim needs.
const RIM_NODES: f32 = 2.5;

/// A disc inside an outline that no other disc holds; `depth_ratio` times its radius is the half depth of the solid
/// about its centre.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disc {
    pub center: Vec2,
    pub radius: f32,
    pub depth_ratio: f32,
    /// Depth of the solid's middle behind the disc, metres.
    pub middle: f32,
}

impl Disc {
    /// Half depth squared at a pixel, pixels squared; negative beyond the disc.
    pub fn squared_depth(&self, pixel: Vec2) -> f32 {
        self.depth_ratio * self.depth_ratio * (self.radius * self.radius - pixel.distance_squared(self.center))
    }
}

/// An outline as the union of its medial discs, and the depth limit that balls over these discs give.
#[derive(Clone, Debug)]
pub(super) struct Medial {
    pub discs: Vec<Disc>,
    low: Vec2,
    /// Pixels between nodes.
    pub spacing: f32,
    size: UVec2,
    /// Half depth squared, pixels squared, and the middle's depth, metres. Nodes far from any disc hold the middle of
    /// the nearest painted ones.
    painted: Vec<Vec2>,
}

impl Medial {
    pub fn new(silhouette: &Silhouette) -> Self {
        let spacing = (silhouette.extent().max_element() / NODES).max(0.25);
        let low = silhouette.bounds.0 - spacing * 3.0;
        let size = (silhouette.extent() / spacing).ceil().as_uvec2() + 7;
        let mut medial = Self {
            discs: Vec::new(),
            low,
            spacing,
            size,
            painted: Vec::new(),
        };
        let radii: Vec<f32> = medial.nodes().map(|pixel| -silhouette.distance(pixel)).collect();
        medial.discs = medial.maximal_discs(&radii);
        medial
    }

    /// Picture positions of all nodes in raster order.
    pub fn nodes(&self) -> impl Iterator<Item = Vec2> + use<> {
        let (size, low, spacing) = (self.size, self.low, self.spacing);
        (0..size.y).flat_map(move |y| (0..size.x).map(move |x| low + Vec2::new(x as f32, y as f32) * spacing))
    }

    /// Discs about nodes that no disc about a neighbouring node holds.
    fn maximal_discs(&self, radii: &[f32]) -> Vec<Disc> {
        let (width, height) = (self.size.x as i64, self.size.y as i64);
        let mut discs = Vec::new();
        for (index, center) in self.nodes().enumerate() {
            let radius = radii[index];
            if radius <= 0.0 {
                continue;
            }
            let (x, y) = (index as i64 % width, index as i64 / width);
            let is_held = (-2..=2).any(|dy: i64| {
                (-2..=2).any(|dx: i64| {
                    let (nx, ny) = (x + dx, y + dy);
                    if (dx, dy) == (0, 0) || nx < 0 || ny < 0 || nx >= width || ny >= height {
                        return false;
                    }
                    let apart = Vec2::new(dx as f32, dy as f32).length() * self.spacing;
                    radii[(ny * width + nx) as usize] >= radius + 0.97 * apart
                })
            });
            if !is_held {
                discs.push(Disc {
                    center,
                    radius,
                    depth_ratio: 1.0,
                    middle: 0.0,
                });
            }
        }
        discs
    }

    /// Paints the depth from the discs with their depth ratios and middles.
    pub fn paint(&mut self) {
        let beyond = -(self.spacing * RIM_NODES).powi(2);
        let usual = self.discs.iter().map(|disc| disc.middle).sum::<f32>() / self.discs.len().max(1) as f32;
        let width = self.size.x as i32;
        let mut painted = vec![Vec2::new(beyond, usual); (self.size.x * self.size.y) as usize];
        for disc in &self.discs {
            let reach = disc.radius + self.spacing * RIM_NODES;
            let first = ((disc.center - reach - self.low) / self.spacing)
                .ceil()
                .as_ivec2()
                .max(IVec2::ZERO);
            let last = ((disc.center + reach - self.low) / self.spacing).floor().as_ivec2();
            let last = last.min(self.size.as_ivec2() - 1);
            for y in first.y..=last.y {
                for x in first.x..=last.x {
                    let pixel = self.low + Vec2::new(x as f32, y as f32) * self.spacing;
                    let slot = &mut painted[(y * width + x) as usize];
                    let squared = disc.squared_depth(pixel);
                    if squared > slot.x {
                        *slot = Vec2::new(squared, disc.middle);
                    }
                }
            }
        }
        self.painted = painted;
        for _ in 0..4 {
            self.blur();
        }
    }

    /// One pass of the 3 x 3 binomial kernel; the border stays.
    fn blur(&mut self) {
        let (width, height) = (self.size.x as usize, self.size.y as usize);
        let before = self.painted.clone();
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let row = |y: usize| {
                    let index = y * width + x;
                    before[index - 1] + 2.0 * before[index] + before[index + 1]
                };
                self.painted[y * width + x] = (row(y - 1) + 2.0 * row(y) + row(y + 1)) / 16.0;
            }
        }
    }

    /// Half depth squared at a pixel, pixels squared, negative outside the outline; and the depth of the solid's
    /// middle there, metres.
    pub fn at(&self, pixel: Vec2) -> (f32, f32) {
        let limit = (self.size - 1).as_vec2() - 1e-3;
        let at = ((pixel - self.low) / self.spacing).clamp(Vec2::ZERO, limit);
        let base = at.floor();
        let f = at - base;
        let width = self.size.x as usize;
        let index = base.y as usize * width + base.x as usize;
        let row = |index: usize| self.painted[index].lerp(self.painted[index + 1], f.x);
        row(index).lerp(row(index + width), f.y).into()
    }
}
