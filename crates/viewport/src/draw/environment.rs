use std::sync::OnceLock;

use crate::error::caught;
use crate::{Environment, gpu};

const CUBE_SIZE: u32 = 128;
const NUM_LEVELS: u32 = 6;
const IRRADIANCE_SIZE: u32 = 16;
const NUM_SAMPLES: u32 = 96;
const NUM_IRRADIANCE_SAMPLES: u32 = 512;
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;

/// One level to integrate; `Level` in environment.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Level {
    roughness: f32,
    size: u32,
    num_samples: u32,
    is_irradiance: u32,
    environment: u32,
    unused: [u32; 3],
}

/// Each environment as two cubes: reflections with one level a roughness, and irradiance.
pub struct EnvironmentLights {
    pub layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    integration: Integration,
    /// Made when they are first asked for; in the order of [`Environment::ALL`].
    lights: [OnceLock<wgpu::BindGroup>; Environment::ALL.len()],
}

impl EnvironmentLights {
    /// Levels of roughness in the reflections.
    pub const NUM_LEVELS: u32 = NUM_LEVELS;

    pub fn new(device: &wgpu::Device) -> Self {
        let layout = gpu::layout(
            device,
            "environment",
            &[
                gpu::texture_entry(0, wgpu::TextureViewDimension::Cube),
                gpu::texture_entry(1, wgpu::TextureViewDimension::Cube),
                gpu::sampler_entry(2),
            ],
        );
        Self {
            layout,
            sampler: gpu::linear_sampler(device, "environment", wgpu::AddressMode::ClampToEdge),
            integration: Integration::new(device),
            lights: Default::default(),
        }
    }

    /// Integrates the cubes of an environment on the GPU, unless they are there. A failure is told and tried again with the
    /// next frame.
    pub fn make(&self, environment: Environment, device: &wgpu::Device, queue: &wgpu::Queue) {
        let light = &self.lights[environment as usize];
        if light.get().is_none() {
            match caught(device, || self.integrate(environment, device, queue)) {
                // Another thread's are as good.
                Ok(group) => drop(light.set(group)),
                Err(error) => tracing::warn!("the light could not be made: {error}"),
            }
        }
    }

    /// The cubes of an environment, if they have been made.
    pub fn light(&self, environment: Environment) -> Option<&wgpu::BindGroup> {
        self.lights[environment as usize].get()
    }

    fn integrate(&self, environment: Environment, device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::BindGroup {
        let reflections = cube(device, "reflections", CUBE_SIZE, NUM_LEVELS);
        let irradiance = cube(device, "irradiance", IRRADIANCE_SIZE, 1);
        self.integration
            .run(environment, device, queue, &reflections, &irradiance);
        let as_cube = |texture: &wgpu::Texture| {
            texture.create_view(&wgpu::TextureViewDescriptor {
                dimension: Some(wgpu::TextureViewDimension::Cube),
                ..wgpu::TextureViewDescriptor::default()
            })
        };
        let (reflections, irradiance) = (as_cube(&reflections), as_cube(&irradiance));
        let resources = [
            (0, wgpu::BindingResource::TextureView(&reflections)),
            (1, wgpu::BindingResource::TextureView(&irradiance)),
            (2, wgpu::BindingResource::Sampler(&self.sampler)),
        ];
        gpu::bind_group(device, "environment", &self.layout, &resources)
    }
}

/// `ENVIRONMENT_` of environment.wgsl.
fn environment_code(environment: Environment) -> u32 {
    match environment {
        Environment::Studio => 0,
        Environment::Daylight => 1,
        Environment::Overcast => 2,
    }
}

fn cube(device: &wgpu::Device, label: &str, size: u32, mip_level_count: u32) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d {
            width: size,
            height: size,
            depth_or_array_layers: 6,
        },
        mip_level_count,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING,
        view_formats: &[],
    })
}

/// The pipeline that fills the cubes.
struct Integration {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

impl Integration {
    fn new(device: &wgpu::Device) -> Self {
        let storage = wgpu::BindGroupLayoutEntry {
            binding: 1,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::StorageTexture {
                access: wgpu::StorageTextureAccess::WriteOnly,
                format: FORMAT,
                view_dimension: wgpu::TextureViewDimension::D2Array,
            },
            count: None,
        };
        let layout = gpu::layout(device, "environment level", &[gpu::uniform_entry(0), storage]);
        let module = gpu::shader(device, "environment", include_str!("environment.wgsl").to_owned());
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("environment"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("environment"),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("integrate"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Self { layout, pipeline }
    }

    fn run(
        &self,
        environment: Environment,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        reflections: &wgpu::Texture,
        irradiance: &wgpu::Texture,
    ) {
        let environment = environment_code(environment);
        let mirror_to_rough = (0..NUM_LEVELS).map(|level| {
            let settings = Level {
                roughness: level as f32 / (NUM_LEVELS - 1) as f32,
                size: CUBE_SIZE >> level,
                num_samples: if level == 0 { 0 } else { NUM_SAMPLES },
                is_irradiance: 0,
                environment,
                unused: [0; 3],
            };
            (reflections, level, settings)
        });
        let diffuse = Level {
            roughness: 1.0,
            size: IRRADIANCE_SIZE,
            num_samples: NUM_IRRADIANCE_SAMPLES,
            is_irradiance: 1,
            environment,
            unused: [0; 3],
        };
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("environment"),
        });
        for (texture, level, settings) in mirror_to_rough.chain([(irradiance, 0, diffuse)]) {
            let uniform = gpu::filled_buffer(
                device,
                queue,
                "environment level",
                bytemuck::bytes_of(&settings),
                wgpu::BufferUsages::UNIFORM,
            );
            let view = texture.create_view(&wgpu::TextureViewDescriptor {
                dimension: Some(wgpu::TextureViewDimension::D2Array),
                base_mip_level: level,
                mip_level_count: Some(1),
                ..wgpu::TextureViewDescriptor::default()
            });
            let resources = [
                (0, uniform.as_entire_binding()),
                (1, wgpu::BindingResource::TextureView(&view)),
            ];
            let group = gpu::bind_group(device, "environment level", &self.layout, &resources);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("environment"),
                timestamp_writes: None,
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &group, &[]);
            let groups = settings.size.div_ceil(8);
            pass.dispatch_workgroups(groups, groups, 6);
        }
        queue.submit([encoder.finish()]);
    }
}
