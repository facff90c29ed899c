use std::sync::{Arc, OnceLock};
use std::thread;

use bozzetto_asset::{Asset, Camera, Material, PreparedView, TexturedMesh, TriMesh};
use image::GrayImage;
use rayon::prelude::*;

use crate::bake::{self, BakeOptions, Sampler, SplatSampler, Surface, VertexColorSampler, ViewSampler, VolumeSampler};
use crate::control::{Meter, Stopwatch};
use crate::nearest::SearchTree;
use crate::orient::orient;
use crate::topology::{area_normal, diagonal, weighted_normals};
use crate::{
    ColorSource, Control, FinishSettings, MeshError, MeshHealth, Simplifier, Step, StepProgress, StepTiming,
    close_all_holes, compute_tangents, drop_bad_faces, fill_holes, orient_outward, part_touching, remesh,
    remove_inner_shells, remove_small_components, split_non_manifold, unwrap, weld,
};

/// Occlusion is computed at the vertices of a level of detail with at most this many faces: it is smooth.
const OCCLUSION_FACES: usize = 200_000;
/// How far touching parts move apart at least, as a fraction of the diagonal.
const PARTING_DISTANCE: f32 = 1e-5;

/// A finished mesh with what there is to say about it.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Geometry, material and provenance.
    pub textured: TexturedMesh,
    /// How long each step took, in the order they ran.
    pub timings: Vec<StepTiming>,
    /// Health of the finished geometry.
    pub health: MeshHealth,
    /// Faces of the raw surface.
    pub num_source_faces: usize,
    /// Charts of the texture layout.
    pub num_charts: u32,
    /// Share of the texture that the surface uses, `[0, 1]`.
    pub texture_utilization: f32,
}

impl Finished {
    /// A mesh that came with its textures, from a file or an engine, as if it had just been finished.
    pub fn as_made(textured: TexturedMesh, health: MeshHealth) -> Self {
        Self {
            health,
            num_source_faces: textured.mesh.triangles.len(),
            textured,
            timings: Vec::new(),
            num_charts: 0,
            texture_utilization: 0.0,
        }
    }
}

/// Cleans, simplifies, unwraps and bakes the surface of an asset.
///
/// Textures come from the first of these that the asset has: its volume, which alone knows metal and roughness; its mesh'
/// vertex colours, which lie on the very surface; its splats, whose colours are made to be blended and so are softer.
/// Middle grey where it has none. For base colours from pictures see [`Prepared::with_pictures`].
///
/// Waits for threads that use rayon's global pool, so it must not run in a worker of that pool itself.
pub fn finish(asset: &Asset, settings: &FinishSettings, control: &Control<'_>) -> Result<Finished, MeshError> {
    let prepared = Prepared::new(asset, settings, control)?;
    let mut finished = prepared.finish(settings, control)?;
    finished.timings.splice(0..0, prepared.timings.iter().copied());
    Ok(finished)
}

/// The part of [`finish`] that does not depend on face count, texture size or maps: cleaned surface, order of simplifying
/// and search tree. Kept between two finishes of one asset, it saves much of the time.
#[derive(Clone, Debug)]
pub struct Prepared {
    asset: Asset,
    pictures: Arc<Vec<(PreparedView, Camera)>>,
    settings: FinishSettings,
    simplifier: Simplifier,
    /// Built beside the first finish: nothing needs it before the bake.
    tree: Arc<OnceLock<SearchTree>>,
    timings: Vec<StepTiming>,
    num_source_faces: usize,
}

impl Prepared {
    /// Cleans the surface of an asset.
    pub fn new(asset: &Asset, settings: &FinishSettings, control: &Control<'_>) -> Result<Self, MeshError> {
        settings.validate()?;
        let mesh = asset.mesh.as_ref().ok_or(MeshError::NoMesh)?;
        let mut watch = Stopwatch::default();
        Ok(Self {
            asset: asset.clone(),
            pictures: Arc::default(),
            settings: settings.clone(),
            simplifier: Simplifier::of_clean(clean_surface(mesh, settings, control, &mut watch)?),
            tree: Arc::default(),
            timings: watch.timings,
            num_source_faces: mesh.triangles.len(),
        })
    }

