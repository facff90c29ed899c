use std::sync::{Arc, OnceLock};

use bozzetto_asset::TriMesh;
use glam::Vec3;
use meshopt::{SimplifyOptions, VertexDataAdapter};
use rayon::prelude::*;

use crate::background::in_background;
use crate::coarsen::coarsen;
use crate::control::{Meter, Stopwatch};
use crate::topology::{compacted, diagonal, edges, sorted_sides, weighted_normals};
use crate::{Control, FinishSettings, MeshError, Step, clean_surface, drop_bad_faces, split_non_manifold};

/// Each level of detail has this share of the faces of the one before it: a target starts at most this far away.
const LEVEL_RATIO: f64 = 0.6;
/// Above this many faces surfaces are brought down in parts, and levels may lie farther apart.
const LARGE: usize = 700_000;
const LARGE_LEVEL_RATIO: f64 = 0.35;
/// Below this many faces another level would save nothing.
const SMALLEST_LEVEL: usize = 2000;
/// How much a turn of the normal by one radian weighs against a move by the whole extent of the mesh.
const NORMAL_WEIGHT: f32 = 0.05;
/// The same for a colour channel that goes from 0 to 1.
const COLOR_WEIGHT: f32 = 0.05;

/// A surface prepared for the face-count slider: cleaned once, then any target quickly. [`crate::finish`] takes the
/// same path, so that what the slider shows is what is exported.
///
/// Levels of detail are made when a target first needs them and are kept. What a target gives depends on the surface
/// and the target alone, not on what was asked before. Clones share the levels.
#[derive(Clone, Debug, Default)]
pub struct Simplifier {
    levels: Arc<Vec<Level>>,
}

#[derive(Debug)]
struct Level {
    target_faces: usize,
    mesh: OnceLock<TriMesh>,
}

impl Simplifier {
    /// Prepares a raw surface with the default settings. A surface that cannot be cleaned gives an empty result.
    pub fn new(mesh: &TriMesh) -> Self {
        Self::prepared(mesh, &FinishSettings::default(), &Control::silent()).unwrap_or_default()
    }

    /// Prepares a raw surface: the same cleaning as in [`crate::finish`].
    pub fn prepared(mesh: &TriMesh, settings: &FinishSettings, control: &Control<'_>) -> Result<Self, MeshError> {
        clean_surface(mesh, settings, control, &mut Stopwatch::default()).map(Self::of_clean)
    }

    /// Takes a surface as [`crate::clean_surface`] leaves it.
    pub(crate) fn of_clean(mesh: TriMesh) -> Self {
        let num_faces = mesh.triangles.len();
        let mut targets = vec![num_faces];
        while let Some(&last) = targets.last()
            && last > SMALLEST_LEVEL
        {
            let ratio = if last > LARGE { LARGE_LEVEL_RATIO } else { LEVEL_RATIO };
            targets.push((last as f64 * ratio) as usize);
        }
        let levels: Vec<Level> = targets
            .into_iter()
            .map(|target_faces| Level {
                target_faces,
                mesh: OnceLock::new(),
            })
            .collect();
        levels[0].mesh.get_or_init(|| mesh);
        Self {
            levels: Arc::new(levels),
        }
    }

    /// The cleaned surface in full.
    pub fn source(&self) -> &TriMesh {
        static NOTHING: TriMesh = TriMesh {
            positions: Vec::new(),
            triangles: Vec::new(),
            normals: Vec::new(),
            uvs: Vec::new(),
            colors: Vec::new(),
            tangents: Vec::new(),
        };
        self.levels
            .first()
            .and_then(|level| level.mesh.get())
            .unwrap_or(&NOTHING)
    }

    /// The surface with at most `target_faces` faces where its topology allows, with normals (and colours, where the
    /// source has them).
    pub fn simplified(&self, target_faces: usize) -> TriMesh {
        self.simplified_under(target_faces, &Control::silent())
            .unwrap_or_else(|_| self.source().clone())
    }

