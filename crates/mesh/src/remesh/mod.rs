//! Rebuilds a surface as one closed manifold.
//!
//! 1. **Solid.** The surface is read as a solid: inside is where the generalised winding number is above one half, so
//!    that holes close, crossing parts become one and inner shells vanish. Components that enclose nothing (leaves,
//!    cloth) become shells of a given thickness. See `solid.rs`.
//! 2. **Samples.** The solid is sampled in bricks near the surface, one bit a sample. Samples are changed where a cell
//!    would be ambiguous, and cavities that nothing from outside reaches are filled. See `sides.rs`.
//! 3. **Contour.** Dual contouring from the exact crossings of triangles and lattice edges, with their normals: vertices
//!    lie on sharp edges and in corners. Flat cells become larger ones. See `contour.rs` and `leaves.rs`.
//! 4. **Triangles.** Polygons are cut so that no two triangles cross. See `surface.rs`.
//! 5. **Settling.** Vertices move back to the surface if wanted, and out of their cells to sharp tips, where no face
//!    folds or passes through another one. See `settle.rs`.
//!
//! Unlike contouring an offset of the unsigned distance, this leaves no second shell inside and moves no wall outwards.
//!
//! Limits: a wall thinner than a cell that is part of a thicker body may get holes or vanish; a gap narrower than a
//! cell closes.

mod bins;
mod block;
mod contour;
mod hits;
mod kinds;
mod lattice;
mod leaves;
mod qef;
mod settle;
mod sides;
mod solid;
mod stage;
mod surface;
mod winding;

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::contour::{Contour, ContourOptions, contour};
use self::kinds::Kinds;
use self::lattice::Lattice;
use self::settle::{settle, settle_apart, towards};
use self::sides::{fill_cavities, sample};
use self::solid::{Bodies, Sheets, Solid};
use self::stage::{Course, Stage};
use self::surface::{Surface, triangulated};
use crate::joined::joined;
use crate::nearest::SearchTree;
use crate::{Control, MeshError, Step};

/// A component thinner than this many cells on average would fall through the lattice: it becomes a shell.
const LEAST_THICKNESS: f32 = 1.0;
const CHUNK: usize = 1024;

/// How a surface is rebuilt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemeshSettings {
    /// Cells along the longest side of the bounding box, 16 to 2048.
    pub resolution: u32,
    /// How far vertices move back to the closest point of the surface they came from: 0 not at all, 1 onto it.
    /// Vertices already lie where the surface's planes meet, so this matters for strongly curved detail, and for
    /// everything where features are not kept.
    pub projects_back: f32,
    /// Put vertices on sharp edges and into corners, and few where the surface is flat and has no colours of its own. Off:
    /// one in every cell in the middle of the crossings, which rounds edges and smooths noise.
    pub keeps_features: bool,
    /// Leave cavities that nothing from outside reaches. Off: they are filled.
    pub keeps_cavities: bool,
    /// Thickness of the shell that a surface without inside becomes, in cells, 2 to 32.
    pub sheet_thickness: f32,
}

impl Default for RemeshSettings {
    fn default() -> Self {
        Self {
            resolution: 512,
            projects_back: 0.0,
            keeps_features: true,
            keeps_cavities: false,
            sheet_thickness: 2.0,
        }
    }
}

impl RemeshSettings {
    /// Checks the ranges; the error names the setting.
    pub fn validate(&self) -> Result<(), MeshError> {
        let error = |what: String| Err(MeshError::BadSetting { what });
        if !(16..=2048).contains(&self.resolution) {
            return error(format!(
                "The remesh resolution {} is not between 16 and 2048.",
                self.resolution
            ));
        }
        if !(0.0..=1.0).contains(&self.projects_back) {
            return error(format!(
                "Projecting back by {} is not between 0 and 1.",
                self.projects_back
            ));
        }
        // Thinner shells than the diagonal of a cell would have holes.
        if !(2.0..=32.0).contains(&self.sheet_thickness) {
            return error(format!(
                "The sheet thickness of {} cells is not between 2 and 32.",
                self.sheet_thickness
            ));
        }
        Ok(())
    }
}