    /// Gives it pictures with their cameras for [`ColorSource::Pictures`].
    #[must_use]
    pub fn with_pictures(mut self, pictures: Arc<Vec<(PreparedView, Camera)>>) -> Self {
        self.pictures = pictures;
        self
    }

    /// The prepared levels of detail, for the slider.
    pub fn simplifier(&self) -> &Simplifier {
        &self.simplifier
    }

    /// How long each step of the preparation took.
    pub fn timings(&self) -> &[StepTiming] {
        &self.timings
    }

    /// Finishes with settings that may differ from those of [`Prepared::new`] where
    /// [`FinishSettings::prepares_like`] allows; otherwise the cleaning runs again.
    pub fn finish(&self, settings: &FinishSettings, control: &Control<'_>) -> Result<Finished, MeshError> {
        settings.validate()?;
        if !settings.prepares_like(&self.settings) {
            let prepared = Self::new(&self.asset, settings, control)?;
            return prepared
                .with_pictures(Arc::clone(&self.pictures))
                .finish(settings, control);
        }
        self.start_tree();
        let mut watch = Stopwatch::default();
        let simplified = watch.time(Step::Simplify, control, || {
            self.simplifier
                .simplified_under(settings.target_faces as usize, control)
        })?;
        let unwrapped = watch.time(Step::Unwrap, control, || {
            unwrap(&simplified, settings.texture_px, settings.padding_px, control)
        })?;
        let mut mesh = unwrapped.mesh;
        if settings.bakes_normal_map {
            mesh = watch.time(Step::Tangents, control, || compute_tangents(&mesh, control))?;
        }
        watch.time(Step::Index, control, || {
            self.tree();
            Ok(())
        })?;
        // Colours are in the texture now; glTF would multiply both.
        mesh.colors = Vec::new();
        let (material, coverage) = self.textures(&mesh, settings, control, &mut watch)?;
        let health = watch.time(Step::Examine, control, || {
            Ok(MeshHealth::examined(&mesh, control)?.with_layout(&mesh, Some(settings.texture_px)))
        })?;
        Ok(Finished {
            textured: TexturedMesh {
                mesh: Arc::new(mesh),
                material,
                provenance: self.asset.provenance.clone(),
                coverage,
            },
            timings: watch.timings,
            health,
            num_source_faces: self.num_source_faces,
            num_charts: unwrapped.num_charts,
            texture_utilization: unwrapped.utilization,
        })
    }

    /// Builds the search tree on a thread of its own: simplifying and laying out leave processors idle. A cancel leaves it
    /// to itself.
    fn start_tree(&self) {
        if self.tree.get().is_some() {
            return;
        }
        let (tree, simplifier) = (Arc::clone(&self.tree), self.simplifier.clone());
        let spawned = thread::Builder::new().name("search tree".to_owned()).spawn(move || {
            tree.get_or_init(|| SearchTree::new(simplifier.source()));
        });
        if let Err(error) = spawned {
            tracing::warn!("The search tree is built later, for lack of a thread: {error}.");
        }
    }

    /// The search tree over the cleaned surface; waits until it is there.
    fn tree(&self) -> &SearchTree {
        self.tree.get_or_init(|| SearchTree::new(self.simplifier.source()))
    }

    fn textures(
        &self,
        mesh: &TriMesh,
        settings: &FinishSettings,
        control: &Control<'_>,
        watch: &mut Stopwatch,
    ) -> Result<(Material, Arc<GrayImage>), MeshError> {
        let source = self.simplifier.source();
        let occlusion = if settings.bakes_occlusion {
            Some(watch.time(Step::Occlusion, control, || {
                self.occlusion(settings.occlusion_distance * diagonal(source), control)
            })?)
        } else {
            None
        };
        let surface = Surface {
            mesh: source,
            tree: self.tree(),
            occlusion: occlusion.as_deref(),
        };
        let options = BakeOptions {
            texture_px: settings.texture_px,
            has_normal_map: settings.bakes_normal_map,
            has_orm: settings.bakes_orm,
        };
        let mut baked = watch.time(Step::Bake, control, || {
            let sampler = self.sampler(surface, settings.colors_from)?;
            bake::bake(surface, mesh, sampler.as_ref(), options, control)
        })?;
        watch.time(Step::Dilate, control, || {
            baked.dilate(control)?;
            Ok(baked.into_material())
        })
    }

