//! Short ways to make the few kinds of GPU objects that the draws need.

use wgpu::{
    BindGroupLayoutEntry, BindingType, BlendComponent, BlendFactor, BlendOperation, BlendState, BufferBindingType,
    ShaderStages, TextureFormat, TextureSampleType, TextureViewDimension,
};

use crate::GpuError;
use crate::draw::shared::with_shared;
use crate::upload::write_in_bands;

/// Linear light, premultiplied alpha: the solid layer. Encoded values, premultiplied alpha: the splat layer.
pub const LAYER_FORMAT: TextureFormat = TextureFormat::Rgba16Float;
/// Reversed depth: 1 near, 0 far.
pub const DEPTH_FORMAT: TextureFormat = TextureFormat::Depth32Float;
/// The finished picture: sRGB-encoded values in a format that does not convert.
pub const PICTURE_FORMAT: TextureFormat = TextureFormat::Rgba8Unorm;
/// Samples a pixel of the solid layer.
pub const SOLID_SAMPLES: u32 = 4;

/// "Over" with premultiplied alpha.
pub const PREMULTIPLIED_OVER: BlendState = BlendState {
    color: OVER,
    alpha: OVER,
};
const OVER: BlendComponent = BlendComponent {
    src_factor: BlendFactor::One,
    dst_factor: BlendFactor::OneMinusSrcAlpha,
    operation: BlendOperation::Add,
};

/// The declarations that every shader with a frame shares, then the shader.
pub fn with_frame(source: &str) -> String {
    format!("{}\n{source}", include_str!("draw/frame.wgsl"))
}

/// The same for shaders of lit surfaces.
pub fn with_frame_and_light(source: &str) -> String {
    let parts = [
        include_str!("draw/tone_mapping.wgsl"),
        include_str!("draw/light.wgsl"),
        include_str!("draw/inspection.wgsl"),
        source,
    ];
    with_frame(&parts.join("\n"))
}

/// A shader, with the numbers that all of them share.
pub fn shader(device: &wgpu::Device, label: &str, source: &str) -> wgpu::ShaderModule {
    device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(with_shared(source).into()),
    })
}

pub fn layout(device: &wgpu::Device, label: &str, entries: &[BindGroupLayoutEntry]) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries,
    })
}

fn entry(binding: u32, visibility: ShaderStages, ty: BindingType) -> BindGroupLayoutEntry {
    BindGroupLayoutEntry {
        binding,
        visibility,
        ty,
        count: None,
    }
}

fn buffer_entry(binding: u32, visibility: ShaderStages, ty: BufferBindingType) -> BindGroupLayoutEntry {
    let ty = BindingType::Buffer {
        ty,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    entry(binding, visibility, ty)
}

pub fn uniform_entry(binding: u32) -> BindGroupLayoutEntry {
    let stages = ShaderStages::VERTEX_FRAGMENT | ShaderStages::COMPUTE;
    buffer_entry(binding, stages, BufferBindingType::Uniform)
}

pub fn storage_entry(binding: u32, visibility: ShaderStages, read_only: bool) -> BindGroupLayoutEntry {
    buffer_entry(binding, visibility, BufferBindingType::Storage { read_only })
}

/// A binding of a compute shader.
#[derive(Clone, Copy)]
pub enum Bound {
    Uniform,
    Read,
    Write,
    Depth,
}

/// The layout of a compute shader's group, bindings numbered from 0.
pub fn compute_layout(device: &wgpu::Device, label: &str, bounds: &[Bound]) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = (0..)
        .zip(bounds)
        .map(|(binding, bound)| match bound {
            Bound::Uniform => uniform_entry(binding),
            Bound::Read => storage_entry(binding, ShaderStages::COMPUTE, true),
            Bound::Write => storage_entry(binding, ShaderStages::COMPUTE, false),
            Bound::Depth => entry(
                binding,
                ShaderStages::COMPUTE,
                BindingType::Texture {
                    sample_type: TextureSampleType::Depth,
                    view_dimension: TextureViewDimension::D2,
                    multisampled: false,
                },
            ),
        })
        .collect();
    layout(device, label, &entries)
}

/// Workgroup memory begins with anything: where drivers do not clear it, one thread would have to, for all of them.
pub fn compute_pipeline(
    device: &wgpu::Device,
    label: &str,
    layouts: &[&wgpu::BindGroupLayout],
    module: &wgpu::ShaderModule,
    entry_point: &str,
) -> wgpu::ComputePipeline {
    let layouts: Vec<_> = layouts.iter().map(|&layout| Some(layout)).collect();
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &layouts,
        immediate_size: 0,
    });
    #[cfg(test)]
    made::count(|made| made.num_pipelines += 1);
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: Some(&layout),
        module,
        entry_point: Some(entry_point),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..wgpu::PipelineCompilationOptions::default()
        },
        cache: None,
    })
}

