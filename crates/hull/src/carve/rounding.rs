//! Rounds what few views leave boxy, and stays true to every outline.
//!
//! Where two or three directions are known, the visual hull is made of extrusions: a head becomes a box, a tail seen
//! from the side a slab as wide as the body. A better guess is that parts are about as deep as they are wide. Each
//! outline is the union of its medial discs. An ellipsoid over each disc goes as deep as the hull does there, but not
//! deeper than `thickness` times the disc's radius; the rounded solid is the union of the ellipsoids of all outlines,
//! cut by the hull. It covers every outline because the discs do, a bump on an outline gets a bump rather than a
//! ridge, and a cross-section that two outlines bound becomes the hull's inscribed ellipse.

use bozzetto_engine::EngineError;
use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::dense::Dense;
use super::hull_field::HullField;
use super::medial::{Disc, Medial};
use super::{smooth_max, smooth_min};
use crate::fit::FittedView;
use crate::params::Settings;
use crate::progress::{Part, Progress};

/// Cells along a side of the coarse field.
const CELLS: usize = 96;
/// How much deeper than wide a part may be, at thickness 1.
const DEPTH_RATIO: f32 = 1.4;
/// Half the depth range that rays are followed through, metres: the cube's diagonal.
const REACH: f32 = 0.87;
/// Where a disc's depth is looked up, in radii: its middle and two rings.
const PROBES: [(f32, f32); 13] = [
    (0.0, 0.0),
    (0.35, 0.0),
    (-0.35, 0.0),
    (0.0, 0.35),
    (0.0, -0.35),
    (0.6, 0.0),
    (-0.6, 0.0),
    (0.0, 0.6),
    (0.0, -0.6),
    (0.42, 0.42),
    (-0.42, 0.42),
    (0.42, -0.42),
    (-0.42, -0.42),
];

/// The rounded solid as a coarse field, negative inside.
pub(super) struct Rounding {
    field: Dense,
    strength: f32,
    softness: f32,
}

/// One direction of looking, with the ellipsoids over its outline.
struct Axis<'a> {
    view: &'a FittedView,
    medial: Medial,
}

impl Rounding {
    /// `None` when the views tell enough by themselves or rounding is off.
    pub fn new(
        hull: &HullField<'_>,
        settings: &Settings,
        progress: &Progress<'_>,
    ) -> Result<Option<Self>, EngineError> {
        // Views from many sides carve better than a guess does.
        let strength = settings.rounding
            * match hull.axes.len() {
                0..=2 => 1.0,
                3 => 0.6,
                4 => 0.3,
                _ => 0.0,
            };
        if strength < 0.01 {
            return Ok(None);
        }
        let part = progress.part(50, 400, 4);
        let mut coarse = Dense::new(CELLS);
        let positions = coarse.clone();
        coarse.fill(&|index| hull.distance(positions.position(index)), &part)?;
        part.advance(1)?;
        let limit = DEPTH_RATIO * settings.thickness;
        let axes = hull
            .axes
            .par_iter()
            .map(|axis| Axis::new(&hull.views[axis[0]], &coarse, limit, &part))
            .collect::<Result<Vec<_>, EngineError>>()?;
        part.advance(1)?;
        let mut field = union_of_ellipsoids(&coarse, &axes, &part)?;
        cover(&mut field, &coarse, &axes, &part)?;
        field.smooth(2, &part)?;
        part.advance(1)?;
        cover(&mut field, &coarse, &axes, &part)?;
        part.advance(1)?;
        Ok(Some(Self {
            softness: field.step * 0.5,
            field,
            strength,
        }))
    }

    /// The rounded solid's distance at a point whose hull distance is known.
    pub fn rounded(&self, point: Vec3, hull_distance: f32) -> f32 {
        if hull_distance > 2.0 * self.field.step {
            return hull_distance;
        }
        let round = self.field.sample(point);
        let blended = hull_distance + (round - hull_distance) * self.strength;
        smooth_max(hull_distance, blended, self.softness)
    }
}

