//! The solid while it forms, as active voxels: what there is to see before there is a surface.

use std::sync::Arc;

use bozzetto_asset::SparseStructure;
use bozzetto_engine::{EngineError, Event, Preview};
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::beyond_the_cube;
use crate::field::corner_offset;
use crate::progress::Progress;

/// Cells along a side of the grid that is evaluated everywhere.
const COARSEST: u32 = 8;
/// The first that looks like anything.
const FIRST_SHOWN: u32 = 16;
/// The last that is shown.
const FINEST: u32 = 64;

/// Tells the active voxels near the surface, coarse to fine. `solid` must not grow faster than distance times
/// `steepness`, which is at least 1: only cells that the surface may pass are divided, so that all of it costs a few
/// evaluations for each voxel that is told.
pub(super) fn show_forming(
    solid: &(dyn Fn(Vec3) -> f32 + Sync),
    steepness: f32,
    progress: &Progress<'_>,
) -> Result<(), EngineError> {
    let side = COARSEST as i32;
    let mut cells: Vec<IVec3> = (0..side.pow(3))
        .map(|index| IVec3::new(index % side, index / side % side, index / (side * side)))
        .collect();
    let mut resolution = COARSEST;
    loop {
        progress.check()?;
        let edge = 1.0 / resolution as f32;
        // An edge away from a cell's centre is the next one's: every cell beside the surface is kept, and so is the
        // parent of every one that will be.
        let reach = steepness * edge;
        let near: Vec<(IVec3, bool)> = cells
            .par_iter()
            .with_min_len(256)
            .filter_map(|&cell| {
                let center = (cell.as_vec3() + 0.5) * edge - 0.5;
                let distance = solid(center).max(beyond_the_cube(center, 0.0));
                (distance.abs() <= reach).then_some((cell, distance < 0.0))
            })
            .collect();
        if resolution >= FIRST_SHOWN {
            tell(&near, resolution, progress);
        }
        if resolution == FINEST {
            return Ok(());
        }
        let divided = near
            .iter()
            .flat_map(|(cell, _)| (0..8).map(move |corner| *cell * 2 + corner_offset(corner)));
        cells = divided.collect();
        resolution *= 2;
    }
}

fn tell(near: &[(IVec3, bool)], resolution: u32, progress: &Progress<'_>) {
    let active = near.iter().filter(|(_, is_inside)| *is_inside);
    let structure = SparseStructure {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / resolution as f32,
        resolution,
        coords: active.map(|(cell, _)| *cell).collect(),
        colors: Vec::new(),
    };
    // Parts thinner than a voxel may be all there is.
    if !structure.coords.is_empty() {
        (progress.context.emit)(Event::Preview(Preview::Structure(Arc::new(structure))));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use bozzetto_engine::{CancelToken, RunContext};

    use super::*;

    fn told(solid: &(dyn Fn(Vec3) -> f32 + Sync), steepness: f32) -> Vec<Arc<SparseStructure>> {
        let events = Mutex::new(Vec::new());
        let emit = |event: Event| {
            if let Event::Preview(Preview::Structure(structure)) = event {
                events.lock().expect("no panic").push(structure);
            }
        };
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &emit,
        };
        show_forming(solid, steepness, &Progress::new(&context, "carve")).expect("told");
        events.into_inner().expect("no panic")
    }

    /// A ball, a thin rod, and a bar that leaves the cube.
    fn solid(point: Vec3) -> f32 {
        let ball = point.length() - 0.31;
        let rod = point.truncate().length() - 0.02;
        let bar = (point.x.abs() - 2.0)
            .max((point.y + 0.2).abs() - 0.07)
            .max(point.z.abs() - 0.05);
        ball.min(rod.max(point.z.abs() - 0.47)).min(bar)
    }

    #[test]
    fn exactly_the_voxels_beside_the_surface_are_told_coarse_to_fine() {
        let structures = told(&solid, 1.0);
        let resolutions: Vec<u32> = structures.iter().map(|structure| structure.resolution).collect();
        assert_eq!(resolutions, [16, 32, 64]);
        for structure in structures {
            assert!(structure.is_consistent());
            let told: HashSet<IVec3> = structure.coords.iter().copied().collect();
            assert_eq!(told.len(), structure.coords.len(), "no voxel twice");
            let edge = structure.voxel_size;
            let range = 0..structure.resolution as i32;
            let is_active = |cell: IVec3| {
                let is_in_grid = cell.to_array().iter().all(|axis| range.contains(axis));
                is_in_grid && solid(structure.origin + (cell.as_vec3() + 0.5) * edge) < 0.0
            };
            let side = structure.resolution as i32;
            for index in 0..side.pow(3) {
                let cell = IVec3::new(index % side, index / side % side, index / (side * side));
                let is_bare = is_active(cell)
                    && IVec3::AXES
                        .iter()
                        .any(|axis| !is_active(cell + *axis) || !is_active(cell - *axis));
                assert!(!is_bare || told.contains(&cell), "{cell} is missing");
                assert!(is_active(cell) || !told.contains(&cell), "{cell} is outside");
            }
        }
    }

    #[test]
    fn what_is_thinner_than_any_voxel_is_no_preview() {
        let sheet = |point: Vec3| (point.z - 0.003).abs() - 1e-4;
        assert!(told(&sheet, 1.0).is_empty());
    }
}
