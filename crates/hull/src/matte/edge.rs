use bozzetto_engine::{CancelToken, EngineError};
use glam::Vec3;
use image::{GrayImage, RgbImage};
use rayon::prelude::*;

use super::grid::{Grid, distance_to_boundary};

/// Directions in which a pixel near the edge looks for pure object and pure backdrop.
const NUM_RAYS: usize = 12;
/// Noise of one pixel in 8-bit steps: colours nearer than this are equal.
const NOISE: f32 = 5.0;

/// A pixel's share of object, and how sure that is.
#[derive(Clone, Copy)]
struct Share {
    alpha: f32,
    certainty: f32,
}

/// A soft matte from a labelling: pixels near the boundary are read as a mix of the pure colours around them (as in
/// Gastal and Oliveira, "Shared sampling for real-time alpha matting", 2010), and where object and backdrop look the
/// same the boundary itself is softened.
pub(crate) fn soft_edge(
    picture: &RgbImage,
    labels: &Grid<bool>,
    cancel: &CancelToken,
) -> Result<GrayImage, EngineError> {
    let (width, height) = (labels.width, labels.height);
    // The labelling takes pixels that are mixed at all for object, so the true edge lies inside it by a pixel or two.
    let reach = (width.max(height) as f32 / 300.0).round().clamp(3.0, 6.0);
    let distance = distance_to_boundary(labels, reach + 2.0);
    cancel.check()?;
    let in_band = |cell: usize| distance.cells[cell] <= reach;
    let colors = blurred(picture, labels);
    cancel.check()?;
    let sampler = Sampler {
        colors: &colors,
        labels,
        distance: &distance,
        reach,
    };
    let shares: Vec<Share> = (0..width * height)
        .into_par_iter()
        .with_min_len(4096)
        .map(|cell| {
            if in_band(cell) {
                cancel.check()?;
                Ok(sampler.share(pixel(picture, cell), cell))
            } else {
                Ok(Share {
                    alpha: f32::from(labels.cells[cell]),
                    certainty: 1.0,
                })
            }
        })
        .collect::<Result<_, EngineError>>()?;
    let shares = Grid {
        width,
        height,
        cells: shares,
    };
    let matte = Grid::from_fn(width, height, |x, y| {
        let cell = y * width + x;
        if !in_band(cell) {
            return u8::from(labels.cells[cell]) * 255;
        }
        let bound = bounds(labels.cells[cell], distance.cells[cell], reach);
        (smoothed(picture, &shares, x, y).clamp(bound.0, bound.1) * 255.0 + 0.5) as u8
    });
    cancel.check()?;
    Ok(GrayImage::from_raw(width as u32, height as u32, matte.cells).unwrap_or_default())
}

/// What a share may be at a distance from the boundary: far inside it is object whatever its colour.
fn bounds(is_object: bool, distance: f32, reach: f32) -> (f32, f32) {
    let depth = (distance - 0.5) / reach;
    let slack = (1.0 - depth).clamp(0.0, 1.0);
    if is_object { (1.0 - slack, 1.0) } else { (0.0, slack) }
}

struct Sampler<'a> {
    colors: &'a Grid<Vec3>,
    labels: &'a Grid<bool>,
    distance: &'a Grid<f32>,
    reach: f32,
}

