//! What the steps share: sides of faces sorted by edge, disjoint sets, and gathering of vertices with attributes.

use std::f32::consts::FRAC_PI_4;
use std::sync::atomic::{AtomicU32, Ordering};

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use crate::buckets::bucketed;

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

/// More vertices than this for each side, and buckets for them would be most of the work.
const MAX_VERTICES_A_SIDE: usize = 4;

/// All sides, those of one edge next to each other. Sides between equal vertices are left out.
pub(crate) fn sorted_sides(triangles: &[[u32; 3]]) -> Vec<Side> {
    let corners = triangles.as_flattened();
    let side_of = |index: u32| {
        let next = if index % 3 == 2 { index - 2 } else { index + 1 };
        Side {
            edge: edge_key(corners[index as usize], corners[next as usize]),
            index,
        }
    };
    let bucket_of = |index: u32| {
        let edge = side_of(index).edge;
        let (low, high) = ((edge >> 32) as u32, edge as u32);
        (low != high).then_some(low)
    };
    let num_vertices = corners.par_iter().max().map_or(0, |&highest| highest as usize + 1);
    if num_vertices <= corners.len() * MAX_VERTICES_A_SIDE {
        return bucketed(num_vertices, corners.len(), bucket_of, side_of);
    }
    let mut sides: Vec<Side> = (0..corners.len() as u32)
        .into_par_iter()
        .filter(|&index| bucket_of(index).is_some())
        .map(side_of)
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

/// [`DisjointSets`] that many threads unite at a time (Anderson and Woll 1991). The names of the sets are the same in the
/// end, whoever came first.
pub(crate) struct ConcurrentSets {
    parent: Vec<AtomicU32>,
}

impl ConcurrentSets {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            parent: (0..count as u32).into_par_iter().map(AtomicU32::new).collect(),
        }
    }

    fn parent_of(&self, member: u32) -> u32 {
        self.parent[member as usize].load(Ordering::Relaxed)
    }

    fn find(&self, mut member: u32) -> u32 {
        loop {
            let parent = self.parent_of(member);
            if parent == member {
                return member;
            }
            // Parents only ever become smaller, so that a lost race costs a longer way and no more.
            let grandparent = self.parent_of(parent);
            if grandparent == parent {
                // Nothing to shorten: a write would only take the line from other threads.
                return parent;
            }
            self.parent[member as usize].fetch_min(grandparent, Ordering::Relaxed);
            member = grandparent;
        }
    }

    pub(crate) fn unite(&self, a: u32, b: u32) {
        let (mut a, mut b) = (self.find(a), self.find(b));
        while a != b {
            let (low, high) = (a.min(b), a.max(b));
            let root = &self.parent[high as usize];
            if root
                .compare_exchange(high, low, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
            (a, b) = (self.find(low), self.find(high));
        }
    }

    /// The smallest member of each member's set.
    pub(crate) fn into_names(self) -> Vec<u32> {
        (0..self.parent.len() as u32)
            .into_par_iter()
            .map(|member| self.find(member))
            .collect()
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
    let is_used: Vec<AtomicU32> = (0..mesh.positions.len())
        .into_par_iter()
        .map(|_| AtomicU32::new(NONE))
        .collect();
    triangles
        .as_flattened()
        .par_iter()
        .for_each(|&vertex| is_used[vertex as usize].store(0, Ordering::Relaxed));
    let mut new_index: Vec<u32> = is_used.into_par_iter().map(AtomicU32::into_inner).collect();
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
    let blocks: Vec<Block> = triangles.par_chunks(SUM_FACES).map(Block::new).collect();
    let num_spanned: usize = blocks.iter().map(|block| block.last + 1 - block.first).sum();
    let mut normals = vec![Vec3::ZERO; positions.len()];
    if num_spanned <= MOST_SPANNED * positions.len() {
        add_block_sums(&mut normals, positions, &blocks);
    } else {
        let weighted: Vec<[Vec3; 3]> = triangles
            .par_iter()
            .map(|triangle| corner_normals(positions, triangle))
            .collect();
        for (triangle, weighted) in triangles.iter().zip(weighted) {
            for (&vertex, normal) in triangle.iter().zip(weighted) {
                normals[vertex as usize] += normal;
            }
        }
    }
    normals
        .par_iter_mut()
        .for_each(|normal| *normal = normal.normalize_or(Vec3::Y));
    normals
}

/// A face's normal as it counts at each of its corners.
fn corner_normals(positions: &[Vec3], triangle: &[u32; 3]) -> [Vec3; 3] {
    let corners = triangle.map(|vertex| positions[vertex as usize]);
    let normal = area_normal(corners);
    let length = normal.length();
    std::array::from_fn(|corner| {
        let to_next = corners[(corner + 1) % 3] - corners[corner];
        let to_last = corners[(corner + 2) % 3] - corners[corner];
        // Twice the area is to the sine at each of the corners what the product of its sides is to one.
        normal * rough_angle(length, to_next.dot(to_last))
    })
}

/// Faces and vertices that one thread sums up at a time; not a matter of how many threads there are, so that the sums are
/// not either.
const SUM_FACES: usize = 1 << 15;
const SUM_VERTICES: usize = 1 << 13;
/// Blocks may span so many times the vertices that there are. Faces next to each other in a list have vertices near each
/// other, as a rule; where not, sums by block would take more room than they save time.
const MOST_SPANNED: usize = 4;

/// Faces next to each other, and the first and last of their vertices.
struct Block<'a> {
    triangles: &'a [[u32; 3]],
    first: usize,
    last: usize,
}

