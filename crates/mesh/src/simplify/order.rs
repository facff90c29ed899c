//! In which order a surface loses its edges (a progressive mesh; Hoppe 1996): found once, after which the mesh of any face
//! count is a matter of looking up.

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use super::curve::{along_curve, owners};
use super::numbering::{Numbering, PartVertices};
use super::part::{Collapse, Part};
use crate::clean::components;
use crate::control::Meter;
use crate::topology::{NONE, area_normal, kept, weighted_normals};
use crate::{Control, MeshError, Step};

/// Faces of a part: enough that few vertices lie between parts, few enough that every processor has some. Not a matter of
/// how many processors there are, so that all machines give the same mesh.
const PART_FACES: usize = 40_000;
/// A round leaves this share of the faces, those whose loss costs most on the whole surface; then parts are cut anew, so
/// that what lay between them has its turn.
const ROUND_RATIO: f64 = 0.4;
/// How far one part may come down in a round, so that flat ones can give what detailed ones need.
const PART_RATIO: f64 = 0.3;
/// A round that leaves more than this share is the last but one: what is left hangs together too little to be cut.
const STUCK_RATIO: f64 = 0.9;
/// Between the shifts of two rounds' curves: far from any simple fraction.
const SHIFT_STEP: f32 = 0.381_966;
/// How much a turn of the normal by one radian weighs against a move by the whole extent of the mesh. With ten times as
/// much, a bumpy ball of 20,000 faces lies twice as far from the surface, and its faces are turned as much.
const NORMAL_WEIGHT: f32 = 0.003;
/// The same for a colour channel that goes from 0 to 1.
const COLOR_WEIGHT: f32 = 0.003;

/// The collapses of a surface so far, by what they cost.
#[derive(Debug)]
pub(super) struct CollapseOrder {
    /// Each vertex that goes and the one that takes its place; [`NONE`] twice where a whole component goes.
    collapses: Vec<[u32; 2]>,
    /// Faces left after so many collapses. `[collapses + 1]`
    num_left: Vec<u32>,
    /// Which collapse each face goes with; [`NONE`] for those that are still there. `[F]`
    lost_with: Vec<u32>,
    /// What is left: faces by their number in the source, and their vertices.
    faces: Vec<u32>,
    triangles: Vec<[u32; 3]>,
    num_rounds: usize,
    is_stuck: bool,
    is_complete: bool,
}

impl CollapseOrder {
    /// Of a surface that is still whole.
    pub(super) fn new(source: &TriMesh) -> Self {
        let num_faces = source.triangles.len();
        Self {
            collapses: Vec::new(),
            num_left: vec![num_faces as u32],
            lost_with: vec![NONE; num_faces],
            faces: (0..num_faces as u32).collect(),
            triangles: source.triangles.clone(),
            num_rounds: 0,
            is_stuck: false,
            is_complete: num_faces == 0,
        }
    }

    /// Whether the order is known down to a face count.
    pub(super) fn reaches(&self, target_faces: usize) -> bool {
        self.is_complete || self.triangles.len() <= target_faces
    }

    /// Goes on until the order is known down to a face count.
    pub(super) fn extend(
        &mut self,
        source: &TriMesh,
        target_faces: usize,
        control: &Control<'_>,
    ) -> Result<(), MeshError> {
        let meter = Meter::new(
            control,
            Step::Simplify,
            self.triangles.len().saturating_sub(target_faces),
        );
        while !self.reaches(target_faces) {
            let before = self.triangles.len();
            if source.colors.is_empty() {
                self.add_round(source, normals_of, control)?;
            } else {
                self.add_round(source, normals_and_colors_of, control)?;
            }
            meter.add(before - self.triangles.len().max(target_faces).min(before))?;
        }
        Ok(())
    }