/// Rebuilds a surface as a closed 2-manifold: every edge has two faces that agree on the outside, and the faces around
/// a vertex are one fan. Takes any triangles; their orientation says what is inside, so run
/// [`crate::orient_outward`] first. Keeps colours from the closest point; other attributes are not carried over.
pub fn remesh(mesh: &TriMesh, settings: &RemeshSettings, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    settings.validate()?;
    let course = Course::new(control);
    let empty = MeshError::Empty {
        num_source_faces: mesh.triangles.len(),
    };
    let (low, high) = bounds(mesh)?.ok_or_else(|| empty.clone())?;
    let cell = (high - low).max_element() / settings.resolution as f32;
    let kinds = Kinds::of(&mesh.positions, &mesh.triangles, LEAST_THICKNESS * cell);
    control.check(Step::Remesh)?;
    let half_thickness = settings.sheet_thickness * 0.5;
    let reach = if kinds.sheets.is_empty() { 0.0 } else { half_thickness };
    let lattice = Lattice::around(low, high, settings.resolution, reach).ok_or_else(|| empty.clone())?;
    let source = Source {
        mesh,
        positions: mesh
            .positions
            .par_iter()
            .map(|&position| lattice.cells_from_metres(position))
            .collect(),
        kinds,
    };
    let solid = source.solid(lattice, half_thickness, &course)?;
    let num_bricks = solid.bricks().len();
    let mut bricks = sample(&solid, &course.stage(200, num_bricks * 4))?;
    if !settings.keeps_cavities {
        fill_cavities(&mut bricks, control)?;
    }
    let stage = course.stage(250, bricks.len() * 4);
    let options = ContourOptions {
        keeps_features: settings.keeps_features,
        // Rounding smooths by the cell, and colours lie at vertices.
        merges: settings.keeps_features && mesh.colors.is_empty(),
    };
    let contour = contour(&bricks, &solid, options, &stage)?;
    drop((solid, bricks));
    if contour.polygons.is_empty() {
        return Err(empty);
    }
    let stage = course.stage(150, contour.positions.len() * 2);
    let surface = source.settled(&contour, settings.projects_back, &stage)?;
    drop(contour);
    source.finished(surface, &lattice, &stage)
}

/// Bounding box of the faces; an error where one names a vertex that is not there or not finite.
fn bounds(mesh: &TriMesh) -> Result<Option<(Vec3, Vec3)>, MeshError> {
    let count = mesh.positions.len();
    if let Some(vertex) = mesh
        .positions
        .par_iter()
        .position_first(|position| !position.is_finite())
    {
        return Err(MeshError::NotFinite { vertex });
    }
    let indices = mesh.triangles.as_flattened();
    if let Some(index) = indices.par_iter().find_first(|&&index| index as usize >= count) {
        return Err(MeshError::Inconsistent {
            what: format!("a face names vertex {index} of {count}"),
        });
    }
    if mesh.colors.len() != count && !mesh.colors.is_empty() {
        return Err(MeshError::Inconsistent {
            what: format!("{} colours for {count} vertices", mesh.colors.len()),
        });
    }
    let (low, high) = indices
        .par_iter()
        .map(|&index| mesh.positions[index as usize])
        .map(|position| (position, position))
        .reduce(
            || (Vec3::INFINITY, Vec3::NEG_INFINITY),
            |a, b| (a.0.min(b.0), a.1.max(b.1)),
        );
    Ok(low.is_finite().then_some((low, high)))
}

/// What is rebuilt.
struct Source<'a> {
    mesh: &'a TriMesh,
    /// In cells.
    positions: Vec<Vec3>,
    kinds: Kinds,
}

