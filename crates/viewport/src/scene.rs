use std::sync::Arc;

use bozzetto_asset::{Camera, GaussianSplats, TexturedMesh, TriMesh};
use image::RgbaImage;

use crate::{Bounds, GpuError};

/// What is looked at: buffers and textures of one asset, and the pictures drawn of it.
///
/// A scene belongs to the device that its setters were called with. Each setter replaces the whole of its part; `None`
/// clears it. On an error the part is empty.
#[derive(Default)]
pub struct Scene {}

impl Scene {
    /// An empty scene.
    pub fn new() -> Self {
        Self::default()
    }

    /// Called from the sort thread when a new splat order waits to be drawn: the window asks for a repaint there.
    pub fn set_wake(&mut self, _wake: Arc<dyn Fn() + Send + Sync>) {}

    /// Replaces the splats.
    pub fn set_splats(
        &mut self,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _splats: Option<&GaussianSplats>,
    ) -> Result<(), GpuError> {
        Ok(())
    }

    /// Replaces the finished mesh.
    pub fn set_textured_mesh(
        &mut self,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _mesh: Option<&TexturedMesh>,
    ) -> Result<(), GpuError> {
        Ok(())
    }

    /// Replaces the raw mesh, drawn with its vertex colours while there is no finished one.
    pub fn set_raw_mesh(
        &mut self,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _mesh: Option<&TriMesh>,
    ) -> Result<(), GpuError> {
        Ok(())
    }

    /// Replaces the view cameras, each with a small picture of its photo where there is one.
    pub fn set_view_cameras(
        &mut self,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _cameras: &[(Camera, Option<RgbaImage>)],
    ) -> Result<(), GpuError> {
        Ok(())
    }

    /// Box about everything that can be drawn; `None` while the scene is empty.
    pub fn bounds(&self) -> Option<Bounds> {
        None
    }

    /// The last picture drawn: sRGB-encoded values in a non-sRGB format, premultiplied alpha.
    pub fn texture_view(&self) -> Option<&wgpu::TextureView> {
        None
    }
}
