//! Figures of the splats' steps by the device's own clock, for `bozzetto bench viewport`.

use std::time::Duration;

use bozzetto_asset::Camera;
use wgpu::BufferUsages;

use crate::draw::copy::CopyDraw;
use crate::draw::radix_sort::{SortBuffers, SortPasses};
use crate::draw::shared::{NUM_DIGITS, SORT_ARGS, SORT_BLOCK};
use crate::packing::{SplatGeometry, sh_words};
use crate::read_back::{Patience, read_bytes};
use crate::recorder::{Recorder, Stage, StageTimes};
use crate::scene::splat_part::SplatPart;
use crate::scene::splat_room::ELLIPSE_BYTES;
use crate::splat_buffers::ARGS_BYTES;
use crate::tile_frame::TileLayout;
use crate::{Frame, GpuError, Offscreen, RenderSettings, Scene, gpu};

/// A step of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepFigures {
    /// What it took.
    pub time: Duration,
    /// Bytes that it must read and write at least, each once; 0 where that is not known (blending in the rasteriser).
    pub bytes: u64,
}

/// What a frame of splats took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplatFigures {
    /// Splats in the picture.
    pub num_visible: u32,
    /// Pairs of tile and splat, over all batches.
    pub num_pairs: u32,
    /// Batches of pairs.
    pub num_batches: u32,
    /// Cull and projection.
    pub project: StepFigures,
    /// Compaction and sort by depth.
    pub sort: StepFigures,
    /// Counting, writing and sorting pairs of tile and splat.
    pub bin: StepFigures,
    /// Blending.
    pub raster: StepFigures,
    /// Putting background and layers together.
    pub composite: Duration,
    /// From the first pass to the last, with whatever lies between.
    pub frame: Duration,
}

/// What a frame of a mesh took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeshFigures {
    /// Mesh, ground and overlays.
    pub solid: Duration,
    /// From the first pass to the last, with whatever lies between.
    pub frame: Duration,
}

impl Offscreen {
    /// Draws a picture and measures its steps. `None` when the device has no clock.
    ///
    /// Only tiles count: figures of quads take the number of visible splats from the last tiled picture of the scene.
    pub fn time_splats(
        &self,
        scene: &mut Scene,
        camera: &Camera,
        size_px: [u32; 2],
        settings: &RenderSettings,
    ) -> Result<Option<SplatFigures>, GpuError> {
        let (times, layout) = self.timed_picture(scene, camera, size_px, settings)?;
        let part = scene.splats.as_ref();
        Ok(times
            .zip(part)
            .map(|(times, part)| figures(&times, part, layout, size_px)))
    }

    /// Draws a picture of the scene's mesh and measures it. `None` when the device has no clock.
    pub fn time_mesh(
        &self,
        scene: &mut Scene,
        camera: &Camera,
        size_px: [u32; 2],
        settings: &RenderSettings,
    ) -> Result<Option<MeshFigures>, GpuError> {
        let (times, _) = self.timed_picture(scene, camera, size_px, settings)?;
        Ok(times.map(|times| MeshFigures {
            solid: times.of(Stage::Solid),
            frame: times.whole,
        }))
    }

    /// Draws a picture with each step timed; with it the tiles that it was drawn in, if it was.
    fn timed_picture(
        &self,
        scene: &mut Scene,
        camera: &Camera,
        size_px: [u32; 2],
        settings: &RenderSettings,
    ) -> Result<(Option<StageTimes>, Option<TileLayout>), GpuError> {
        let frame = Frame {
            camera: *camera,
            size_px,
            settings: settings.clone(),
        };
        let mut picture = self.picture();
        let times = self
            .renderer()
            .timed_frame(scene, &mut picture, self.device(), self.queue(), &frame)?;
        Ok((times, picture.tiles.as_ref().map(|tiles| tiles.buffers.layout)))
    }