    /// The triangles that are left at a face count, by the source's vertices and in its order. Needs [`Self::reaches`].
    pub(super) fn triangles_at(&self, source: &TriMesh, target_faces: usize) -> Vec<[u32; 3]> {
        let num_collapses = self.num_left.partition_point(|&left| left as usize > target_faces);
        let num_collapses = num_collapses.min(self.collapses.len());
        let places = places_after(&self.collapses[..num_collapses], source.positions.len());
        kept(
            &source.triangles,
            |face| self.lost_with[face] as usize >= num_collapses,
            |triangle| triangle.map(|vertex| places[vertex as usize]),
        )
    }

    /// Brings every part of what is left down, and keeps those collapses that cost least on the whole.
    fn add_round<const N: usize>(
        &mut self,
        source: &TriMesh,
        attributes_of: fn(&TriMesh, &[Vec3], u32) -> [f32; N],
        control: &Control<'_>,
    ) -> Result<(), MeshError> {
        let num_faces = self.triangles.len();
        let is_last = num_faces <= PART_FACES || self.is_stuck;
        let remade = if self.num_rounds == 0 {
            Vec::new()
        } else {
            weighted_normals(&source.positions, &self.triangles)
        };
        let normals = if self.num_rounds == 0 { &source.normals } else { &remade };
        let shift = (self.num_rounds as f32 * SHIFT_STEP).fract();
        let order = along_curve(&source.positions, &self.triangles, shift);
        let parts: Vec<&[u32]> = order.chunks(if is_last { num_faces } else { PART_FACES }).collect();
        let owners = owners(source.positions.len(), &self.triangles, &parts);
        let numbering = Numbering::new(&owners);
        let weight = extent_of(source);
        let found = parts
            .par_iter()
            .enumerate()
            .map(|(index, part)| {
                control.check(Step::Simplify)?;
                let target = if is_last {
                    0
                } else {
                    (part.len() as f64 * PART_RATIO) as usize
                };
                let attributes = |vertex| attributes_of(source, normals, vertex).map(|value| value * weight);
                let corners = part.iter().map(|&face| self.triangles[face as usize]);
                let vertices = numbering.vertices_of(index, corners);
                self.collapses_of(source, part, &vertices, attributes, target, control)
            })
            .collect::<Result<Vec<_>, MeshError>>()?;
        let target = if is_last {
            0
        } else {
            (num_faces as f64 * ROUND_RATIO) as usize
        };
        let first = self.collapses.len();
        self.append(&merged(&found), target);
        self.drop_lost(first, source.positions.len());
        self.num_rounds += 1;
        self.is_stuck = self.triangles.len() as f64 > num_faces as f64 * STUCK_RATIO;
        if is_last {
            self.drop_components(source);
            self.is_complete = true;
        }
        Ok(())
    }

    fn collapses_of<const N: usize>(
        &self,
        source: &TriMesh,
        faces: &[u32],
        vertices: &PartVertices<'_>,
        attributes: impl Fn(u32) -> [f32; N],
        target_faces: usize,
        control: &Control<'_>,
    ) -> Result<Vec<Collapse>, MeshError> {
        let all = &vertices.all;
        let part = Part {
            positions: all.iter().map(|&vertex| source.positions[vertex as usize]).collect(),
            attributes: all.iter().map(|&vertex| attributes(vertex)).collect(),
            triangles: faces
                .iter()
                .map(|&face| self.triangles[face as usize].map(|vertex| vertices.number_of(vertex)))
                .collect(),
            is_shared: (0..all.len()).map(|number| number >= vertices.num_own).collect(),
        };
        let mut collapses = part.collapses(target_faces, control)?;
        for collapse in &mut collapses {
            collapse.from = all[collapse.from as usize];
            collapse.to = all[collapse.to as usize];
            collapse.faces = collapse.faces.map(|face| match faces.get(face as usize) {
                Some(&face) => self.faces[face as usize],
                None => NONE,
            });
        }
        Ok(collapses)
    }