    /// As [`Simplifier::simplified`], cancellable between levels.
    pub fn simplified_under(&self, target_faces: usize, control: &Control<'_>) -> Result<TriMesh, MeshError> {
        let start = self
            .levels
            .iter()
            .rposition(|level| level.target_faces >= target_faces)
            .unwrap_or(0);
        let meter = Meter::new(control, Step::Simplify, start + 1);
        for index in 1..=start {
            let level = &self.levels[index];
            if level.mesh.get().is_none() {
                // Filled in order, so that the one before is there.
                let finer = self.levels[index - 1].mesh.get().unwrap_or(self.source());
                let coarser = brought_down(finer, level.target_faces, control)?;
                level.mesh.get_or_init(|| coarser);
            }
            meter.add(1)?;
        }
        let base = self
            .levels
            .get(start)
            .and_then(|level| level.mesh.get())
            .unwrap_or(self.source());
        let simplified = brought_down(base, target_faces, control)?;
        meter.add(1)?;
        Ok(simplified)
    }
}

/// Brings a mesh down in the way that suits its size.
fn brought_down(mesh: &TriMesh, target_faces: usize, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    if mesh.triangles.len() > LARGE {
        simplify(&coarsen(mesh, target_faces, control)?, target_faces, control)
    } else {
        simplify(mesh, target_faces, control)
    }
}

/// Brings a mesh down to a face count by quadric error with normals and colours taken into account (`meshoptimizer`).
///
/// Borders keep their shape, vertices are a subset of the given ones, normals are computed anew. A closed 2-manifold
/// stays one. The target is missed only where the topology leaves nothing to collapse.
pub fn simplify(mesh: &TriMesh, target_faces: usize, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    control.check(Step::Simplify)?;
    let mut simplified = TriMesh {
        uvs: Vec::new(),
        tangents: Vec::new(),
        ..mesh.clone()
    };
    if simplified.normals.is_empty() {
        simplified.normals = weighted_normals(&mesh.positions, &mesh.triangles);
    }
    // What blocks one pass is often gone after it; specks go only when nothing else is left to collapse.
    for options in [SimplifyOptions::None, SimplifyOptions::None, SimplifyOptions::Prune] {
        if simplified.triangles.len() <= target_faces {
            break;
        }
        simplified = collapsed_soundly(simplified, target_faces, options, control)?;
    }
    simplified.normals = weighted_normals(&simplified.positions, &simplified.triangles);
    Ok(simplified)
}

/// How often a collapse is tried again with more vertices held.
const NUM_TRIES: usize = 6;

/// Collapses once. Where that ties the surface to itself, so that parting it would open it, the vertices around there
/// are held and it is tried again.
fn collapsed_soundly(
    mesh: TriMesh,
    target_faces: usize,
    options: SimplifyOptions,
    control: &Control<'_>,
) -> Result<TriMesh, MeshError> {
    let mut locks = vec![false; mesh.positions.len()];
    let mut last = None;
    for _ in 0..NUM_TRIES {
        control.check(Step::Simplify)?;
        let triangles = collapse(&mesh, &locks, target_faces, options, control)?;
        if triangles.is_empty() {
            break;
        }
        let Sound { mesh: after, ties } = sound(&mesh, triangles)?;
        if ties.is_empty() || num_open(&after) <= num_open(&mesh) {
            return Ok(after);
        }
        for vertex in ties {
            locks[vertex as usize] = true;
        }
        hold_neighbors(&mesh, &mut locks);
        last = Some(after);
    }
    Ok(last.unwrap_or(mesh))
}

/// What a collapse has left, without what it tied.
pub(crate) struct Sound {
    pub(crate) mesh: TriMesh,
    /// Vertices of edges that more than two faces shared.
    pub(crate) ties: Vec<u32>,
}