    /// Where colours come from: see [`finish`].
    fn sampler<'a>(
        &'a self,
        surface: Surface<'a>,
        colors_from: ColorSource,
    ) -> Result<Box<dyn Sampler + 'a>, MeshError> {
        let source = surface.mesh;
        let of_asset: Box<dyn Sampler> = match (&self.asset.volume, &self.asset.splats) {
            (Some(volume), _) if !volume.coords.is_empty() => Box::new(VolumeSampler::new(volume)?),
            (_, Some(splats)) if source.colors.is_empty() && !splats.is_empty() => Box::new(SplatSampler::new(splats)?),
            _ => Box::new(VertexColorSampler::new(source)),
        };
        match colors_from {
            ColorSource::Asset => Ok(of_asset),
            ColorSource::Pictures if self.pictures.is_empty() => Err(MeshError::NoPictures),
            ColorSource::Pictures => Ok(Box::new(ViewSampler::over(surface, &self.pictures, of_asset))),
        }
    }

    /// Light at each vertex of the source, computed on a level of detail where the source is large.
    fn occlusion(&self, reach: f32, control: &Control<'_>) -> Result<Vec<f32>, MeshError> {
        let source = self.simplifier.source();
        if source.triangles.len() <= OCCLUSION_FACES {
            return bake::vertex_occlusion(source, self.tree(), reach, control);
        }
        let coarse = self
            .simplifier
            .simplified_under(OCCLUSION_FACES, &control.told_to_nobody())?;
        let tree = SearchTree::new(&coarse);
        let light = bake::vertex_occlusion(&coarse, &tree, reach, control)?;
        source
            .positions
            .par_iter()
            .zip(&source.normals)
            .map(|(&position, &normal)| {
                let Some(hit) = tree.nearest_facing(position, normal, reach, None) else {
                    return Ok(1.0);
                };
                control.check(Step::Occlusion)?;
                let corners = coarse.triangles[hit.face as usize];
                Ok((0..3)
                    .map(|corner| light[corners[corner] as usize] * hit.barycentric[corner])
                    .sum())
            })
            .collect()
    }
}

/// The first half of the chain: everything up to simplifying. The result has normals, and colours where the raw
/// surface has them; it is oriented and without non-manifold edges.
pub(crate) fn clean_surface(
    raw: &TriMesh,
    settings: &FinishSettings,
    control: &Control<'_>,
    watch: &mut Stopwatch,
) -> Result<TriMesh, MeshError> {
    check(raw)?;
    let size = diagonal(raw);
    if !size.is_finite() {
        return Err(MeshError::Inconsistent {
            what: "it is too large to be measured".to_owned(),
        });
    }
    let welded = watch.time(Step::Weld, control, || {
        weld(raw, settings.weld_distance * size, control)
    })?;
    let cleaned = watch.time(Step::Clean, control, || drop_bad_faces(&welded, control))?;
    drop(welded);
    let oriented = watch.time(Step::Orient, control, || orient(cleaned, control))?;
    let mut mesh = oriented.mesh;
    if oriented.is_one_closed_surface {
        // Who watches sees the steps pass all the same.
        let fills = settings.fills_holes || settings.closes_all_holes;
        let steps = [
            (Step::Split, true),
            (Step::RemoveSpecks, true),
            (Step::FillHoles, fills),
            (Step::RemoveShells, settings.removes_inner_shells),
            (Step::Part, settings.parts_touching),
        ];
        for (step, _) in steps.into_iter().filter(|&(_, is_on)| is_on) {
            watch.time(step, control, || Meter::new(control, step, 1).add(1))?;
        }
    } else {
        mesh = made_sound(mesh, size, settings, control, watch)?;
    }
    if settings.remeshes {
        mesh = watch.time(Step::Remesh, control, || remesh(&mesh, &settings.remesh, control))?;
    }
    let has_area = |face: usize| area_normal(mesh.corners(face)).length_squared() > 0.0;
    if !(0..mesh.triangles.len()).any(has_area) {
        return Err(MeshError::Empty {
            num_source_faces: raw.triangles.len(),
        });
    }
    mesh.normals = weighted_normals(&mesh.positions, &mesh.triangles);
    Ok(mesh)
}

