use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use super::{Renderer, Task};
use crate::read_back::{Patience, read_bytes, wait};
use crate::recorder::{Recorder, StageTimes};
use crate::region::Region;
use crate::{Frame, GpuError, Picture, Scene, SplatTier, splat_tier};

impl Renderer {
    /// Draws a frame even if nothing has changed, waits for it, and tells what its stages took by the device's clock,
    /// if it has one.
    pub(crate) fn timed_frame(
        &self,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
    ) -> Result<Option<StageTimes>, GpuError> {
        let task = Task {
            frame,
            region: Region::whole(frame.size_px),
            waits_for_order: true,
            keeps_straight_alpha: false,
        };
        picture.drawn = None;
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("measurement"),
        });
        let mut recorder = Recorder::timed(device, &mut encoder);
        self.prepare_task(task, scene, picture, device, queue, &mut recorder)?;
        let timestamps = recorder.resolve(device, queue);
        queue.submit([encoder.finish()]);
        let Some(timestamps) = timestamps else {
            wait(device)?;
            return Ok(None);
        };
        let bytes = read_bytes(device, timestamps.buffer(), Patience::Asks)?;
        Ok(Some(timestamps.times(&bytes)))
    }

    /// Finds out by drawing which tier is faster for the scene's splats, unless splats like them were measured before.
    ///
    /// Takes a few frames' time and waits for the device: call it where content is uploaded, never where a window is
    /// drawn.
    pub fn choose_splat_tier(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<(), GpuError> {
        let Some(part) = &scene.splats else { return Ok(()) };
        let num_splats = part.numbers.count;
        let class = splat_tier::size_class(num_splats).filter(|_| !splat_tier::prefers_processor(device));
        let Some(class) = class else { return Ok(()) };
        let known = self.tiers().get(&class).copied();
        let tier = if let Some(tier) = known {
            tier
        } else {
            let tier = splat_tier::measure(self, scene, device, queue, splat_tier::MEASURED_PX)?;
            if tier == SplatTier::Quads {
                self.splats.forget_pairs();
            }
            tracing::info!("{num_splats} splats are drawn as {tier}: that measured faster");
            self.tiers().insert(class, tier);
            tier
        };
        if let Some(part) = &mut scene.splats {
            part.tier = Some(tier);
        }
        Ok(())
    }

    /// Draws splats like these by quads from now on, live previews of the same object among them.
    pub(super) fn remember_overflow(&self, num_splats: u32) {
        if let Some(class) = splat_tier::size_class(num_splats) {
            self.tiers().insert(class, SplatTier::Quads);
        }
    }

    fn tiers(&self) -> MutexGuard<'_, HashMap<u32, SplatTier>> {
        self.tiers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
