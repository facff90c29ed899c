use bozzetto_asset::Camera;
use image::RgbaImage;

use crate::{GpuError, RenderSettings, Renderer, Scene, device_descriptor};

/// A device and a renderer that need no window and no display.
pub struct Offscreen {
    device: wgpu::Device,
    queue: wgpu::Queue,
    renderer: Renderer,
    adapter_name: String,
}

impl Offscreen {
    /// Opens the best adapter there is, a software one included.
    pub fn new() -> Result<Self, GpuError> {
        pollster::block_on(Self::open())
    }

    async fn open() -> Result<Self, GpuError> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        if std::env::var_os("WGPU_BACKEND").is_none() {
            // Splats need storage buffers in vertex shaders, which OpenGL adapters may lack.
            descriptor.backends = wgpu::Backends::PRIMARY;
        }
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = match instance.request_adapter(&options).await {
            Ok(adapter) => adapter,
            Err(error) => {
                tracing::debug!("no adapter: {error}");
                return Err(GpuError::NoAdapter);
            }
        };
        let adapter_name = adapter.get_info().name;
        let (device, queue) = adapter
            .request_device(&device_descriptor(&adapter))
            .await
            .map_err(|error| GpuError::NoDevice {
                adapter: adapter_name.clone(),
                reason: error.to_string(),
            })?;
        let renderer = Renderer::new(&device, &queue, wgpu::TextureFormat::Rgba8Unorm);
        Ok(Self {
            device,
            queue,
            renderer,
            adapter_name,
        })
    }

    /// The device that scenes for this renderer are filled with.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The queue that scenes for this renderer are filled with.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// The renderer.
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// Name of the graphics card or software driver that draws.
    pub fn adapter_name(&self) -> &str {
        &self.adapter_name
    }

    /// Draws a picture: straight alpha, sRGB-encoded, top row first, ready to be saved as PNG. Waits until it is done.
    pub fn render(
        &self,
        scene: &mut Scene,
        camera: &Camera,
        size_px: [u32; 2],
        settings: &RenderSettings,
    ) -> Result<RgbaImage, GpuError> {
        self.renderer
            .render_image(scene, &self.device, &self.queue, camera, size_px, settings)
    }
}
