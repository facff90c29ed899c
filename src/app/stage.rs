//! What the stage is to show, and what its threads answer.

use std::sync::Arc;

use bozzetto_asset::{Camera, GaussianSplats, SparseStructure, TriMesh};
use bozzetto_mesh::{Finished, FlawedEdges};
use bozzetto_viewport::{Bounds, Frame, GpuError, Renderer, Scene, ScenePart, ScenePool};
use egui_wgpu::wgpu;
use image::RgbaImage;

/// What the stage is to show. Parts are shared with the rest of the window.
#[derive(Clone, Default)]
pub struct StageRequest {
    /// Splats.
    pub splats: Option<Arc<GaussianSplats>>,
    /// The mesh with its textures.
    pub finished: Option<Arc<Finished>>,
    /// A mesh without textures: the raw one, one that is still forming, or the live preview of the face count.
    pub raw: Option<Arc<TriMesh>>,
    /// Active voxels of a shape that has no surface yet.
    pub voxels: Option<Arc<SparseStructure>>,
    /// Cameras of the views, each with a small picture.
    pub cameras: Vec<(Camera, Option<Arc<RgbaImage>>)>,
    /// Look for broken edges and mark them.
    pub marks_flaws: bool,
    /// A live preview: another one comes soon.
    pub is_forming: bool,
}

impl StageRequest {
    /// The mesh to draw: the finished one, or else the raw one.
    pub fn mesh(&self) -> Option<&Arc<TriMesh>> {
        let finished = self.finished.as_ref().map(|finished| &finished.textured.mesh);
        finished.or(self.raw.as_ref())
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.splats.is_none() && self.finished.is_none() && self.raw.is_none() && self.voxels.is_none()
    }

    /// The parts that differ from those of another request. Told by whether they share their data, which takes no time.
    pub fn parts_unlike(&self, other: &Self) -> Vec<ScenePart> {
        let differences = [
            (ScenePart::Splats, !is_same(self.splats.as_ref(), other.splats.as_ref())),
            (
                ScenePart::TexturedMesh,
                !is_same(self.finished.as_ref(), other.finished.as_ref()),
            ),
            (ScenePart::RawMesh, !is_same(self.raw.as_ref(), other.raw.as_ref())),
            (ScenePart::Voxels, !is_same(self.voxels.as_ref(), other.voxels.as_ref())),
            (ScenePart::ViewCameras, !self.has_cameras_of(other)),
            (ScenePart::MeshFlaws, !is_same(self.marked_mesh(), other.marked_mesh())),
        ];
        let differing = differences.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(part, _)| part).collect()
    }

    fn has_cameras_of(&self, other: &Self) -> bool {
        let pairs = self.cameras.iter().zip(&other.cameras);
        self.cameras.len() == other.cameras.len()
            && pairs
                .into_iter()
                .all(|((camera, photo), (its, of_its))| camera == its && is_same(photo.as_ref(), of_its.as_ref()))
    }

    /// The mesh whose broken edges are looked for.
    fn marked_mesh(&self) -> Option<&Arc<TriMesh>> {
        self.mesh().filter(|_| self.marks_flaws)
    }
}

fn is_same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The stage holds two contents: the result, and one to compare it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// What is being worked on.
    Result,
    /// Another result.
    Other,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Result, Self::Other];
}

/// Content with a number: another number is other content.
#[derive(Default)]
pub struct Numbered {
    /// Its number; 0 is nothing.
    pub number: u64,
    /// What it is.
    pub request: StageRequest,
}

/// What a stage is to hold in its slots.
#[derive(Clone, Default)]
pub struct StageContents([Arc<Numbered>; 2]);

impl StageContents {
    /// Puts other content into a slot.
    pub fn replace(&mut self, slot: Slot, request: StageRequest) {
        let content = &mut self.0[slot as usize];
        *content = Arc::new(Numbered {
            number: content.number + 1,
            request,
        });
    }

    /// What a slot is to hold.
    pub fn of(&self, slot: Slot) -> &Arc<Numbered> {
        &self.0[slot as usize]
    }
}

/// One of the two pictures that the stage may show at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The whole stage, or its left part.
    First,
    /// The right part.
    Second,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];
}

/// A picture of one of the contents.
#[derive(Clone, Debug, PartialEq)]
pub struct SideFrame {
    /// What is drawn.
    pub slot: Slot,
    /// How.
    pub frame: Frame,
}

/// What a stage's thread made.
pub enum StageContent {
    /// The pipelines; comes once, before the first scene of a graphics card.
    Renderer(Arc<Renderer>),
    /// The processor is ready to draw; comes once.
    Ready,
    /// Content is where it can be drawn from.
    Uploaded {
        /// Which.
        slot: Slot,
        /// Where it is.
        content: Uploaded,
        /// What could not be brought there; the rest is.
        faults: Vec<GpuError>,
    },
    /// One of the stage's pictures, drawn by the processor.
    Picture(Side, egui::ColorImage),
    /// The processor could not draw the stage.
    NotDrawn(GpuError),
    /// Nothing can be drawn at all.
    Failed(String),
}

/// Content that can be drawn.
pub enum Uploaded {
    /// What has changed since the last one, on the graphics card.
    Card(ScenePatch),
    /// All of it, kept by the thread that draws by the processor. Box about everything in it.
    Software(Option<Bounds>),
}