impl<'a> Axis<'a> {
    fn new(view: &'a FittedView, hull: &Dense, limit: f32, part: &Part<'_, '_>) -> Result<Self, EngineError> {
        let mut medial = Medial::new(&view.silhouette);
        medial.discs.par_iter_mut().try_for_each(|disc| {
            part.check()?;
            if let Some((middle, half)) = depth_of_disc(view, hull, disc) {
                let metres_per_px = view.projector.project(Vec3::ZERO).metres_per_px;
                // A little deeper than the hull, which cuts it: grid error must not leave a gap.
                disc.depth_ratio = (1.02 * half / (disc.radius * metres_per_px)).min(limit);
                disc.middle = middle;
            } else {
                disc.depth_ratio = 0.0;
            }
            Ok::<(), EngineError>(())
        })?;
        medial.discs.retain(|disc| disc.depth_ratio > 0.0);
        medial.paint();
        Ok(Self { view, medial })
    }

    /// Distance to the ellipsoids to first order, metres, at a point inside the hull.
    fn distance(&self, hull: &Dense, point: Vec3) -> f32 {
        let seen = self.view.projector.project(point);
        let (squared_px, middle) = self.medial.at(seen.pixel);
        let squared = squared_px * seen.metres_per_px * seen.metres_per_px;
        let mut offset = seen.depth - middle;
        let (own_offset, own_half) = stretch_through(self.view, hull, point);
        // Two legs behind each other: the other leg has its own middle.
        if (offset - own_offset).abs() > 0.75 * own_half {
            offset = own_offset;
        }
        // For an ellipse (d^2 - h^2) / 2h is the distance to first order, and it is smooth in d and in h^2.
        (offset * offset - squared) / (2.0 * squared.max(offset * offset).sqrt().max(hull.step))
    }
}

/// Middle and half length, metres, of the hull's depth behind a disc: medians over rays through the disc, so that a
/// nose or a tail within it does not decide for the whole part.
fn depth_of_disc(view: &FittedView, hull: &Dense, disc: &Disc) -> Option<(f32, f32)> {
    let mut starts = Vec::with_capacity(PROBES.len());
    let mut ends = Vec::with_capacity(PROBES.len());
    for (x, y) in PROBES {
        if let Some((start, end)) = longest_stretch(view, hull, disc.center + Vec2::new(x, y) * disc.radius) {
            starts.push(start);
            ends.push(end);
        }
    }
    if starts.is_empty() {
        return None;
    }
    starts.sort_by(f32::total_cmp);
    ends.sort_by(f32::total_cmp);
    let (start, end) = (starts[starts.len() / 2], ends[ends.len() / 2]);
    (end > start).then_some(((start + end) * 0.5, (end - start) * 0.5))
}

/// The longest stretch of a pixel's ray within the hull, as depths.
fn longest_stretch(view: &FittedView, hull: &Dense, pixel: Vec2) -> Option<(f32, f32)> {
    let middle = view.projector.project(Vec3::ZERO).depth;
    let steps = 2 * CELLS;
    let depth_at = |step: usize| middle + REACH * (2.0 * step as f32 / steps as f32 - 1.0);
    let mut longest: Option<(f32, f32)> = None;
    let mut entered = None;
    let mut before = f32::MAX;
    for step in 0..=steps {
        let here = hull.sample(view.projector.unproject(pixel, depth_at(step)));
        if (here < 0.0) != (before < 0.0) && step > 0 {
            let crossing = depth_at(step) - (depth_at(1) - depth_at(0)) * here / (here - before);
            match entered.take() {
                None => entered = Some(crossing),
                Some(start) if longest.is_none_or(|(a, b)| crossing - start > b - a) => {
                    longest = Some((start, crossing));
                }
                Some(_) => {}
            }
        }
        before = here;
    }
    longest
}

/// How far a point inside the hull is from the middle of its ray's stretch within the hull, and half the length of
/// that stretch, metres.
fn stretch_through(view: &FittedView, hull: &Dense, point: Vec3) -> (f32, f32) {
    let direction = view.projector.ray_direction(point);
    let ahead = way_out(hull, point, direction);
    let behind = way_out(hull, point, -direction);
    ((behind - ahead) * 0.5, (behind + ahead) * 0.5)
}

