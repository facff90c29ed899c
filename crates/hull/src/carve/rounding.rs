//! Rounds what few views leave boxy, and stays true to every outline.
//!
//! Where two or three directions are known, the visual hull is boxy: a tail seen from the side becomes a slab as wide
//! as the body. A better guess is that parts are about as deep as they are wide. Each outline is the union of its
//! medial discs; a ball over each disc, stretched along the view, limits how deep the solid may be there. The stretch
//! fills the hull where it can (a round cross-section becomes the hull's inscribed ellipse) but no more than
//! `thickness` allows. Where this would uncover part of an outline, the balls that stand in the way are stretched
//! until it is covered again.

use bozzetto_engine::EngineError;
use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::dense::Dense;
use super::hull_field::HullField;
use super::medial::Medial;
use super::smooth_max;
use crate::fit::FittedView;
use crate::params::Settings;
use crate::progress::{Part, Progress};

/// Cells along a side of the coarse field.
const CELLS: usize = 96;
/// How much deeper than wide a part may be before an outline asks for it, at thickness 1.
const DEPTH_RATIO: f32 = 1.35;
/// Rounds of stretching balls where an outline is uncovered.
const NUM_ROUNDS: usize = 6;

/// Depth limits as a coarse field, negative where the rounded solid may be.
pub(super) struct Rounding {
    field: Dense,
    softness: f32,
}

/// One direction of looking, with what is needed to limit the depth along it.
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
        let part = progress.part(50, 400, NUM_ROUNDS + 2);
        let mut coarse = Dense::new(CELLS);
        let positions = coarse.clone();
        coarse.fill(&|index| hull.distance(positions.position(index)), &part)?;
        part.advance(1)?;
        let limit = DEPTH_RATIO * settings.thickness * (1.0 + 4.0 * (1.0 - strength));
        let mut axes: Vec<Axis<'_>> = hull
            .axes
            .par_iter()
            .map(|axis| Axis::new(&hull.views[axis[0]], &coarse, limit))
            .collect();
        let mut field = limited(&coarse, &axes, &part)?;
        for _ in 0..NUM_ROUNDS {
            part.advance(1)?;
            let uncovered = uncovered_points(hull, &coarse, &field, &axes, &part)?;
            if uncovered.is_empty() {
                break;
            }
            stretch(&mut axes, &coarse, &uncovered);
            field = limited(&coarse, &axes, &part)?;
        }
        field.smooth(2, &part)?;
        for point in uncovered_points(hull, &coarse, &field, &axes, &part)? {
            for corner in field.corners(point) {
                field.values[corner] = field.values[corner].min(-0.3 * field.step);
            }
        }
        Ok(Some(Self {
            softness: field.step * 0.5,
            field,
        }))
    }

    /// The hull's distance at a point, limited in depth.
    pub fn rounded(&self, point: Vec3, hull_distance: f32) -> f32 {
        if hull_distance > 2.0 * self.field.step {
            return hull_distance;
        }
        smooth_max(hull_distance, self.field.sample(point), self.softness)
    }
}

impl<'a> Axis<'a> {
    fn new(view: &'a FittedView, hull: &Dense, limit: f32) -> Self {
        let mut medial = Medial::new(&view.silhouette);
        for disc in &mut medial.discs {
            let half_depth = longest_half_depth(view, hull, disc.center);
            disc.depth_ratio = if half_depth > 0.0 {
                (half_depth / disc.radius).min(limit)
            } else {
                limit
            };
        }
        medial.paint();
        Self { view, medial }
    }

    /// Distance by which a point lies too deep along this view, metres; negative when it does not.
    fn excess(&self, hull: &Dense, point: Vec3) -> f32 {
        let seen = self.view.projector.project(point);
        let squared = self.medial.squared_depth(seen.pixel) * seen.metres_per_px * seen.metres_per_px;
        let offset = offset_from_middle(self.view, hull, point);
        // For an ellipse (d^2 - h^2) / 2h is the distance to first order, and it is smooth in d and in h^2.
        (offset * offset - squared) / (2.0 * squared.max(offset * offset).sqrt().max(hull.step))
    }
}

