//! Splats drawn on the CPU in double precision, straight from the papers: EWA splatting as in 3D Gaussian Splatting
//! (Kerbl et al. 2023), the 2D filter of Mip-Splatting (Yu et al. 2024), spherical harmonics from their definition by
//! associated Legendre functions. Written without a look at the shader's formulas.

use bozzetto_asset::{Camera, GaussianSplats, Projection, SplatFilter};
use glam::{DMat2, DMat3, DQuat, DVec2, DVec3};

struct Ellipse {
    center: DVec2,
    inverse: DMat2,
    /// Where the opacity has surely fallen under 1/255, pixels from the centre.
    reach: f64,
    depth: f64,
    opacity: f64,
    color: DVec3,
}

/// RGB in row-major order, sRGB-encoded, over one encoded background colour.
pub fn render(splats: &GaussianSplats, camera: &Camera, size: usize, background: f64) -> Vec<f64> {
    let mut ellipses: Vec<Ellipse> = (0..splats.len())
        .filter_map(|index| project(splats, index, camera, size as f64))
        .collect();
    ellipses.sort_by(|a, b| b.depth.total_cmp(&a.depth));
    let mut picture = vec![DVec3::splat(background); size * size];
    for ellipse in &ellipses {
        // Farther from the centre than this on either axis no pixel can reach 1/255: the rest is left out to save time.
        let reach = ellipse.reach + 1.0;
        let span = |center: f64| {
            let limited = |at: f64| at.clamp(0.0, size as f64) as usize;
            limited((center - reach).floor())..limited((center + reach).ceil())
        };
        for y in span(ellipse.center.y) {
            for x in span(ellipse.center.x) {
                let offset = DVec2::new(x as f64 + 0.5, y as f64 + 0.5) - ellipse.center;
                let alpha = (ellipse.opacity * (-0.5 * offset.dot(ellipse.inverse * offset)).exp()).min(0.99);
                if alpha >= 1.0 / 255.0 {
                    let pixel = &mut picture[y * size + x];
                    *pixel = ellipse.color * alpha + *pixel * (1.0 - alpha);
                }
            }
        }
    }
    picture
        .iter()
        .flat_map(DVec3::to_array)
        .map(|value| value.clamp(0.0, 1.0))
        .collect()
}

fn project(splats: &GaussianSplats, index: usize, camera: &Camera, size: f64) -> Option<Ellipse> {
    let position = splats.positions[index].as_dvec3();
    let world_from_view = DMat3::from_cols_array(&camera.world_from_view.matrix3.to_cols_array().map(f64::from));
    let view_from_world = world_from_view.transpose();
    let view = view_from_world * (position - camera.eye().as_dvec3());
    let depth = -view.z;
    let (center, gradient_x, gradient_y) = match camera.projection {
        Projection::Perspective { fov_y_rad } => {
            if depth <= 0.02 {
                return None;
            }
            let half = (f64::from(fov_y_rad) / 2.0).tan();
            let focal = size / 2.0 / half;
            let limited = |slope: f64| slope.clamp(-1.3 * half, 1.3 * half);
            (
                DVec2::new(size / 2.0 + focal * view.x / depth, size / 2.0 - focal * view.y / depth),
                DVec3::new(focal / depth, 0.0, focal * limited(view.x / depth) / depth),
                DVec3::new(0.0, -focal / depth, -focal * limited(view.y / depth) / depth),
            )
        }
        Projection::Orthographic { height } => {
            let scale = size / f64::from(height);
            (
                DVec2::new(size / 2.0 + scale * view.x, size / 2.0 - scale * view.y),
                DVec3::new(scale, 0.0, 0.0),
                DVec3::new(0.0, -scale, 0.0),
            )
        }
    };
    let rotation = DMat3::from_quat(DQuat::from_array(splats.rotations[index].to_array().map(f64::from)).normalize());
    let scale = splats.log_scales[index].as_dvec3().exp();
    let world_covariance = rotation * DMat3::from_diagonal(scale * scale) * rotation.transpose();
    let covariance = view_from_world * world_covariance * world_from_view;
    let mut spread = DMat2::from_cols_array(&[
        gradient_x.dot(covariance * gradient_x),
        gradient_x.dot(covariance * gradient_y),
        gradient_y.dot(covariance * gradient_x),
        gradient_y.dot(covariance * gradient_y),
    ]);
    let mut opacity = f64::from(splats.opacities[index]);
    match splats.filter {
        SplatFilter::Dilate => spread += DMat2::from_diagonal(DVec2::splat(0.3)),
        SplatFilter::Mip => {
            let sharp = spread.determinant();
            spread += DMat2::from_diagonal(DVec2::splat(0.1));
            opacity *= (sharp / spread.determinant()).max(0.000_025).sqrt();
        }
    }
    let direction = match camera.projection {
        Projection::Perspective { .. } => (position - camera.eye().as_dvec3()).normalize(),
        Projection::Orthographic { .. } => camera.forward().as_dvec3(),
    };
    Some(Ellipse {
        center,
        inverse: spread.inverse(),
        reach: ((spread.x_axis.x + spread.y_axis.y) * 2.0 * (opacity * 255.0).max(1.0).ln()).sqrt(),
        depth,
        opacity,
        color: color(splats, index, direction),
    })
}

fn color(splats: &GaussianSplats, index: usize, direction: DVec3) -> DVec3 {
    let count = splats.num_sh_coefficients();
    let mut color = DVec3::splat(0.5);
    let mut next = index * count;
    for degree in 0..=i32::from(splats.sh_degree) {
        for order in -degree..=degree {
            color += glam::Vec3::from(splats.sh[next]).as_dvec3() * harmonic(degree, order, direction);
            next += 1;
        }
    }
    color.max(DVec3::ZERO)
}

/// Real spherical harmonic with the Condon-Shortley phase.
fn harmonic(degree: i32, order: i32, direction: DVec3) -> f64 {
    let m = order.abs();
    let factorial = |n: i32| (1..=n).map(f64::from).product::<f64>();
    let turn = direction.y.atan2(direction.x) * f64::from(m);
    let norm = ((2.0 * f64::from(degree) + 1.0) / (4.0 * std::f64::consts::PI) * factorial(degree - m)
        / factorial(degree + m))
    .sqrt();
    let around = match order {
        0 => 1.0,
        1.. => std::f64::consts::SQRT_2 * turn.cos(),
        _ => std::f64::consts::SQRT_2 * turn.sin(),
    };
    norm * around * legendre(degree, m, direction.z)
}

/// Associated Legendre function with the Condon-Shortley phase, by the usual recurrence.
fn legendre(degree: i32, m: i32, x: f64) -> f64 {
    let mut diagonal = 1.0;
    for step in 1..=m {
        diagonal *= -(2.0 * f64::from(step) - 1.0) * (1.0 - x * x).max(0.0).sqrt();
    }
    let (mut below, mut value) = (0.0, diagonal);
    for step in m + 1..=degree {
        let next = ((2.0 * f64::from(step) - 1.0) * x * value - f64::from(step + m - 1) * below) / f64::from(step - m);
        below = value;
        value = next;
    }
    value
}
