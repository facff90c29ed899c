//! What is looked at.

pub(crate) mod camera_part;
pub(crate) mod mesh_part;
pub(crate) mod splat_part;

use std::sync::{Arc, Mutex, PoisonError};

use bozzetto_asset::{Camera, GaussianSplats, TexturedMesh, TriMesh};
use glam::Vec3;
use image::RgbaImage;

use crate::draw::lines::Line;
use crate::draw::photos::Photo;
use crate::frame_uniforms::Ground;
use crate::ground_shadow::GroundShadow;
use crate::growing::GrowingBuffer;
use crate::splat_order::Wake;
use crate::targets::Targets;
use crate::{Bounds, Frame, GpuError, RenderSettings, Shading, SplatTier};
use camera_part::CameraPart;
use mesh_part::MeshPart;
use splat_part::SplatPart;

/// What is looked at: buffers and textures of one asset, and the pictures drawn of it.
///
/// A scene belongs to the device that its setters were called with. Each setter replaces the whole of its part; `None`
/// clears it. On an error the part is empty.
pub struct Scene {
    pub(crate) splats: Option<SplatPart>,
    pub(crate) textured: Option<MeshPart>,
    pub(crate) raw: Option<MeshPart>,
    pub(crate) cameras: Option<CameraPart>,
    flaws: Vec<Line>,
    wake: Arc<Mutex<Option<Wake>>>,
    /// Counts changes of content, so that a still frame is known.
    pub(crate) version: u64,
    pub(crate) drawn: Option<Drawn>,
    pub(crate) targets: Option<Targets>,
    pub(crate) uniforms: Option<(wgpu::Buffer, wgpu::BindGroup)>,
    pub(crate) ground_group: Option<wgpu::BindGroup>,
    pub(crate) lines: GrowingBuffer,
    pub(crate) photos: GrowingBuffer,
}

/// What the last picture shows.
#[derive(Clone, PartialEq)]
pub(crate) struct Drawn {
    pub frame: Frame,
    pub version: u64,
    pub keeps_straight_alpha: bool,
    pub tier: Option<SplatTier>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            splats: None,
            textured: None,
            raw: None,
            cameras: None,
            flaws: Vec::new(),
            wake: Arc::default(),
            version: 0,
            drawn: None,
            targets: None,
            uniforms: None,
            ground_group: None,
            lines: GrowingBuffer::new("lines"),
            photos: GrowingBuffer::new("photos"),
        }
    }
}

impl Scene {
    /// An empty scene.
    pub fn new() -> Self {
        Self::default()
    }

    /// Called when a better picture can be drawn than the last one, from the thread that found out: the window asks for
    /// a repaint there.
    pub fn set_wake(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
    }

    /// Replaces the splats.
    pub fn set_splats(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        splats: Option<&GaussianSplats>,
    ) -> Result<(), GpuError> {
        self.splats = None;
        self.content_changed();
        if let Some(splats) = splats {
            self.splats = SplatPart::new(device, queue, splats, Arc::clone(&self.wake))?;
        }
        Ok(())
    }

    /// Replaces the finished mesh.
    pub fn set_textured_mesh(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        mesh: Option<&TexturedMesh>,
    ) -> Result<(), GpuError> {
        self.textured = None;
        self.content_changed();
        if let Some(mesh) = mesh {
            self.textured = MeshPart::textured(device, queue, mesh)?;
        }
        Ok(())
    }

    /// Replaces the raw mesh, drawn with its vertex colours while there is no finished one.
    pub fn set_raw_mesh(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        mesh: Option<&TriMesh>,
    ) -> Result<(), GpuError> {
        self.raw = None;
        self.content_changed();
        if let Some(mesh) = mesh {
            self.raw = MeshPart::raw(device, queue, mesh)?;
        }
        Ok(())
    }

    /// Replaces the view cameras, each with a picture of its photo where there is one (straight alpha, any size).
    pub fn set_view_cameras(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        cameras: &[(Camera, Option<RgbaImage>)],
    ) -> Result<(), GpuError> {
        self.cameras = None;
        self.content_changed();
        self.cameras = Some(CameraPart::new(device, queue, cameras)?);
        Ok(())
    }

