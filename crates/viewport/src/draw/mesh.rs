use crate::gpu::{self, PipelineSpec};
use crate::scene::mesh_part::{MeshPart, MeshVertex};

use super::environment::EnvironmentLights;

/// Draws the lit mesh.
pub struct MeshDraw {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    solid: wgpu::RenderPipeline,
    /// Back faces first, then front faces, for see-through materials.
    blended: [wgpu::RenderPipeline; 2],
}

impl MeshDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout, lights: &EnvironmentLights) -> Self {
        let layout = gpu::layout(
            device,
            "material",
            &[
                gpu::uniform_entry(0),
                gpu::texture_entry(1, wgpu::TextureViewDimension::D2),
                gpu::texture_entry(2, wgpu::TextureViewDimension::D2),
                gpu::texture_entry(3, wgpu::TextureViewDimension::D2),
                gpu::sampler_entry(4),
            ],
        );
        let module = gpu::shader(device, "mesh", &gpu::with_frame_and_light(include_str!("mesh.wgsl")));
        let layouts = [frame_layout, &layout, &lights.layout];
        let position = wgpu::vertex_attr_array![0 => Float32x3];
        let others = wgpu::vertex_attr_array![1 => Snorm16x4, 2 => Snorm16x4, 3 => Float32x2, 4 => Float16x4];
        let buffers = [
            Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<[f32; 3]>() as u64,
                step_mode: wgpu::VertexStepMode::Vertex,
                attributes: &position,
            }),
            Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<MeshVertex>() as u64,
                step_mode: wgpu::VertexStepMode::Vertex,
                attributes: &others,
            }),
        ];
        let spec = || PipelineSpec {
            layouts: &layouts,
            buffers: &buffers,
            ..PipelineSpec::solid("mesh", &module, ["mesh_vertex", "mesh_fragment"])
        };
        let solid = spec().build(device);
        let blended = [wgpu::Face::Front, wgpu::Face::Back].map(|face| {
            PipelineSpec {
                cull_mode: Some(face),
                depth: Some((wgpu::CompareFunction::GreaterEqual, false)),
                ..spec()
            }
            .build(device)
        });
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("material"),
            address_mode_u: wgpu::AddressMode::Repeat,
            address_mode_v: wgpu::AddressMode::Repeat,
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            mipmap_filter: wgpu::MipmapFilterMode::Linear,
            anisotropy_clamp: 4,
            ..wgpu::SamplerDescriptor::default()
        });
        Self {
            layout,
            sampler,
            solid,
            blended,
        }
    }

    pub fn bind(&self, device: &wgpu::Device, mesh: &MeshPart) -> wgpu::BindGroup {
        let views = mesh
            .textures()
            .map(|texture| texture.create_view(&wgpu::TextureViewDescriptor::default()));
        let resources = [
            (0, mesh.material.as_entire_binding()),
            (1, wgpu::BindingResource::TextureView(&views[0])),
            (2, wgpu::BindingResource::TextureView(&views[1])),
            (3, wgpu::BindingResource::TextureView(&views[2])),
            (4, wgpu::BindingResource::Sampler(&self.sampler)),
        ];
        gpu::bind_group(device, "material", &self.layout, &resources)
    }

    pub fn draw(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        mesh: &MeshPart,
        material: &wgpu::BindGroup,
        light: &wgpu::BindGroup,
        is_seen_through: bool,
    ) {
        pass.set_bind_group(1, material, &[]);
        pass.set_bind_group(2, light, &[]);
        pass.set_vertex_buffer(0, mesh.positions.slice(..));
        pass.set_vertex_buffer(1, mesh.vertices.slice(..));
        pass.set_index_buffer(mesh.indices.slice(..), wgpu::IndexFormat::Uint32);
        let pipelines: &[_] = if is_seen_through {
            &self.blended
        } else {
            std::slice::from_ref(&self.solid)
        };
        for pipeline in pipelines {
            pass.set_pipeline(pipeline);
            pass.draw_indexed(0..mesh.num_indices, 0, 0..1);
        }
    }
}
