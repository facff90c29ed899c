use super::splat_project::workgroup_grid;
use crate::gpu::{self, Bound};
use crate::splat_buffers::SplatBuffers;

/// Gathers the visible splats for the sort.
pub struct SplatCompactDraw {
    layout: wgpu::BindGroupLayout,
    scan_blocks: wgpu::ComputePipeline,
    compact: wgpu::ComputePipeline,
}

impl SplatCompactDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        use Bound::{Read, Uniform, Write};
        let bounds = [Read, Write, Write, Write, Write, Write, Uniform];
        let layout = gpu::compute_layout(device, "splat compaction", &bounds);
        let module = gpu::shader(device, "splat compaction", &Self::source());
        let pipeline = |entry| {
            let label = format!("splat compaction, {entry}");
            gpu::compute_pipeline(device, &label, &[&layout], &module, entry)
        };
        Self {
            scan_blocks: pipeline("scan_blocks"),
            compact: pipeline("compact"),
            layout,
        }
    }

    pub fn source() -> String {
        concat!(
            include_str!("scan.wgsl"),
            include_str!("args.wgsl"),
            include_str!("splat_compact.wgsl")
        )
        .to_owned()
    }

    pub fn bind(&self, device: &wgpu::Device, buffers: &SplatBuffers) -> wgpu::BindGroup {
        let bound = [
            buffers.depth_keys(),
            &buffers.block_counts,
            &buffers.sort.keys[0],
            &buffers.sort.values[0],
            &buffers.control,
            &buffers.args,
            &buffers.count,
        ];
        gpu::buffer_group(device, "splat compaction", &self.layout, &bound)
    }

    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, num_splats: u32) {
        pass.set_bind_group(0, group, &[]);
        pass.set_pipeline(&self.scan_blocks);
        pass.dispatch_workgroups(1, 1, 1);
        let [x, y] = workgroup_grid(num_splats);
        pass.set_pipeline(&self.compact);
        pass.dispatch_workgroups(x, y, 1);
    }
}