    /// Replaces the edges that [`Shading::Health`] marks on the mesh: open ones, and those of three faces and more.
    pub fn set_mesh_flaws(&mut self, open_edges: &[[Vec3; 2]], crowded_edges: &[[Vec3; 2]]) {
        self.content_changed();
        let open = open_edges.iter().copied().map(Line::open_edge);
        let crowded = crowded_edges.iter().copied().map(Line::crowded_edge);
        self.flaws = open.chain(crowded).collect();
    }

    /// Box about everything that can be drawn; `None` while the scene is empty. View cameras don't count.
    pub fn bounds(&self) -> Option<Bounds> {
        let meshes = [&self.textured, &self.raw]
            .into_iter()
            .flatten()
            .map(|part| part.bounds);
        let splats = self.splats.iter().map(|part| part.bounds);
        meshes.chain(splats).reduce(|all, part| all.union(&part))
    }

    /// The last picture drawn: sRGB-encoded values in a non-sRGB format, premultiplied alpha.
    pub fn texture_view(&self) -> Option<&wgpu::TextureView> {
        self.targets.as_ref().map(|targets| &targets.picture)
    }

    /// Takes over the memory that another scene of the same device was drawn to: content that changes many times a second
    /// would otherwise allocate it as often.
    pub fn reuse_pictures_of(&mut self, older: Self) {
        if older.targets.is_some() {
            self.forget_picture();
            self.targets = older.targets;
        }
    }

    /// Drops the pictures, and what is bound to them.
    pub(crate) fn forget_picture(&mut self) {
        self.targets = None;
        self.drawn = None;
        if let Some(part) = &mut self.splats {
            part.tiles = None;
        }
    }

    fn content_changed(&mut self) {
        self.version += 1;
        self.ground_group = None;
    }

    /// The mesh that these settings show.
    pub(crate) fn mesh(&self, settings: &RenderSettings) -> Option<&MeshPart> {
        let is_raw = self.shows_raw(settings);
        let mesh = if is_raw { &self.raw } else { &self.textured };
        mesh.as_ref().filter(|_| settings.shows.has_mesh())
    }

    pub(crate) fn mesh_mut(&mut self, settings: &RenderSettings) -> Option<&mut MeshPart> {
        let is_raw = self.shows_raw(settings);
        let mesh = if is_raw { &mut self.raw } else { &mut self.textured };
        mesh.as_mut().filter(|_| settings.shows.has_mesh())
    }

    fn shows_raw(&self, settings: &RenderSettings) -> bool {
        settings.prefers_raw_mesh && self.raw.is_some() || self.textured.is_none()
    }

    /// The shadow of the first of finished mesh, raw mesh and splats; one ground for all of them.
    pub(crate) fn shadow(&self) -> Option<&GroundShadow> {
        let mesh = self.textured.as_ref().or(self.raw.as_ref()).map(|part| &part.shadow);
        mesh.or(self.splats.as_ref().map(|part| &part.shadow))
    }

    pub(crate) fn ground(&self) -> Ground {
        let mesh = self.textured.as_ref().or(self.raw.as_ref()).map(|part| part.bounds);
        let bounds = mesh
            .or(self.splats.as_ref().map(|part| part.bounds))
            .unwrap_or(Bounds::UNIT);
        Ground {
            bounds,
            shadow_center: self.shadow().map_or([0.0; 2], |shadow| shadow.center.to_array()),
            shadow_half_extent: self.shadow().map_or(0.0, |shadow| shadow.half_extent),
        }
    }

    /// Rewrites lines and photos for these settings.
    pub(crate) fn write_overlays(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, settings: &RenderSettings) {
        let mut lines = Vec::new();
        let mut photos = Vec::new();
        if settings.axes {
            let bounds = self.ground().bounds;
            let foot = Vec3::Y * bounds.min.y;
            lines.push(Line::up_axis(foot, bounds.radius() * 1.6));
        }
        if let Some(part) = self.cameras.as_ref().filter(|_| settings.cameras) {
            for view in &part.cameras {
                crate::draw::lines::frustum(&view.camera, settings.camera_size, &mut lines);
                if let Some((layer, used)) = view.photo {
                    photos.push(Photo::new(&view.camera, settings.camera_size, layer, used));
                }
            }
        }
        if settings.shading == Shading::Health && settings.shows.has_mesh() {
            lines.extend_from_slice(&self.flaws);
        }
        self.lines.write(device, queue, &lines);
        self.photos.write(device, queue, &photos);
    }
}
