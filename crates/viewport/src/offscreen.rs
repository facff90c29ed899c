use std::sync::{Mutex, MutexGuard, PoisonError};

use bozzetto_asset::Camera;
use image::RgbaImage;

use crate::region::Region;
use crate::{
    DeviceWatch, Frame, GpuError, Picture, RenderSettings, Renderer, RendererOptions, Scene, device_descriptor,
    instance_flags,
};

/// A device and a renderer that need no window and no display.
pub struct Offscreen {
    device: wgpu::Device,
    queue: wgpu::Queue,
    renderer: Renderer,
    /// Kept from one picture to the next: many have the same size.
    picture: Mutex<Picture>,
    adapter_name: String,
}

impl Offscreen {
    /// Opens the best adapter there is, a software one included.
    pub fn new() -> Result<Self, GpuError> {
        Self::with_options(RendererOptions::default(), |_| ())
    }

    /// [`Self::new`] with another renderer, on a device that `adjust` may take features and limits from: for tests and
    /// measurements.
    pub fn with_options(
        options: RendererOptions,
        adjust: impl FnOnce(&mut wgpu::DeviceDescriptor<'static>),
    ) -> Result<Self, GpuError> {
        pollster::block_on(Self::open(options, adjust))
    }

    async fn open(
        options: RendererOptions,
        adjust: impl FnOnce(&mut wgpu::DeviceDescriptor<'static>),
    ) -> Result<Self, GpuError> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        descriptor.flags = instance_flags();
        if std::env::var_os("WGPU_BACKEND").is_none() {
            // Splats need storage buffers in vertex shaders, which OpenGL adapters may lack.
            descriptor.backends = wgpu::Backends::PRIMARY;
        }
        let instance = wgpu::Instance::new(descriptor);
        let wanted = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = match instance.request_adapter(&wanted).await {
            Ok(adapter) => adapter,
            Err(error) => {
                tracing::debug!("no adapter: {error}");
                return Err(GpuError::NoAdapter);
            }
        };
        let adapter_name = adapter.get_info().name;
        let mut descriptor = device_descriptor(&adapter);
        adjust(&mut descriptor);
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| GpuError::NoDevice {
                adapter: adapter_name.clone(),
                reason: error.to_string(),
            })?;
        let renderer = Renderer::with_options(
            &device,
            &queue,
            wgpu::TextureFormat::Rgba8Unorm,
            options,
            DeviceWatch::on(&device),
        );
        Ok(Self {
            device,
            queue,
            renderer,
            picture: Mutex::default(),
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
        let frame = Frame {
            camera: *camera,
            size_px,
            settings: settings.clone(),
        };
        self.renderer
            .render_image(scene, &mut self.picture(), &self.device, &self.queue, &frame)
    }

    /// [`Self::render`] of a part of a frame.
    pub(crate) fn render_region(
        &self,
        scene: &mut Scene,
        frame: &Frame,
        region: Region,
    ) -> Result<RgbaImage, GpuError> {
        self.renderer
            .render_region(scene, &mut self.picture(), &self.device, &self.queue, frame, region)
    }

    pub(crate) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
