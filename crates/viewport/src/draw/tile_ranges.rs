use super::shared::RANGES_ARGS;
use crate::gpu::{self, Bound};

/// Finds each tile's list among the sorted pairs.
pub struct TileRangesDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

impl TileRangesDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        let layout = gpu::compute_layout(device, "tile ranges", &[Bound::Read, Bound::Read, Bound::Write]);
        let module = gpu::shader(device, "tile ranges", &Self::source());
        let pipeline = gpu::compute_pipeline(device, "tile ranges", &[&layout], &module, "find_ranges");
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        include_str!("tile_ranges.wgsl").to_owned()
    }

    pub fn bind(
        &self,
        device: &wgpu::Device,
        control: &wgpu::Buffer,
        pair_tiles: &wgpu::Buffer,
        ranges: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        gpu::buffer_group(device, "tile ranges", &self.layout, &[control, pair_tiles, ranges])
    }

    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, args: &wgpu::Buffer) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups_indirect(args, u64::from(RANGES_ARGS) * 4);
    }
}
