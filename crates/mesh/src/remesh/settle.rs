//! Moves vertices without folding the surface, and without leading it through itself.

use std::collections::HashSet;

use bozzetto_asset::TriMesh;
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::stage::Stage;
use crate::intersections::crossing_pairs;
use crate::joined::joined;
use crate::nearest::SearchTree;
use crate::topology::{Side, area_normal, edges, sorted_sides};
use crate::{MeshError, Step};

/// A moved face may turn by so much: the cosine.
const MOST_TURN: f32 = 0.1;
/// Twice the least area of a moved face, in square cells.
const LEAST_AREA: f32 = 1e-4;
/// A moved face lies back on its neighbour where their normals are this opposite: the cosine. Of two faces in nearly one
/// plane rounding decides whether they cross.
const MOST_OPPOSITE: f32 = -0.99;
/// Rounds in which a spoiled face takes back one vertex; after them it takes back all.
const GENTLE_ROUNDS: usize = 16;
/// Vertices move back to the surface from at most so far, in cells: what is farther away closes a hole.
const REACH: f32 = 1.0;
/// Edge of the blocks by which faces near moved ones are found, in cells.
const BLOCK: f32 = 4.0;

/// Moves vertices to their targets, except where that folds a face over or makes it a sliver.
pub(super) fn settle(
    positions: &[Vec3],
    targets: &[Vec3],
    triangles: &[[u32; 3]],
    stage: &Stage<'_>,
) -> Result<Vec<Vec3>, MeshError> {
    let mut settling = Settling::new(positions, targets, triangles);
    while settling.takes_back(Settling::folded) {
        stage.control().check(Step::Remesh)?;
    }
    Ok(settling.positions())
}

/// Moves vertices to their targets as [`settle`] does, and not where faces would then pass through others. None may do so
/// before.
pub(super) fn settle_apart(
    positions: &[Vec3],
    targets: &[Vec3],
    triangles: &[[u32; 3]],
    stage: &Stage<'_>,
) -> Result<Vec<Vec3>, MeshError> {
    let mut settling = Settling::new(positions, targets, triangles);
    let nearby = settling.near_moved();
    let neighbors = settling.moved_neighbors(&nearby);
    while settling.takes_back(Settling::folded)
        || settling.takes_back(|settling| settling.folded_back(&neighbors))
        || settling.takes_back(|settling| settling.crossing(&nearby))
    {
        stage.control().check(Step::Remesh)?;
    }
    Ok(settling.positions())
}

/// Vertices on their way.
struct Settling<'a> {
    from: &'a [Vec3],
    targets: &'a [Vec3],
    triangles: &'a [[u32; 3]],
    is_moved: Vec<bool>,
    round: usize,
}

impl<'a> Settling<'a> {
    fn new(from: &'a [Vec3], targets: &'a [Vec3], triangles: &'a [[u32; 3]]) -> Self {
        Self {
            from,
            targets,
            triangles,
            is_moved: from.par_iter().zip(targets).map(|(a, b)| a != b).collect(),
            round: 0,
        }
    }

    fn at(&self, vertex: u32) -> Vec3 {
        let vertex = vertex as usize;
        if self.is_moved[vertex] {
            self.targets[vertex]
        } else {
            self.from[vertex]
        }
    }

    fn moves(&self, triangle: [u32; 3]) -> bool {
        triangle.iter().any(|&vertex| self.is_moved[vertex as usize])
    }

    /// Takes back vertices of faces that `spoiled` finds; false when there are none.
    fn takes_back(&mut self, spoiled: impl Fn(&Self) -> Vec<[u32; 3]>) -> bool {
        let is_gentle = self.round < GENTLE_ROUNDS;
        let mut back: Vec<u32> = Vec::new();
        for triangle in spoiled(self) {
            let way = |vertex: u32| self.from[vertex as usize].distance_squared(self.targets[vertex as usize]);
            let moved = triangle.into_iter().filter(|&vertex| self.is_moved[vertex as usize]);
            if is_gentle {
                back.extend(moved.max_by(|&a, &b| way(a).total_cmp(&way(b)).then(a.cmp(&b))));
            } else {
                back.extend(moved);
            }
        }
        for &vertex in &back {
            self.is_moved[vertex as usize] = false;
        }
        self.round += 1;
        !back.is_empty()
    }

    /// Moved faces that are folded over or slivers.
    fn folded(&self) -> Vec<[u32; 3]> {
        self.triangles
            .par_iter()
            .copied()
            .filter(|&triangle| {
                self.moves(triangle) && {
                    let before = triangle.map(|vertex| self.from[vertex as usize]);
                    is_folded(before, triangle.map(|vertex| self.at(vertex)))
                }
            })
            .collect()
    }

