use std::sync::atomic::{AtomicU32, Ordering};

use bozzetto_asset::TriMesh;
use glam::{DVec3, Vec3};
use rayon::prelude::*;

use crate::clean::{neighbors, neighbors_by};
use crate::control::Meter;
use crate::nearest::SearchTree;
use crate::topology::{ConcurrentSets, NONE, Side};
use crate::{Control, MeshError, Step};

/// Turns faces so that neighbours agree on a side and each component's outside is outside.
///
/// Components are connected by edges with exactly two faces. Outside is where the enclosed volume is positive; a
/// component that was consistent and inside out stays so when it lies inside another one: it is the wall of a cavity.
pub fn orient_outward(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    orient(mesh.clone(), control).map(|oriented| oriented.mesh)
}

/// An oriented surface, and what was seen on the way.
pub(crate) struct Oriented {
    pub(crate) mesh: TriMesh,
    /// Every edge has two faces that agree on the outside, the faces around every vertex form one fan, and all are
    /// connected: there is nothing to part, to remove or to fill.
    pub(crate) is_one_closed_surface: bool,
}

/// [`orient_outward`] for who wants to know whether the surface is sound already.
pub(crate) fn orient(mut mesh: TriMesh, control: &Control<'_>) -> Result<Oriented, MeshError> {
    let meter = Meter::new(control, Step::Orient, 4);
    let neighbors = neighbors(&mesh.triangles);
    meter.add(1)?;
    let is_closed =
        neighbors.par_iter().all(|neighbors| !neighbors.contains(&NONE)) && has_single_fans(&mesh, &neighbors);
    meter.add(1)?;
    let num_components = turn_outward(&mut mesh, &neighbors);
    meter.add(1)?;
    let is_one_closed_surface = is_closed && num_components == 1 && agrees_everywhere(&mesh.triangles, &neighbors);
    meter.add(1)?;
    Ok(Oriented {
        mesh,
        is_one_closed_surface,
    })
}

/// How many faces [`orient_outward`] would turn. The mesh must be consistent, its sides sorted.
pub(crate) fn num_flipped(mesh: &TriMesh, sides: &[Side]) -> usize {
    let mut oriented = TriMesh::new(mesh.positions.clone(), mesh.triangles.clone());
    turn_outward(&mut oriented, &neighbors_by(sides, mesh.triangles.len()));
    let faces = mesh.triangles.iter().zip(&oriented.triangles);
    faces.filter(|(before, after)| before != after).count()
}

/// Turns the faces and tells the number of components.
fn turn_outward(oriented: &mut TriMesh, neighbors: &[[u32; 3]]) -> usize {
    let components = if agrees_everywhere(&oriented.triangles, neighbors) {
        connected(neighbors)
    } else {
        make_consistent(&mut oriented.triangles, neighbors)
    };
    let mut component_of = vec![0_u32; oriented.triangles.len()];
    for (id, component) in components.iter().enumerate() {
        for &face in &component.faces {
            component_of[face as usize] = id as u32;
        }
    }
    let mut tree = None;
    for (id, component) in components.iter().enumerate() {
        if signed_volume(oriented, &component.faces) >= 0.0 {
            continue;
        }
        if !component.was_turned && components.len() > 1 {
            let tree = tree.get_or_insert_with(|| SearchTree::new(oriented));
            if is_inside(oriented, id as u32, component.faces[0], &component_of, tree) {
                continue;
            }
        }
        for &face in &component.faces {
            oriented.triangles[face as usize].swap(1, 2);
        }
    }
    components.len()
}

/// Whether the two faces of an edge always run against each other.
fn agrees_everywhere(triangles: &[[u32; 3]], neighbors: &[[u32; 3]]) -> bool {
    triangles.par_iter().zip(neighbors).all(|(&triangle, neighbors)| {
        let mut beyond = neighbors.iter().filter(|neighbor| **neighbor != NONE);
        beyond.all(|&neighbor| !runs_alike(triangle, triangles[neighbor as usize]))
    })
}

/// Whether the faces around every vertex of a closed surface can be walked in one round.
fn has_single_fans(mesh: &TriMesh, neighbors: &[[u32; 3]]) -> bool {
    let num_vertices = mesh.positions.len();
    let filled = |value: u32| -> Vec<AtomicU32> {
        (0..num_vertices)
            .into_par_iter()
            .map(|_| AtomicU32::new(value))
            .collect()
    };
    let (num_faces_at, some_face_at) = (filled(0), filled(NONE));
    mesh.triangles.par_iter().enumerate().for_each(|(face, triangle)| {
        for &vertex in triangle {
            num_faces_at[vertex as usize].fetch_add(1, Ordering::Relaxed);
            // Any of them will do.
            some_face_at[vertex as usize].store(face as u32, Ordering::Relaxed);
        }
    });
    (0..num_vertices as u32).into_par_iter().all(|vertex| {
        let first = some_face_at[vertex as usize].load(Ordering::Relaxed);
        let num_faces = num_faces_at[vertex as usize].load(Ordering::Relaxed);
        first == NONE || round_about(vertex, first, num_faces, &mesh.triangles, neighbors) == num_faces
    })
}

