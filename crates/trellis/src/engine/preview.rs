use std::collections::HashMap;

use bozzetto_asset::color::srgb_from_linear;
use bozzetto_asset::{GaussianSplats, PbrVolume, SparseStructure, SplatFilter};
use glam::{IVec3, Quat, Vec3};

use crate::pipeline::HostTensor;

/// More splats than this show no more of a coarse preview.
const MOST_SPLATS: usize = 60_000;

/// Voxels `[N, 4]` (batch, x, y, z), z up, of a cube with `resolution` along an edge, in the model frame.
pub fn structure_of_coords(coords: &HostTensor<i32>, resolution: u32) -> SparseStructure {
    let last = resolution as i32 - 1;
    let in_model_frame = |row: &[i32]| match *row {
        [_, x, y, z] => Some(IVec3::new(x, z, last - y)),
        _ => None,
    };
    SparseStructure {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / resolution as f32,
        resolution,
        coords: coords.data.chunks_exact(4).filter_map(in_model_frame).collect(),
        colors: Vec::new(),
    }
}

/// The voxels of [`structure_of_coords`] again, `[N, 3]` (x, y, z), z up.
pub(super) fn coords_of_structure(structure: &SparseStructure) -> Vec<[i32; 3]> {
    let last = structure.resolution as i32 - 1;
    let in_cube = |coords: &IVec3| [coords.x, last - coords.z, coords.y];
    structure.coords.iter().map(in_cube).collect()
}

/// A volume as few round splats: neighbouring voxels share one.
pub fn splats_of_volume(volume: &PbrVolume) -> GaussianSplats {
    let mut step = 1;
    let mut cells = cells_of(volume, step);
    while cells.len() > MOST_SPLATS {
        step *= 2;
        cells = cells_of(volume, step);
    }
    let edge = volume.voxel_size * step as f32;
    let num_splats = cells.len();
    GaussianSplats {
        positions: cells.iter().map(|cell| cell.position).collect(),
        log_scales: vec![Vec3::splat((0.6 * edge).ln()); num_splats],
        rotations: vec![Quat::IDENTITY; num_splats],
        opacities: cells.iter().map(|cell| cell.alpha).collect(),
        sh_degree: 0,
        sh: cells
            .iter()
            .map(|cell| GaussianSplats::dc_from_srgb(cell.color_srgb))
            .collect(),
        filter: SplatFilter::default(),
    }
}

struct Cell {
    position: Vec3,
    color_srgb: [f32; 3],
    alpha: f32,
}

/// Means over cells of `step` voxels along an edge, in the order in which they first appear.
fn cells_of(volume: &PbrVolume, step: i32) -> Vec<Cell> {
    struct Sum {
        position: Vec3,
        color: Vec3,
        alpha: f32,
        count: f32,
    }
    let mut places = HashMap::new();
    let mut sums: Vec<Sum> = Vec::new();
    for (index, (&coords, sample)) in volume.coords.iter().zip(&volume.samples).enumerate() {
        let place = *places.entry(coords.div_euclid(IVec3::splat(step))).or_insert_with(|| {
            sums.push(Sum {
                position: Vec3::ZERO,
                color: Vec3::ZERO,
                alpha: 0.0,
                count: 0.0,
            });
            sums.len() - 1
        });
        let sum = &mut sums[place];
        sum.position += volume.center(index);
        sum.color += Vec3::from(sample.base_color);
        sum.alpha += sample.alpha;
        sum.count += 1.0;
    }
    let mean = |sum: &Sum| Cell {
        position: sum.position / sum.count,
        color_srgb: (sum.color / sum.count).to_array().map(srgb_from_linear),
        alpha: (sum.alpha / sum.count).clamp(0.0, 1.0),
    };
    sums.iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::PbrSample;

    use super::*;

    #[test]
    fn voxels_turn_upright() {
        let coords = HostTensor {
            data: vec![0, 1, 2, 3],
            shape: vec![1, 4],
        };
        let structure = structure_of_coords(&coords, 32);
        assert!(structure.is_consistent());
        assert_eq!(structure.coords, [IVec3::new(1, 3, 29)]);
        assert_eq!(coords_of_structure(&structure), [[1, 2, 3]]);
    }

    #[test]
    fn a_fine_volume_becomes_few_splats_where_it_is() {
        let side = 50;
        let coords: Vec<_> = (0..side * side * side)
            .map(|place| IVec3::new(place % side, place / side % side, place / side / side) + 200)
            .collect();
        let sample = PbrSample {
            base_color: [0.5, 0.2, 0.1],
            alpha: 1.0,
            metallic: 0.0,
            roughness: 1.0,
        };
        let volume = PbrVolume {
            origin: Vec3::splat(-0.5),
            voxel_size: 1.0 / 512.0,
            resolution: 512,
            samples: vec![sample; coords.len()],
            coords,
        };
        let splats = splats_of_volume(&volume);
        assert!(splats.is_consistent());
        assert_eq!(splats.len(), 25 * 25 * 25);
        let (low, high) = splats.bounds().expect("splats");
        let (first, last) = (volume.center(0), volume.center(volume.coords.len() - 1));
        assert!(
            low.distance(first) < 2.0 / 512.0 && high.distance(last) < 2.0 / 512.0,
            "{low} {high}"
        );
        assert!((splats.base_color_srgb(0)[0] - srgb_from_linear(0.5)).abs() < 1e-5);
    }
}
