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
        let mut count = 0;
        for vertex in vertices {
            let place = &mut places[vertex as usize];
            if *place == NONE {
                *place = count;
                count += 1;
            }
        }
        let neighbors = neighbors(&mesh.triangles, count as usize, |vertex| places[vertex as usize]);
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

/// The neighbours of vertices, in ascending order, at the place that each is given among `count`; of those without a place
/// none are kept.
pub(super) fn neighbors(triangles: &[[u32; 3]], count: usize, place_of: impl Fn(u32) -> u32) -> Vec<Vec<u32>> {
    let mut neighbors = vec![Vec::new(); count];
    for &[a, b, c] in triangles {
        for [vertex, one, other] in [[a, b, c], [b, c, a], [c, a, b]] {
            if let Some(found) = neighbors.get_mut(place_of(vertex) as usize) {
                found.extend([one, other]);
            }
        }
    }
    for found in &mut neighbors {
        found.sort_unstable();
        found.dedup();
    }
    neighbors
}