impl Sampler<'_> {
    fn share(&self, color: Vec3, cell: usize) -> Share {
        let signed = self.distance.cells[cell] - 0.5;
        let by_place = 0.5 + 0.5 * if self.labels.cells[cell] { signed } else { -signed };
        let by_place = Share {
            alpha: by_place.clamp(0.0, 1.0),
            certainty: 0.1,
        };
        let (inside, outside) = (self.samples(cell, true), self.samples(cell, false));
        let mut best: Option<(f32, Share)> = None;
        for &(front, front_steps) in inside.iter().flatten() {
            for &(back, back_steps) in outside.iter().flatten() {
                let span = front - back;
                let alpha = ((color - back).dot(span) / span.length_squared().max(1.0)).clamp(0.0, 1.0);
                let misfit = (color - back - span * alpha).length_squared() / (NOISE * NOISE);
                let cost = misfit + 0.15 * (front_steps + back_steps) / self.reach;
                if best.is_none_or(|(least, _)| cost < least) {
                    let contrast = span.length_squared() / (6.0 * NOISE).powi(2);
                    let certainty = (1.0 - (-contrast).exp()) / (1.0 + 0.1 * misfit);
                    best = Some((cost, Share { alpha, certainty }));
                }
            }
        }
        let Some((_, by_color)) = best else {
            return by_place;
        };
        Share {
            alpha: by_place.alpha + (by_color.alpha - by_place.alpha) * by_color.certainty,
            certainty: by_color.certainty.max(by_place.certainty),
        }
    }

    /// Along each ray the first pixel that is purely of one side, or the deepest one there is, and how far it is.
    fn samples(&self, cell: usize, wants_object: bool) -> [Option<(Vec3, f32)>; NUM_RAYS] {
        let (x, y) = ((cell % self.labels.width) as f32, (cell / self.labels.width) as f32);
        let farthest = (3.0 * self.reach + 2.0) as usize;
        std::array::from_fn(|ray| {
            let (dy, dx) = (ray as f32 / NUM_RAYS as f32 * std::f32::consts::TAU).sin_cos();
            let mut deepest: Option<(f32, usize, f32)> = None;
            for step in 0..=farthest {
                let (u, v) = ((x + dx * step as f32).round(), (y + dy * step as f32).round());
                if u < 0.0 || v < 0.0 || u >= self.labels.width as f32 || v >= self.labels.height as f32 {
                    break;
                }
                let other = v as usize * self.labels.width + u as usize;
                if self.labels.cells[other] != wants_object {
                    continue;
                }
                let depth = self.distance.cells[other];
                if deepest.is_none_or(|(most, ..)| depth > most) {
                    deepest = Some((depth, other, step as f32));
                }
                if depth > self.reach {
                    break;
                }
            }
            deepest
                .filter(|&(depth, ..)| depth >= 2.0)
                .map(|(_, other, steps)| (self.colors.cells[other], steps))
        })
    }
}

/// Neighbouring shares averaged, the surer and the more alike in colour the more.
fn smoothed(picture: &RgbImage, shares: &Grid<Share>, x: usize, y: usize) -> f32 {
    let color = pixel(picture, y * shares.width + x);
    let (mut sum, mut weights) = (0.0, 0.0);
    for dy in -1..=1_isize {
        for dx in -1..=1_isize {
            let (u, v) = (x as isize + dx, y as isize + dy);
            if u < 0 || v < 0 || u >= shares.width as isize || v >= shares.height as isize {
                continue;
            }
            let cell = v as usize * shares.width + u as usize;
            let share = shares.cells[cell];
            let likeness = (-(pixel(picture, cell) - color).length_squared() / (2.0 * NOISE * NOISE * 4.0)).exp();
            let weight = (share.certainty + 0.02) * likeness * if dx == 0 && dy == 0 { 2.0 } else { 1.0 };
            sum += share.alpha * weight;
            weights += weight;
        }
    }
    sum / weights
}

/// The picture averaged over 3 x 3 pixels, each with those of its own label only: samples without their noise.
fn blurred(picture: &RgbImage, labels: &Grid<bool>) -> Grid<Vec3> {
    Grid::from_fn(labels.width, labels.height, |x, y| {
        let own = *labels.at(x, y);
        let (mut sum, mut count) = (Vec3::ZERO, 0.0);
        for v in y.saturating_sub(1)..(y + 2).min(labels.height) {
            for u in x.saturating_sub(1)..(x + 2).min(labels.width) {
                if *labels.at(u, v) == own {
                    sum += pixel(picture, v * labels.width + u);
                    count += 1.0;
                }
            }
        }
        sum / count
    })
}

fn pixel(picture: &RgbImage, cell: usize) -> Vec3 {
    let raw = &picture.as_raw()[cell * 3..cell * 3 + 3];
    Vec3::new(f32::from(raw[0]), f32::from(raw[1]), f32::from(raw[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_ends_it_without_a_matte() {
        let labels = Grid::from_fn(40, 40, |x, y| x.abs_diff(20) < 10 && y.abs_diff(20) < 10);
        let picture = RgbImage::new(40, 40);
        let cancel = CancelToken::new();
        assert!(soft_edge(&picture, &labels, &cancel).is_ok());
        cancel.cancel();
        assert_eq!(
            soft_edge(&picture, &labels, &cancel).err(),
            Some(EngineError::Cancelled)
        );
    }
}
