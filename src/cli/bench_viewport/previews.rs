use std::time::{Duration, Instant};

use bozzetto_asset::GaussianSplats;
use bozzetto_viewport::{Frame, GpuError, Offscreen, Picture, RenderSettings, Scene, ScenePool, Shows, SplatTier};
use egui_wgpu::wgpu;

use super::super::output;
use super::splats::shell;
use super::{Arguments, cameras, median, millis};

/// Splats of a partial object as engines show it, and how large they are in metres.
const OBJECTS: [(u32, f32); 2] = [(100_000, 0.01), (500_000, 0.005)];
/// How often splats are replaced by the next.
const NUM_UPDATES: usize = 10;

/// Replaces splats by more and fewer of them as fast as it goes, with a frame in between.
pub(super) fn bench(offscreen: &Offscreen, arguments: &Arguments) -> anyhow::Result<()> {
    output::line(&format!(
        "\nSplat updates, {} x {} pixels, {NUM_UPDATES} each; a still frame beside the first one after an update\n  \
         splats     tier      update   window's part   first frame   still frame (ms, medians)",
        arguments.size, arguments.size
    ));
    let objects = match arguments.splats {
        Some(count) => vec![(count, OBJECTS[0].1)],
        None => OBJECTS.to_vec(),
    };
    for (count, scale) in objects {
        let whole = shell(count, scale);
        // Fewer, and all of them again.
        let forms = [first(&whole, count as usize * 3 / 4), whole];
        for tier in SplatTier::ON_DEVICE {
            let figures = replace(offscreen, arguments, &forms, tier)?;
            let of = |figure: fn(&Figures) -> Duration| millis(median(figures.iter().map(figure).collect()));
            output::line(&format!(
                "  {count:<10} {tier:<6}{:>9.1}{:>16.3}{:>14.3}{:>14.3}",
                of(|figures| figures.update),
                of(|figures| figures.recording),
                of(|figures| figures.first_frame),
                of(|figures| figures.still_frame),
            ));
        }
    }
    Ok(())
}

/// What one update took.
struct Figures {
    /// The stage's thread.
    update: Duration,
    /// The window's thread, for the first frame after it.
    recording: Duration,
    /// That frame, until it is there.
    first_frame: Duration,
    /// Another one of the same splats.
    still_frame: Duration,
}

fn replace(
    offscreen: &Offscreen,
    arguments: &Arguments,
    forms: &[GaussianSplats; 2],
    tier: SplatTier,
) -> anyhow::Result<Vec<Figures>> {
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let pool = ScenePool::default();
    let mut shown = Scene::new();
    let mut picture = Picture::new();
    let mut figures = Vec::new();
    for (splats, camera) in forms.iter().cycle().zip(cameras(NUM_UPDATES as u32)) {
        let began = Instant::now();
        // As the window does: the next scene is filled while the last one is there.
        let mut next = Scene::with_pool(&pool);
        next.set_splats(device, queue, Some(splats))?;
        offscreen.renderer().bind_scene(&mut next, device);
        queue.submit([]);
        let update = began.elapsed();
        let mut frame = Frame {
            camera,
            size_px: [arguments.size; 2],
            settings: RenderSettings {
                shows: Shows::Splats,
                splat_tier: Some(tier),
                ..RenderSettings::default()
            },
        };
        // The last scene leaves its room only now.
        drop(std::mem::replace(&mut shown, next));
        let (recording, first_frame) = draw(offscreen, &mut shown, &mut picture, &frame)?;
        frame.settings.exposure += 0.1;
        let (_, still_frame) = draw(offscreen, &mut shown, &mut picture, &frame)?;
        figures.push(Figures {
            update,
            recording,
            first_frame,
            still_frame,
        });
    }
    Ok(figures)
}

/// Draws a frame; tells how long recording it took, and all of it.
fn draw(
    offscreen: &Offscreen,
    scene: &mut Scene,
    picture: &mut Picture,
    frame: &Frame,
) -> anyhow::Result<(Duration, Duration)> {
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let began = Instant::now();
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let renderer = offscreen.renderer();
    renderer.prepare(scene, picture, device, queue, &mut encoder, frame)?;
    queue.submit([encoder.finish()]);
    let recording = began.elapsed();
    let waited = device.poll(wgpu::PollType::wait_indefinitely());
    waited.map_err(|error| GpuError::ReadBack {
        reason: error.to_string(),
    })?;
    Ok((recording, began.elapsed()))
}

/// The first splats of an object, which lie all over it.
fn first(splats: &GaussianSplats, count: usize) -> GaussianSplats {
    GaussianSplats {
        positions: splats.positions[..count].to_vec(),
        log_scales: splats.log_scales[..count].to_vec(),
        rotations: splats.rotations[..count].to_vec(),
        opacities: splats.opacities[..count].to_vec(),
        sh: splats.sh[..count * splats.num_sh_coefficients()].to_vec(),
        ..*splats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_of_an_object_is_an_object() {
        let whole = shell(1_000, 0.01);
        let part = first(&whole, 300);
        assert!(part.is_consistent() && part.len() == 300);
        assert_eq!(part.sh_degree, whole.sh_degree);
    }
}