    fn append(&mut self, collapses: &[Collapse], target_faces: usize) {
        let mut num_left = self.triangles.len();
        for collapse in collapses {
            if num_left <= target_faces {
                break;
            }
            for &face in collapse.faces.iter().filter(|face| **face != NONE) {
                self.lost_with[face as usize] = self.collapses.len() as u32;
                num_left -= 1;
            }
            self.collapses.push([collapse.from, collapse.to]);
            self.num_left.push(num_left as u32);
        }
    }

    /// Takes what went with the collapses from `first` on out of what is left.
    fn drop_lost(&mut self, first: usize, num_vertices: usize) {
        let places = places_after(&self.collapses[first..], num_vertices);
        let is_left = |place: usize| self.lost_with[self.faces[place] as usize] == NONE;
        let triangles = kept(&self.triangles, is_left, |triangle| {
            triangle.map(|vertex| places[vertex as usize])
        });
        self.faces = kept(&self.faces, is_left, |&face| face);
        self.triangles = triangles;
    }

    /// Where nothing is left to collapse, whole components go, the smallest first; the largest stays.
    fn drop_components(&mut self, source: &TriMesh) {
        let ids = components(&self.triangles);
        let mut areas = vec![0.0_f64; ids.len()];
        for (&id, triangle) in ids.iter().zip(&self.triangles) {
            let corners = triangle.map(|vertex| source.positions[vertex as usize]);
            areas[id as usize] += f64::from(area_normal(corners).length());
        }
        let mut by_component: Vec<(u32, u32)> = ids.into_iter().zip(0..).collect();
        by_component.sort_unstable();
        let mut components: Vec<_> = by_component.chunk_by(|a, b| a.0 == b.0).collect();
        components.sort_by(|a, b| areas[a[0].0 as usize].total_cmp(&areas[b[0].0 as usize]));
        components.pop();
        let mut num_left = self.triangles.len();
        for component in components {
            for &(_, place) in component {
                self.lost_with[self.faces[place as usize] as usize] = self.collapses.len() as u32;
            }
            num_left -= component.len();
            self.collapses.push([NONE; 2]);
            self.num_left.push(num_left as u32);
        }
    }
}

/// All parts' collapses, cheapest first; each part's stay in their order.
fn merged(found: &[Vec<Collapse>]) -> Vec<Collapse> {
    let mut keyed: Vec<(u32, u32, u32)> = found
        .par_iter()
        .enumerate()
        .flat_map_iter(|(part, collapses)| {
            let key =
                move |(place, collapse): (usize, &Collapse)| (collapse.error.to_bits(), part as u32, place as u32);
            collapses.iter().enumerate().map(key)
        })
        .collect();
    keyed.par_sort_unstable();
    keyed
        .into_par_iter()
        .map(|(_, part, place)| found[part as usize][place as usize])
        .collect()
}

/// The vertex that each one has become.
fn places_after(collapses: &[[u32; 2]], num_vertices: usize) -> Vec<u32> {
    let mut places: Vec<u32> = (0..num_vertices as u32).collect();
    // From the last one back: what took a vertex' place may have gone later itself, and is known by then.
    for &[from, to] in collapses.iter().rev().filter(|[from, _]| *from != NONE) {
        places[from as usize] = places[to as usize];
    }
    places
}

fn normals_of(_: &TriMesh, normals: &[Vec3], vertex: u32) -> [f32; 3] {
    (normals[vertex as usize] * NORMAL_WEIGHT).to_array()
}

fn normals_and_colors_of(source: &TriMesh, normals: &[Vec3], vertex: u32) -> [f32; 6] {
    let normal = normals[vertex as usize] * NORMAL_WEIGHT;
    let color = source.colors[vertex as usize] * COLOR_WEIGHT;
    [normal.x, normal.y, normal.z, color.x, color.y, color.z]
}

/// The longest side of the box about a mesh.
fn extent_of(mesh: &TriMesh) -> f32 {
    mesh.bounds().map_or(0.0, |(low, high)| (high - low).max_element())
}
