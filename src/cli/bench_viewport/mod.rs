//! `bozzetto bench viewport`: what each step of drawing splats, a mesh and voxels takes, what memory
//! alone would take, and what live previews cost.

mod mesh;
mod previews;
mod splats;
mod voxels;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bozzetto_asset::{Camera, Projection};
use bozzetto_viewport::Offscreen;
use glam::Vec3;

use super::output;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Splats to draw (PLY, SPZ or a saved result); made-up objects of 0.7 and 6 million when none is given.
    files: Vec<PathBuf>,

    /// Make up an object of this many splats instead, and no voxels.
    #[arg(long, conflicts_with = "files", value_parser = clap::value_parser!(u32).range(1..=1 << 26))]
    splats: Option<u32>,

    /// Side of the picture, pixels.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=16384))]
    size: u32,

    /// Triangles of the made-up mesh; 0 for none.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u32).range(0..=1 << 26))]
    triangles: u32,

    /// Cameras round the object.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    cameras: u32,

    /// Pictures drawn from each camera, after one that is not counted.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,

    /// Keys that are sorted alone.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=1 << 26))]
    sort: u32,
}

/// Large enough that no cache holds it.
const COPIED_BYTES: u64 = 128 << 20;
const NO_CLOCK: &str = "This graphics driver has no clock (timestamp queries), so nothing can be measured.";

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let offscreen = Offscreen::new()?;
    output::line(&format!("Graphics card: {}", offscreen.adapter_name()));
    let copied = offscreen.time_copy(COPIED_BYTES)?.context(NO_CLOCK)?;
    let bytes_a_sec = 2.0 * COPIED_BYTES as f64 / copied.as_secs_f64().max(1e-9);
    output::line(&format!("Copy within its memory: {:.0} GB/s", bytes_a_sec / 1e9));
    if let Some(time) = offscreen.time_sort(arguments.sort)? {
        output::line(&format!("Sort of {} keys: {:.3} ms", arguments.sort, millis(time)));
    }
    splats::bench(&offscreen, arguments, bytes_a_sec)?;
    if arguments.triangles > 0 {
        mesh::bench(&offscreen, arguments)?;
    }
    if arguments.files.is_empty() {
        previews::bench(&offscreen, arguments)?;
    }
    if arguments.files.is_empty() && arguments.splats.is_none() {
        voxels::bench(&offscreen, arguments)?;
    }
    Ok(())
}

fn median<T: Copy + Default + Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Cameras round the object that rise and sink twice on their way, 1.1 m off; their view is a little less than 50 degrees
/// wide.
fn cameras(count: u32) -> impl Iterator<Item = Camera> {
    let projection = Projection::Perspective {
        fov_y_rad: 2.0 * (0.5_f32 / 1.1).atan(),
    };
    (0..count).map(move |index| {
        let azimuth = std::f32::consts::TAU * index as f32 / count as f32;
        let eye = Vec3::new(0.0, 0.25 * (2.0 * azimuth).sin(), 1.1);
        Camera::orbit(azimuth, eye.y.atan2(eye.z), eye.length(), projection, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cameras_see_the_object_from_all_sides() {
        let cameras: Vec<Camera> = cameras(4).collect();
        assert!(
            cameras[1].eye().abs_diff_eq(Vec3::new(1.1, 0.0, 0.0), 1e-4),
            "{}",
            cameras[1].eye()
        );
        for camera in cameras {
            let (at, _) = camera.project(Vec3::ZERO).expect("in front");
            assert!(at.abs_diff_eq(glam::Vec2::splat(0.5), 1e-4));
        }
    }
}
