use bozzetto_asset::TriMesh;

use crate::topology::NONE;

/// What lies around the rims of holes: the neighbours of their vertices.
pub(super) struct Surroundings {
    /// Of each vertex of the mesh its place among the neighbours; [`NONE`] for those on no rim.
    places: Vec<u32>,
    neighbors: Vec<Vec<u32>>,
}

impl Surroundings {
    /// Of these vertices.
    pub(super) fn of(mesh: &TriMesh, vertices: impl Iterator<Item = u32>) -> Self {
        let mut places = vec![NONE; mesh.positions.len()];
        let mut neighbors = Vec::new();
        for vertex in vertices {
            let place = &mut places[vertex as usize];
            if *place == NONE {
                *place = neighbors.len() as u32;
                neighbors.push(Vec::new());
            }
        }
        for &[a, b, c] in &mesh.triangles {
            for [vertex, one, other] in [[a, b, c], [b, c, a], [c, a, b]] {
                if let Some(found) = neighbors.get_mut(places[vertex as usize] as usize) {
                    found.extend([one, other]);
                }
            }
        }
        for found in &mut neighbors {
            found.sort_unstable();
            found.dedup();
        }
        Self { places, neighbors }
    }

    /// The neighbours of a vertex in the mesh, in ascending order.
    pub(super) fn neighbors(&self, vertex: u32) -> &[u32] {
        self.neighbors
            .get(self.places[vertex as usize] as usize)
            .map_or(&[], Vec::as_slice)
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