/// Distance along a direction to where the hull ends, by sphere tracing.
fn way_out(hull: &Dense, point: Vec3, direction: Vec3) -> f32 {
    let mut travelled = 0.0;
    let mut before = hull.sample(point).min(0.0);
    for _ in 0..4 * CELLS {
        let step = (-before * 0.9).max(0.3 * hull.step);
        let here = hull.sample(point + direction * (travelled + step));
        if here >= 0.0 {
            return travelled + step * before / (before - here).min(-1e-9);
        }
        travelled += step;
        before = here;
    }
    travelled
}

/// The ellipsoids of all outlines. Outside the hull the field takes the value of what is near, so that it decides
/// nothing there.
fn union_of_ellipsoids(hull: &Dense, axes: &[Axis<'_>], part: &Part<'_, '_>) -> Result<Dense, EngineError> {
    let mut field = Dense::new(CELLS);
    let unknown = f32::MAX;
    field.fill(
        &|index| {
            if hull.values[index] >= 0.0 {
                return unknown;
            }
            let point = hull.position(index);
            axes.iter()
                .map(|axis| axis.distance(hull, point))
                .reduce(|a, b| smooth_min(a, b, 2.0 * hull.step))
                .unwrap_or(unknown)
        },
        part,
    )?;
    for _ in 0..3 {
        let before = field.clone();
        field.fill(
            &|index| {
                if before.values[index] < unknown {
                    return before.values[index];
                }
                let (sum, count) = before
                    .neighbors(index)
                    .filter(|&next| before.values[next] < unknown)
                    .fold((0.0, 0.0), |(sum, count), next| {
                        (sum + before.values[next], count + 1.0)
                    });
                if count > 0.0 { sum / count } else { unknown }
            },
            part,
        )?;
    }
    let step = field.step;
    field
        .values
        .iter_mut()
        .filter(|value| **value == unknown)
        .for_each(|value| *value = -step);
    Ok(field)
}

/// Adds a small ball wherever an outline's ray meets the hull but not the rounded solid.
fn cover(field: &mut Dense, hull: &Dense, axes: &[Axis<'_>], part: &Part<'_, '_>) -> Result<(), EngineError> {
    for point in uncovered_points(hull, field, axes, part)? {
        for corner in field.corners(point) {
            field.values[corner] = field.values[corner].min(-0.4 * field.step);
        }
    }
    Ok(())
}

/// For every pixel of every outline whose ray meets the hull but not the rounded solid, the point of the ray that is
/// closest to being in it.
fn uncovered_points(
    hull: &Dense,
    field: &Dense,
    axes: &[Axis<'_>],
    part: &Part<'_, '_>,
) -> Result<Vec<Vec3>, EngineError> {
    let rays: Vec<(&FittedView, Vec2)> = axes
        .iter()
        .flat_map(|axis| axis.medial.nodes().map(|pixel| (axis.view, pixel)))
        .filter(|(view, pixel)| view.silhouette.distance(*pixel) < 0.0)
        .collect();
    let found: Vec<Option<Vec3>> = rays
        .par_iter()
        .map(|(view, pixel)| {
            part.check()?;
            let middle = view.projector.project(Vec3::ZERO).depth;
            let steps = 2 * CELLS;
            let mut best = (f32::MAX, Vec3::ZERO);
            let mut deepest = 0.0f32;
            for step in 0..=steps {
                let depth = middle + REACH * (2.0 * step as f32 / steps as f32 - 1.0);
                let point = view.projector.unproject(*pixel, depth);
                let within = hull.sample(point);
                deepest = deepest.min(within);
                if within < 0.0 {
                    let value = field.sample(point);
                    if value < best.0 {
                        best = (value, point);
                    }
                }
            }
            let meets_hull = deepest < -0.25 * hull.step;
            Ok((meets_hull && best.0 > 0.0).then_some(best.1))
        })
        .collect::<Result<_, EngineError>>()?;
    Ok(found.into_iter().flatten().collect())
}
