//! Passes of a frame with timestamps about them, for measurements; without them for everyday frames.

use std::time::Duration;

/// A step of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Solid,
    Project,
    Sort,
    Bin,
    Raster,
    Composite,
}

impl Stage {
    fn label(self) -> &'static str {
        match self {
            Self::Solid => "solid layer",
            Self::Project => "splat projection",
            Self::Sort => "splat sort",
            Self::Bin => "splat binning",
            Self::Raster => "splats",
            Self::Composite => "composite",
        }
    }
}

/// Most passes of a frame: two for each batch of splats, and a few more.
const MAX_PASSES: u32 = 64;

/// Begins the passes of a frame, and measures them when asked to.
pub struct Recorder<'a> {
    pub encoder: &'a mut wgpu::CommandEncoder,
    queries: Option<wgpu::QuerySet>,
    stages: Vec<Stage>,
}

/// The device's clock, read about each pass.
pub struct Timestamps {
    stages: Vec<Stage>,
    ticks: wgpu::Buffer,
    nanos_a_tick: f32,
}

impl<'a> Recorder<'a> {
    /// Measures nothing.
    pub fn silent(encoder: &'a mut wgpu::CommandEncoder) -> Self {
        Self {
            encoder,
            queries: None,
            stages: Vec::new(),
        }
    }

    /// Measures, on devices with a clock.
    pub fn timed(device: &wgpu::Device, encoder: &'a mut wgpu::CommandEncoder) -> Self {
        let has_clock = device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let queries = has_clock.then(|| {
            device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("stage times"),
                ty: wgpu::QueryType::Timestamp,
                count: MAX_PASSES * 2,
            })
        });
        Self {
            encoder,
            queries,
            stages: Vec::new(),
        }
    }

    /// The place of the next pass's first timestamp.
    fn next(&mut self, stage: Stage) -> Option<u32> {
        let index = self.stages.len() as u32;
        if self.queries.is_none() || index >= MAX_PASSES {
            return None;
        }
        self.stages.push(stage);
        Some(index * 2)
    }

    pub fn compute_pass(&mut self, stage: Stage) -> wgpu::ComputePass<'_> {
        let index = self.next(stage);
        let writes = index
            .zip(self.queries.as_ref())
            .map(|(index, query_set)| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(index),
                end_of_pass_write_index: Some(index + 1),
            });
        self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(stage.label()),
            timestamp_writes: writes,
        })
    }

    /// One colour target and, if given, a depth.
    pub fn render_pass(
        &mut self,
        stage: Stage,
        color: wgpu::RenderPassColorAttachment<'_>,
        depth: Option<wgpu::RenderPassDepthStencilAttachment<'_>>,
    ) -> wgpu::RenderPass<'_> {
        let index = self.next(stage);
        let writes = index
            .zip(self.queries.as_ref())
            .map(|(index, query_set)| wgpu::RenderPassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(index),
                end_of_pass_write_index: Some(index + 1),
            });
        self.encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some(stage.label()),
            color_attachments: &[Some(color)],
            depth_stencil_attachment: depth,
            timestamp_writes: writes,
            ..wgpu::RenderPassDescriptor::default()
        })
    }

    /// Records how the clock gets into memory; after all passes, before the commands are submitted.
    pub fn resolve(self, device: &wgpu::Device, queue: &wgpu::Queue) -> Option<Timestamps> {
        let encoder = self.encoder;
        let queries = self.queries.filter(|_| !self.stages.is_empty())?;
        let num_queries = self.stages.len() as u32 * 2;
        let bytes = u64::from(num_queries) * 8;
        let buffer = |label, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: bytes,
                usage: usage | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        let resolved = buffer(
            "stage times, resolved",
            wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
        );
        let ticks = buffer("stage times", wgpu::BufferUsages::MAP_READ);
        encoder.resolve_query_set(&queries, 0..num_queries, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &ticks, 0, bytes);
        Some(Timestamps {
            stages: self.stages,
            ticks,
            nanos_a_tick: queue.get_timestamp_period(),
        })
    }
}

impl Timestamps {
    /// Where the clock's values will be: map it, wait, and give its bytes to [`Self::times`].
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.ticks
    }

    /// Time in each stage, summed over its passes, and from the first pass's begin to the last one's end.
    pub fn times(&self, bytes: &[u8]) -> StageTimes {
        let ticks: Vec<u64> = bytes.chunks_exact(8).map(bytemuck::pod_read_unaligned).collect();
        let time = |begin: u64, end: u64| {
            let nanos = end.saturating_sub(begin) as f64 * f64::from(self.nanos_a_tick);
            Duration::from_nanos(nanos as u64)
        };
        let mut stages = Vec::new();
        for (&stage, pair) in self.stages.iter().zip(ticks.chunks_exact(2)) {
            stages.push((stage, time(pair[0], pair[1])));
        }
        let begin = ticks.iter().copied().min().unwrap_or(0);
        let end = ticks.iter().copied().max().unwrap_or(0);
        StageTimes {
            passes: stages,
            whole: time(begin, end),
        }
    }
}

/// What a frame's stages took.
#[derive(Clone, Debug)]
pub struct StageTimes {
    passes: Vec<(Stage, Duration)>,
    /// All of them with the gaps between.
    pub whole: Duration,
}

impl StageTimes {
    /// One stage's time.
    pub fn of(&self, stage: Stage) -> Duration {
        let passes = self.passes.iter().filter(|(other, _)| *other == stage);
        passes.map(|(_, time)| *time).sum()
    }
}