/// Walks from face to face about a vertex and counts them, until it is back, at a border, or past the count that is there.
fn round_about(vertex: u32, first: u32, at_most: u32, triangles: &[[u32; 3]], neighbors: &[[u32; 3]]) -> u32 {
    let (mut face, mut from, mut count) = (first, NONE, 0);
    loop {
        count += 1;
        let corners = triangles[face as usize];
        // Both sides at the vertex lead on; one is where the walk comes from.
        let at = corners.iter().position(|&corner| corner == vertex).unwrap_or(0);
        let onward = [at, (at + 2) % 3].map(|side| neighbors[face as usize][side]);
        let next = if onward[0] == from { onward[1] } else { onward[0] };
        (from, face) = (face, next);
        if face == first || face == NONE || count > at_most {
            return count;
        }
    }
}

struct Component {
    faces: Vec<u32>,
    was_turned: bool,
}

/// The components of a surface whose faces agree already.
fn connected(neighbors: &[[u32; 3]]) -> Vec<Component> {
    let sets = ConcurrentSets::new(neighbors.len());
    neighbors.par_iter().enumerate().for_each(|(face, neighbors)| {
        for &neighbor in neighbors.iter().filter(|neighbor| **neighbor != NONE) {
            sets.unite(face as u32, neighbor);
        }
    });
    let mut keyed: Vec<(u32, u32)> = sets
        .into_names()
        .into_par_iter()
        .zip(0..neighbors.len() as u32)
        .collect();
    keyed.par_sort_unstable();
    let of_component = |faces: &[(u32, u32)]| Component {
        faces: faces.iter().map(|&(_, face)| face).collect(),
        was_turned: false,
    };
    keyed.chunk_by(|a, b| a.0 == b.0).map(of_component).collect()
}

/// Walks over each component and turns what disagrees with its first face; then, if that turned more than half, the
/// other ones. On a surface with one side (a Möbius strip) some edge keeps disagreeing.
fn make_consistent(triangles: &mut [[u32; 3]], neighbors: &[[u32; 3]]) -> Vec<Component> {
    let mut is_seen = vec![false; triangles.len()];
    let mut components = Vec::new();
    for seed in 0..triangles.len() {
        if is_seen[seed] {
            continue;
        }
        is_seen[seed] = true;
        let mut faces = vec![seed as u32];
        let mut next = 0;
        let mut num_turned = 0;
        while let Some(&face) = faces.get(next) {
            next += 1;
            for &neighbor in &neighbors[face as usize] {
                if neighbor == NONE || is_seen[neighbor as usize] {
                    continue;
                }
                is_seen[neighbor as usize] = true;
                if runs_alike(triangles[face as usize], triangles[neighbor as usize]) {
                    triangles[neighbor as usize].swap(1, 2);
                    num_turned += 1;
                }
                faces.push(neighbor);
            }
        }
        if num_turned * 2 > faces.len() {
            for &face in &faces {
                triangles[face as usize].swap(1, 2);
            }
            num_turned = faces.len() - num_turned;
        }
        components.push(Component {
            faces,
            was_turned: num_turned > 0,
        });
    }
    components
}

/// Whether two faces run along a common edge in the same direction, that is, disagree on the outside.
fn runs_alike(a: [u32; 3], b: [u32; 3]) -> bool {
    (0..3).any(|i| (0..3).any(|j| a[i] == b[j] && a[(i + 1) % 3] == b[(j + 1) % 3]))
}

/// Faces whose share of a sum is taken by one thread; not a matter of how many there are, so that sums are not either.
const SUM_FACES: usize = 1 << 16;

/// Volume about the component's own centre, so that an open sheet far from the origin counts by its shape alone.
fn signed_volume(mesh: &TriMesh, faces: &[u32]) -> f64 {
    let corners = |face: u32| mesh.corners(face as usize).map(Vec3::as_dvec3);
    let sums: Vec<DVec3> = faces
        .par_chunks(SUM_FACES)
        .map(|faces| faces.iter().map(|&face| corners(face).iter().sum::<DVec3>()).sum())
        .collect();
    let center = sums.iter().sum::<DVec3>() / (faces.len() * 3) as f64;
    let sums: Vec<(f64, f64)> = faces
        .par_chunks(SUM_FACES)
        .map(|faces| {
            faces.iter().fold((0.0, 0.0), |(volume, area), &face| {
                let [a, b, c] = corners(face).map(|corner| corner - center);
                (
                    volume + a.dot(b.cross(c)) / 6.0,
                    area + (b - a).cross(c - a).length() * 0.5,
                )
            })
        })
        .collect();
    let (volume, area) = sums
        .iter()
        .fold((0.0, 0.0), |(volume, area), sum| (volume + sum.0, area + sum.1));
    // A flat sheet has no inside; rounding must not turn it.
    if volume.abs() < 1e-6 * area.powf(1.5) {
        0.0
    } else {
        volume
    }
}