/// Parts what a collapse joined, if it did and if the surface was sound before.
pub(crate) fn sound(before: &TriMesh, triangles: Vec<[u32; 3]>) -> Result<Sound, MeshError> {
    let ties = ties(&triangles);
    let collapsed = compacted(before, triangles);
    if ties.is_empty() {
        return Ok(Sound { mesh: collapsed, ties });
    }
    let collapsed = drop_bad_faces(&collapsed, &Control::silent())?;
    if !self::ties(&before.triangles).is_empty() {
        return Ok(Sound { mesh: collapsed, ties });
    }
    let split = split_non_manifold(&collapsed, &Control::silent())?;
    let mesh = drop_bad_faces(&split, &Control::silent())?;
    Ok(Sound { mesh, ties })
}

/// Holds the vertices around those that are held: it is they who would be drawn in.
fn hold_neighbors(mesh: &TriMesh, locks: &mut [bool]) {
    let held = locks.to_vec();
    for triangle in &mesh.triangles {
        if triangle.iter().any(|&vertex| held[vertex as usize]) {
            for &vertex in triangle {
                locks[vertex as usize] = true;
            }
        }
    }
}

/// Vertices of edges that more than two faces share.
fn ties(triangles: &[[u32; 3]]) -> Vec<u32> {
    let sides = sorted_sides(triangles);
    edges(&sides)
        .filter(|edge| edge.len() > 2)
        .flat_map(|edge| edge.iter().flat_map(|side| triangles[side.face()]))
        .collect()
}

fn num_open(mesh: &TriMesh) -> usize {
    let sides = sorted_sides(&mesh.triangles);
    edges(&sides).filter(|edge| edge.len() == 1).count()
}

fn collapse(
    mesh: &TriMesh,
    locks: &[bool],
    target_faces: usize,
    options: SimplifyOptions,
    control: &Control<'_>,
) -> Result<Vec<[u32; 3]>, MeshError> {
    let collapse = Collapse {
        positions: told_apart(mesh),
        indices: mesh.triangles.as_flattened().to_vec(),
        normals: mesh.normals.clone(),
        colors: mesh.colors.clone(),
        locks: locks.to_vec(),
        attribute_scale: 1.0,
    };
    let collapsed = in_background(Step::Simplify, control, move |_| collapse.run(target_faces, options))?;
    Ok(collapsed.unwrap_or_default())
}

/// What is collapsed.
pub(crate) struct Collapse {
    pub(crate) positions: Vec<Vec3>,
    pub(crate) indices: Vec<u32>,
    pub(crate) normals: Vec<Vec3>,
    /// May be empty.
    pub(crate) colors: Vec<Vec3>,
    /// Vertices that stay.
    pub(crate) locks: Vec<bool>,
    /// How much more normals and colours weigh than usual.
    pub(crate) attribute_scale: f32,
}

impl Collapse {
    /// The triangles that are left; none where the library refuses.
    pub(crate) fn run(&self, target_faces: usize, options: SimplifyOptions) -> Vec<[u32; 3]> {
        let normals = self.normals.par_iter().map(Vec3::to_array);
        let (attributes, mut weights) = if self.colors.is_empty() {
            let attributes: Vec<[f32; 3]> = normals.collect();
            (attributes.into_flattened(), vec![NORMAL_WEIGHT; 3])
        } else {
            let attributes: Vec<[f32; 6]> = normals
                .zip(&self.colors)
                .map(|([x, y, z], color)| [x, y, z, color.x, color.y, color.z])
                .collect();
            (
                attributes.into_flattened(),
                [[NORMAL_WEIGHT; 3], [COLOR_WEIGHT; 3]].concat(),
            )
        };
        for weight in &mut weights {
            *weight *= self.attribute_scale;
        }
        let Ok(vertices) = VertexDataAdapter::new(bytemuck::cast_slice(&self.positions), size_of::<Vec3>(), 0) else {
            return Vec::new();
        };
        let indices = meshopt::simplify_with_attributes_and_locks(
            &self.indices,
            &vertices,
            &attributes,
            &weights,
            weights.len() * size_of::<f32>(),
            &self.locks,
            target_faces * 3,
            f32::MAX,
            options,
            None,
        );
        indices.as_chunks().0.to_vec()
    }
}

