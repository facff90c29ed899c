//! What is looked at.

pub(crate) mod camera_part;
pub(crate) mod mesh_part;
pub(crate) mod pool;
pub(crate) mod splat_part;
pub(crate) mod splat_room;
mod voxel_faces;
pub(crate) mod voxel_part;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bozzetto_asset::{Camera, GaussianSplats, SparseStructure, TexturedMesh, TriMesh};
use glam::Vec3;
use image::RgbaImage;

use crate::draw::lines::Line;
use crate::draw::photos::Photo;
use crate::frame_uniforms::Ground;
use crate::ground_shadow::GroundShadow;
use crate::splat_order::Wake;
use crate::{Bounds, GpuError, RenderSettings, Shading};
use camera_part::CameraPart;
use mesh_part::MeshPart;
use pool::ScenePool;
use splat_part::SplatPart;
use voxel_part::VoxelPart;

/// What is looked at: buffers and textures of one asset.
///
/// A scene belongs to the device that its setters were called with. Each setter replaces the whole of its part; `None`
/// clears it. On an error the part is empty.
#[derive(Default)]
pub struct Scene {
    pub(crate) splats: Option<SplatPart>,
    pub(crate) textured: Option<MeshPart>,
    pub(crate) raw: Option<MeshPart>,
    pub(crate) voxels: Option<VoxelPart>,
    pool: Option<ScenePool>,
    pub(crate) cameras: Option<CameraPart>,
    flaws: Vec<Line>,
    wake: Arc<Mutex<Option<Wake>>>,
    /// Changes with the content, so that a still frame is known; no two contents share one, whatever their scene.
    pub(crate) version: u64,
    pub(crate) ground_group: Option<wgpu::BindGroup>,
}

/// What a scene is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScenePart {
    /// [`Scene::set_splats`].
    Splats,
    /// [`Scene::set_textured_mesh`].
    TexturedMesh,
    /// [`Scene::set_raw_mesh`].
    RawMesh,
    /// [`Scene::set_voxels`].
    Voxels,
    /// [`Scene::set_view_cameras`].
    ViewCameras,
    /// [`Scene::set_mesh_flaws`].
    MeshFlaws,
}

/// Tells contents of all scenes apart.
pub(crate) fn unique_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Scene {
    /// An empty scene.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty scene whose voxels and splats take the buffers that those of an earlier scene have left, and leave theirs.
    pub fn with_pool(pool: &ScenePool) -> Self {
        Self {
            pool: Some(pool.clone()),
            ..Self::default()
        }
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
            self.splats = SplatPart::new(device, queue, splats, self.pool.as_ref(), Arc::clone(&self.wake))?;
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

    /// Replaces the active voxels, drawn as cubes whatever else the settings show: they are all there is of a shape that
    /// is only beginning to form.
    pub fn set_voxels(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        structure: Option<&SparseStructure>,
    ) -> Result<(), GpuError> {
        self.voxels = None;
        self.content_changed();
        if let Some(structure) = structure {
            self.voxels = VoxelPart::new(device, queue, structure, self.pool.as_ref())?;
        }
        Ok(())
    }

    /// Replaces the view cameras, each with a picture of its photo where there is one (straight alpha, any size).
    pub fn set_view_cameras(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        cameras: &[(Camera, Option<Arc<RgbaImage>>)],
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

    /// Puts parts of another scene of the same device in place of its own, empty ones included, and keeps the rest as it
    /// is: what has not changed need not be uploaded again.
    pub fn take_parts(&mut self, from: Self, parts: &[ScenePart]) {
        let Self {
            splats,
            textured,
            raw,
            voxels,
            cameras,
            flaws,
            ..
        } = from;
        let has = |part| parts.contains(&part);
        replace_if(has(ScenePart::Splats), &mut self.splats, splats);
        replace_if(has(ScenePart::TexturedMesh), &mut self.textured, textured);
        replace_if(has(ScenePart::RawMesh), &mut self.raw, raw);
        replace_if(has(ScenePart::Voxels), &mut self.voxels, voxels);
        replace_if(has(ScenePart::ViewCameras), &mut self.cameras, cameras);
        replace_if(has(ScenePart::MeshFlaws), &mut self.flaws, flaws);
        self.content_changed();
    }

    /// Box about everything that can be drawn; `None` while the scene is empty. View cameras don't count.
    pub fn bounds(&self) -> Option<Bounds> {
        let meshes = [&self.textured, &self.raw]
            .into_iter()
            .flatten()
            .map(|part| part.bounds);
        let splats = self.splats.iter().map(|part| part.bounds);
        let voxels = self.voxels.iter().map(|part| part.bounds);
        meshes.chain(splats).chain(voxels).reduce(|all, part| all.union(&part))
    }

    /// Whether another scene like it comes soon.
    pub(crate) fn is_preview(&self) -> bool {
        self.pool.is_some()
    }

    fn content_changed(&mut self) {
        self.mark_changed();
        self.ground_group = None;
    }

    /// Pictures of this scene are out of date from now on.
    pub(crate) fn mark_changed(&mut self) {
        self.version = unique_number();
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

    /// The shadow of the first of finished mesh, raw mesh, splats and voxels; one ground for all of them.
    pub(crate) fn shadow(&self) -> Option<&GroundShadow> {
        let mesh = self.textured.as_ref().or(self.raw.as_ref()).map(|part| &part.shadow);
        mesh.or(self.splats.as_ref().map(|part| &part.shadow))
            .or(self.voxels.as_ref().map(|part| &part.shadow))
    }

    /// Whether anything lies on the ground.
    pub(crate) fn has_ground(&self, settings: &RenderSettings) -> bool {
        settings.grid || settings.axes || settings.shadow && self.shadow().is_some()
    }

    pub(crate) fn ground(&self) -> Ground {
        let mesh = self.textured.as_ref().or(self.raw.as_ref()).map(|part| part.bounds);
        let bounds = mesh
            .or(self.splats.as_ref().map(|part| part.bounds))
            .or(self.voxels.as_ref().map(|part| part.bounds))
            .unwrap_or(Bounds::UNIT);
        Ground {
            bounds,
            shadow_center: self.shadow().map_or([0.0; 2], |shadow| shadow.center.to_array()),
            shadow_half_extent: self.shadow().map_or(0.0, |shadow| shadow.half_extent),
        }
    }

    /// Lines and photos that these settings show.
    pub(crate) fn overlays(&self, eye: &Camera, settings: &RenderSettings) -> (Vec<Line>, Vec<Photo>) {
        let mut lines = Vec::new();
        let mut photos = Vec::new();
        if settings.axes {
            let bounds = self.ground().bounds;
            let foot = Vec3::Y * bounds.min.y;
            lines.push(Line::up_axis(foot, bounds.radius() * 1.6));
        }
        if let Some(part) = self.cameras.as_ref().filter(|_| settings.cameras) {
            let seen = part.cameras.iter();
            for view in seen.filter(|view| settings.shows_frustum(eye, &view.camera)) {
                crate::draw::lines::frustum(&view.camera, settings.camera_size, &mut lines);
                if let Some((layer, used)) = view.photo {
                    photos.push(Photo::new(&view.camera, settings.camera_size, layer, used));
                }
            }
        }
        if settings.shading == Shading::Health && settings.shows.has_mesh() {
            lines.extend_from_slice(&self.flaws);
        }
        (lines, photos)
    }
}

fn replace_if<T>(is_replaced: bool, part: &mut T, by: T) {
    if is_replaced {
        *part = by;
    }
}
