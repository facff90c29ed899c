use std::time::Instant;

use anyhow::Context as _;
use bozzetto_asset::SparseStructure;
use bozzetto_viewport::{Offscreen, RenderSettings, Scene, ScenePool};
use glam::{IVec3, Vec3};

use super::super::output;
use super::{Arguments, NO_CLOCK, cameras, median, millis};

/// A sparse structure as engines sample it, and the shell of a fine grid: voxels along a side, outer and inner radius of a
/// made-up ball in voxels.
const STRUCTURES: [(u32, f32, f32); 2] = [(64, 29.0, 21.5), (1024, 252.0, 250.7)];
/// How often a structure is replaced by the next.
const NUM_UPDATES: usize = 9;

/// Draws live previews of voxels, and replaces them as fast as it goes.
pub(super) fn bench(offscreen: &Offscreen, arguments: &Arguments) -> anyhow::Result<()> {
    output::line(&format!(
        "\nMade-up voxels, {} x {} pixels, {} cameras\n  \
         grid    voxels   update   solid layer   whole frame (ms, medians)",
        arguments.size, arguments.size, arguments.cameras
    ));
    for (resolution, outer, inner) in STRUCTURES {
        let structure = ball(resolution, outer, inner);
        let pool = ScenePool::default();
        let mut scene = Scene::with_pool(&pool);
        let mut updates = Vec::new();
        for _ in 0..NUM_UPDATES {
            let began = Instant::now();
            // As the window does: the next scene is filled while the last one is there.
            let mut next = Scene::with_pool(&pool);
            next.set_voxels(offscreen.device(), offscreen.queue(), Some(&structure))?;
            offscreen.queue().submit([]);
            updates.push(began.elapsed());
            scene = next;
        }
        let mut figures = Vec::new();
        for camera in cameras(arguments.cameras) {
            for index in 0..=arguments.frames {
                let settings = RenderSettings::default();
                let measured = offscreen.time_mesh(&mut scene, &camera, [arguments.size; 2], &settings)?;
                if index > 0 {
                    figures.push(measured.context(NO_CLOCK)?);
                }
            }
        }
        let solid = median(figures.iter().map(|figures| figures.solid).collect());
        let frame = median(figures.iter().map(|figures| figures.frame).collect());
        output::line(&format!(
            "  {resolution:<5}{:>9}{:>9.1}{:>14.3}{:>14.3}",
            structure.coords.len(),
            millis(median(updates)),
            millis(solid),
            millis(frame)
        ));
    }
    Ok(())
}

/// A hollow ball in the middle of the grid, as large as the cube that objects fit.
fn ball(resolution: u32, outer: f32, inner: f32) -> SparseStructure {
    let side = resolution as i32;
    let is_active = |at: IVec3| (inner..outer).contains(&(at.as_vec3() + 0.5 - resolution as f32 * 0.5).length());
    let middle = side / 2;
    let reach = outer.ceil() as i32;
    let span = middle - reach..middle + reach;
    let mut coords = Vec::new();
    for z in span.clone() {
        for y in span.clone() {
            coords.extend(span.clone().map(|x| IVec3::new(x, y, z)).filter(|at| is_active(*at)));
        }
    }
    let voxel_size = 0.45 / outer;
    SparseStructure {
        origin: Vec3::splat(-0.5 * resolution as f32 * voxel_size),
        voxel_size,
        resolution,
        coords,
        colors: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_large_as_they_are_said_to_be() {
        let [(resolution, outer, inner), _] = STRUCTURES;
        let structure = ball(resolution, outer, inner);
        assert!(structure.is_consistent());
        assert!(
            (55_000..65_000).contains(&structure.coords.len()),
            "{}",
            structure.coords.len()
        );
        let [_, (_, outer, inner)] = STRUCTURES;
        let volume = 4.0 / 3.0 * std::f32::consts::PI * (outer.powi(3) - inner.powi(3));
        assert!((0.95e6..1.1e6).contains(&volume), "{volume}");
    }
}