impl Source<'_> {
    fn solid<'a>(
        &'a self,
        lattice: Lattice,
        half_thickness: f32,
        course: &'a Course<'a>,
    ) -> Result<Solid<'a>, MeshError> {
        let Kinds { bodies, sheets } = &self.kinds;
        let bodies = if bodies.is_empty() {
            None
        } else {
            let stages = [course.stage(200, bodies.len() * 2), course.stage(150, bodies.len())];
            let triangles = &self.mesh.triangles;
            Some(Bodies::new(
                &lattice,
                &self.positions,
                triangles,
                bodies,
                stages.each_ref(),
            )?)
        };
        let sheets = if sheets.is_empty() {
            None
        } else {
            let stage = course.stage(50, sheets.len());
            Some(Sheets::new(&lattice, &self.part(sheets), half_thickness, &stage)?)
        };
        Ok(Solid {
            lattice,
            bodies,
            sheets,
        })
    }

    /// Some faces, in cells.
    fn part(&self, faces: &[u32]) -> TriMesh {
        let triangles = faces.iter().map(|&face| self.mesh.triangles[face as usize]);
        TriMesh::new(self.positions.clone(), triangles.collect())
    }

    /// Cuts the contour into triangles, with its vertices moved back to the surface and out to sharp tips.
    fn settled(&self, contour: &Contour, projects_back: f32, stage: &Stage<'_>) -> Result<Surface, MeshError> {
        let mut surface = triangulated(contour, contour.positions.clone());
        let mut targets = contour.wanted.clone();
        if projects_back > 0.0 && !self.kinds.bodies.is_empty() {
            // Shells keep their thickness: sheets do not draw vertices back.
            let tree = SearchTree::new(&self.part(&self.kinds.bodies));
            targets = towards(&tree, &contour.wanted, projects_back, stage)?;
            // First within the leaves: another diagonal may be the one that keeps faces apart then.
            let mut within = contour.held_within_leaves(&targets);
            within.extend_from_slice(&surface.positions[within.len()..]);
            let mut positions = settle(&surface.positions, &within, &surface.triangles, stage)?;
            positions.truncate(contour.positions.len());
            surface = triangulated(contour, positions);
        }
        targets.extend_from_slice(&surface.positions[targets.len()..]);
        surface.positions = settle_apart(&surface.positions, &targets, &surface.triangles, stage)?;
        Ok(surface)
    }

    /// Gives vertices colours and leaves the lattice's units.
    fn finished(&self, surface: Surface, lattice: &Lattice, stage: &Stage<'_>) -> Result<TriMesh, MeshError> {
        let colors = self.colors(&surface.positions, stage)?;
        let positions = surface
            .positions
            .into_par_iter()
            .map(|position| lattice.metres_from_cells(position))
            .collect();
        Ok(TriMesh {
            colors,
            ..TriMesh::new(positions, surface.triangles)
        })
    }

    fn colors(&self, positions: &[Vec3], stage: &Stage<'_>) -> Result<Vec<Vec3>, MeshError> {
        let colors = &self.mesh.colors;
        if colors.is_empty() {
            return Ok(Vec::new());
        }
        let tree = SearchTree::new(&TriMesh::new(self.positions.clone(), self.mesh.triangles.clone()));
        let chunks: Vec<Vec<Vec3>> = positions
            .par_chunks(CHUNK)
            .map(|chunk| {
                stage.add(chunk.len())?;
                let mut hint = None;
                let color = |&position: &Vec3| {
                    let nearest = tree.nearest_from(position, hint)?;
                    hint = Some(nearest.face);
                    let corners = self.mesh.triangles[nearest.face as usize];
                    Some(
                        (0..3)
                            .map(|i| colors[corners[i] as usize] * nearest.barycentric[i])
                            .sum(),
                    )
                };
                Ok(chunk.iter().map(color).map(Option::unwrap_or_default).collect())
            })
            .collect::<Result<_, MeshError>>()?;
        Ok(joined(&chunks))
    }
}