    /// Faces that moved ones may pass through, and those.
    fn near_moved(&self) -> Vec<[u32; 3]> {
        let boxed = |triangle: [u32; 3]| {
            let ends = triangle.map(|vertex| [self.from[vertex as usize], self.targets[vertex as usize]]);
            let low = ends.as_flattened().iter().copied().fold(Vec3::INFINITY, Vec3::min);
            let high = ends.as_flattened().iter().copied().fold(Vec3::NEG_INFINITY, Vec3::max);
            blocks(low, high)
        };
        let moved = self.triangles.par_iter().filter(|&&triangle| self.moves(triangle));
        let blocks: HashSet<IVec3> = moved.flat_map_iter(|&triangle| boxed(triangle)).collect();
        if blocks.is_empty() {
            return Vec::new();
        }
        self.triangles
            .par_iter()
            .copied()
            .filter(|&triangle| boxed(triangle).any(|block| blocks.contains(&block)))
            .collect()
    }

    /// Pairs of faces with a common edge among `nearby` of which one moves.
    fn moved_neighbors(&self, nearby: &[[u32; 3]]) -> Vec<[[u32; 3]; 2]> {
        let pair_of = |sides: &[Side]| match sides {
            [a, b] => Some([a, b].map(|side| nearby[side.face()])),
            _ => None,
        };
        edges(&sorted_sides(nearby))
            .filter_map(pair_of)
            .filter(|pair| pair.iter().any(|&triangle| self.moves(triangle)))
            .collect()
    }

    /// Faces of pairs of neighbours of which one has moved and lies back on the other.
    fn folded_back(&self, neighbors: &[[[u32; 3]; 2]]) -> Vec<[u32; 3]> {
        let normal = |triangle: [u32; 3]| area_normal(triangle.map(|vertex| self.at(vertex))).normalize_or_zero();
        neighbors
            .par_iter()
            .filter(|pair| {
                pair.iter().any(|&triangle| self.moves(triangle)) && {
                    let [a, b] = pair.map(normal);
                    a.dot(b) < MOST_OPPOSITE
                }
            })
            .flatten_iter()
            .copied()
            .collect()
    }

    /// Faces among `nearby` of which one has moved and passes through the other.
    fn crossing(&self, nearby: &[[u32; 3]]) -> Vec<[u32; 3]> {
        let moved: Vec<u32> = (0..nearby.len() as u32)
            .filter(|&face| self.moves(nearby[face as usize]))
            .collect();
        if moved.is_empty() {
            return Vec::new();
        }
        let mesh = TriMesh::new(self.positions(), nearby.to_vec());
        let pairs = crossing_pairs(&mesh, &moved);
        pairs.as_flattened().iter().map(|&face| nearby[face as usize]).collect()
    }

    fn positions(&self) -> Vec<Vec3> {
        (0..self.from.len() as u32)
            .into_par_iter()
            .map(|vertex| self.at(vertex))
            .collect()
    }
}

/// The blocks that a box lies in.
fn blocks(low: Vec3, high: Vec3) -> impl Iterator<Item = IVec3> {
    let [low, high] = [low, high].map(|corner| (corner / BLOCK).floor().as_ivec3());
    (low.z..=high.z)
        .flat_map(move |z| (low.y..=high.y).flat_map(move |y| (low.x..=high.x).map(move |x| IVec3::new(x, y, z))))
}

fn is_folded(before: [Vec3; 3], after: [Vec3; 3]) -> bool {
    let (old, new) = (area_normal(before), area_normal(after));
    let length = new.length();
    length < LEAST_AREA || new.dot(old) < MOST_TURN * length * old.length()
}

/// Where the vertices are to go so that a share of their way to the closest point of a surface is done.
pub(super) fn towards(
    tree: &SearchTree,
    positions: &[Vec3],
    share: f32,
    stage: &Stage<'_>,
) -> Result<Vec<Vec3>, MeshError> {
    let chunks: Vec<Vec<Vec3>> = positions
        .par_chunks(1024)
        .map(|chunk| {
            stage.add(chunk.len())?;
            let mut hint = None;
            Ok(chunk
                .iter()
                .map(|&position| {
                    let nearest = tree.nearest_from(position, hint);
                    hint = nearest.map(|nearest| nearest.face);
                    match nearest {
                        Some(nearest) if nearest.distance_squared < REACH * REACH => {
                            position.lerp(nearest.point, share)
                        }
                        _ => position,
                    }
                })
                .collect())
        })
        .collect::<Result<_, MeshError>>()?;
    Ok(joined(&chunks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remesh::stage::Course;
    use crate::{Control, shapes};

    #[test]
    fn what_would_fold_stays() {
        let mesh = shapes::icosphere(10.0, 3);
        let mut targets: Vec<Vec3> = mesh.positions.iter().map(|&position| position * 1.1).collect();
        // Two go through the ball to the other side.
        targets[40] *= -1.0;
        targets[200] *= -1.0;
        let control = Control::silent();
        let course = Course::new(&control);
        let positions = settle(&mesh.positions, &targets, &mesh.triangles, &course.stage(1, 1)).unwrap();
        let num_moved = positions.iter().zip(&targets).filter(|(a, b)| a == b).count();
        assert_eq!(num_moved, positions.len() - 2);
        for vertex in [40, 200] {
            assert_eq!(positions[vertex], mesh.positions[vertex]);
        }
    }
}