/// Parts, removes and fills what is not sound yet.
fn made_sound(
    mut mesh: TriMesh,
    size: f32,
    settings: &FinishSettings,
    control: &Control<'_>,
    watch: &mut Stopwatch,
) -> Result<TriMesh, MeshError> {
    mesh = watch.time(Step::Split, control, || split_non_manifold(&mesh, control))?;
    mesh = watch.time(Step::RemoveSpecks, control, || {
        remove_small_components(&mesh, settings.min_component_area, control)
    })?;
    if settings.fills_holes || settings.closes_all_holes {
        mesh = watch.time(Step::FillHoles, control, || {
            let halves = [0, 1].map(|half| move |progress| (control.progress)(half_of_step(progress, half)));
            let [first, second] = halves.each_ref().map(|half| Control {
                progress: half,
                ..*control
            });
            // Small ones first, for those are filled as the surface goes on.
            let filled = if settings.fills_holes {
                fill_holes(&mesh, settings.max_hole_perimeter * size, &first)?
            } else {
                mesh
            };
            if settings.closes_all_holes {
                close_all_holes(&filled, &second)
            } else {
                Ok(filled)
            }
        })?;
    }
    if settings.removes_inner_shells {
        mesh = watch.time(Step::RemoveShells, control, || remove_inner_shells(&mesh, control))?;
    }
    if settings.parts_touching {
        // Apart for every program that joins vertices no farther than we do.
        let distance = (settings.weld_distance * 4.0).max(PARTING_DISTANCE) * size;
        mesh = watch.time(Step::Part, control, || parted(&mesh, distance, control))?;
    }
    Ok(mesh)
}

/// The progress of a step that is done in two halves, from that of its first (0) or second (1) half.
fn half_of_step(progress: StepProgress, half: u64) -> StepProgress {
    const HALF: u64 = 1000;
    StepProgress {
        done: half * HALF + progress.done * HALF / progress.total.max(1),
        total: 2 * HALF,
        ..progress
    }
}

/// Moves apart what touches, and turns outwards what was too flat to tell its outside before.
fn parted(mesh: &TriMesh, distance: f32, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let parted = part_touching(mesh, distance, control)?;
    if parted.positions == mesh.positions {
        return Ok(parted);
    }
    orient_outward(&parted, &control.told_to_nobody())
}

/// Whether the raw surface can be worked with; says what is wrong.
fn check(raw: &TriMesh) -> Result<(), MeshError> {
    if raw.triangles.is_empty() {
        return Err(MeshError::Empty { num_source_faces: 0 });
    }
    if let Some(vertex) = raw
        .positions
        .par_iter()
        .position_first(|position| !position.is_finite())
    {
        return Err(MeshError::NotFinite { vertex });
    }
    let count = raw.positions.len();
    let out_of_range = raw
        .triangles
        .as_flattened()
        .par_iter()
        .find_first(|&&index| index as usize >= count);
    if let Some(index) = out_of_range {
        return Err(MeshError::Inconsistent {
            what: format!("a face names vertex {index} of {count}"),
        });
    }
    for (name, length) in [("normals", raw.normals.len()), ("colours", raw.colors.len())] {
        if length != 0 && length != count {
            return Err(MeshError::Inconsistent {
                what: format!("{length} {name} for {count} vertices"),
            });
        }
    }
    if raw.colors.iter().any(|color| !color.is_finite()) {
        return Err(MeshError::Inconsistent {
            what: "a colour is not a number".to_owned(),
        });
    }
    Ok(())
}
