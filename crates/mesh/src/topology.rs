//! What the steps share: sides of faces sorted by edge, disjoint sets, and gathering of vertices with attributes.

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

/// No face, no vertex.
pub(crate) const NONE: u32 = u32::MAX;

/// One side of a face: `index = 3 * face + corner` runs from `corner` to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Side {
    /// Lower vertex in the high half, higher vertex in the low half.
    pub(crate) edge: u64,
    pub(crate) index: u32,
}

impl Side {
    pub(crate) fn face(self) -> usize {
        self.index as usize / 3
    }

    /// The vertices in the face's own direction.
    pub(crate) fn ends(self, triangles: &[[u32; 3]]) -> [u32; 2] {
        let triangle = triangles[self.face()];
        let corner = self.index as usize % 3;
        [triangle[corner], triangle[(corner + 1) % 3]]
    }

    /// Whether the face runs from the lower to the higher vertex.
    pub(crate) fn is_forward(self, triangles: &[[u32; 3]]) -> bool {
        let [from, to] = self.ends(triangles);
        from < to
    }
}

pub(crate) fn edge_key(a: u32, b: u32) -> u64 {
    (u64::from(a.min(b)) << 32) | u64::from(a.max(b))
}

/// All sides, those of one edge next to each other. Sides between equal vertices are left out.
pub(crate) fn sorted_sides(triangles: &[[u32; 3]]) -> Vec<Side> {
    let mut sides: Vec<Side> = triangles
        .par_iter()
        .enumerate()
        .flat_map_iter(|(face, triangle)| {
            let triangle = *triangle;
            (0..3).filter_map(move |corner| {
                let (a, b) = (triangle[corner], triangle[(corner + 1) % 3]);
                (a != b).then(|| Side {
                    edge: edge_key(a, b),
                    index: (face * 3 + corner) as u32,
                })
            })
        })
        .collect();
    sides.par_sort_unstable();
    sides
}

/// The sides of one edge after the other.
pub(crate) fn edges(sides: &[Side]) -> impl Iterator<Item = &[Side]> {
    sides.chunk_by(|a, b| a.edge == b.edge)
}

/// Disjoint sets whose name is their smallest member, so that the order of unions doesn't show.
pub(crate) struct DisjointSets {
    parent: Vec<u32>,
}

impl DisjointSets {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            parent: (0..count as u32).collect(),
        }
    }

    pub(crate) fn find(&mut self, mut member: u32) -> u32 {
        while self.parent[member as usize] != member {
            let grandparent = self.parent[self.parent[member as usize] as usize];
            self.parent[member as usize] = grandparent;
            member = grandparent;
        }
        member
    }

    pub(crate) fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}

/// The faces whose vertices are there and finite: those that can be looked at.
pub(crate) fn sound_faces(mesh: &TriMesh) -> Vec<[u32; 3]> {
    let is_sound = |vertex: u32| {
        mesh.positions
            .get(vertex as usize)
            .is_some_and(|position| position.is_finite())
    };
    mesh.triangles
        .par_iter()
        .copied()
        .filter(|triangle| triangle.iter().all(|&vertex| is_sound(vertex)))
        .collect()
}

/// A mesh whose vertex `i` is `sources[i]` of the given one, attributes included.
pub(crate) fn gather(mesh: &TriMesh, sources: &[u32], triangles: Vec<[u32; 3]>) -> TriMesh {
    fn pick<T: Copy + Send + Sync>(values: &[T], sources: &[u32]) -> Vec<T> {
        if values.is_empty() {
            return Vec::new();
        }
        sources.par_iter().map(|&source| values[source as usize]).collect()
    }
    TriMesh {
        positions: pick(&mesh.positions, sources),
        triangles,
        normals: pick(&mesh.normals, sources),
        uvs: pick(&mesh.uvs, sources),
        colors: pick(&mesh.colors, sources),
        tangents: pick(&mesh.tangents, sources),
    }
}

/// A mesh of some triangles over the given vertices, without the vertices that none of them uses. Order is kept.
pub(crate) fn compacted(mesh: &TriMesh, mut triangles: Vec<[u32; 3]>) -> TriMesh {
    let mut new_index = vec![NONE; mesh.positions.len()];
    for &vertex in triangles.iter().flatten() {
        new_index[vertex as usize] = 0;
    }
    let mut sources = Vec::new();
    for (vertex, index) in new_index.iter_mut().enumerate() {
        if *index != NONE {
            *index = sources.len() as u32;
            sources.push(vertex as u32);
        }
    }
    triangles
        .par_iter_mut()
        .for_each(|triangle| *triangle = triangle.map(|vertex| new_index[vertex as usize]));
    gather(mesh, &sources, triangles)
}

/// Length of the bounding box' diagonal, 0 for no vertices.
pub(crate) fn diagonal(mesh: &TriMesh) -> f32 {
    mesh.bounds().map_or(0.0, |(low, high)| (high - low).length())
}

/// Twice the area times the unit normal.
pub(crate) fn area_normal([a, b, c]: [Vec3; 3]) -> Vec3 {
    (b - a).cross(c - a)
}

/// Vertex normals weighted by each face's area and by its angle at the vertex. The angle (Thürmer and Wüthrich 1998)
/// makes them independent of how a flat region is triangulated; the area lets slivers that simplifying folds over
/// count for nothing, where the angle alone would turn the normals of their large neighbours too. Vertices at one
/// place share a normal only when they are one vertex.
pub(crate) fn weighted_normals(positions: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Vec3> {
    let weighted: Vec<[Vec3; 3]> = triangles
        .par_iter()
        .map(|triangle| {
            let corners = triangle.map(|vertex| positions[vertex as usize]);
            let normal = area_normal(corners);
            std::array::from_fn(|corner| {
                let to_next = corners[(corner + 1) % 3] - corners[corner];
                let to_last = corners[(corner + 2) % 3] - corners[corner];
                let angle = to_next.cross(to_last).length().atan2(to_next.dot(to_last));
                normal * angle
            })
        })
        .collect();
    let mut normals = vec![Vec3::ZERO; positions.len()];
    for (triangle, weighted) in triangles.iter().zip(&weighted) {
        for corner in 0..3 {
            normals[triangle[corner] as usize] += weighted[corner];
        }
    }
    normals
        .into_par_iter()
        .map(|normal| normal.normalize_or(Vec3::Y))
        .collect()
}
