use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use bozzetto_asset::GaussianSplats;
use bozzetto_viewport::{Offscreen, RenderSettings, Scene, Shows, SplatFigures, SplatTier, StepFigures};
use glam::{Quat, Vec3};
use rayon::prelude::*;

use super::super::content::Content;
use super::super::{UsageError, output};
use super::{Arguments, NO_CLOCK, cameras, median, millis};

/// Sizes of the made-up objects, and of their splats in metres.
const OBJECTS: [(u32, f32); 2] = [(700_000, 0.004), (6_000_000, 0.0014)];
/// Draws every object by both tiers.
pub(super) fn bench(offscreen: &Offscreen, arguments: &Arguments, bytes_a_sec: f64) -> anyhow::Result<()> {
    for (name, splats) in objects(arguments) {
        let splats = splats()?;
        output::line(&format!(
            "\n{name}: {} splats, harmonics of degree {}, {} x {} pixels, {} cameras",
            splats.len(),
            splats.sh_degree,
            arguments.size,
            arguments.size,
            arguments.cameras
        ));
        let mut scene = Scene::new();
        scene.set_splats(offscreen.device(), offscreen.queue(), Some(&splats))?;
        drop(splats);
        bench_scene(offscreen, &mut scene, arguments, bytes_a_sec)?;
    }
    Ok(())
}

type Load = Box<dyn Fn() -> anyhow::Result<Arc<GaussianSplats>>>;

/// What is drawn, each loaded when its turn comes.
fn objects(arguments: &Arguments) -> Vec<(String, Load)> {
    if !arguments.files.is_empty() {
        let load = |path: &PathBuf| -> (String, Load) {
            let for_load = path.clone();
            (path.display().to_string(), Box::new(move || open(&for_load)))
        };
        return arguments.files.iter().map(load).collect();
    }
    let made_up = |(count, scale): (u32, f32)| -> (String, Load) {
        (
            "Made-up object".to_owned(),
            Box::new(move || Ok(Arc::new(shell(count, scale)))),
        )
    };
    match arguments.splats {
        // As dense as the first object.
        Some(count) => vec![made_up((
            count,
            OBJECTS[0].1 * (OBJECTS[0].0 as f32 / count.max(1) as f32).sqrt(),
        ))],
        None => OBJECTS.into_iter().map(made_up).collect(),
    }
}

fn open(path: &std::path::Path) -> anyhow::Result<Arc<GaussianSplats>> {
    let splats = match Content::open(path)? {
        Content::Splats(splats) => Some(splats),
        Content::Generation(_, asset) => asset.splats,
        Content::Textured(_) | Content::Mesh(_) => None,
    };
    splats.ok_or_else(|| UsageError(format!("{} has no splats.", path.display())).into())
}

fn bench_scene(
    offscreen: &Offscreen,
    scene: &mut Scene,
    arguments: &Arguments,
    bytes_a_sec: f64,
) -> anyhow::Result<()> {
    let mut figures = [Vec::new(), Vec::new()];
    for camera in cameras(arguments.cameras) {
        for (tier, figures) in SplatTier::ON_DEVICE.into_iter().zip(&mut figures) {
            let settings = RenderSettings {
                shows: Shows::Splats,
                splat_tier: Some(tier),
                ..RenderSettings::cutout()
            };
            for index in 0..=arguments.frames {
                let measured = offscreen.time_splats(scene, &camera, [arguments.size; 2], &settings)?;
                if index > 0 {
                    figures.push(measured.context(NO_CLOCK)?);
                }
            }
        }
    }
    for (tier, figures) in SplatTier::ON_DEVICE.into_iter().zip(figures) {
        print_table(tier, &figures, bytes_a_sec);
    }
    Ok(())
}

/// One of a frame's steps.
type Step = fn(&SplatFigures) -> StepFigures;

