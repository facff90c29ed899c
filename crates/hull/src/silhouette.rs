use bozzetto_engine::EngineError;
use glam::{UVec2, Vec2};
use image::GrayImage;
use image::imageops::{FilterType, resize};

use crate::progress::Progress;

/// Matte value of the outline.
const OUTLINE: f32 = 127.5;
/// Longest side of the distance image; finer pictures gain nothing on the grids we carve.
const MAX_SIDE: u32 = 1024;

/// Signed distance to a picture's outline at sub-pixel accuracy: negative inside, in pixels of the picture.
#[derive(Clone, Debug)]
pub(crate) struct Silhouette {
    /// Size of the picture.
    pub picture_px: UVec2,
    size: UVec2,
    /// Pixels of the distance image for one picture pixel, each way.
    scale: Vec2,
    distance: Vec<f32>,
    /// Low and high corner of the object, picture pixels.
    pub bounds: (Vec2, Vec2),
    /// What lies beyond the picture's border is unknown rather than background.
    has_open_border: bool,
}

impl Silhouette {
    /// Measures a matte. With `may_be_cut`, an object that reaches the border is taken to go on beyond it.
    /// `None` when the matte holds no object.
    pub fn new(matte: &GrayImage, may_be_cut: bool, progress: &Progress<'_>) -> Result<Option<Self>, EngineError> {
        let picture_px = UVec2::new(matte.width(), matte.height());
        let longest = picture_px.max_element().max(1);
        let reduced;
        let matte = if longest > MAX_SIDE {
            let side = |length: u32| (length as u64 * MAX_SIDE as u64 / longest as u64).max(1) as u32;
            reduced = resize(matte, side(picture_px.x), side(picture_px.y), FilterType::Triangle);
            &reduced
        } else {
            matte
        };
        let size = UVec2::new(matte.width(), matte.height());
        let scale = size.as_vec2() / picture_px.as_vec2();
        let Some((low, high)) = object_bounds(matte) else {
            return Ok(None);
        };
        let touches_border = low.min_element() <= 0.0 || high.x >= size.x as f32 || high.y >= size.y as f32;
        let has_open_border = may_be_cut && touches_border;
        let outline = outline_points(matte, has_open_border);
        let nearest = nearest_points(size, outline, progress)?;
        let distance = signed_distance(matte, &nearest, scale);
        Ok(Some(Self {
            picture_px,
            size,
            scale,
            distance,
            bounds: (low / scale, high / scale),
            has_open_border,
        }))
    }

    /// Signed distance at a picture position, in picture pixels; goes on beyond the border.
    pub fn distance(&self, pixel: Vec2) -> f32 {
        let at = pixel * self.scale - 0.5;
        let limit = (self.size - UVec2::ONE).as_vec2();
        let inside = at.clamp(Vec2::ZERO, limit);
        let base = inside.floor().min((limit - 1.0).max(Vec2::ZERO));
        let fraction = inside - base;
        let (x, y) = (base.x as usize, base.y as usize);
        let width = self.size.x as usize;
        let step_x = usize::from(self.size.x > 1);
        let step_y = if self.size.y > 1 { width } else { 0 };
        let corner = y * width + x;
        let top = self.distance[corner] + fraction.x * (self.distance[corner + step_x] - self.distance[corner]);
        let below = corner + step_y;
        let bottom = self.distance[below] + fraction.x * (self.distance[below + step_x] - self.distance[below]);
        let value = top + fraction.y * (bottom - top);
        if inside == at {
            return value;
        }
        let beyond = ((at - inside) / self.scale).length();
        if self.has_open_border {
            value - beyond
        } else {
            value + beyond
        }
    }

    /// Middle of the object's bounds, picture pixels.
    pub fn center(&self) -> Vec2 {
        (self.bounds.0 + self.bounds.1) * 0.5
    }

    /// Width and height of the object's bounds, picture pixels.
    pub fn extent(&self) -> Vec2 {
        (self.bounds.1 - self.bounds.0).max(Vec2::ONE)
    }
}

fn matte_at(matte: &GrayImage, x: i64, y: i64) -> f32 {
    if x < 0 || y < 0 || x >= i64::from(matte.width()) || y >= i64::from(matte.height()) {
        0.0
    } else {
        f32::from(matte.get_pixel(x as u32, y as u32).0[0])
    }
}

fn object_bounds(matte: &GrayImage) -> Option<(Vec2, Vec2)> {
    let mut low = Vec2::MAX;
    let mut high = Vec2::MIN;
    for (x, y, value) in matte.enumerate_pixels() {
        if f32::from(value.0[0]) > OUTLINE {
            let corner = Vec2::new(x as f32, y as f32);
            low = low.min(corner);
            high = high.max(corner + 1.0);
        }
    }
    (low.x <= high.x).then_some((low, high))
}

/// A point of the outline with the outline's normal there.
#[derive(Clone, Copy)]
struct OutlinePoint {
    position: Vec2,
    normal: Vec2,
}

const NOWHERE: OutlinePoint = OutlinePoint {
    position: Vec2::splat(1e6),
    normal: Vec2::ZERO,
};

