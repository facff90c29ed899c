use crate::gpu::{self, Bound};

/// Bytes that a thread copies.
const THREAD_BYTES: u64 = 16;
const WORKGROUP_BYTES: u64 = 256 * THREAD_BYTES;
const MAX_WORKGROUPS_A_ROW: u64 = 32_768;

/// Copies a buffer in a compute shader, to find out how fast the device's memory is.
pub struct CopyDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

impl CopyDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        let layout = gpu::compute_layout(device, "copy", &[Bound::Read, Bound::Write]);
        let module = gpu::shader(device, "copy", include_str!("copy.wgsl"));
        let pipeline = gpu::compute_pipeline(device, "copy", &[&layout], &module, "copy");
        Self { layout, pipeline }
    }

    pub fn bind(&self, device: &wgpu::Device, from: &wgpu::Buffer, to: &wgpu::Buffer) -> wgpu::BindGroup {
        gpu::buffer_group(device, "copy", &self.layout, &[from, to])
    }

    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, bytes: u64) {
        let num_workgroups = bytes.div_ceil(WORKGROUP_BYTES);
        let x = num_workgroups.clamp(1, MAX_WORKGROUPS_A_ROW);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups(x as u32, num_workgroups.div_ceil(x) as u32, 1);
    }
}