fn print_table(tier: SplatTier, figures: &[SplatFigures], bytes_a_sec: f64) {
    let count = |of: fn(&SplatFigures) -> u32| median(figures.iter().map(of).collect());
    output::line(&format!(
        "{tier}: {} visible, {} pairs, {} batches (medians)\n  \
         step                 ms      MB moved   ms by memory alone",
        count(|figures| figures.num_visible),
        count(|figures| figures.num_pairs),
        count(|figures| figures.num_batches),
    ));
    let steps: [(&str, Step); 4] = [
        ("cull, project", |figures| figures.project),
        ("sort", |figures| figures.sort),
        ("bin", |figures| figures.bin),
        ("raster", |figures| figures.raster),
    ];
    for (name, step) in steps {
        let time = median(figures.iter().map(|figures| step(figures).time).collect());
        let bytes = median(figures.iter().map(|figures| step(figures).bytes).collect());
        let floor = bytes as f64 / bytes_a_sec * 1000.0;
        output::line(&format!(
            "  {name:<14}{:>9.3}{:>14.1}{floor:>21.3}",
            millis(time),
            bytes as f64 / 1e6
        ));
    }
    let composite = median(figures.iter().map(|figures| figures.composite).collect());
    output::line(&format!("  {:<14}{:>9.3}", "composite", millis(composite)));
    let frame = median(figures.iter().map(|figures| figures.frame).collect());
    output::line(&format!("  {:<14}{:>9.3}", "whole frame", millis(frame)));
}

/// A bumpy shell of splats with harmonics of degree 3: an object that fills the view, with many layers over each pixel.
pub(super) fn shell(count: u32, scale: f32) -> GaussianSplats {
    const CHUNK: u32 = 1 << 16;
    let chunks: Vec<GaussianSplats> = (0..count.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| shell_part(u64::from(chunk), CHUNK.min(count - chunk * CHUNK), scale))
        .collect();
    let mut shell = GaussianSplats {
        sh_degree: 3,
        ..GaussianSplats::default()
    };
    for chunk in chunks {
        shell.positions.extend(chunk.positions);
        shell.log_scales.extend(chunk.log_scales);
        shell.rotations.extend(chunk.rotations);
        shell.opacities.extend(chunk.opacities);
        shell.sh.extend(chunk.sh);
    }
    shell
}

fn shell_part(seed: u64, count: u32, scale: f32) -> GaussianSplats {
    let mut normal = Normal::new(seed);
    let mut splats = GaussianSplats::default();
    for _ in 0..count {
        let direction = normal.vector().normalize_or(Vec3::Y);
        let bump = 0.03 * (12.0 * direction.x).sin() * (12.0 * direction.y).sin();
        splats.positions.push(direction * (0.4 + bump + normal.next() * 0.004));
        splats.log_scales.push(Vec3::splat(scale.ln()) + normal.vector() * 0.4);
        let [x, y, z, w] = [normal.next(), normal.next(), normal.next(), normal.next() + 1e-6];
        splats.rotations.push(Quat::from_xyzw(x, y, z, w).normalize());
        splats
            .opacities
            .push(1.0 / (1.0 + (-(normal.next() * 1.5 + 1.0)).exp()));
        let color = direction * 0.5 + 0.5;
        splats.sh.push(GaussianSplats::dc_from_srgb(color.to_array()));
        for _ in 1..16 {
            splats.sh.push((normal.vector() * 0.05).to_array());
        }
    }
    splats
}

/// Normally distributed numbers, the same on every run (Box and Muller 1958 over `SplitMix64`).
struct Normal {
    state: u64,
    spare: Option<f32>,
}

impl Normal {
    fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0xD134_2543_DE82_EF95),
            spare: None,
        }
    }

    fn uniform(&mut self) -> f32 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ bits >> 31) >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn next(&mut self) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (self.uniform() * std::f32::consts::TAU).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    fn vector(&mut self) -> Vec3 {
        Vec3::new(self.next(), self.next(), self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_normal() {
        let mut normal = Normal::new(3);
        let values: Vec<f64> = (0..20_000).map(|_| f64::from(normal.next())).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn the_object_is_whole_and_the_same_every_time() {
        let splats = shell(70_000, 0.01);
        assert!(splats.is_consistent() && splats.len() == 70_000);
        assert_eq!(splats, shell(70_000, 0.01));
        let far = splats
            .positions
            .iter()
            .map(|position| position.length())
            .fold(0.0, f32::max);
        assert!((0.42..0.5).contains(&far), "{far}");
    }
}
