//! A patch over a hole with vertices of its own, as densely as around it.

use std::collections::HashMap;

use bozzetto_asset::TriMesh;
use glam::Vec3;

use super::push_vertex;
use super::surroundings::Surroundings;
use crate::topology::area_normal;

/// More faces than this a patch does not get: where its surroundings are finer, it is coarser than they.
const MOST_FACES: f32 = 20_000.0;
/// Each round splits faces in three and turns edges; four rounds halve their size twice at least.
const MOST_ROUNDS: usize = 24;
/// Sweeps over all edges after a round.
const MOST_SWEEPS: usize = 12;

/// A triangulated hole. Vertices are numbered along its rim first, then come those of its own.
#[derive(Debug)]
pub(super) struct Patch {
    /// Vertices of the mesh, in order along the rim.
    pub(super) rim: Vec<u32>,
    /// By number in the patch.
    pub(super) triangles: Vec<[u32; 3]>,
    /// Of all vertices, metres.
    pub(super) positions: Vec<Vec3>,
    /// The corners of the face that each own vertex divided: attributes are their mean.
    pub(super) parents: Vec<[u32; 3]>,
}

impl Patch {
    /// A patch of rim vertices alone.
    pub(super) fn new(mesh: &TriMesh, rim: &[u32], triangles: &[[u32; 3]]) -> Self {
        let number: HashMap<u32, u32> = rim.iter().zip(0..).map(|(&vertex, number)| (vertex, number)).collect();
        Self {
            rim: rim.to_vec(),
            triangles: triangles
                .iter()
                .map(|face| face.map(|vertex| number[&vertex]))
                .collect(),
            positions: rim.iter().map(|&vertex| mesh.positions[vertex as usize]).collect(),
            parents: Vec::new(),
        }
    }

    pub(super) fn corners(&self, face: usize) -> [Vec3; 3] {
        self.triangles[face].map(|vertex| self.positions[vertex as usize])
    }

    /// Divides faces until their edges are as long as those around the hole (Liepa, Filling Holes in Meshes, 2003,
    /// section 4), turning edges so that no face gets long and thin.
    pub(super) fn refine(&mut self, mesh: &TriMesh, around: &Surroundings, is_edge: &dyn Fn(u32, u32) -> bool) {
        let mut lengths: Vec<f32> = self
            .rim
            .iter()
            .map(|&vertex| around.edge_length(mesh, vertex))
            .collect();
        let mean_length = lengths.iter().sum::<f32>() / lengths.len() as f32;
        let area: f32 = (0..self.triangles.len())
            .map(|face| area_normal(self.corners(face)).length() * 0.5)
            .sum();
        // An equilateral triangle has 0.433 times the square of its side.
        let num_faces = area / (0.433 * mean_length * mean_length);
        let coarseness = (num_faces / MOST_FACES).sqrt().max(1.0);
        for length in &mut lengths {
            *length *= coarseness;
        }
        self.turn_edges(is_edge);
        for _ in 0..MOST_ROUNDS {
            if !self.divide(&mut lengths) {
                return;
            }
            self.turn_edges(is_edge);
        }
    }

    /// One round; `lengths` are the wanted lengths of edges at each vertex. Returns whether anything was divided.
    fn divide(&mut self, lengths: &mut Vec<f32>) -> bool {
        let before = self.triangles.len();
        for face in 0..before {
            let corners = self.triangles[face];
            let center = self.corners(face).iter().sum::<Vec3>() / 3.0;
            let wanted = corners.iter().map(|&vertex| lengths[vertex as usize]).sum::<f32>() / 3.0;
            let is_large = corners.iter().all(|&vertex| {
                let reach = std::f32::consts::SQRT_2 * self.positions[vertex as usize].distance(center);
                reach > wanted && reach > lengths[vertex as usize]
            });
            if is_large {
                let [a, b, c] = corners;
                let own = self.positions.len() as u32;
                self.positions.push(center);
                self.parents.push(corners);
                lengths.push(wanted);
                self.triangles[face] = [a, b, own];
                self.triangles.extend([[b, c, own], [c, a, own]]);
            }
        }
        self.triangles.len() > before
    }

    /// Turns inner edges whose two opposite angles are more than a straight one together, as Delaunay's triangulation
    /// has none; never to where there is an edge already.
    fn turn_edges(&mut self, is_edge: &dyn Fn(u32, u32) -> bool) {
        let mut face_at: HashMap<(u32, u32), usize> = HashMap::with_capacity(self.triangles.len() * 3);
        for (face, &[a, b, c]) in self.triangles.iter().enumerate() {
            face_at.extend([((a, b), face), ((b, c), face), ((c, a), face)]);
        }
        for _ in 0..MOST_SWEEPS {
            let mut is_settled = true;
            for face in 0..self.triangles.len() {
                for corner in 0..3 {
                    let [a, b, c] = [0, 1, 2].map(|i| self.triangles[face][(corner + i) % 3]);
                    let Some(&other) = face_at.get(&(b, a)) else {
                        continue;
                    };
                    let Some(d) = self.triangles[other]
                        .into_iter()
                        .find(|&vertex| vertex != a && vertex != b)
                    else {
                        continue;
                    };
                    let is_taken = face_at.contains_key(&(c, d))
                        || face_at.contains_key(&(d, c))
                        || self.rim_edge(c, d).is_some_and(|(c, d)| is_edge(c, d));
                    if is_taken || self.angle(c, a, b) + self.angle(d, a, b) <= std::f32::consts::PI * 1.0001 {
                        continue;
                    }
                    self.triangles[face] = [c, a, d];
                    self.triangles[other] = [d, b, c];
                    face_at.remove(&(a, b));
                    face_at.remove(&(b, a));
                    face_at.extend([((a, d), face), ((d, c), face), ((b, c), other), ((c, d), other)]);
                    is_settled = false;
                    break;
                }
            }
            if is_settled {
                return;
            }
        }
    }

    /// Both ends as vertices of the mesh, where both lie on the rim.
    fn rim_edge(&self, a: u32, b: u32) -> Option<(u32, u32)> {
        let vertex = |number: u32| self.rim.get(number as usize).copied();
        vertex(a).zip(vertex(b))
    }

    /// The angle at a vertex between the ways to two others, radians.
    fn angle(&self, at: u32, from: u32, to: u32) -> f32 {
        let [at, from, to] = [at, from, to].map(|vertex| self.positions[vertex as usize]);
        let (from, to) = (from - at, to - at);
        from.cross(to).length().atan2(from.dot(to))
    }

    /// Adds the patch to a mesh that has its rim; own vertices get the mean of what they divided.
    pub(super) fn add_to(&self, mesh: &mut TriMesh) {
        let base = mesh.positions.len() as u32;
        let num_rim = self.rim.len() as u32;
        let vertex = |number: u32| {
            let of_mesh = self.rim.get(number as usize).copied();
            of_mesh.unwrap_or_else(|| base + number - num_rim)
        };
        for (&position, parents) in self.positions[self.rim.len()..].iter().zip(&self.parents) {
            push_vertex(mesh, position, &parents.map(vertex));
        }
        mesh.triangles
            .extend(self.triangles.iter().map(|face| face.map(vertex)));
    }
}
