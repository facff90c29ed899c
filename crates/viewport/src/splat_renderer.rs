//! Draws splats by the tier that suits the device.
//!
//! Both tiers begin with projection, compaction and sort on the device. Tiles (compute) then walk front to back and stop
//! where the picture is opaque; quads (rasteriser) blend everything from the back. Devices without what the sort needs,
//! and software drivers, get quads in an order from the processor.

use std::sync::{Arc, Mutex, PoisonError};

use crate::draw::composite::TileCompositeDraw;
use crate::draw::radix_sort::{RadixSort, SortBuffers, SortGroups, SortPath};
use crate::draw::shared::{NUM_PAIRS, PAIR_SORT_ARGS, SORT_ARGS};
use crate::draw::splat_batches::SplatBatchesDraw;
use crate::draw::splat_binning::SplatBinningDraw;
use crate::draw::splat_compact::SplatCompactDraw;
use crate::draw::splat_project::SplatProjectDraw;
use crate::draw::splat_quads::SplatQuadsDraw;
use crate::draw::splat_tiles::{SplatTilesDraw, TileBindings};
use crate::draw::tile_ranges::TileRangesDraw;
use crate::error::caught;
use crate::news::is_news;
use crate::recorder::{Recorder, Stage};
use crate::scene::splat_part::SplatPart;
use crate::scene::splat_room::SplatRoom;
use crate::splat_overflow::CountBuffers;
use crate::targets::{Targets, color_attachment, depth_attachment};
use crate::tile_frame::{MAX_BATCHES, TileBuffers, TileFrame, TileLayout};
use crate::{RendererOptions, SplatTier, splat_tier};

/// The splats' pipelines.
pub struct SplatRenderer {
    project: SplatProjectDraw,
    quads: SplatQuadsDraw,
    device_sort: Option<DeviceSort>,
    max_pairs: Option<u32>,
    pairs: Mutex<Option<Arc<SortBuffers>>>,
    counts: CountBuffers,
}

/// What needs more of the device than projection and quads do.
struct DeviceSort {
    compact: SplatCompactDraw,
    sort: RadixSort,
    batches: SplatBatchesDraw,
    binning: SplatBinningDraw,
    ranges: TileRangesDraw,
    tiles: SplatTilesDraw,
    composite: TileCompositeDraw,
}

impl DeviceSort {
    /// `None` when the driver cannot compile the shaders, which the log tells.
    fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout, path: SortPath) -> Option<Self> {
        let compiled = caught(device, || Self {
            compact: SplatCompactDraw::new(device),
            sort: RadixSort::new(device, path),
            batches: SplatBatchesDraw::new(device),
            binning: SplatBinningDraw::new(device),
            ranges: TileRangesDraw::new(device),
            tiles: SplatTilesDraw::new(device),
            composite: TileCompositeDraw::new(device, frame_layout),
        });
        match compiled {
            Ok(stage) => Some(stage),
            Err(error) => {
                let sentence = format!("The processor sorts splats, since the graphics driver cannot: {error}");
                if is_news(&sentence) {
                    tracing::warn!("{sentence}");
                }
                None
            }
        }
    }
}

/// The bindings of a room for splats.
pub struct RoomGroups {
    quads: wgpu::BindGroup,
    sort: Option<(wgpu::BindGroup, SortGroups)>,
}