impl<'a> Block<'a> {
    fn new(triangles: &'a [[u32; 3]]) -> Self {
        let vertices = triangles.as_flattened().iter();
        let (first, last) = vertices.fold((u32::MAX, 0), |(first, last), &vertex| {
            (first.min(vertex), last.max(vertex))
        });
        Self {
            triangles,
            first: first as usize,
            last: last as usize,
        }
    }

    /// What its faces add to the normals from `first` to `last`.
    fn sums(&self, positions: &[Vec3]) -> Vec<Vec3> {
        let mut sums = vec![Vec3::ZERO; self.last + 1 - self.first];
        for triangle in self.triangles {
            for (&vertex, normal) in triangle.iter().zip(corner_normals(positions, triangle)) {
                sums[vertex as usize - self.first] += normal;
            }
        }
        sums
    }
}

fn add_block_sums(normals: &mut [Vec3], positions: &[Vec3], blocks: &[Block<'_>]) {
    let sums: Vec<Vec<Vec3>> = blocks.par_iter().map(|block| block.sums(positions)).collect();
    normals
        .par_chunks_mut(SUM_VERTICES)
        .enumerate()
        .for_each(|(chunk, normals)| {
            let first = chunk * SUM_VERTICES;
            for (block, sums) in blocks.iter().zip(&sums) {
                for vertex in block.first.max(first)..(block.last + 1).min(first + normals.len()) {
                    normals[vertex - first] += sums[vertex - block.first];
                }
            }
        });
}

/// The angle with this sine, not negative, and cosine, both times the same, to a hundredth of a radian: enough for a weight.
fn rough_angle(sine: f32, cosine: f32) -> f32 {
    let sum = cosine.abs() + sine;
    if sum == 0.0 {
        return 0.0;
    }
    let (difference, middle) = if cosine >= 0.0 {
        (cosine - sine, FRAC_PI_4)
    } else {
        (cosine + sine, 3.0 * FRAC_PI_4)
    };
    let ratio = difference / sum;
    middle + (0.1963 * ratio * ratio - 0.9817) * ratio
}

/// Those of some values that are wanted, in their order, each made into another.
pub(crate) fn kept<T: Sync, U: Copy + Default + Send>(
    values: &[T],
    is_kept: impl Fn(usize) -> bool + Sync,
    make: impl Fn(&T) -> U + Sync,
) -> Vec<U> {
    const BLOCK: usize = 1 << 14;
    let counts: Vec<usize> = values
        .par_chunks(BLOCK)
        .enumerate()
        .map(|(block, values)| {
            (0..values.len())
                .filter(|&place| is_kept(block * BLOCK + place))
                .count()
        })
        .collect();
    let mut all = vec![U::default(); counts.iter().sum()];
    let mut blocks = Vec::with_capacity(counts.len());
    let mut rest = all.as_mut_slice();
    for (values, count) in values.chunks(BLOCK).zip(counts) {
        let (own, others) = rest.split_at_mut(count);
        blocks.push((own, values));
        rest = others;
    }
    blocks.into_par_iter().enumerate().for_each(|(block, (own, values))| {
        let wanted = values
            .iter()
            .enumerate()
            .filter(|(place, _)| is_kept(block * BLOCK + place));
        for (made, (_, value)) in own.iter_mut().zip(wanted) {
            *made = make(value);
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn rough_angles_are_good_to_a_hundredth() {
        for step in 0..=180 {
            let angle = (step as f32).to_radians();
            assert!(
                (rough_angle(3.0 * angle.sin().max(0.0), 3.0 * angle.cos()) - angle).abs() < 0.011,
                "{step}"
            );
        }
        assert_eq!(rough_angle(0.0, 0.0), 0.0);
    }

    #[test]
    fn normals_of_a_ball_point_away_from_its_middle_however_large_it_is() {
        for level in [3, 7] {
            let ball = shapes::icosphere(0.4, level);
            for (normal, position) in weighted_normals(&ball.positions, &ball.triangles)
                .iter()
                .zip(&ball.positions)
            {
                assert!(normal.dot(position.normalize()) > 0.998, "{position}");
            }
        }
    }

    #[test]
    fn wanted_values_are_kept_in_order() {
        let values: Vec<u32> = (0..100_000).collect();
        let expected: Vec<u32> = values
            .iter()
            .filter(|value| *value % 3 == 0)
            .map(|value| value * 2)
            .collect();
        assert_eq!(kept(&values, |place| place % 3 == 0, |value| value * 2), expected);
    }
}
