use crate::gpu::{self, Bound};
use crate::splat_buffers::SplatBuffers;

/// Cuts sorted splats into batches that fit the pair buffers.
pub struct SplatBatchesDraw {
    layout: wgpu::BindGroupLayout,
    begin_frame: wgpu::ComputePipeline,
    open_batch: wgpu::ComputePipeline,
    cut_batch: wgpu::ComputePipeline,
}

impl SplatBatchesDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        use Bound::{Read, Uniform, Write};
        let layout = gpu::compute_layout(device, "splat batches", &[Uniform, Write, Write, Write, Read]);
        let module = gpu::shader(device, "splat batches", &Self::source());
        let pipeline = |entry| {
            let label = format!("splat batches, {entry}");
            gpu::compute_pipeline(device, &label, &[&layout], &module, entry)
        };
        Self {
            begin_frame: pipeline("begin_frame"),
            open_batch: pipeline("open_batch"),
            cut_batch: pipeline("cut_batch"),
            layout,
        }
    }

    pub fn source() -> String {
        concat!(
            include_str!("scan.wgsl"),
            include_str!("args.wgsl"),
            include_str!("tile_grid.wgsl"),
            include_str!("splat_batches.wgsl")
        )
        .to_owned()
    }

    pub fn bind(&self, device: &wgpu::Device, grid: &wgpu::Buffer, buffers: &SplatBuffers) -> wgpu::BindGroup {
        let bound = [
            grid,
            &buffers.control,
            &buffers.args,
            buffers.block_sums(),
            buffers.splat_counts(),
        ];
        gpu::buffer_group(device, "splat batches", &self.layout, &bound)
    }

    pub fn begin_frame(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup) {
        dispatch_one(pass, &self.begin_frame, group);
    }

    pub fn open_batch(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup) {
        dispatch_one(pass, &self.open_batch, group);
    }

    pub fn cut_batch(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup) {
        dispatch_one(pass, &self.cut_batch, group);
    }
}

fn dispatch_one(pass: &mut wgpu::ComputePass<'_>, pipeline: &wgpu::ComputePipeline, group: &wgpu::BindGroup) {
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups(1, 1, 1);
}
