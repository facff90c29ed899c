//! The two ways to draw splats, and which one a device is better at.

use std::time::{Duration, Instant};

use crate::{Bounds, Frame, GpuError, OrbitCamera, RenderSettings, Renderer, Scene, Shows};

/// How splats are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SplatTier {
    /// In compute shaders, by tiles of the picture, front to back and only as deep as the picture is transparent.
    Tiles,
    /// By the rasteriser, back to front, all of them.
    Quads,
}

impl SplatTier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tiles, Self::Quads];
}

impl std::fmt::Display for SplatTier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Tiles => "tiles",
            Self::Quads => "quads",
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

/// Fewer splats than this are fast in any way.
const MIN_MEASURED_SPLATS: u32 = 20_000;
/// Side of the measured picture, pixels.
const MEASURED_PX: u32 = 1024;
/// The same on software drivers, where pixels are what costs.
const MEASURED_SOFTWARE_PX: u32 = 256;
/// Besides the first frame of a tier, which also pays for its buffers.
const NUM_MEASURED_FRAMES: usize = 2;

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
    bounds: Bounds,
) -> Result<SplatTier, GpuError> {
    let is_software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
    let side = if is_software { MEASURED_SOFTWARE_PX } else { MEASURED_PX };
    let mut orbit = OrbitCamera::default();
    orbit.frame(bounds);
    let mut fastest = (Duration::MAX, SplatTier::Quads);
    for tier in SplatTier::ALL {
        let frame = Frame {
            camera: orbit.camera(1.0),
            size_px: [side; 2],
            settings: RenderSettings {
                shows: Shows::Splats,
                splat_tier: Some(tier),
                ..RenderSettings::cutout()
            },
        };
        let mut best = Duration::MAX;
        for index in 0..=NUM_MEASURED_FRAMES {
            let began = Instant::now();
            let times = renderer.timed_frame(scene, device, queue, &frame)?;
            let time = times.map_or_else(|| began.elapsed(), |times| times.whole);
            if index > 0 {
                best = best.min(time);
            }
        }
        tracing::debug!("{tier}: {:.2} ms", best.as_secs_f64() * 1000.0);
        if best < fastest.0 {
            fastest = (best, tier);
        }
    }
    Ok(fastest.1)
}
