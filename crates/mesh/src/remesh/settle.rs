//! Moves vertices without folding the surface.

use glam::Vec3;
use rayon::prelude::*;

use super::stage::Stage;
use crate::nearest::SearchTree;
use crate::topology::area_normal;
use crate::{MeshError, Step};

/// A moved face may turn by so much: the cosine.
const MOST_TURN: f32 = 0.1;
/// Twice the least area of a moved face, in square cells.
const LEAST_AREA: f32 = 1e-4;
/// Rounds in which a folded face takes back one vertex; after them it takes back all.
const GENTLE_ROUNDS: usize = 16;
/// Vertices move back to the surface from at most so far, in cells: what is farther away closes a hole.
const REACH: f32 = 1.0;

/// Moves vertices to their targets, except where that folds a face over or makes it a sliver.
pub(super) fn settle(
    positions: &mut [Vec3],
    targets: &[Vec3],
    triangles: &[[u32; 3]],
    stage: &Stage<'_>,
) -> Result<(), MeshError> {
    let mut is_moved: Vec<bool> = positions.iter().zip(targets).map(|(a, b)| a != b).collect();
    for round in 0.. {
        stage.control().check(Step::Remesh)?;
        let mut back: Vec<u32> = triangles
            .par_iter()
            .filter(|triangle| triangle.iter().any(|&vertex| is_moved[vertex as usize]))
            .filter(|&&triangle| {
                let before = triangle.map(|vertex| positions[vertex as usize]);
                let after = triangle.map(|vertex| {
                    let vertex = vertex as usize;
                    if is_moved[vertex] {
                        targets[vertex]
                    } else {
                        positions[vertex]
                    }
                });
                is_folded(before, after)
            })
            .flat_map_iter(|triangle| {
                let moved = triangle.iter().copied().filter(|&vertex| is_moved[vertex as usize]);
                let farthest = moved.clone().max_by(|&a, &b| {
                    let way = |vertex: u32| positions[vertex as usize].distance_squared(targets[vertex as usize]);
                    way(a).total_cmp(&way(b)).then(a.cmp(&b))
                });
                let is_gentle = round < GENTLE_ROUNDS;
                moved.filter(move |&vertex| !is_gentle || Some(vertex) == farthest)
            })
            .collect();
        if back.is_empty() {
            break;
        }
        back.par_sort_unstable();
        back.dedup();
        for vertex in back {
            is_moved[vertex as usize] = false;
        }
    }
    for (vertex, position) in positions.iter_mut().enumerate() {
        if is_moved[vertex] {
            *position = targets[vertex];
        }
    }
    Ok(())
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
    Ok(chunks.concat())
}

/// Cuts quads in two: from one sharp vertex to the other, so that an edge of the shape is an edge of the mesh; else
/// without a fold; else along the shorter diagonal.
pub(super) fn triangulate(quads: &[[u32; 4]], positions: &[Vec3], is_sharp: &[bool]) -> Vec<[u32; 3]> {
    quads
        .par_iter()
        .flat_map_iter(|&[a, b, c, d]| {
            let at = |vertex: u32| positions[vertex as usize];
            let [sharp_ac, sharp_bd] = [[a, c], [b, d]].map(|ends| ends.iter().all(|&end| is_sharp[end as usize]));
            let bend = |p: [u32; 3], q: [u32; 3]| area_normal(p.map(at)).dot(area_normal(q.map(at)));
            let (fold_ac, fold_bd) = (bend([a, b, c], [a, c, d]) <= 0.0, bend([b, c, d], [b, d, a]) <= 0.0);
            let cuts_ac = if sharp_ac == sharp_bd {
                if fold_ac == fold_bd {
                    at(a).distance_squared(at(c)) <= at(b).distance_squared(at(d))
                } else {
                    fold_bd
                }
            } else {
                sharp_ac
            };
            if cuts_ac {
                [[a, b, c], [a, c, d]]
            } else {
                [[b, c, d], [b, d, a]]
            }
        })
        .collect()
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
        let mut positions = mesh.positions.clone();
        settle(&mut positions, &targets, &mesh.triangles, &course.stage(1, 1)).unwrap();
        let num_moved = positions.iter().zip(&targets).filter(|(a, b)| a == b).count();
        assert_eq!(num_moved, positions.len() - 2);
        for vertex in [40, 200] {
            assert_eq!(positions[vertex], mesh.positions[vertex]);
        }
    }

    #[test]
    fn a_ridge_is_an_edge() {
        let positions = [
            Vec3::ZERO,
            Vec3::new(1.0, -1.0, -0.1),
            Vec3::new(2.0, 0.0, 0.0),
            Vec3::new(1.0, 1.0, -0.1),
        ];
        let cut = |is_sharp: [bool; 4]| triangulate(&[[0, 1, 2, 3]], &positions, &is_sharp);
        assert_eq!(cut([true, false, true, false]), [[0, 1, 2], [0, 2, 3]]);
        assert_eq!(cut([false, true, true, true]), [[1, 2, 3], [1, 3, 0]]);
    }
}
