use glam::Vec3;

use super::placement::Placement;

const NUM_ROUNDS: usize = 200;

/// Finds the views' scales from the widths and heights of their outlines.
///
/// The object is taken for an ellipsoid with semi-axes along the model frame's: seen along any direction, its extent
/// along a unit vector `d` is `2 |(a d_x, b d_y, c d_z)|`. Scales and semi-axes are the least-squares solution in the
/// logarithm of the extents: level views then agree in height, opposite ones in width, and a top view ties depth to
/// width. Heights count more, because a pose changes widths first.
pub(super) fn fit_scales(placements: &mut [Placement]) {
    let mut semi_axes = Vec3::splat(0.5);
    for _ in 0..NUM_ROUNDS {
        for placement in placements.iter_mut() {
            let extent_px = placement.silhouette.extent();
            if let Some(guess) = placement.guess_mut() {
                let [right, up, _] = guess.axes();
                let fit = |extent: f32, along: Vec3| (extent / (2.0 * (along * semi_axes).length())).ln();
                guess.log_scale = (fit(extent_px.x, right) * WIDTH_WEIGHT + fit(extent_px.y, up) * HEIGHT_WEIGHT)
                    / (WIDTH_WEIGHT + HEIGHT_WEIGHT);
            }
        }
        semi_axes = fitted_semi_axes(placements, semi_axes);
    }
}

const WIDTH_WEIGHT: f32 = 1.0;
const HEIGHT_WEIGHT: f32 = 3.0;

/// One multiplicative step towards the semi-axes that explain all extents at the present scales; the longest is kept
/// at half a metre, because the common scale is free.
fn fitted_semi_axes(placements: &[Placement], semi_axes: Vec3) -> Vec3 {
    let mut correction = Vec3::ZERO;
    let mut weight_sum = Vec3::splat(1e-6);
    for placement in placements {
        let Some(guess) = placement.guess() else { continue };
        let [right, up, _] = guess.axes();
        let metres = placement.silhouette.extent() / guess.log_scale.exp();
        for (along, extent, weight) in [(right, metres.x, WIDTH_WEIGHT), (up, metres.y, HEIGHT_WEIGHT)] {
            let scaled = along * semi_axes;
            let length = scaled.length().max(1e-6);
            // How much of the extent each semi-axis is answerable for.
            let share = (scaled / length) * (scaled / length) * weight * placement.weight.max(1e-3);
            correction += share * (extent / (2.0 * length)).max(1e-6).ln();
            weight_sum += share;
        }
    }
    let next = semi_axes * (correction / weight_sum).map(f32::exp);
    next * (0.5 / next.max_element().max(1e-6))
}