/// Whether other components surround a face: most of three rays leave through an odd number of their walls.
fn is_inside(mesh: &TriMesh, id: u32, face: u32, component_of: &[u32], tree: &SearchTree) -> bool {
    let [a, b, c] = mesh.corners(face as usize);
    let origin = (a + b + c) / 3.0;
    let directions = [
        Vec3::new(0.836, 0.312, 0.451),
        Vec3::new(-0.273, 0.911, 0.309),
        Vec3::new(0.178, -0.462, -0.869),
    ];
    let votes = directions
        .iter()
        .filter(|direction| {
            let mut num_walls = 0;
            tree.traverse(origin, direction.normalize(), 0.0, f32::INFINITY, |hit, _| {
                num_walls += usize::from(component_of[hit as usize] != id);
                false
            });
            num_walls % 2 == 1
        })
        .count();
    votes >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weld;
    use crate::{MeshHealth, shapes};

    fn inside_out(mut mesh: TriMesh) -> TriMesh {
        mesh.triangles.iter_mut().for_each(|triangle| triangle.swap(1, 2));
        mesh
    }

    #[test]
    fn every_third_face_turned_comes_back() {
        for mesh in [shapes::icosphere(0.4, 3), inside_out(shapes::torus(0.3, 0.1, 24, 12))] {
            let mut mixed = mesh;
            mixed
                .triangles
                .iter_mut()
                .step_by(3)
                .for_each(|triangle| triangle.swap(0, 1));
            let health = MeshHealth::of(&orient_outward(&mixed, &Control::silent()).unwrap());
            assert!(health.is_watertight && health.signed_volume > 0.0, "{health:?}");
        }
    }

    #[test]
    fn a_cavity_stays_and_a_stray_inverted_ball_is_turned() {
        let hollow = shapes::together(shapes::icosphere(0.4, 3), &inside_out(shapes::icosphere(0.2, 3)));
        assert_eq!(orient_outward(&hollow, &Control::silent()).unwrap(), hollow);
        let mut stray = inside_out(shapes::icosphere(0.1, 2));
        stray.positions.iter_mut().for_each(|position| position.x += 2.0);
        let two = shapes::together(shapes::icosphere(0.4, 3), &stray);
        let volume = |mesh: &TriMesh| MeshHealth::of(mesh).signed_volume;
        assert!(volume(&orient_outward(&two, &Control::silent()).unwrap()) > volume(&two));
    }

    #[test]
    fn a_flat_sheet_and_a_moebius_strip_end() {
        let sheet = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 2, 1]]);
        assert_eq!(orient_outward(&sheet, &Control::silent()).unwrap(), sheet);
        let strip = TriMesh::new(
            (0..5)
                .map(|i| Vec3::new((i as f32).cos(), (i as f32).sin(), 0.1 * i as f32))
                .collect(),
            (0..5).map(|i| [i, (i + 1) % 5, (i + 2) % 5]).collect(),
        );
        let oriented = orient_outward(&strip, &Control::silent()).unwrap();
        assert_eq!(oriented.triangles.len(), 5);
    }

    #[test]
    fn what_is_sound_already_is_known() {
        let is_sound = |mesh: &TriMesh| {
            let joined = weld(mesh, 0.0, &Control::silent()).unwrap();
            orient(joined, &Control::silent()).unwrap().is_one_closed_surface
        };
        assert!(is_sound(&shapes::icosphere(0.4, 3)));
        assert!(is_sound(&shapes::torus(0.3, 0.1, 24, 12)));
        let mut turned = shapes::icosphere(0.4, 3);
        turned
            .triangles
            .iter_mut()
            .step_by(3)
            .for_each(|triangle| triangle.swap(0, 1));
        assert!(is_sound(&turned), "once it is turned");
        let mut open = shapes::icosphere(0.4, 3);
        open.triangles.pop();
        assert!(!is_sound(&open));
        for offset in [Vec3::new(1.0, 1.0, 0.0), Vec3::ONE, Vec3::splat(3.0)] {
            let both = shapes::together(shapes::cube(Vec3::ZERO), &shapes::cube(offset));
            assert!(!is_sound(&both), "they share an edge, a vertex or nothing");
        }
        // One connected surface that touches itself in a point: a torus pinched by joining two of its vertices.
        let mut pinched = shapes::torus(0.3, 0.1, 24, 12);
        pinched.positions[0] = pinched.positions[12 * 12 + 6];
        assert!(!is_sound(&pinched));
    }
}