/// Positions for the collapse. It takes vertices at one place for one vertex with a seam; sheets that were parted on
/// purpose must stay apart, so copies move a hair inwards. The result refers to vertices by index and has the true
/// places.
pub(crate) fn told_apart(mesh: &TriMesh) -> Vec<Vec3> {
    let mut order: Vec<([u32; 3], u32)> = mesh
        .positions
        .par_iter()
        .enumerate()
        .map(|(index, &position)| ((position + Vec3::ZERO).to_array().map(f32::to_bits), index as u32))
        .collect();
    order.par_sort_unstable();
    let hair = diagonal(mesh) * 2.0_f32.powi(-20);
    let mut positions = mesh.positions.clone();
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        for (rank, &(_, index)) in group.iter().enumerate().skip(1) {
            positions[index as usize] -= mesh.normals[index as usize] * hair * rank as f32;
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes};

    #[test]
    fn closed_stays_closed_at_every_target() {
        for (mesh, euler) in [
            (shapes::noisy_sphere(5, 0.05, 20.0, 0.01), 2),
            (shapes::torus(0.3, 0.1, 96, 48), 0),
        ] {
            let simplifier = Simplifier::new(&mesh);
            for target in [8000, 3000, 1000, 300, 100] {
                let simplified = simplifier.simplified(target);
                let health = MeshHealth::of(&simplified);
                assert!(health.is_watertight, "{target}: {health:?}");
                assert_eq!(health.euler_characteristic, euler, "{target}");
                assert!(simplified.triangles.len() <= target && simplified.triangles.len() * 10 > target * 9);
                assert_eq!(simplified.normals.len(), simplified.positions.len());
            }
        }
    }

    #[test]
    fn the_shape_is_kept() {
        let simplified = Simplifier::new(&shapes::icosphere(0.4, 5)).simplified(1000);
        for face in 0..simplified.triangles.len() {
            let center = simplified.corners(face).iter().sum::<Vec3>() / 3.0;
            assert!((center.length() - 0.4).abs() < 0.008, "{center}");
        }
    }

    #[test]
    fn a_target_gives_the_same_mesh_whatever_came_before() {
        let mesh = shapes::noisy_sphere(5, 0.05, 20.0, 0.01);
        let asked_often = Simplifier::new(&mesh);
        for target in [12_000, 500, 7000] {
            asked_often.simplified(target);
        }
        assert_eq!(asked_often.simplified(4321), Simplifier::new(&mesh).simplified(4321));
    }

    #[test]
    fn borders_keep_their_shape() {
        let side = 40;
        let positions = (0..=side * side + 2 * side)
            .map(|i| Vec3::new((i % (side + 1)) as f32, 0.0, (i / (side + 1)) as f32) / side as f32)
            .collect();
        let triangles = (0..side * side)
            .flat_map(|i| {
                let a = (i / side) * (side + 1) + i % side;
                [[a, a + side + 1, a + 1], [a + 1, a + side + 1, a + side + 2]]
            })
            .collect();
        let sheet = TriMesh::new(positions, triangles);
        let simplified = simplify(&sheet, 10, &Control::silent()).unwrap();
        let area: f32 = (0..simplified.triangles.len())
            .map(|face| crate::topology::area_normal(simplified.corners(face)).length() * 0.5)
            .sum();
        assert!(simplified.triangles.len() <= 10 && (area - 1.0).abs() < 1e-4, "{area}");
    }

    #[test]
    fn parted_sheets_stay_parted() {
        let both = shapes::together(shapes::cube(Vec3::ZERO), &shapes::cube(Vec3::ONE));
        let simplified = simplify(&both, 16, &Control::silent()).unwrap();
        assert!(MeshHealth::by_index(&simplified).is_watertight);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(
            Simplifier::new(&TriMesh::default())
                .simplified(100)
                .triangles
                .is_empty()
        );
        assert!(Simplifier::default().source().triangles.is_empty());
    }
}