impl SplatRenderer {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout, options: RendererOptions) -> Self {
        let path = if options.subgroups {
            SortPath::of(device)
        } else {
            SortPath::Portable
        };
        let device_sort = splat_tier::sorts_on_device(device)
            .then(|| DeviceSort::new(device, frame_layout, path))
            .flatten();
        Self {
            project: SplatProjectDraw::new(device, frame_layout),
            quads: SplatQuadsDraw::new(device, frame_layout),
            device_sort,
            max_pairs: options.max_pairs,
            pairs: Mutex::default(),
            counts: CountBuffers::default(),
        }
    }

    /// The sort, where the device can.
    pub fn radix_sort(&self) -> Option<&RadixSort> {
        self.device_sort.as_ref().map(|stage| &stage.sort)
    }

    /// Which tier draws these splats in a picture of this size.
    pub fn tier(
        &self,
        device: &wgpu::Device,
        part: &SplatPart,
        size_px: [u32; 2],
        forced: Option<SplatTier>,
    ) -> SplatTier {
        if self.device_sort.is_none() {
            return SplatTier::ProcessorSorted;
        }
        let automatic = if part.has_sorter() {
            SplatTier::ProcessorSorted
        } else {
            SplatTier::Tiles
        };
        match forced.or(part.tier).unwrap_or(automatic) {
            SplatTier::ProcessorSorted if !part.has_sorter() => SplatTier::Quads,
            SplatTier::Tiles if !self.can_tile(device, part, size_px) => SplatTier::Quads,
            tier => tier,
        }
    }

    fn can_tile(&self, device: &wgpu::Device, part: &SplatPart, size_px: [u32; 2]) -> bool {
        !part.is_too_much_for_tiles() && TileLayout::new(device, size_px, part.numbers.count, self.max_pairs).is_some()
    }

    /// Makes the bindings of splats that are not there yet.
    pub fn bind(&self, device: &wgpu::Device, part: &mut SplatPart) {
        let room = &part.room;
        room.groups.get_or_init(|| self.bind_room(device, room));
        part.windows
            .get_or_insert_with(|| self.project.bind(device, room, part.numbers.count));
    }

    fn bind_room(&self, device: &wgpu::Device, room: &SplatRoom) -> RoomGroups {
        let buffers = &room.buffers;
        let sort = self.device_sort.as_ref().map(|stage| {
            let compact = stage.compact.bind(device, buffers);
            let sort = stage
                .sort
                .bind(device, &buffers.sort, &buffers.control, &buffers.sort_passes);
            (compact, sort)
        });
        RoomGroups {
            quads: self.quads.bind(device, buffers.order(), &room.ellipses),
            sort,
        }
    }

    /// Makes what a frame of bound splats needs of its own.
    pub fn make_ready(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        part: &SplatPart,
        targets: &Targets,
        tiles: &mut Option<TileFrame>,
        tier: SplatTier,
    ) {
        let layout = TileLayout::new(device, targets.layers.size_px, part.numbers.count, self.max_pairs);
        let (SplatTier::Tiles, Some(stage), Some(layout)) = (tier, &self.device_sort, layout) else {
            *tiles = None;
            return;
        };
        let kept = tiles
            .take()
            .filter(|tiles| tiles.buffers.layout.size_px == layout.size_px);
        *tiles = Some(match kept {
            Some(tiles) if tiles.room == part.room.id && tiles.buffers.layout == layout => tiles,
            other => {
                // Previews come many times a second: the picture's own buffers are as good for the next one.
                let buffers = match other {
                    Some(tiles) => TileBuffers {
                        layout,
                        ..tiles.buffers
                    },
                    None => TileBuffers::new(device, layout),
                };
                let pairs = self.pairs(device, layout.capacity);
                buffers.sort_passes.write(queue, NUM_PAIRS, &pairs);
                bind_tiles(device, stage, &part.room, targets, buffers, &pairs)
            }
        });
    }

    /// Room for pairs, the same for every scene: the device draws one after the other.
    fn pairs(&self, device: &wgpu::Device, capacity: u32) -> Arc<SortBuffers> {
        let mut shared = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pairs) = shared.as_ref().filter(|pairs| pairs.capacity() >= capacity) {
            return Arc::clone(pairs);
        }
        let pairs = Arc::new(SortBuffers::new(device, "tile pairs", capacity));
        *shared = Some(Arc::clone(&pairs));
        pairs
    }

    /// Gives the room for pairs back, once no scene uses it.
    pub fn forget_pairs(&self) {
        *self.pairs.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Projects, and sorts unless the processor does. `frame_group` is the frame's uniforms.
    pub fn record_order(
        &self,
        part: &SplatPart,
        recorder: &mut Recorder<'_>,
        frame_group: &wgpu::BindGroup,
        tier: SplatTier,
    ) {
        let (room, num_splats) = (&part.room, part.numbers.count);
        let (Some(groups), Some(windows)) = (room.groups.get(), &part.windows) else {
            return;
        };
        let mut pass = recorder.compute_pass(Stage::Project);
        pass.set_bind_group(0, frame_group, &[]);
        self.project.record(&mut pass, windows, room, num_splats);
        drop(pass);
        if tier == SplatTier::ProcessorSorted {
            return;
        }
        if let (Some(stage), Some((compact, sort))) = (&self.device_sort, &groups.sort) {
            let mut pass = recorder.compute_pass(Stage::Sort);
            stage.compact.record(&mut pass, compact, num_splats);
            stage.sort.record(&mut pass, sort, &room.buffers.args, SORT_ARGS);
        }
    }

    /// Has the counts of a frame by tiles told once it is drawn.
    pub fn watch(&self, part: &SplatPart, device: &wgpu::Device, encoder: &mut wgpu::CommandEncoder) {
        part.overflow
            .watch(device, encoder, &part.room.buffers.control, &self.counts);
    }

    /// Makes the picture of what [`Self::record_layer`] has drawn by tiles.
    pub fn record_composite(&self, tiles: &TileFrame, recorder: &mut Recorder<'_>, frame_group: &wgpu::BindGroup) {
        if let Some(stage) = &self.device_sort {
            let mut pass = recorder.compute_pass(Stage::Composite);
            pass.set_bind_group(0, frame_group, &[]);
            stage
                .composite
                .record(&mut pass, &tiles.composite, tiles.buffers.layout.num_tiles());
        }
    }

    /// Draws the splat layer from projected and sorted splats.
    pub fn record_layer(
        &self,
        part: &SplatPart,
        tiles: Option<&TileFrame>,
        recorder: &mut Recorder<'_>,
        frame_group: &wgpu::BindGroup,
        targets: &Targets,
        tier: SplatTier,
    ) {
        if let (SplatTier::Tiles, Some(stage), Some(tiles)) = (tier, &self.device_sort, tiles) {
            // Their pixels go straight into the composite.
            record_tiles(stage, &part.room, tiles, recorder);
            return;
        }
        let color = color_attachment(&targets.layers.splats, wgpu::Color::TRANSPARENT);
        let depth = depth_attachment(&targets.layers.depth, wgpu::LoadOp::Load);
        let mut pass = recorder.render_pass(Stage::Raster, color, Some(depth));
        let Some(groups) = part.room.groups.get() else { return };
        pass.set_bind_group(0, frame_group, &[]);
        if tier == SplatTier::Quads {
            self.quads
                .draw_visible(&mut pass, &groups.quads, &part.room.buffers.args);
        } else {
            self.quads.draw(&mut pass, &groups.quads, part.numbers.count);
        }
    }
}

