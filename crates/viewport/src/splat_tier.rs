//! The ways to draw splats, and which one a device is better at.

use std::time::{Duration, Instant};

use crate::{Bounds, Frame, GpuError, OrbitCamera, Picture, RenderSettings, Renderer, Scene, Shows};

/// How splats are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SplatTier {
    /// In compute shaders, by tiles of the picture, front to back and only as deep as the picture is transparent.
    Tiles,
    /// By the rasteriser, back to front, all of them.
    Quads,
    /// The same in an order that a thread of the processor sorts, for devices that cannot and for software drivers.
    ProcessorSorted,
}

impl SplatTier {
    /// Those that leave the processor alone.
    pub const ON_DEVICE: [Self; 2] = [Self::Tiles, Self::Quads];
}

impl std::fmt::Display for SplatTier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Tiles => "tiles",
            Self::Quads => "quads",
            Self::ProcessorSorted => "quads, sorted by the processor",
        })
    }
}

/// What the compute passes need: bytes of workgroup memory, storage buffers a stage, threads a workgroup.
const NEEDED_WORKGROUP_BYTES: u32 = 32 << 10;
const NEEDED_STORAGE_BUFFERS: u32 = 8;
const NEEDED_THREADS: u32 = 256;

/// Whether the device can sort splats and draw them by tiles.
pub fn sorts_on_device(device: &wgpu::Device) -> bool {
    let limits = device.limits();
    limits.max_compute_workgroup_storage_size >= NEEDED_WORKGROUP_BYTES
        && limits.max_storage_buffers_per_shader_stage >= NEEDED_STORAGE_BUFFERS
        && limits.max_compute_invocations_per_workgroup >= NEEDED_THREADS
        && limits.max_compute_workgroup_size_x >= NEEDED_THREADS
}

/// Whether the processor sorts splats unless told otherwise.
///
/// A software driver runs shaders on that very processor, which takes 0.4 s for a million splats then, and 0.04 s when it
/// sorts them itself.
pub fn prefers_processor(device: &wgpu::Device) -> bool {
    !sorts_on_device(device) || device.adapter_info().device_type == wgpu::DeviceType::Cpu
}

/// Fewer splats than this are fast in any way.
const MIN_MEASURED_SPLATS: u32 = 20_000;
/// Side of the measured picture, pixels.
pub const MEASURED_PX: u32 = 1024;
/// Besides the first frame of a tier, which also pays for its buffers.
const NUM_MEASURED_FRAMES: usize = 2;
/// A tier whose first frame takes this many times as long as the best of another is given up: it will not catch up, and a
/// window on the same card waits for every frame.
const HOPELESS: u32 = 2;

/// Splats that were measured stand for all between half and twice their number: live previews grow all the time.
pub fn size_class(num_splats: u32) -> Option<u32> {
    (num_splats >= MIN_MEASURED_SPLATS).then(|| num_splats.ilog2())
}

/// Draws the scene's splats by both tiers and tells which one was faster.
pub fn measure(
    renderer: &Renderer,
    scene: &mut Scene,
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    side_px: u32,
) -> Result<SplatTier, GpuError> {
    let mut orbit = OrbitCamera::default();
    orbit.frame(scene.splats.as_ref().map_or(Bounds::UNIT, |part| part.bounds));
    let mut picture = Picture::new();
    fastest(|tier| {
        let frame = Frame {
            camera: orbit.camera(1.0),
            size_px: [side_px; 2],
            settings: RenderSettings {
                shows: Shows::Splats,
                splat_tier: Some(tier),
                ..RenderSettings::cutout()
            },
        };
        let began = Instant::now();
        let times = renderer.timed_frame(scene, &mut picture, device, queue, &frame)?;
        Ok(times.map_or_else(|| began.elapsed(), |times| times.whole))
    })
}

/// The tier whose frames take the least time.
fn fastest(mut time_frame: impl FnMut(SplatTier) -> Result<Duration, GpuError>) -> Result<SplatTier, GpuError> {
    let (mut least, mut fastest) = (Duration::MAX, SplatTier::Quads);
    for tier in SplatTier::ON_DEVICE {
        let first = time_frame(tier)?;
        if first > least.saturating_mul(HOPELESS) {
            tracing::debug!("{tier}: {first:.2?} in the first frame");
            continue;
        }
        for _ in 0..NUM_MEASURED_FRAMES {
            let time = time_frame(tier)?;
            tracing::debug!("{tier}: {time:.2?}");
            if time < least {
                (least, fastest) = (time, tier);
            }
        }
    }
    Ok(fastest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Offscreen;
    use crate::splat_order::tests::scattered_splats;

    /// The tier that is found where frames take these milliseconds, and how many frames of each tier that took.
    fn found(tiles: [u64; 3], quads: [u64; 3]) -> (SplatTier, [usize; 2]) {
        let mut num_frames = [0; 2];
        let tier = fastest(|tier| {
            let index = usize::from(tier == SplatTier::Quads);
            let millis = [tiles, quads][index][num_frames[index]];
            num_frames[index] += 1;
            Ok(Duration::from_millis(millis))
        });
        (tier.expect("measured"), num_frames)
    }

    #[test]
    fn a_tier_that_is_far_behind_is_drawn_once() {
        assert_eq!(found([9, 4, 5], [400, 390, 390]), (SplatTier::Tiles, [3, 1]));
        assert_eq!(found([9, 4, 5], [8, 3, 4]), (SplatTier::Quads, [3, 3]));
        assert_eq!(found([9, 4, 5], [8, 6, 5]), (SplatTier::Tiles, [3, 3]));
    }

    #[test]
    fn a_measurement_tells_tiles_from_quads() {
        let offscreen = Offscreen::new().expect("a device");
        let splats = scattered_splats(2_000, 0.05);
        let (device, queue) = (offscreen.device(), offscreen.queue());
        let mut scene = Scene::new();
        scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
        let tier = measure(offscreen.renderer(), &mut scene, device, queue, 64).expect("measured");
        assert!(SplatTier::ON_DEVICE.contains(&tier));
    }
}
