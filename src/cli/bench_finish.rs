//! `bozzetto bench finish`: what each step takes from a large raw surface to the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_asset::formats::glb::{self, GlbOptions};
use bozzetto_asset::{Asset, PbrSample, TexturedMesh, TriMesh};
use bozzetto_mesh::bake::{Surface, VolumeSampler};
use bozzetto_mesh::fidelity::{Fidelity, NUM_CAMERAS};
use bozzetto_mesh::nearest::SearchTree;
use bozzetto_mesh::{Control, FinishSettings, finish, shapes, weld};
use glam::Vec3;

use super::content::Content;
use super::rebuild::Rebuild;
use super::{UsageError, output};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A mesh to divide and cover with bumps, in place of the ball.
    mesh: Option<PathBuf>,

    /// How often each face is split in four: of the ball, which has 20 at first, 9 gives 5.24 million.
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

    #[command(flatten)]
    rebuild: Rebuild,

    /// Give the surface a finer pattern, and measure how close the finished mesh stays to it, in pictures a quarter
    /// as wide as the textures among others.
    #[arg(long)]
    fidelity: bool,
}

/// The bumps: how high, as a share of the ball's radius, and how close.
const AMPLITUDE: f32 = 0.02;
const FREQUENCY: f32 = 40.0;
/// The bumps of another mesh, metres.
const HEIGHT: f32 = 0.005;
/// The finest waves of the pattern that fidelity is measured with, in voxels.
const WAVELENGTH: f32 = 24.0;
/// More would take more memory than machines have.
const MAX_FACES: usize = 40_000_000;
/// TRELLIS.2's own `to_glb` for as many faces and texels on 16 cores and an H200, with 2 s of writing, seconds.
const UPSTREAM_CLEANING_SECS: f64 = 27.1;
/// The same with remeshing.
const UPSTREAM_REMESHING_SECS: f64 = 19.4;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mesh = match &arguments.mesh {
        Some(path) => divided(path, arguments.level)?,
        None => shapes::noisy_sphere(arguments.level, AMPLITUDE, FREQUENCY, 0.0),
    };
    let volume = shapes::shell(&mesh, arguments.voxels, &|point| {
        if arguments.fidelity {
            shapes::waves(point, WAVELENGTH / arguments.voxels as f32)
        } else {
            all_colors(point)
        }
    });
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
    let mut settings = FinishSettings {
        target_faces: arguments.faces,
        texture_px: arguments.texture,
        ..FinishSettings::default()
    };
    arguments.rebuild.apply(&mut settings);
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
    let (how, secs) = if settings.remeshes {
        ("remeshing", UPSTREAM_REMESHING_SECS)
    } else {
        ("cleaning", UPSTREAM_CLEANING_SECS)
    };
    let ratio = secs / all.as_secs_f64();
    output::line(&format!(
        "TRELLIS.2 took {secs} s, {how} on an H200 and 16 cores beside it: {ratio:.1} times as long"
    ));
    if arguments.fidelity {
        print_fidelity(&asset, &finished.textured)?;
    }
    Ok(())
}

fn row(label: &str, duration: Duration) {
    output::line(&format!("{label:<32} {:>9.1} ms", duration.as_secs_f64() * 1000.0));
}

/// The colour of a place is the place.
fn all_colors(point: Vec3) -> PbrSample {
    PbrSample {
        base_color: (point + 0.5).to_array(),
        alpha: 1.0,
        metallic: 0.0,
        roughness: 0.3 + 0.4 * (point.x + 0.5),
    }
}

/// The mesh of a file, fitted, divided and with bumps.
fn divided(path: &Path, level: u32) -> anyhow::Result<TriMesh> {
    let mesh = Content::open(path)?.into_mesh(path)?;
    let num_faces = mesh.triangles.len().saturating_mul(1 << (2 * level));
    if num_faces > MAX_FACES {
        let name = path.display();
        let cause = format!("{name} would have {num_faces} faces: choose a --level below {level}.");
        return Err(UsageError(cause).into());
    }
    // Where its texture is cut, vertices must move as one.
    let mesh = weld(&mesh, 0.0, &Control::silent())?;
    Ok(shapes::bumpy(&shapes::fitted(&mesh), level, HEIGHT, FREQUENCY))
}

/// How far the finished mesh is from what it was made of.
fn print_fidelity(asset: &Asset, finished: &TexturedMesh) -> anyhow::Result<()> {
    let (Some(mesh), Some(volume)) = (&asset.mesh, &asset.volume) else {
        return Ok(());
    };
    let mut dense = (**mesh).clone();
    dense.compute_normals();
    let surface = Surface {
        tree: &SearchTree::new(&dense),
        mesh: &dense,
        occlusion: None,
    };
    let picture_px = finished.material.base_color.width() / 4;
    let fidelity = Fidelity::of(finished, surface, &VolumeSampler::new(volume)?, picture_px);
    let voxels = |metres: f32| metres / volume.voxel_size;
    output::line(&format!(
        "Distance: {:.3} voxels at most, {:.4} on the mean",
        voxels(fidelity.greatest_distance),
        voxels(fidelity.mean_distance)
    ));
    output::line(&format!(
        "Normals: {:.2} degrees off with the normal map, {:.2} without",
        fidelity.normal_deviation.to_degrees(),
        fidelity.vertex_normal_deviation.to_degrees()
    ));
    output::line(&format!(
        "Seen from {NUM_CAMERAS} cameras at {picture_px} px: base colour {:.1} dB, lit {:.1} dB",
        fidelity.base_color_psnr, fidelity.shaded_psnr
    ));
    Ok(())
}

/// The most memory that this process has held, where the system tells.
fn peak_memory_bytes() -> Option<u64> {
    // proc_pid_status(5), on Linux.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
