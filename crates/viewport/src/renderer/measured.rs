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
    /// Live previews, whose scenes have a pool, are drawn like what was measured of about their number, or by tiles.
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
        let known = if scene.is_preview() {
            Some(self.nearest_tier(class))
        } else {
            self.tiers().get(&class).copied()
        };
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

    /// The tier of the class of splats next to this one, as far as measured.
    fn nearest_tier(&self, class: u32) -> SplatTier {
        let tiers = self.tiers();
        let nearest = tiers.iter().min_by_key(|(known, _)| known.abs_diff(class));
        nearest.map_or(SplatTier::Tiles, |(_, tier)| *tier)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Offscreen;

    #[test]
    fn previews_are_drawn_like_the_nearest_that_was_measured() {
        let offscreen = Offscreen::new().expect("a device");
        let renderer = offscreen.renderer();
        assert_eq!(renderer.nearest_tier(17), SplatTier::Tiles, "nothing was measured");
        renderer.remember_overflow(1 << 20);
        renderer.tiers().insert(15, SplatTier::Tiles);
        assert_eq!(renderer.nearest_tier(19), SplatTier::Quads);
        assert_eq!(renderer.nearest_tier(16), SplatTier::Tiles);
    }
}