pub fn texture_entry(binding: u32, view_dimension: TextureViewDimension) -> BindGroupLayoutEntry {
    let ty = BindingType::Texture {
        sample_type: TextureSampleType::Float { filterable: true },
        view_dimension,
        multisampled: false,
    };
    entry(binding, ShaderStages::FRAGMENT, ty)
}

/// A texture that a compute shader reads texel by texel.
pub fn compute_texture_entry(binding: u32) -> BindGroupLayoutEntry {
    let ty = BindingType::Texture {
        sample_type: TextureSampleType::Float { filterable: false },
        view_dimension: TextureViewDimension::D2,
        multisampled: false,
    };
    entry(binding, ShaderStages::COMPUTE, ty)
}

/// A texture that a compute shader writes.
pub fn written_texture_entry(binding: u32, format: TextureFormat) -> BindGroupLayoutEntry {
    let ty = BindingType::StorageTexture {
        access: wgpu::StorageTextureAccess::WriteOnly,
        format,
        view_dimension: TextureViewDimension::D2,
    };
    entry(binding, ShaderStages::COMPUTE, ty)
}

pub fn multisampled_depth_entry(binding: u32) -> BindGroupLayoutEntry {
    let ty = BindingType::Texture {
        sample_type: TextureSampleType::Depth,
        view_dimension: TextureViewDimension::D2,
        multisampled: true,
    };
    entry(binding, ShaderStages::FRAGMENT, ty)
}

pub fn sampler_entry(binding: u32) -> BindGroupLayoutEntry {
    let ty = BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
    entry(binding, ShaderStages::FRAGMENT, ty)
}

pub fn bind_group(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    resources: &[(u32, wgpu::BindingResource<'_>)],
) -> wgpu::BindGroup {
    let entries: Vec<_> = resources
        .iter()
        .map(|(binding, resource)| wgpu::BindGroupEntry {
            binding: *binding,
            resource: resource.clone(),
        })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(label),
        layout,
        entries: &entries,
    })
}

/// A group whose bindings are whole buffers, numbered from 0.
pub fn buffer_group(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    buffers: &[&wgpu::Buffer],
) -> wgpu::BindGroup {
    let resources: Vec<_> = (0..)
        .zip(buffers)
        .map(|(binding, buffer)| (binding, buffer.as_entire_binding()))
        .collect();
    bind_group(device, label, layout, &resources)
}

pub fn linear_sampler(device: &wgpu::Device, label: &str, address_mode: wgpu::AddressMode) -> wgpu::Sampler {
    device.create_sampler(&wgpu::SamplerDescriptor {
        label: Some(label),
        address_mode_u: address_mode,
        address_mode_v: address_mode,
        mag_filter: wgpu::FilterMode::Linear,
        min_filter: wgpu::FilterMode::Linear,
        mipmap_filter: wgpu::MipmapFilterMode::Linear,
        ..wgpu::SamplerDescriptor::default()
    })
}

/// What distinguishes one render pipeline of ours from another.
pub struct PipelineSpec<'a> {
    pub label: &'a str,
    pub layouts: &'a [&'a wgpu::BindGroupLayout],
    pub module: &'a wgpu::ShaderModule,
    pub entry_points: [&'a str; 2],
    pub buffers: &'a [Option<wgpu::VertexBufferLayout<'a>>],
    pub topology: wgpu::PrimitiveTopology,
    pub cull_mode: Option<wgpu::Face>,
    /// `None` draws depth alone.
    pub format: Option<TextureFormat>,
    pub blend: Option<BlendState>,
    /// Comparison and whether depth is written.
    pub depth: Option<(wgpu::CompareFunction, bool)>,
    pub num_samples: u32,
    pub alpha_to_coverage: bool,
}