fn bind_tiles(
    device: &wgpu::Device,
    stage: &DeviceSort,
    room: &SplatRoom,
    targets: &Targets,
    tiles: TileBuffers,
    pairs: &SortBuffers,
) -> TileFrame {
    let control = &room.buffers.control;
    let sort = stage.sort.bind(device, pairs, control, &tiles.sort_passes);
    let sorted = sort.result();
    let bindings = TileBindings {
        grid: &tiles.grid,
        ellipses: &room.ellipses,
        pair_splats: &pairs.values[sorted],
        ranges: &tiles.ranges,
        pixels: &tiles.pixels,
        closed_tiles: &tiles.closed,
        control,
        solid_depth: &targets.layers.depth,
    };
    TileFrame {
        room: room.id,
        batches: stage.batches.bind(device, &tiles.grid, &room.buffers),
        binning: stage
            .binning
            .bind(device, &tiles.grid, &room.ellipses, &room.buffers, &tiles.closed, pairs),
        ranges: stage.ranges.bind(device, control, &pairs.keys[sorted], &tiles.ranges),
        tiles: stage.tiles.bind(device, &bindings),
        composite: stage
            .composite
            .bind(device, &tiles.pixels, &targets.layers.solid, &targets.picture),
        sort,
        buffers: tiles,
    }
}

