use std::sync::OnceLock;

use super::shared::{self, BRDF_SIZE};
use crate::error::caught;
use crate::{Environment, gpu};

const CUBE_SIZE: u32 = 128;
const NUM_LEVELS: u32 = 6;
const IRRADIANCE_SIZE: u32 = 16;
/// Samples of each level, and whether all its texels share one set of directions over the sphere; from mirror to rough.
/// Narrow lobes would find too few of a shared set.
const SAMPLES: [(u32, bool); NUM_LEVELS as usize] = [
    (0, false),
    (32, false),
    (512, false),
    (2048, true),
    (2048, true),
    (2048, true),
];
const NUM_IRRADIANCE_SAMPLES: u32 = 2048;
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;

/// One level to integrate; `Level` in environment.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Level {
    roughness: f32,
    size: u32,
    num_samples: u32,
    is_fixed: u32,
    environment: u32,
}

/// Each environment as two cubes: reflections with one level a roughness, and irradiance; and the table of the
/// environment BRDF.
pub struct EnvironmentLights {
    pub layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    integration: Integration,
    /// Made when an environment is first asked for.
    brdf: OnceLock<wgpu::TextureView>,
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
                gpu::texture_entry(3, wgpu::TextureViewDimension::D2),
            ],
        );
        Self {
            layout,
            sampler: gpu::linear_sampler(device, "environment", wgpu::AddressMode::ClampToEdge),
            integration: Integration::new(device),
            brdf: OnceLock::new(),
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
        let brdf = self.brdf.get_or_init(|| self.integration.brdf(device, queue));
        let resources = [
            (0, wgpu::BindingResource::TextureView(&reflections)),
            (1, wgpu::BindingResource::TextureView(&irradiance)),
            (2, wgpu::BindingResource::Sampler(&self.sampler)),
            (3, wgpu::BindingResource::TextureView(brdf)),
        ];
        gpu::bind_group(device, "environment", &self.layout, &resources)
    }
}

fn environment_code(environment: Environment) -> u32 {
    match environment {
        Environment::Studio => shared::ENVIRONMENT_STUDIO,
        Environment::Daylight => shared::ENVIRONMENT_DAYLIGHT,
        Environment::Overcast => shared::ENVIRONMENT_OVERCAST,
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

/// The pipelines that fill the cubes and the table.
struct Integration {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
    brdf_layout: wgpu::BindGroupLayout,
    brdf_pipeline: wgpu::ComputePipeline,
}

impl Integration {
    fn new(device: &wgpu::Device) -> Self {
        let storage = |binding, view_dimension| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::StorageTexture {
                access: wgpu::StorageTextureAccess::WriteOnly,
                format: FORMAT,
                view_dimension,
            },
            count: None,
        };
        let cube = storage(1, wgpu::TextureViewDimension::D2Array);
        let layout = gpu::layout(device, "environment level", &[gpu::uniform_entry(0), cube]);
        let table = storage(2, wgpu::TextureViewDimension::D2);
        let brdf_layout = gpu::layout(device, "environment BRDF", &[table]);
        let module = gpu::shader(device, "environment", include_str!("environment.wgsl"));
        let pipeline = |label, layout: &wgpu::BindGroupLayout, entry_point| {
            let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(label),
                bind_group_layouts: &[Some(layout)],
                immediate_size: 0,
            });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(label),
                layout: Some(&layout),
                module: &module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        Self {
            pipeline: pipeline("environment", &layout, "integrate"),
            brdf_pipeline: pipeline("environment BRDF", &brdf_layout, "integrate_brdf"),
            layout,
            brdf_layout,
        }
    }

    /// The environment BRDF: roughness across, facing down.
    fn brdf(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::TextureView {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("environment BRDF"),
            size: wgpu::Extent3d {
                width: BRDF_SIZE,
                height: BRDF_SIZE,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let resources = [(2, wgpu::BindingResource::TextureView(&view))];
        let group = gpu::bind_group(device, "environment BRDF", &self.brdf_layout, &resources);
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("environment BRDF"),
        });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("environment BRDF"),
                timestamp_writes: None,
            });
            pass.set_pipeline(&self.brdf_pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(BRDF_SIZE.div_ceil(8), BRDF_SIZE.div_ceil(8), 1);
        }
        queue.submit([encoder.finish()]);
        view
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
        let mirror_to_rough = (0..NUM_LEVELS).zip(SAMPLES).map(|(level, (num_samples, is_fixed))| {
            let settings = Level {
                // Squared, so that smooth surfaces, where it shows, have more levels; mesh.wgsl takes the root.
                roughness: (level as f32 / (NUM_LEVELS - 1) as f32).powi(2),
                size: CUBE_SIZE >> level,
                num_samples,
                is_fixed: u32::from(is_fixed),
                environment,
            };
            (reflections, level, settings)
        });
        let diffuse = Level {
            roughness: 1.0,
            size: IRRADIANCE_SIZE,
            num_samples: NUM_IRRADIANCE_SAMPLES,
            is_fixed: 1, // the lobe of roughness 1 is the cosine
            environment,
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
