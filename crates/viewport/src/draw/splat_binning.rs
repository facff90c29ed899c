use super::radix_sort::SortBuffers;
use super::shared::WINDOW_ARGS;
use crate::gpu::{self, Bound};
use crate::splat_buffers::SplatBuffers;

/// Finds the tiles that each splat touches.
pub struct SplatBinningDraw {
    layout: wgpu::BindGroupLayout,
    count_tiles: wgpu::ComputePipeline,
    emit_pairs: wgpu::ComputePipeline,
}

impl SplatBinningDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        use Bound::{Read, Uniform, Write};
        let bounds = [Uniform, Read, Read, Read, Read, Write, Write, Write, Write];
        let layout = gpu::compute_layout(device, "splat binning", &bounds);
        let module = gpu::shader(device, "splat binning", &Self::source());
        let pipeline = |entry| {
            let label = format!("splat binning, {entry}");
            gpu::compute_pipeline(device, &label, &[&layout], &module, entry)
        };
        Self {
            count_tiles: pipeline("count_tiles"),
            emit_pairs: pipeline("emit_pairs"),
            layout,
        }
    }

    pub fn source() -> String {
        concat!(
            include_str!("scan.wgsl"),
            include_str!("tile_grid.wgsl"),
            include_str!("ellipse.wgsl"),
            include_str!("splat_binning.wgsl")
        )
        .to_owned()
    }

    pub fn bind(
        &self,
        device: &wgpu::Device,
        grid: &wgpu::Buffer,
        ellipses: &wgpu::Buffer,
        buffers: &SplatBuffers,
        closed_tiles: &wgpu::Buffer,
        pairs: &SortBuffers,
    ) -> wgpu::BindGroup {
        let bound = [
            grid,
            &buffers.control,
            ellipses,
            buffers.order(),
            closed_tiles,
            buffers.splat_counts(),
            buffers.block_sums(),
            &pairs.keys[0],
            &pairs.values[0],
        ];
        gpu::buffer_group(device, "splat binning", &self.layout, &bound)
    }

    pub fn count_tiles(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, args: &wgpu::Buffer) {
        dispatch_window(pass, &self.count_tiles, group, args);
    }

    pub fn emit_pairs(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, args: &wgpu::Buffer) {
        dispatch_window(pass, &self.emit_pairs, group, args);
    }
}

fn dispatch_window(
    pass: &mut wgpu::ComputePass<'_>,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    args: &wgpu::Buffer,
) {
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups_indirect(args, u64::from(WINDOW_ARGS) * 4);
}