/// Half the length of the longest stretch of a pixel's ray within the hull, in pixels there.
fn longest_half_depth(view: &FittedView, hull: &Dense, pixel: Vec2) -> f32 {
    let middle = view.projector.project(Vec3::ZERO);
    let mut longest: f32 = 0.0;
    let mut since = None;
    let steps = 2 * CELLS;
    for step in 0..=steps {
        let depth = middle.depth + 1.8 * (step as f32 / steps as f32 - 0.5);
        let inside = hull.sample(view.projector.unproject(pixel, depth)) < 0.0;
        match (inside, since) {
            (true, None) => since = Some(depth),
            (false, Some(start)) => {
                longest = longest.max(depth - start);
                since = None;
            }
            _ => {}
        }
    }
    longest * 0.5 / middle.metres_per_px
}

/// How far a point inside the hull is from the middle of its ray's stretch within the hull, metres.
fn offset_from_middle(view: &FittedView, hull: &Dense, point: Vec3) -> f32 {
    let direction = view.projector.ray_direction(point);
    let ahead = way_out(hull, point, direction);
    let behind = way_out(hull, point, -direction);
    (behind - ahead) * 0.5
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

/// The coarse field of depth limits. Outside the hull it takes the value of what is near, so that it decides nothing
/// there.
fn limited(hull: &Dense, axes: &[Axis<'_>], part: &Part<'_, '_>) -> Result<Dense, EngineError> {
    let mut field = Dense::new(CELLS);
    let unknown = f32::MAX;
    field.fill(
        &|index| {
            if hull.values[index] >= 0.0 {
                return unknown;
            }
            let point = hull.position(index);
            axes.iter().fold(f32::MIN, |largest, axis| {
                let excess = axis.excess(hull, point);
                if largest == f32::MIN {
                    excess
                } else {
                    smooth_max(largest, excess, 0.5 * hull.step)
                }
            })
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
                    .fold((0.0, 0.0), |(sum, count), next| (sum + before.values[next], count + 1.0));
                if count > 0.0 { sum / count } else { unknown }
            },
            part,
        )?;
    }
    let step = field.step;
    field.values.iter_mut().filter(|value| **value == unknown).for_each(|value| *value = -step);
    Ok(field)
}

/// For every pixel of every outline whose ray meets the hull but not the rounded solid, the point of the ray that is
/// closest to being in it.
fn uncovered_points(
    hull_field: &HullField<'_>,
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
    debug_assert_eq!(hull_field.axes.len(), axes.len(), "one medial each");
    let found: Vec<Option<Vec3>> = rays
        .par_iter()
        .map(|(view, pixel)| {
            part.check()?;
            let middle = view.projector.project(Vec3::ZERO).depth;
            let steps = CELLS * 3 / 2;
            let mut best = (f32::MAX, Vec3::ZERO);
            let mut deepest = 0.0f32;
            for step in 0..=steps {
                let depth = middle + 1.8 * (step as f32 / steps as f32 - 0.5);
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

/// Stretches the balls that keep the points out, each by the least that lets its point in.
fn stretch(axes: &mut [Axis<'_>], hull: &Dense, points: &[Vec3]) {
    axes.par_iter_mut().for_each(|axis| {
        for &point in points {
            if axis.excess(hull, point) <= 0.0 {
                continue;
            }
            let seen = axis.view.projector.project(point);
            let offset = offset_from_middle(axis.view, hull, point).abs() / seen.metres_per_px;
            let easiest = axis
                .medial
                .discs
                .iter()
                .enumerate()
                .filter_map(|(index, disc)| {
                    let squared = disc.radius * disc.radius - seen.pixel.distance_squared(disc.center);
                    (squared > 0.1 * disc.radius * disc.radius).then(|| (offset / squared.sqrt(), index))
                })
                .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            if let Some((ratio, index)) = easiest {
                spread_stretch(&mut axis.medial, index, ratio * 1.08);
            }
        }
        axis.medial.paint();
    });
}

/// Stretches a ball, and those about it by less the farther they are: a part is stretched as a whole.
fn spread_stretch(medial: &mut Medial, index: usize, ratio: f32) {
    let source = medial.discs[index];
    for disc in &mut medial.discs {
        let apart = disc.center.distance(source.center) / (2.0 * source.radius.max(medial.spacing));
        // A much larger ball belongs to another part.
        if apart < 1.0 && disc.radius < 1.5 * source.radius {
            disc.depth_ratio = disc.depth_ratio.max(ratio * (1.0 - apart * apart));
        }
    }
}
