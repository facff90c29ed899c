//! Rounds what few views leave boxy, and stays true to every outline.
//!
//! Where two or three directions are known, the visual hull is made of extrusions: a head becomes a box, a tail seen
//! from the side a slab as wide as the body. A better guess is that parts are about as deep as they are wide. Each
//! outline is the union of its medial discs. An ellipsoid over each disc goes as deep as the hull does there, but not
//! deeper than `thickness` times the disc's radius; the rounded solid is the union of the ellipsoids of all outlines.
//! It covers every outline because the discs do, and a bump on an outline gets a bump rather than a ridge. It is cut
//! by the hull and by the hull's cross-sections made round: through any point each view's ray has a stretch within
//! the hull, and the point's offsets from the middles of its stretches must lie in the ellipse that these span.

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

/// Cells of the fine grid for one of the coarse field, and the range of the coarse field's cells along a side.
const FINE_CELLS: f32 = 2.67;
const CELLS: (usize, usize) = (40, 96);
/// How much deeper than wide a part may be, at thickness 1.
const DEPTH_RATIO: f32 = 1.4;
/// Half the depth range that rays are followed through, metres: the cube's diagonal.
const REACH: f32 = 0.87;
/// How much larger than inscribed the ellipse of a cross-section is.
const ELLIPSE_SLACK: f32 = 1.01;
/// Length of a stretch of depth, compared with the longest, from which it counts as a part of its own.
const SIMILAR: f32 = 0.7;
/// Radius of the ball that covers a bare spot of an outline, in coarse steps.
const BALL_STEPS: f32 = 1.1;
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
    /// Ellipsoids at each disc's longest stretch of depth, and at the next one where there are two: two legs that
    /// hide each other are both legs.
    layers: [Medial; 2],
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
        let cells = ((settings.resolution as f32 / FINE_CELLS) as usize).clamp(CELLS.0, CELLS.1);
        let mut coarse = Dense::new(cells);
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
        field.smooth(4, &part)?;
        part.advance(1)?;
        cover(&mut field, &coarse, &axes, &part)?;
        part.advance(1)?;
        Ok(Some(Self {
            softness: field.step,
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
        // Where both touch, as they do all along an outline, the smooth maximum would shrink the solid.
        smooth_max(hull_distance, blended - 0.5 * self.softness, self.softness)
    }
}

impl<'a> Axis<'a> {
    fn new(view: &'a FittedView, hull: &Dense, limit: f32, part: &Part<'_, '_>) -> Result<Self, EngineError> {
        let medial = Medial::new(&view.silhouette);
        let depths = medial
            .discs
            .par_iter()
            .map(|disc| {
                part.check()?;
                Ok(depths_of_disc(view, hull, disc))
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        let metres_per_px = view.projector.project(Vec3::ZERO).metres_per_px;
        let layers = [0, 1].map(|rank| {
            let mut layer = medial.clone();
            layer.discs = medial
                .discs
                .iter()
                .zip(&depths)
                .filter_map(|(disc, depths)| {
                    let (middle, half) = depths[rank]?;
                    // A little deeper than the hull, which cuts it: grid error must not leave a gap.
                    let depth_ratio = (1.02 * half / (disc.radius * metres_per_px)).min(limit);
                    Some(Disc {
                        depth_ratio,
                        middle,
                        ..*disc
                    })
                })
                .collect();
            follow_larger_discs(&mut layer.discs);
            layer.paint();
            layer
        });
        Ok(Self { view, layers })
    }

    /// Distance to the ellipsoids to first order, metres.
    fn distance(&self, point: Vec3, least: f32) -> f32 {
        let seen = self.view.projector.project(point);
        self.layers
            .iter()
            .map(|layer| {
                let (squared_px, middle) = layer.at(seen.pixel);
                let squared = squared_px * seen.metres_per_px * seen.metres_per_px;
                let offset = seen.depth - middle;
                // For an ellipse (d^2 - h^2) / 2h is the distance to first order, and smooth in d and in h^2.
                (offset * offset - squared) / (2.0 * squared.max(offset * offset).sqrt().max(least))
            })
            .fold(f32::MAX, f32::min)
    }
}

/// The ellipses that views' rays span within the hull.
struct CrossSections {
    /// Makes the ellipse of evenly spread views the one inscribed to their stretches.
    norm: f32,
}

impl CrossSections {
    fn new(axes: &[Axis<'_>]) -> Self {
        let directions: Vec<Vec3> = axes.iter().map(|axis| axis.view.projector.forward()).collect();
        // Largest eigenvalue of the sum of the directions' outer products, by power iteration.
        let mut vector = Vec3::new(0.61, 0.53, 0.59);
        let mut largest = 1.0;
        for _ in 0..30 {
            let image: Vec3 = directions
                .iter()
                .map(|direction| *direction * direction.dot(vector))
                .sum();
            largest = image.length().max(1e-6);
            vector = image / largest;
        }
        Self {
            norm: 1.0 / largest.max(1.0),
        }
    }

    /// Distance to the ellipse to first order, metres, from each ray's offset and half length.
    fn distance(&self, stretches: impl Iterator<Item = (f32, f32)>) -> f32 {
        let mut sum = 0.0;
        let mut slope = 0.0;
        let mut longest = 0.0f32;
        for (offset, half) in stretches {
            let half = (half * ELLIPSE_SLACK).max(1e-4);
            sum += self.norm * (offset / half).powi(2);
            slope += (self.norm * offset / (half * half)).powi(2);
            longest = longest.max(half);
        }
        let radius = sum.sqrt();
        let gradient = slope.sqrt() / radius.max(1e-6);
        (radius - 1.0) / gradient.max(1.0 / longest)
    }
}

/// A disc whose centre lies in a larger one belongs to that one's part: it may not be stretched more, or the discs
/// towards a part's rim would all reach the part's full depth and make a box of it.
fn follow_larger_discs(discs: &mut [Disc]) {
    discs.sort_by(|a, b| b.radius.total_cmp(&a.radius));
    // Only what a disc has by itself is followed: down a chain of overlapping discs a leg would follow the belly.
    let own = discs.to_vec();
    for (index, disc) in discs.iter_mut().enumerate() {
        for other in &own[..index] {
            let is_within = other.center.distance_squared(disc.center) < other.radius * other.radius;
            if is_within && other.depth_ratio < disc.depth_ratio {
                disc.depth_ratio = other.depth_ratio;
                disc.middle = other.middle;
            }
        }
    }
}

/// Middle and half length, metres, of the two longest stretches of depth behind a disc: medians over rays through the
/// disc, so that a nose or a tail within it does not decide for the whole part.
fn depths_of_disc(view: &FittedView, hull: &Dense, disc: &Disc) -> [Option<(f32, f32)>; 2] {
    let mut found: [Vec<(f32, f32)>; 2] = Default::default();
    for (x, y) in PROBES {
        let stretches = stretches_behind(view, hull, disc.center + Vec2::new(x, y) * disc.radius);
        for (list, stretch) in found.iter_mut().zip(stretches) {
            list.push(stretch);
        }
    }
    let [first, second] = found;
    // Where a middle line between two legs is unclear the longest stretch jumps between them: keep only what half of
    // the rays agree on.
    let second = if second.len() * 2 > first.len() {
        second
    } else {
        Vec::new()
    };
    [first, second].map(median_stretch)
}

fn median_stretch(stretches: Vec<(f32, f32)>) -> Option<(f32, f32)> {
    let median = |mut values: Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let (starts, ends) = stretches.into_iter().unzip();
    let (start, end) = (median(starts)?, median(ends)?);
    (end > start).then_some(((start + end) * 0.5, (end - start) * 0.5))
}

/// The stretches of a pixel's ray within the hull, as depths: the longest one, or the two nearest ones of a similar
/// length in their order.
fn stretches_behind(view: &FittedView, hull: &Dense, pixel: Vec2) -> Vec<(f32, f32)> {
    let middle = view.projector.project(Vec3::ZERO).depth;
    let steps = 2 * hull.side;
    let depth_at = |step: usize| middle + REACH * (2.0 * step as f32 / steps as f32 - 1.0);
    let mut stretches: Vec<(f32, f32)> = Vec::new();
    let mut entered = None;
    let mut before = f32::MAX;
    for step in 0..=steps {
        let here = hull.sample(view.projector.unproject(pixel, depth_at(step)));
        if (here < 0.0) != (before < 0.0) && step > 0 {
            let crossing = depth_at(step) - (depth_at(1) - depth_at(0)) * here / (here - before);
            match entered.take() {
                None => entered = Some(crossing),
                Some(start) => stretches.push((start, crossing)),
            }
        }
        before = here;
    }
    let longest = stretches
        .iter()
        .fold(0.0f32, |longest, (start, end)| longest.max(end - start));
    stretches.retain(|(start, end)| end - start >= SIMILAR * longest);
    stretches.truncate(2);
    stretches
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
    for _ in 0..4 * hull.side {
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
    let sections = CrossSections::new(axes);
    let mut field = hull.clone();
    let unknown = f32::MAX;
    field.fill(
        &|index| {
            if hull.values[index] >= 0.0 {
                return unknown;
            }
            let point = hull.position(index);
            let union = axes
                .iter()
                .map(|axis| axis.distance(point, hull.step))
                .reduce(|a, b| smooth_min(a, b, 2.0 * hull.step))
                .unwrap_or(unknown);
            let section = sections.distance(axes.iter().map(|axis| stretch_through(axis.view, hull, point)));
            smooth_max(union, section, 1.5 * hull.step)
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
        let radius = BALL_STEPS * field.step;
        for node in field.nodes_within(point, radius + field.step) {
            field.values[node] = field.values[node].min(field.position(node).distance(point) - radius);
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
        .flat_map(|axis| axis.layers[0].nodes().map(|pixel| (axis.view, pixel)))
        .filter(|(view, pixel)| view.silhouette.distance(*pixel) < 0.0)
        .collect();
    let found: Vec<Option<Vec3>> = rays
        .par_iter()
        .map(|(view, pixel)| {
            part.check()?;
            let middle = view.projector.project(Vec3::ZERO).depth;
            let steps = 2 * hull.side;
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
