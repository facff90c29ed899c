use bozzetto_asset::{PbrSample, PbrVolume};
use bozzetto_engine::EngineError;
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::fill::Fill;
use super::paint::Painter;
use crate::field::{BRICK, Field, corner_offset, local_at};
use crate::nets::trilinear;
use crate::params::Settings;
use crate::progress::Part;

/// Half thickness of the painted shell in voxels: any point of the surface has its eight voxels.
const SHELL: f32 = 1.9;

/// Voxels near the surface, `settings.texture_detail` to a side of each grid cell, each with the colour of the
/// surface point nearest to it.
pub(super) fn painted_volume(
    field: &Field,
    painter: &Painter<'_>,
    fill: &Fill<'_>,
    settings: &Settings,
    part: &Part<'_, '_>,
) -> Result<PbrVolume, EngineError> {
    let detail = settings.texture_detail as i32;
    let voxel_size = field.lattice.step / detail as f32;
    let per_brick: Vec<Vec<(IVec3, PbrSample)>> = field
        .bricks
        .par_iter()
        .map(|brick| {
            let mut voxels = Vec::new();
            for offset in 0..(BRICK * BRICK * BRICK) as usize {
                let cell = *brick * BRICK + local_at(offset);
                let corners = field.corners(cell);
                let nearest = corners.iter().fold(f32::MAX, |least, value| least.min(value.abs()));
                if nearest > SHELL * voxel_size + 1.8 * field.lattice.step {
                    continue;
                }
                part.check()?;
                paint_cell(field, cell, &corners, detail, &mut voxels, &|foot, normal| {
                    sample(painter, fill, settings, foot, normal)
                });
            }
            part.advance(1)?;
            Ok(voxels)
        })
        .collect::<Result<_, EngineError>>()?;
    let count = per_brick.iter().map(Vec::len).sum();
    let mut volume = PbrVolume {
        origin: field.lattice.origin,
        voxel_size,
        resolution: (field.lattice.num_bricks * BRICK * detail) as u32,
        coords: Vec::with_capacity(count),
        samples: Vec::with_capacity(count),
    };
    for (coord, sample) in per_brick.into_iter().flatten() {
        volume.coords.push(coord);
        volume.samples.push(sample);
    }
    Ok(volume)
}

/// Samples the voxels of one cell that lie in the shell.
fn paint_cell(
    field: &Field,
    cell: IVec3,
    corners: &[f32; 8],
    detail: i32,
    voxels: &mut Vec<(IVec3, PbrSample)>,
    sample: &dyn Fn(Vec3, Vec3) -> PbrSample,
) {
    let voxel_size = field.lattice.step / detail as f32;
    let mut corner_gradients = None;
    for index in 0..detail * detail * detail {
        let local = IVec3::new(index % detail, index / detail % detail, index / (detail * detail));
        let at = (local.as_vec3() + 0.5) / detail as f32;
        let (value, gradient) = trilinear(corners, at);
        let slope = gradient.length() / field.lattice.step;
        if slope < 1e-3 || value.abs() > SHELL * voxel_size * slope {
            continue;
        }
        let center = field.lattice.position(cell) + at * field.lattice.step;
        let coarse_normal = gradient.normalize_or(Vec3::Y);
        let foot = center - coarse_normal * (value / slope);
        let gradients = corner_gradients.get_or_insert_with(|| gradients_at_corners(field, cell));
        let normal = blended(gradients, at).normalize_or(coarse_normal);
        voxels.push((cell * detail + local, sample(foot, normal)));
    }
}

fn sample(painter: &Painter<'_>, fill: &Fill<'_>, settings: &Settings, foot: Vec3, normal: Vec3) -> PbrSample {
    let touch = painter.touch(foot, normal);
    let color = if touch.trust > 0.999 {
        touch.color
    } else {
        fill.color(foot).unwrap_or(touch.color).lerp(touch.color, touch.trust)
    };
    PbrSample {
        base_color: color.to_array(),
        alpha: 1.0,
        metallic: settings.metallic,
        roughness: settings.roughness,
    }
}

/// Central differences at a cell's corners: normals blended from them do not jump from cell to cell.
fn gradients_at_corners(field: &Field, cell: IVec3) -> [Vec3; 8] {
    std::array::from_fn(|corner| {
        let sample = cell + corner_offset(corner);
        let along = |axis: IVec3| field.value(sample + axis) - field.value(sample - axis);
        Vec3::new(along(IVec3::X), along(IVec3::Y), along(IVec3::Z))
    })
}

fn blended(corners: &[Vec3; 8], at: Vec3) -> Vec3 {
    let along_x: [Vec3; 4] = std::array::from_fn(|i| corners[2 * i].lerp(corners[2 * i + 1], at.x));
    let low = along_x[0].lerp(along_x[1], at.y);
    low.lerp(along_x[2].lerp(along_x[3], at.y), at.z)
}