/// Parts of a scene that take the place of older ones.
pub struct ScenePatch {
    scene: Box<Scene>,
    parts: Vec<ScenePart>,
}

impl ScenePatch {
    /// The new parts, in a scene of their own.
    pub fn scene_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }

    /// Brings a scene up to date.
    pub fn apply(self, scene: &mut Scene) {
        scene.take_parts(*self.scene, &self.parts);
    }
}

/// Brings what has changed since an earlier request to a device. What cannot be brought there is told and left out. Live
/// previews leave their buffers in the pool for the next one; whatever else comes gives those back.
pub fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    request: &StageRequest,
    earlier: &StageRequest,
    wake: Arc<dyn Fn() + Send + Sync>,
    pool: &ScenePool,
) -> (ScenePatch, Vec<GpuError>) {
    let mut scene = Box::new(if request.is_forming {
        Scene::with_pool(pool)
    } else {
        pool.clear();
        Scene::new()
    });
    scene.set_wake(wake);
    let parts = request.parts_unlike(earlier);
    let faults = parts
        .iter()
        .filter_map(|part| set_part(&mut scene, *part, device, queue, request).err())
        .collect();
    (ScenePatch { scene, parts }, faults)
}

fn set_part(
    scene: &mut Scene,
    part: ScenePart,
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    request: &StageRequest,
) -> Result<(), GpuError> {
    match part {
        ScenePart::Splats => scene.set_splats(device, queue, request.splats.as_deref()),
        ScenePart::TexturedMesh => {
            let textured = request.finished.as_ref().map(|finished| &finished.textured);
            scene.set_textured_mesh(device, queue, textured)
        }
        ScenePart::RawMesh => scene.set_raw_mesh(device, queue, request.raw.as_deref()),
        ScenePart::Voxels => scene.set_voxels(device, queue, request.voxels.as_deref()),
        ScenePart::ViewCameras => scene.set_view_cameras(device, queue, &request.cameras),
        ScenePart::MeshFlaws => {
            let flawed = request
                .marked_mesh()
                .map(|mesh| FlawedEdges::of(mesh))
                .unwrap_or_default();
            scene.set_mesh_flaws(&flawed.open, &flawed.non_manifold);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::Projection;
    use bozzetto_viewport::Offscreen;
    use glam::{Quat, Vec3};

    use super::*;

    fn request() -> StageRequest {
        let splats = GaussianSplats {
            positions: vec![Vec3::ZERO, Vec3::X],
            log_scales: vec![Vec3::splat(-3.0); 2],
            rotations: vec![Quat::IDENTITY; 2],
            opacities: vec![0.5; 2],
            sh: vec![[0.3; 3]; 2],
            ..GaussianSplats::default()
        };
        StageRequest {
            splats: Some(Arc::new(splats)),
            raw: Some(Arc::new(TriMesh::new(
                vec![Vec3::ZERO, Vec3::X, Vec3::Y],
                vec![[0, 1, 2]],
            ))),
            ..StageRequest::default()
        }
    }

    #[test]
    fn only_what_differs_is_brought_to_the_device() {
        let before = request();
        assert_eq!(before.parts_unlike(&before.clone()), []);
        let camera = Camera::orbit(0.0, 0.0, 2.0, Projection::Perspective { fov_y_rad: 0.7 }, 1.0);
        let photo = Arc::new(RgbaImage::new(2, 2));
        let with_camera = StageRequest {
            cameras: vec![(camera, Some(photo))],
            ..before.clone()
        };
        assert_eq!(with_camera.parts_unlike(&before), [ScenePart::ViewCameras]);
        assert_eq!(before.parts_unlike(&with_camera), [ScenePart::ViewCameras]);
        let marked = StageRequest {
            marks_flaws: true,
            ..before.clone()
        };
        assert_eq!(marked.parts_unlike(&before), [ScenePart::MeshFlaws]);
        let other_mesh = StageRequest {
            raw: request().raw,
            ..marked.clone()
        };
        assert_eq!(
            other_mesh.parts_unlike(&marked),
            [ScenePart::RawMesh, ScenePart::MeshFlaws]
        );
        let nothing = StageRequest::default();
        assert_eq!(nothing.parts_unlike(&before), [ScenePart::Splats, ScenePart::RawMesh]);
    }

    #[test]
    fn a_patch_leaves_what_it_does_not_hold() {
        let offscreen = Offscreen::new().expect("a device");
        let (device, queue, pool) = (offscreen.device(), offscreen.queue(), ScenePool::default());
        let (mut scene, mut shown) = (Scene::new(), StageRequest::default());
        let whole = request();
        let without_mesh = StageRequest {
            raw: None,
            ..whole.clone()
        };
        let without_splats = StageRequest {
            splats: None,
            ..without_mesh.clone()
        };
        let mut bounds = Vec::new();
        for next in [whole, without_mesh, without_splats] {
            let (patch, faults) = upload(device, queue, &next, &shown, Arc::new(|| ()), &pool);
            assert!(faults.is_empty(), "{faults:?}");
            patch.apply(&mut scene);
            bounds.push(scene.bounds().map(|bounds| bounds.max));
            shown = next;
        }
        assert_eq!(bounds, [Some(Vec3::new(1.0, 1.0, 0.0)), Some(Vec3::X), None]);
    }
}
