use bozzetto_asset::{Camera, Projection};
use bozzetto_engine::EngineError;
use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::placement::Placement;
use crate::progress::Progress;
use crate::projector::Projector;

/// Longest side of an object whose frame is ours to choose.
const LONGEST_SIDE: f32 = 0.96;
/// Cells along a side when looking for the object.
const CELLS: usize = 72;

/// The views' cameras in a frame where the object fits the unit cube. Known cameras keep their frame when it fits
/// already; otherwise all are moved and scaled together.
pub(super) fn normalized_cameras(
    placements: &[Placement],
    progress: &Progress<'_>,
) -> Result<Vec<Camera>, EngineError> {
    let cameras: Vec<Camera> = placements.iter().map(Placement::camera).collect();
    let has_exact = placements.iter().any(Placement::is_exact);
    let projectors: Vec<Projector> = placements.iter().map(Placement::projector).collect();
    if placements.len() == 1 {
        return Ok(vec![single_view_camera(&placements[0], &projectors[0], cameras[0])]);
    }
    let mut middle = Vec3::ZERO;
    let mut half = 0.5;
    if has_exact {
        (middle, half) = region_of_known(placements, &projectors);
    }
    // The first look is at the whole region, the second at what was found there.
    let (low, high) = occupied(placements, &projectors, middle, half * 1.3, progress)?;
    let margin = Vec3::splat(half * 2.6 / CELLS as f32);
    let middle = (low + high) * 0.5;
    let half = ((high - low) * 0.5 + margin).max_element();
    let (low, high) = occupied(placements, &projectors, middle, half, progress)?;
    let fits = low.min_element() >= -0.5 && high.max_element() <= 0.5;
    if has_exact && fits {
        return Ok(cameras);
    }
    let scale = LONGEST_SIDE / (high - low).max_element().max(1e-6);
    let middle = (low + high) * 0.5;
    Ok(cameras
        .into_iter()
        .map(|camera| transformed(camera, middle, scale))
        .collect())
}

/// The camera after the model frame was moved so that `middle` is the origin, and scaled.
fn transformed(mut camera: Camera, middle: Vec3, scale: f32) -> Camera {
    let eye = (camera.eye() - middle) * scale;
    camera.world_from_view.translation = eye.into();
    if let Projection::Orthographic { height } = &mut camera.projection {
        *height *= scale;
    }
    camera
}

/// Nothing tells how deep the object of one view is: its outline alone has to fit.
fn single_view_camera(placement: &Placement, projector: &Projector, camera: Camera) -> Camera {
    let Some(guess) = placement.guess() else {
        let (middle, half) = region_of_known(std::slice::from_ref(placement), std::slice::from_ref(projector));
        let fits = middle.abs().max_element() + half <= 0.5;
        return if fits {
            camera
        } else {
            transformed(camera, middle, LONGEST_SIDE / (2.0 * half))
        };
    };
    let longest = placement.silhouette.extent().max_element() / guess.log_scale.exp();
    transformed(camera, Vec3::ZERO, LONGEST_SIDE / longest.max(1e-6))
}

/// Puts views without a camera about what known cameras look at, at its size.
pub(super) fn place_among_known(placements: &mut [Placement]) {
    if !placements.iter().any(Placement::is_exact) {
        return;
    }
    let projectors: Vec<Projector> = placements.iter().map(Placement::projector).collect();
    let (middle, half) = region_of_known(placements, &projectors);
    for placement in placements {
        let center = placement.silhouette.center();
        if let Some(guess) = placement.guess_mut() {
            guess.log_scale -= (2.0 * half).ln();
            let [right, up, _] = guess.axes();
            let px_per_metre = guess.log_scale.exp();
            guess.origin_px = center - Vec2::new(right.dot(middle), -up.dot(middle)) * px_per_metre;
        }
    }
}

/// Middle and half side of a cube that holds what known cameras look at: the point nearest to their axes in the least
/// squares sense, and the largest outline at its depth.
fn region_of_known(placements: &[Placement], projectors: &[Projector]) -> (Vec3, f32) {
    let known = || {
        placements
            .iter()
            .zip(projectors)
            .filter(|(placement, _)| placement.is_exact())
    };
    let mut normal_matrix = glam::Mat3::ZERO;
    let mut right_side = Vec3::ZERO;
    for (placement, projector) in known() {
        let near = projector.unproject(placement.silhouette.center(), 1.0);
        let direction = projector.ray_direction(near);
        let outer = glam::Mat3::from_cols(
            direction * direction.x,
            direction * direction.y,
            direction * direction.z,
        );
        let across = glam::Mat3::IDENTITY - outer;
        normal_matrix += across;
        right_side += across * near;
    }
    // One known view leaves the depth open: a hair's weight on the origin decides it.
    normal_matrix += glam::Mat3::IDENTITY * 1e-3;
    let middle = normal_matrix.inverse() * right_side;
    let half = known()
        .map(|(placement, projector)| {
            let seen = projector.project(middle);
            placement.silhouette.extent().max_element() * 0.5 * seen.metres_per_px
        })
        .fold(0.0, f32::max);
    (middle, half.max(1e-3))
}

/// Bounds of the cells whose middle lies in all outlines, to a fraction of a cell.
fn occupied(
    placements: &[Placement],
    projectors: &[Projector],
    middle: Vec3,
    half: f32,
    progress: &Progress<'_>,
) -> Result<(Vec3, Vec3), EngineError> {
    let cell = half * 2.0 / CELLS as f32;
    let bounds = (0..CELLS)
        .into_par_iter()
        .map(|k| {
            progress.check()?;
            let mut low = Vec3::MAX;
            let mut high = Vec3::MIN;
            for index in 0..CELLS * CELLS {
                let cell_index = Vec3::new((index % CELLS) as f32, (index / CELLS) as f32, k as f32);
                let point = middle - half + (cell_index + 0.5) * cell;
                let outermost = placements
                    .iter()
                    .zip(projectors)
                    .fold(f32::MIN, |largest, (placement, projector)| {
                        let seen = projector.project(point);
                        largest.max(placement.silhouette.distance(seen.pixel) * seen.metres_per_px)
                    });
                if outermost < 0.0 {
                    // The surface is at least this far beyond the cell's middle.
                    let reach = (-outermost).min(cell * 0.5);
                    low = low.min(point - reach);
                    high = high.max(point + reach);
                }
            }
            Ok((low, high))
        })
        .collect::<Result<Vec<_>, EngineError>>()?;
    let (low, high) = bounds
        .into_iter()
        .fold((Vec3::MAX, Vec3::MIN), |(low, high), (l, h)| (low.min(l), high.max(h)));
    if low.x > high.x {
        return Err(EngineError::NoResult {
            reason: "The outlines of the pictures have nothing in common".to_owned(),
            advice: "Check the direction of each view, or switch off the one that does not belong.".to_owned(),
        });
    }
    Ok((low, high))
}