fn record_tiles(stage: &DeviceSort, room: &SplatRoom, tiles: &TileFrame, recorder: &mut Recorder<'_>) {
    let args = &room.buffers.args;
    recorder.encoder.clear_buffer(&tiles.buffers.pixels, 0, None);
    recorder.encoder.clear_buffer(&tiles.buffers.closed, 0, None);
    for batch in 0..MAX_BATCHES {
        let mut pass = recorder.compute_pass(Stage::Bin);
        if batch == 0 {
            stage.batches.begin_frame(&mut pass, &tiles.batches);
        }
        stage.batches.open_batch(&mut pass, &tiles.batches);
        stage.binning.count_tiles(&mut pass, &tiles.binning, args);
        stage.batches.cut_batch(&mut pass, &tiles.batches);
        stage.binning.emit_pairs(&mut pass, &tiles.binning, args);
        stage.sort.record(&mut pass, &tiles.sort, args, PAIR_SORT_ARGS);
        stage.ranges.record(&mut pass, &tiles.ranges, args);
        drop(pass);
        let mut pass = recorder.compute_pass(Stage::Raster);
        stage.tiles.record(&mut pass, &tiles.tiles, args);
    }
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::{Camera, Projection};

    use crate::draw::shared::{NUM_CONTROL_WORDS, NUM_VISIBLE};
    use crate::read_back::read_words;
    use crate::splat_order::descending_key;
    use crate::splat_order::tests::scattered_splats;
    use crate::{Offscreen, RenderSettings, Scene, Shows, SplatTier};

    #[test]
    fn exactly_the_visible_splats_are_in_exactly_the_stable_order() {
        let offscreen = Offscreen::new().expect("a device");
        // In, beside and behind the view; many of them at one depth.
        let splats = scattered_splats(20_000, 0.2);
        let mut scene = Scene::new();
        scene
            .set_splats(offscreen.device(), offscreen.queue(), Some(&splats))
            .expect("uploaded");
        // Along an axis, so that the device and the processor compute the very same depths.
        let camera = Camera::orbit(0.0, 0.0, 1.2, Projection::Perspective { fov_y_rad: 0.7 }, 1.0);
        let settings = RenderSettings {
            shows: Shows::Splats,
            splat_tier: Some(SplatTier::Quads),
            ..RenderSettings::cutout()
        };
        offscreen
            .render(&mut scene, &camera, [128; 2], &settings)
            .expect("drawn");
        let part = scene.splats.as_ref().expect("splats");
        let words = |buffer, count| read_words(offscreen.device(), offscreen.queue(), buffer, count).expect("read");
        let num_visible = words(&part.room.buffers.control, NUM_CONTROL_WORDS as usize)[NUM_VISIBLE as usize];
        let found = words(part.room.buffers.order(), num_visible as usize);

        let half = 0.35_f32.tan();
        let reaches = |index: u32| {
            let offset = camera.eye().z - splats.positions[index as usize].z;
            let across = splats.positions[index as usize].truncate().abs() / (offset * half);
            // How far outside of the view a centre may be: surely seen within, surely not beyond.
            (offset > 0.021, across.max_element())
        };
        let all = 0..splats.positions.len() as u32;
        let seen: std::collections::HashSet<u32> = found.iter().copied().collect();
        assert_eq!(seen.len(), found.len(), "no splat twice");
        for index in all {
            let (is_in_front, across) = reaches(index);
            if seen.contains(&index) {
                assert!(is_in_front, "{index} is behind");
            } else {
                assert!(!is_in_front || across > 1.0, "{index} is missing");
            }
        }
        let mut expected = found.clone();
        expected.sort_unstable();
        let depth = |index: &u32| descending_key(splats.positions[*index as usize].dot(camera.forward()));
        expected.sort_by_key(depth);
        assert_eq!(found, expected);
    }
}