/// For each pixel, the nearest point where the matte crosses the outline's value on the way to a neighbour.
fn outline_points(matte: &GrayImage, has_open_border: bool) -> Vec<OutlinePoint> {
    let (width, height) = (i64::from(matte.width()), i64::from(matte.height()));
    let mut points = vec![NOWHERE; (width * height) as usize];
    for y in 0..height {
        for x in 0..width {
            let here = matte_at(matte, x, y) - OUTLINE;
            let center = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
            let mut best = NOWHERE;
            for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
                let is_beyond = x + dx < 0 || y + dy < 0 || x + dx >= width || y + dy >= height;
                if is_beyond && has_open_border {
                    continue;
                }
                let there = matte_at(matte, x + dx, y + dy) - OUTLINE;
                if (here > 0.0) == (there > 0.0) {
                    continue;
                }
                let position = center + Vec2::new(dx as f32, dy as f32) * (here / (here - there));
                if position.distance_squared(center) < best.position.distance_squared(center) {
                    best = OutlinePoint {
                        position,
                        normal: outline_normal(matte, x, y),
                    };
                }
            }
            points[(y * width + x) as usize] = best;
        }
    }
    points
}

/// Unit gradient of the matte by Sobel's kernel.
fn outline_normal(matte: &GrayImage, x: i64, y: i64) -> Vec2 {
    let at = |dx, dy| matte_at(matte, x + dx, y + dy);
    let gradient_x = at(1, -1) + 2.0 * at(1, 0) + at(1, 1) - at(-1, -1) - 2.0 * at(-1, 0) - at(-1, 1);
    let gradient_y = at(-1, 1) + 2.0 * at(0, 1) + at(1, 1) - at(-1, -1) - 2.0 * at(0, -1) - at(1, -1);
    Vec2::new(gradient_x, gradient_y).normalize_or_zero()
}

/// Spreads each pixel's nearest outline point to all pixels by two raster sweeps (Danielsson 1980, with the
/// eight-neighbour masks of Leymarie and Levine 1992).
fn nearest_points(
    size: UVec2,
    mut points: Vec<OutlinePoint>,
    progress: &Progress<'_>,
) -> Result<Vec<OutlinePoint>, EngineError> {
    let (width, height) = (size.x as i64, size.y as i64);
    let mut offer = |x: i64, y: i64, neighbors: &[(i64, i64)]| {
        let center = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
        let index = (y * width + x) as usize;
        let mut best = points[index].position.distance_squared(center);
        for &(dx, dy) in neighbors {
            let (nx, ny) = (x + dx, y + dy);
            if nx < 0 || ny < 0 || nx >= width || ny >= height {
                continue;
            }
            let candidate = points[(ny * width + nx) as usize];
            let squared = candidate.position.distance_squared(center);
            if squared < best {
                best = squared;
                points[index] = candidate;
            }
        }
    };
    for y in 0..height {
        progress.check()?;
        for x in 0..width {
            offer(x, y, &[(-1, 0), (-1, -1), (0, -1), (1, -1)]);
        }
        for x in (0..width).rev() {
            offer(x, y, &[(1, 0)]);
        }
    }
    for y in (0..height).rev() {
        progress.check()?;
        for x in (0..width).rev() {
            offer(x, y, &[(1, 0), (1, 1), (0, 1), (-1, 1)]);
        }
        for x in 0..width {
            offer(x, y, &[(-1, 0)]);
        }
    }
    Ok(points)
}

fn signed_distance(matte: &GrayImage, nearest: &[OutlinePoint], scale: Vec2) -> Vec<f32> {
    // Both sides are scaled alike up to rounding to whole pixels.
    let px = 2.0 / (scale.x + scale.y);
    matte
        .enumerate_pixels()
        .zip(nearest)
        .map(|((x, y, value), point)| {
            let away = Vec2::new(x as f32 + 0.5, y as f32 + 0.5) - point.position;
            let length = away.length();
            // Close by, the outline is a line rather than a set of points.
            let distance = if length < 2.0 {
                away.dot(point.normal).abs().max(length * 0.5)
            } else {
                length
            };
            let inside = f32::from(value.0[0]) > OUTLINE;
            distance.min(1e5) * px * if inside { -1.0 } else { 1.0 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bozzetto_engine::{CancelToken, RunContext};
    use image::Luma;

    use super::*;

    fn disc(side: u32, radius: f32) -> GrayImage {
        let middle = side as f32 * 0.5;
        GrayImage::from_fn(side, side, |x, y| {
            let away = Vec2::new(x as f32 + 0.5 - middle, y as f32 + 0.5 - middle).length();
            Luma([((radius - away + 0.5).clamp(0.0, 1.0) * 255.0) as u8])
        })
    }

    #[test]
    fn a_disc_is_measured_to_a_fraction_of_a_pixel() {
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|_| (),
        };
        let progress = Progress::new(&context, "fit");
        let silhouette = Silhouette::new(&disc(100, 30.3), false, &progress)
            .expect("not cancelled")
            .expect("not empty");
        for (x, y) in [
            (50.0, 18.0),
            (71.3, 71.7),
            (20.0, 50.0),
            (50.0, 60.0),
            (5.0, 5.0),
            (-20.0, 50.0),
        ] {
            let wanted = Vec2::new(x - 50.0, y - 50.0).length() - 30.3;
            let got = silhouette.distance(Vec2::new(x, y));
            assert!((got - wanted).abs() < 0.3, "({x}, {y}): {got} instead of {wanted}");
        }
    }

    #[test]
    fn an_empty_matte_is_no_silhouette() {
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|_| (),
        };
        let progress = Progress::new(&context, "fit");
        let found = Silhouette::new(&GrayImage::new(4, 4), false, &progress).expect("not cancelled");
        assert!(found.is_none());
    }
}