    /// Sorts this many random keys with a value each. `None` when the device has no clock or cannot sort.
    pub fn time_sort(&self, num_keys: u32) -> Result<Option<Duration>, GpuError> {
        let (device, queue) = (self.device(), self.queue());
        let Some(sort) = self.renderer().radix_sort() else {
            return Ok(None);
        };
        let mut state = 1_u32;
        let keys: Vec<u32> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            state ^ state >> 15
        })
        .take(num_keys as usize)
        .collect();
        let fresh = gpu::filled_buffer(
            device,
            queue,
            "fresh keys",
            bytemuck::cast_slice(&keys),
            BufferUsages::COPY_SRC,
        );
        let buffers = SortBuffers::new(device, "measured sort", num_keys);
        let control = gpu::filled_buffer(
            device,
            queue,
            "measured sort control",
            bytemuck::bytes_of(&num_keys),
            BufferUsages::STORAGE,
        );
        let mut words = [0_u32; (2 * ARGS_BYTES / 4) as usize];
        words[..3].copy_from_slice(&[num_keys.div_ceil(SORT_BLOCK), 1, 1]);
        words[(ARGS_BYTES / 4) as usize..][..3].copy_from_slice(&[NUM_DIGITS, 1, 1]);
        let args = gpu::filled_buffer(
            device,
            queue,
            "measured sort arguments",
            bytemuck::cast_slice(&words),
            BufferUsages::INDIRECT,
        );
        let passes = SortPasses::new(device, u32::BITS);
        passes.write(queue, 0, &buffers);
        let groups = sort.bind(device, &buffers, &control, &passes);
        self.time(Stage::Sort, |recorder| {
            recorder
                .encoder
                .copy_buffer_to_buffer(&fresh, 0, &buffers.keys[0], 0, u64::from(num_keys) * 4);
            let mut pass = recorder.compute_pass(Stage::Sort);
            sort.record(&mut pass, &groups, &args, SORT_ARGS);
        })
    }

    /// Copies a buffer of this size on the device. `None` when it has no clock.
    pub fn time_copy(&self, bytes: u64) -> Result<Option<Duration>, GpuError> {
        let device = self.device();
        gpu::check_storage(device, "The copied buffer", bytes)?;
        let copy = CopyDraw::new(device);
        let buffer = |label| gpu::empty_buffer(device, label, bytes, BufferUsages::empty());
        let group = copy.bind(device, &buffer("copied from"), &buffer("copied to"));
        self.time(Stage::Raster, |recorder| {
            let mut pass = recorder.compute_pass(Stage::Raster);
            copy.record(&mut pass, &group, bytes);
        })
    }

    /// The least of a few runs.
    fn time(&self, stage: Stage, record: impl Fn(&mut Recorder<'_>)) -> Result<Option<Duration>, GpuError> {
        const NUM_RUNS: usize = 7;
        let (device, queue) = (self.device(), self.queue());
        let mut least = None;
        for _ in 0..NUM_RUNS {
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
                label: Some("measurement"),
            });
            let mut recorder = Recorder::timed(device, &mut encoder);
            record(&mut recorder);
            let Some(timestamps) = recorder.resolve(device, queue) else {
                return Ok(None);
            };
            queue.submit([encoder.finish()]);
            let time = timestamps
                .times(&read_bytes(device, timestamps.buffer(), Patience::Waits)?)
                .of(stage);
            least = Some(least.map_or(time, |least: Duration| least.min(time)));
        }
        Ok(least)
    }
}

fn figures(times: &StageTimes, part: &SplatPart, layout: Option<TileLayout>, size_px: [u32; 2]) -> SplatFigures {
    let counts = part.overflow.last();
    let bytes = Bytes {
        splats: u64::from(part.numbers.count),
        visible: u64::from(counts.num_visible),
        pairs: u64::from(counts.num_pairs),
        harmonics: sh_words(part.numbers.sh_degree) as u64 * 4,
        pixels: size_px.into_iter().map(u64::from).product(),
    };
    let step = |stage, bytes| StepFigures {
        time: times.of(stage),
        bytes,
    };
    SplatFigures {
        num_visible: counts.num_visible,
        num_pairs: layout.map_or(0, |_| counts.num_pairs),
        num_batches: layout.map_or(0, |_| counts.num_batches),
        project: step(Stage::Project, bytes.project()),
        sort: step(Stage::Sort, bytes.sort()),
        bin: step(Stage::Bin, layout.map_or(0, |layout| bytes.bin(layout))),
        raster: step(Stage::Raster, layout.map_or(0, |_| bytes.raster())),
        composite: times.of(Stage::Composite),
        frame: times.whole,
    }
}

/// What is moved by each step at least, if every splat is counted once.
struct Bytes {
    splats: u64,
    visible: u64,
    pairs: u64,
    harmonics: u64,
    pixels: u64,
}

/// A key and a value read, the key once more for the histogram, both written.
const SORT_PASS_BYTES: u64 = 20;

impl Bytes {
    fn project(&self) -> u64 {
        self.splats * (size_of::<SplatGeometry>() as u64 + 8) + self.visible * (self.harmonics + ELLIPSE_BYTES)
    }

    fn sort(&self) -> u64 {
        self.splats * 4 + self.visible * (8 + 4 * SORT_PASS_BYTES)
    }

    fn bin(&self, layout: TileLayout) -> u64 {
        let num_passes = u64::from(layout.num_tile_bits().div_ceil(8));
        self.visible * (2 * (4 + ELLIPSE_BYTES) + 8) + self.pairs * (8 + num_passes * SORT_PASS_BYTES + 4)
    }

    fn raster(&self) -> u64 {
        // The pixels' state, read and written.
        self.pairs * (4 + ELLIPSE_BYTES) + self.pixels * (8 + 8)
    }
}
