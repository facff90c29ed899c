use bozzetto_asset::TriMesh;
use bozzetto_engine::EngineError;
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::paint::Touch;
use crate::progress::Part;

/// Passes of diffusion after the unseen surface was reached from its rim.
const NUM_PASSES: usize = 60;
/// Pull of a fully trusted colour against the mean of its neighbours.
const TRUST_PULL: f32 = 12.0;

/// Neighbouring vertices of each vertex, in one list.
struct Adjacency {
    start: Vec<u32>,
    next: Vec<u32>,
}

impl Adjacency {
    /// On a closed mesh with coherent orientation each vertex meets each neighbour once as the next corner.
    fn new(mesh: &TriMesh) -> Self {
        let mut start = vec![0u32; mesh.positions.len() + 1];
        for vertex in mesh.triangles.iter().flatten() {
            start[*vertex as usize + 1] += 1;
        }
        for index in 1..start.len() {
            start[index] += start[index - 1];
        }
        let mut cursor = start.clone();
        let mut next = vec![0u32; mesh.triangles.len() * 3];
        for &[a, b, c] in &mesh.triangles {
            for (from, to) in [(a, b), (b, c), (c, a)] {
                next[cursor[from as usize] as usize] = to;
                cursor[from as usize] += 1;
            }
        }
        Self { start, next }
    }

    fn of(&self, vertex: usize) -> &[u32] {
        &self.next[self.start[vertex] as usize..self.start[vertex + 1] as usize]
    }
}

/// Vertex colours: trusted ones as the pictures have them, the others by diffusion over the surface.
pub(super) fn filled_colors(mesh: &TriMesh, touches: &[Touch], part: &Part<'_, '_>) -> Result<Vec<Vec3>, EngineError> {
    let adjacency = Adjacency::new(mesh);
    let mut colors: Vec<Vec3> = touches.iter().map(|touch| touch.color).collect();
    let open: Vec<usize> = (0..touches.len())
        .filter(|&vertex| touches[vertex].trust < 0.999)
        .collect();
    let mut is_known: Vec<bool> = touches.iter().map(|touch| touch.trust > 0.05).collect();
    grow_from_rim(&adjacency, &open, &mut colors, &mut is_known, part)?;
    for _ in 0..NUM_PASSES {
        part.check()?;
        let next: Vec<Vec3> = open
            .par_iter()
            .map(|&vertex| {
                let neighbors = adjacency.of(vertex);
                let sum: Vec3 = neighbors.iter().map(|&other| colors[other as usize]).sum();
                let mean = sum / neighbors.len().max(1) as f32;
                let pull = TRUST_PULL * touches[vertex].trust * touches[vertex].trust;
                (mean + touches[vertex].color * pull) / (1.0 + pull)
            })
            .collect();
        for (&vertex, color) in open.iter().zip(next) {
            colors[vertex] = color;
        }
    }
    part.advance(1)?;
    Ok(colors)
}

/// Colours unknown vertices ring by ring from known neighbours; what no ring reaches gets the mean colour.
fn grow_from_rim(
    adjacency: &Adjacency,
    open: &[usize],
    colors: &mut [Vec3],
    is_known: &mut [bool],
    part: &Part<'_, '_>,
) -> Result<(), EngineError> {
    let mut waiting: Vec<usize> = open.iter().copied().filter(|&vertex| !is_known[vertex]).collect();
    while !waiting.is_empty() {
        part.check()?;
        let reached: Vec<(usize, Vec3)> = waiting
            .par_iter()
            .filter_map(|&vertex| {
                let (sum, count) = adjacency
                    .of(vertex)
                    .iter()
                    .filter(|&&other| is_known[other as usize])
                    .fold((Vec3::ZERO, 0), |(sum, count), &other| {
                        (sum + colors[other as usize], count + 1)
                    });
                (count > 0).then(|| (vertex, sum / count as f32))
            })
            .collect();
        if reached.is_empty() {
            break;
        }
        for (vertex, color) in reached {
            colors[vertex] = color;
            is_known[vertex] = true;
        }
        waiting.retain(|&vertex| !is_known[vertex]);
    }
    if !waiting.is_empty() {
        let known = is_known.iter().filter(|known| **known).count().max(1);
        let sum: Vec3 = colors
            .iter()
            .zip(is_known.iter())
            .filter(|(_, known)| **known)
            .map(|(color, _)| *color)
            .sum();
        for vertex in waiting {
            colors[vertex] = sum / known as f32;
        }
    }
    Ok(())
}

/// Vertex colours looked up from anywhere near the surface.
pub(super) struct Fill<'a> {
    mesh: &'a TriMesh,
    cell: f32,
    /// Vertices sorted by their cell, with that cell.
    sorted: Vec<(IVec3, u32)>,
}

impl<'a> Fill<'a> {
    pub fn new(mesh: &'a TriMesh, step: f32) -> Self {
        let cell = 2.0 * step;
        let mut sorted: Vec<(IVec3, u32)> = mesh
            .positions
            .iter()
            .zip(0..)
            .map(|(&position, vertex)| (cell_of(position, cell), vertex))
            .collect();
        sorted.par_sort_unstable_by_key(|(cell, vertex)| (cell.z, cell.y, cell.x, *vertex));
        Self { mesh, cell, sorted }
    }

    /// Colour of the vertices about a point, nearer ones counting more; `None` when there are none.
    pub fn color(&self, point: Vec3) -> Option<Vec3> {
        let middle = cell_of(point, self.cell);
        let mut sum = Vec3::ZERO;
        let mut weights = 0.0;
        for dz in -1..=1 {
            for dy in -1..=1 {
                let row = middle + IVec3::new(-1, dy, dz);
                let key = |cell: &IVec3| (cell.z, cell.y, cell.x);
                let first = self.sorted.partition_point(|(cell, _)| key(cell) < key(&row));
                let beyond = row + IVec3::X * 2;
                for &(_, vertex) in self.sorted[first..]
                    .iter()
                    .take_while(|(cell, _)| key(cell) <= key(&beyond))
                {
                    let position = self.mesh.positions[vertex as usize];
                    let closeness = 1.0 - position.distance_squared(point) / (self.cell * self.cell);
                    if closeness > 0.0 {
                        let weight = closeness * closeness * closeness;
                        sum += self.mesh.colors[vertex as usize] * weight;
                        weights += weight;
                    }
                }
            }
        }
        (weights > 0.0).then(|| sum / weights)
    }
}

fn cell_of(position: Vec3, cell: f32) -> IVec3 {
    (position / cell).floor().as_ivec3()
}
