//! `bozzetto bench finish`: what each step takes from a large raw surface to the file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_asset::formats::glb::{self, GlbOptions};
use bozzetto_asset::{Asset, PbrSample, PbrVolume};
use bozzetto_mesh::{Control, FinishSettings, finish, shapes};
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::output;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How often the faces of an icosahedron are split in four: 9 gives 5.24 million.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=10))]
    level: u32,

    /// Voxels along each side of the volume that colours come from.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..=2048))]
    voxels: u32,

    /// Faces of the finished mesh.
    #[arg(long, default_value_t = 300_000)]
    faces: u32,

    /// Side of the textures, pixels.
    #[arg(long, default_value_t = 2048)]
    texture: u32,
}

/// The ball's radius in metres, and its bumps: how high, as a share of it, and how close.
const RADIUS: f32 = 0.45;
const AMPLITUDE: f32 = 0.02;
const FREQUENCY: f32 = 40.0;
/// Farthest from the surface that a voxel is there, in voxels.
const REACH: f32 = 1.5;
/// TRELLIS.2's own `to_glb` for as many faces and texels on 16 cores and an H200, without and with remeshing, seconds.
const UPSTREAM_SECS: [(&str, f64); 2] = [("cleaning alone", 25.1), ("remeshing", 17.4)];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mesh = shapes::noisy_sphere(arguments.level, AMPLITUDE, FREQUENCY, 0.0);
    let volume = shell(arguments.voxels);
    output::line(&format!(
        "{} faces and {} voxels of a {}^3 grid to {} faces and {} px, on {} threads",
        mesh.triangles.len(),
        volume.coords.len(),
        arguments.voxels,
        arguments.faces,
        arguments.texture,
        rayon::current_num_threads()
    ));
    let asset = Asset {
        mesh: Some(Arc::new(mesh)),
        volume: Some(Arc::new(volume)),
        ..Asset::default()
    };
    let settings = FinishSettings {
        target_faces: arguments.faces,
        texture_px: arguments.texture,
        ..FinishSettings::default()
    };
    let began = Instant::now();
    let finished = finish(&asset, &settings, &Control::silent())?;
    let finishing = began.elapsed();
    for timing in &finished.timings {
        row(
            timing.step.label(),
            Duration::try_from_secs_f64(timing.duration_secs).unwrap_or_default(),
        );
    }
    let began = Instant::now();
    let bytes = glb::encode(&finished.textured, &GlbOptions::default())?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &bytes)?;
    let writing = began.elapsed();
    row("Writing the GLB", writing);
    let all = finishing + writing;
    row("All", all);
    output::line(&format!(
        "{} faces, {} charts, {:.0} % of the texture used, {:.1} MB",
        finished.textured.mesh.triangles.len(),
        finished.num_charts,
        finished.texture_utilization * 100.0,
        bytes.len() as f64 / 1e6
    ));
    if let Some(peak) = peak_memory_bytes() {
        output::line(&format!("Peak memory: {:.2} GiB", peak as f64 / f64::from(1 << 30)));
    }
    for (how, secs) in UPSTREAM_SECS {
        let ratio = secs / all.as_secs_f64();
        output::line(&format!(
            "TRELLIS.2 took {secs} s on an H200 machine's 16 cores, {how}: {ratio:.1} times as long"
        ));
    }
    Ok(())
}

fn row(label: &str, duration: Duration) {
    output::line(&format!("{label:<32} {:>9.1} ms", duration.as_secs_f64() * 1000.0));
}

/// Roughly how far a point lies above the ball's surface, metres.
fn above_surface(point: Vec3) -> f32 {
    let above = point.length() - RADIUS;
    if above.abs() > 2.0 * AMPLITUDE * RADIUS {
        return above;
    }
    let foot = point.normalize_or(Vec3::Y) * RADIUS * FREQUENCY;
    above - RADIUS * AMPLITUDE * foot.x.sin() * foot.y.sin() * foot.z.sin()
}

/// A shell of voxels in all colours about the ball's surface.
fn shell(resolution: u32) -> PbrVolume {
    let voxel_size = 1.0 / resolution as f32;
    let origin = Vec3::splat(-0.5);
    let columns = (0..resolution as i32)
        .into_par_iter()
        .flat_map_iter(|x| (0..resolution as i32).map(move |y| (x, y)));
    let coords: Vec<IVec3> = columns
        .flat_map_iter(|(x, y)| {
            (0..resolution as i32)
                .map(move |z| IVec3::new(x, y, z))
                .filter(move |cell| {
                    above_surface(origin + (cell.as_vec3() + 0.5) * voxel_size).abs() < REACH * voxel_size
                })
        })
        .collect();
    let samples = coords
        .par_iter()
        .map(|cell| PbrSample {
            base_color: (cell.as_vec3() / resolution as f32).to_array(),
            alpha: 1.0,
            metallic: 0.0,
            roughness: 0.3 + 0.4 * cell.x as f32 / resolution as f32,
        })
        .collect();
    PbrVolume {
        origin,
        voxel_size,
        resolution,
        coords,
        samples,
    }
}

/// The most memory that this process has held, where the system tells.
fn peak_memory_bytes() -> Option<u64> {
    // proc_pid_status(5), on Linux.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_holds_the_ball() {
        let volume = shell(64);
        assert!(volume.is_consistent());
        let ball = shapes::noisy_sphere(5, AMPLITUDE, FREQUENCY, 0.0);
        let cells: std::collections::HashSet<IVec3> = volume.coords.iter().copied().collect();
        for position in &ball.positions {
            let cell = ((*position - volume.origin) / volume.voxel_size).floor().as_ivec3();
            assert!(cells.contains(&cell), "{position}");
        }
    }
}