impl<'a> PipelineSpec<'a> {
    /// A triangle list over the solid layer: blended, tested and written into depth, both sides.
    pub fn solid(label: &'a str, module: &'a wgpu::ShaderModule, entry_points: [&'a str; 2]) -> Self {
        Self {
            label,
            layouts: &[],
            module,
            entry_points,
            buffers: &[],
            topology: wgpu::PrimitiveTopology::TriangleList,
            cull_mode: None,
            format: Some(LAYER_FORMAT),
            blend: Some(PREMULTIPLIED_OVER),
            depth: Some((wgpu::CompareFunction::GreaterEqual, true)),
            num_samples: SOLID_SAMPLES,
            alpha_to_coverage: false,
        }
    }

    /// A triangle over the whole of a plain target, replacing what is there.
    pub fn covering(
        label: &'a str,
        module: &'a wgpu::ShaderModule,
        entry_points: [&'a str; 2],
        format: TextureFormat,
    ) -> Self {
        Self {
            format: Some(format),
            blend: None,
            depth: None,
            num_samples: 1,
            ..Self::solid(label, module, entry_points)
        }
    }

    pub fn build(&self, device: &wgpu::Device) -> wgpu::RenderPipeline {
        let layouts: Vec<_> = self.layouts.iter().map(|&layout| Some(layout)).collect();
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(self.label),
            bind_group_layouts: &layouts,
            immediate_size: 0,
        });
        let target = self.format.map(|format| wgpu::ColorTargetState {
            format,
            blend: self.blend,
            write_mask: wgpu::ColorWrites::ALL,
        });
        let targets: &[_] = if target.is_some() { &[target] } else { &[] };
        #[cfg(test)]
        made::count(|made| made.num_pipelines += 1);
        device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(self.label),
            layout: Some(&layout),
            vertex: wgpu::VertexState {
                module: self.module,
                entry_point: Some(self.entry_points[0]),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: self.buffers,
            },
            primitive: wgpu::PrimitiveState {
                topology: self.topology,
                cull_mode: self.cull_mode,
                ..wgpu::PrimitiveState::default()
            },
            depth_stencil: self.depth.map(|(compare, is_written)| wgpu::DepthStencilState {
                format: DEPTH_FORMAT,
                depth_write_enabled: Some(is_written),
                depth_compare: Some(compare),
                stencil: wgpu::StencilState::default(),
                bias: wgpu::DepthBiasState::default(),
            }),
            multisample: wgpu::MultisampleState {
                count: self.num_samples,
                alpha_to_coverage_enabled: self.alpha_to_coverage,
                ..wgpu::MultisampleState::default()
            },
            fragment: Some(wgpu::FragmentState {
                module: self.module,
                entry_point: Some(self.entry_points[1]),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets,
            }),
            multiview_mask: None,
            cache: None,
        })
    }
}

/// Where buffers come from, so that tests can count them.
pub fn create_buffer(device: &wgpu::Device, descriptor: &wgpu::BufferDescriptor<'_>) -> wgpu::Buffer {
    #[cfg(test)]
    made::count(|made| made.num_buffers += 1);
    device.create_buffer(descriptor)
}

/// A buffer with contents. Call within [`crate::error::caught`]; never empty, as bindings may not be.
pub fn filled_buffer(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    label: &str,
    bytes: &[u8],
    usage: wgpu::BufferUsages,
) -> wgpu::Buffer {
    let buffer = create_buffer(
        device,
        &wgpu::BufferDescriptor {
            label: Some(label),
            size: (bytes.len() as u64).next_multiple_of(16).max(16),
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        },
    );
    write_in_bands(queue, &buffer, bytes);
    buffer
}

/// A storage buffer that shaders fill.
pub fn empty_buffer(device: &wgpu::Device, label: &str, bytes: u64, more_usage: wgpu::BufferUsages) -> wgpu::Buffer {
    create_buffer(
        device,
        &wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(16).max(16),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | more_usage,
            mapped_at_creation: false,
        },
    )
}

/// Fails when a storage buffer of this size can't be made or bound.
pub fn check_storage(device: &wgpu::Device, what: &'static str, bytes: u64) -> Result<(), GpuError> {
    let limits = device.limits();
    check(
        what,
        bytes,
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        "bytes",
    )
}

/// Fails when a buffer of this size can't be made.
pub fn check_buffer(device: &wgpu::Device, what: &'static str, bytes: u64) -> Result<(), GpuError> {
    check(what, bytes, device.limits().max_buffer_size, "bytes")
}

/// Fails when a texture of this size can't be made.
pub fn check_texture(device: &wgpu::Device, what: &'static str, size_px: [u32; 2]) -> Result<(), GpuError> {
    let limit = u64::from(device.limits().max_texture_dimension_2d);
    check(what, u64::from(size_px[0].max(size_px[1])), limit, "pixels a side")
}

fn check(what: &'static str, needed: u64, limit: u64, unit: &'static str) -> Result<(), GpuError> {
    if needed > limit {
        return Err(GpuError::TooLarge {
            what,
            needed,
            limit,
            unit,
        });
    }
    Ok(())
}

/// What this thread has made, for tests of what updates cost.
#[cfg(test)]
pub mod made {
    use std::cell::Cell;

    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Made {
        pub num_pipelines: u32,
        pub num_buffers: u32,
    }

    thread_local! {
        static MADE: Cell<Made> = const { Cell::new(Made { num_pipelines: 0, num_buffers: 0 }) };
    }

    pub fn count(add: impl FnOnce(&mut Made)) {
        let mut made = MADE.get();
        add(&mut made);
        MADE.set(made);
    }

    /// What `work` makes.
    pub fn by(work: impl FnOnce()) -> Made {
        let before = MADE.get();
        work();
        let after = MADE.get();
        Made {
            num_pipelines: after.num_pipelines - before.num_pipelines,
            num_buffers: after.num_buffers - before.num_buffers,
        }
    }
}
