use bozzetto_engine::EngineError;
use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::placement::Placement;
use crate::progress::Progress;
use crate::projector::Projector;

/// Half the length of a ray through the object, metres; the unrefined object's longest side is one metre.
const REACH: f32 = 0.75;
/// How strongly a view is drawn back to where its bounds put it.
const ANCHOR: f32 = 0.15;

/// Refines scale and centring of the views without a camera, so that the solid that fits into all outlines covers as
/// much of each as it can. Pattern search: every view is moved and scaled by ever smaller steps while that helps.
pub(super) fn refine(placements: &mut [Placement], progress: &Progress<'_>) -> Result<(), EngineError> {
    let count = placements.len();
    let Some((rays, num_rounds)) = effort(count) else {
        return Ok(());
    };
    let start = placements.to_vec();
    let mut projectors: Vec<Projector> = placements.iter().map(Placement::projector).collect();
    let movable: Vec<usize> = (0..count).filter(|&index| !placements[index].is_exact()).collect();
    // The common scale is free when no camera is known: one view holds it.
    let holds_scale = (movable.len() == count).then(|| movable[0]);
    let part = progress.part(200, 900, num_rounds * movable.len() * MOVES.len());
    let mut best = agreement(placements, &projectors, rays, progress)?;
    let mut step = 0.02;
    for _ in 0..num_rounds {
        for &index in &movable {
            for change in MOVES {
                part.advance(1)?;
                if change.z != 0.0 && holds_scale == Some(index) {
                    continue;
                }
                loop {
                    let before = placements[index].clone();
                    moved(&mut placements[index], change * step);
                    let old_projector = std::mem::replace(&mut projectors[index], placements[index].projector());
                    let cost = anchor_cost(&placements[index], &start[index]);
                    let gain = agreement(placements, &projectors, rays, progress)? - cost;
                    let old_cost = anchor_cost(&before, &start[index]);
                    if gain > best - old_cost + 1e-6 {
                        best = gain + cost;
                    } else {
                        placements[index] = before;
                        projectors[index] = old_projector;
                        break;
                    }
                }
            }
        }
        step *= 0.5;
    }
    Ok(())
}

/// Rays on a side of each view and rounds of the search for a number of views, so that the cost, the
/// cubes of views and rays times the rounds, stays within bounds; `None` for so many views that each can hardly change the solid.
fn effort(num_views: usize) -> Option<(usize, usize)> {
    match num_views {
        0..=4 => Some((40, 6)),
        5..=8 => Some((24, 4)),
        9..=16 => Some((16, 3)),
        17..=24 => Some((12, 2)),
        25..=48 => Some((8, 2)),
        _ => None,
    }
}

/// Right, down, and larger, each way.
const MOVES: [Vec3; 6] = [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z];

fn moved(placement: &mut Placement, change: Vec3) {
    if let Some(guess) = placement.guess_mut() {
        guess.origin_px += Vec2::new(change.x, change.y) * guess.log_scale.exp();
        guess.log_scale += change.z;
    }
}

fn anchor_cost(placement: &Placement, start: &Placement) -> f32 {
    let (Some(guess), Some(start)) = (placement.guess(), start.guess()) else {
        return 0.0;
    };
    let shift = (guess.origin_px - start.origin_px) / start.log_scale.exp();
    let growth = guess.log_scale - start.log_scale;
    ANCHOR * (shift.length_squared() + growth * growth)
}

/// Weighted mean over the views of the share of each outline that the common solid covers, in `[0, 1]`.
fn agreement(
    placements: &[Placement],
    projectors: &[Projector],
    rays: usize,
    progress: &Progress<'_>,
) -> Result<f32, EngineError> {
    let rows: Vec<(usize, usize)> = (0..placements.len())
        .flat_map(|view| (0..rays).map(move |row| (view, row)))
        .collect();
    let covered: Vec<(f32, f32)> = rows
        .par_iter()
        .map(|&(view, row)| {
            progress.check()?;
            Ok(row_coverage(placements, projectors, view, row, rays))
        })
        .collect::<Result<_, EngineError>>()?;
    let mut sum = 0.0;
    let mut weights = 0.0;
    for (view, placement) in placements.iter().enumerate() {
        let (hit, all) = covered[view * rays..(view + 1) * rays]
            .iter()
            .fold((0.0, 0.0), |(hit, all), row| (hit + row.0, all + row.1));
        let weight = placement.weight.max(1e-3);
        sum += weight * hit / all.max(1.0);
        weights += weight;
    }
    Ok(sum / weights)
}

/// Rays of one row of a view that meet the object's outline, and how many of them meet the common solid.
fn row_coverage(
    placements: &[Placement],
    projectors: &[Projector],
    view: usize,
    row: usize,
    rays: usize,
) -> (f32, f32) {
    let silhouette = &placements[view].silhouette;
    let (low, _) = silhouette.bounds;
    let cell = silhouette.extent() / rays as f32;
    let middle = projectors[view].project(Vec3::ZERO);
    // Half a ray's spacing, in metres: how sharp the outline is taken to be.
    let softness = cell.max_element() * middle.metres_per_px * 0.5;
    let mut hit = 0.0;
    let mut all = 0.0;
    for column in 0..rays {
        let pixel = low + cell * Vec2::new(column as f32 + 0.5, row as f32 + 0.5);
        if silhouette.distance(pixel) > 0.0 {
            continue;
        }
        all += 1.0;
        let mut least = f32::MAX;
        for step in 0..=rays {
            let depth = middle.depth + REACH * (2.0 * step as f32 / rays as f32 - 1.0);
            let point = projectors[view].unproject(pixel, depth);
            least = least.min(outermost(placements, projectors, point, least));
            if least < -3.0 * softness {
                break;
            }
        }
        hit += 1.0 / (1.0 + (least / softness).exp());
    }
    (hit, all)
}

/// Largest signed distance over the views, given up once it cannot beat `enough`.
fn outermost(placements: &[Placement], projectors: &[Projector], point: Vec3, enough: f32) -> f32 {
    let mut largest = f32::MIN;
    for (placement, projector) in placements.iter().zip(projectors) {
        let seen = projector.project(point);
        largest = largest.max(placement.silhouette.distance(seen.pixel) * seen.metres_per_px);
        if largest >= enough {
            break;
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_views_cost_little_more_than_a_few() {
        let cost = |num_views: usize| {
            effort(num_views).map_or(0, |(rays, num_rounds)| num_views.pow(3) * rays.pow(3) * num_rounds)
        };
        for num_views in 17..200 {
            assert!(cost(num_views) < 3 * cost(16), "{num_views}");
        }
    }
}
