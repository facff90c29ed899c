use std::collections::HashMap;

use bozzetto_asset::TriMesh;

/// What lies around the rims of holes: the neighbours of their vertices.
pub(super) struct Surroundings(HashMap<u32, Vec<u32>>);

impl Surroundings {
    /// Of these vertices, each once.
    pub(super) fn of(mesh: &TriMesh, vertices: impl Iterator<Item = u32>) -> Self {
        let mut neighbors: HashMap<u32, Vec<u32>> = vertices.map(|vertex| (vertex, Vec::new())).collect();
        for &[a, b, c] in &mesh.triangles {
            for [vertex, one, other] in [[a, b, c], [b, c, a], [c, a, b]] {
                if let Some(found) = neighbors.get_mut(&vertex) {
                    found.extend([one, other]);
                }
            }
        }
        for found in neighbors.values_mut() {
            found.sort_unstable();
            found.dedup();
        }
        Self(neighbors)
    }

    /// The neighbours of a vertex in the mesh, in ascending order.
    pub(super) fn neighbors(&self, vertex: u32) -> &[u32] {
        self.0.get(&vertex).map_or(&[], Vec::as_slice)
    }

    /// The mean length of the edges at a vertex, metres.
    pub(super) fn edge_length(&self, mesh: &TriMesh, vertex: u32) -> f32 {
        let neighbors = self.neighbors(vertex);
        let position = mesh.positions[vertex as usize];
        let sum: f32 = neighbors
            .iter()
            .map(|&neighbor| mesh.positions[neighbor as usize].distance(position))
            .sum();
        sum / neighbors.len().max(1) as f32
    }
}
