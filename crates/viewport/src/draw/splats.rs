use wgpu::ShaderStages;

use crate::gpu::{self, LAYER_FORMAT, PREMULTIPLIED_OVER, PipelineSpec};
use crate::scene::splat_part::SplatPart;

const WORKGROUP_SIZE: u32 = 256;
const MAX_WORKGROUPS_A_ROW: u32 = 32_768;

/// Projects and draws splats.
pub struct SplatsDraw {
    project_layout: wgpu::BindGroupLayout,
    draw_layout: wgpu::BindGroupLayout,
    project: wgpu::ComputePipeline,
    pipeline: wgpu::RenderPipeline,
}

/// The bindings of one set of splats.
pub struct SplatGroups {
    project: wgpu::BindGroup,
    draw: wgpu::BindGroup,
}

impl SplatsDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let project_layout = gpu::layout(
            device,
            "splat projection",
            &[
                gpu::storage_entry(0, ShaderStages::COMPUTE, true),
                gpu::storage_entry(1, ShaderStages::COMPUTE, true),
                gpu::storage_entry(2, ShaderStages::COMPUTE, false),
            ],
        );
        let draw_layout = gpu::layout(
            device,
            "splats",
            &[
                gpu::storage_entry(3, ShaderStages::VERTEX, true),
                gpu::storage_entry(4, ShaderStages::VERTEX, true),
            ],
        );
        let module = gpu::shader(device, "splats", gpu::with_frame(include_str!("splats.wgsl")));
        let project_pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("splat projection"),
            bind_group_layouts: &[Some(frame_layout), Some(&project_layout)],
            immediate_size: 0,
        });
        let project = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("splat projection"),
            layout: Some(&project_pipeline_layout),
            module: &module,
            entry_point: Some("project"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &draw_layout],
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            blend: Some(PREMULTIPLIED_OVER),
            depth: Some((wgpu::CompareFunction::GreaterEqual, false)),
            ..PipelineSpec::covering("splats", &module, ["splat_vertex", "splat_fragment"], LAYER_FORMAT)
        }
        .build(device);
        Self {
            project_layout,
            draw_layout,
            project,
            pipeline,
        }
    }

    pub fn bind(&self, device: &wgpu::Device, splats: &SplatPart) -> SplatGroups {
        let project = [
            (0, splats.geometry.as_entire_binding()),
            (1, splats.harmonics.as_entire_binding()),
            (2, splats.ellipses.as_entire_binding()),
        ];
        let draw = [
            (3, splats.order.as_entire_binding()),
            (4, splats.ellipses.as_entire_binding()),
        ];
        SplatGroups {
            project: gpu::bind_group(device, "splat projection", &self.project_layout, &project),
            draw: gpu::bind_group(device, "splats", &self.draw_layout, &draw),
        }
    }

    /// Threads in one row of workgroups; the shader finds its splat with it.
    pub fn row_length(count: u32) -> u32 {
        count.div_ceil(WORKGROUP_SIZE).clamp(1, MAX_WORKGROUPS_A_ROW) * WORKGROUP_SIZE
    }

    pub fn project(&self, pass: &mut wgpu::ComputePass<'_>, groups: &SplatGroups, count: u32) {
        let row = Self::row_length(count);
        pass.set_pipeline(&self.project);
        pass.set_bind_group(1, &groups.project, &[]);
        pass.dispatch_workgroups(row / WORKGROUP_SIZE, count.div_ceil(row), 1);
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, groups: &SplatGroups, count: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, &groups.draw, &[]);
        pass.draw(0..4, 0..count);
    }
}
