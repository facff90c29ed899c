//! Every kind of mesh that comes in, through health and every repair: never a panic or a hang, always a valid mesh or a
//! typed error, and a closed, oriented 2-manifold wherever there is something to close. What "closed" means is counted
//! here anew, with none of the crate's own code.

mod common;

use std::f32::consts::{PI, TAU};
use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::{Asset, TriMesh};
use bozzetto_mesh::{
    Control, FinishSettings, MeshError, MeshHealth, SelfIntersections, Watertight, close_all_holes, drop_bad_faces,
    finish, make_watertight, orient_outward, part_touching, remove_inner_shells, shapes, split_non_manifold, weld,
};
use glam::{IVec3, Vec3};
use proptest::prelude::*;

/// What must be true of a closed, oriented 2-manifold, or what is not. Vertices are told apart by place, as the next
/// program will. Gives the sum of the Euler characteristics.
fn closed_manifold(mesh: &TriMesh) -> Result<i64, String> {
    if !mesh.is_consistent() || mesh.triangles.is_empty() {
        return Err("inconsistent or empty".to_owned());
    }
    let mut places: Vec<_> = mesh
        .positions
        .iter()
        .map(|p| (*p + Vec3::ZERO).to_array().map(f32::to_bits))
        .collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("two vertices lie at one place".to_owned());
    }
    // From each vertex to the next around a face, with the third: one each way along every edge.
    let mut half_edges: Vec<([u32; 2], u32)> = mesh
        .triangles
        .iter()
        .flat_map(|&[a, b, c]| [([a, b], c), ([b, c], a), ([c, a], b)])
        .collect();
    half_edges.sort_unstable();
    if let Some(pair) = half_edges.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(format!("two faces run along {:?}", pair[0].0));
    }
    let beyond = |a: u32, b: u32| {
        let found = half_edges.binary_search_by_key(&[a, b], |half_edge| half_edge.0);
        found.ok().map(|index| half_edges[index].1)
    };
    // Turning about a vertex from face to face must come back after as many faces as start there.
    let mut start = 0;
    let mut num_vertices = 0_i64;
    for fan in half_edges.chunk_by(|a, b| a.0[0] == b.0[0]) {
        let [center, first] = fan[0].0;
        if center == first {
            return Err(format!("a face names vertex {center} twice"));
        }
        let mut rim = first;
        for step in 1..=fan.len() {
            rim = beyond(center, rim).ok_or_else(|| format!("the edge from {center} to {rim} is open"))?;
            if (rim == first) != (step == fan.len()) {
                return Err(format!("the faces around vertex {center} form more than one fan"));
            }
        }
        start += fan.len();
        num_vertices += 1;
    }
    assert_eq!(start, half_edges.len());
    Ok(num_vertices - half_edges.len() as i64 / 2 + mesh.triangles.len() as i64)
}

/// Keeps small parts: the corpus is about shape.
fn settings() -> FinishSettings {
    FinishSettings {
        min_component_area: 0.0,
        ..FinishSettings::default()
    }
}

fn watertight(mesh: &TriMesh) -> Result<Watertight, MeshError> {
    make_watertight(mesh, &settings(), &Control::silent())
}

/// Runs the whole chain over it, textures included, once as it is and once rebuilt.
fn assert_finishes(name: &str, mesh: &TriMesh) {
    let asset = Asset {
        mesh: Some(Arc::new(mesh.clone())),
        ..Asset::default()
    };
    for remeshes in [false, true] {
        let mut settings = FinishSettings {
            target_faces: 800,
            texture_px: 128,
            remeshes,
            ..settings()
        };
        settings.remesh.resolution = 32;
        let finished = finish(&asset, &settings, &Control::silent());
        let finished = finished.unwrap_or_else(|error| panic!("{name}, rebuilt {remeshes}: {error}"));
        let (mesh, health) = (&finished.textured.mesh, &finished.health);
        assert!(mesh.is_consistent() && !mesh.triangles.is_empty(), "{name}");
        assert_eq!(mesh.uvs.len(), mesh.positions.len(), "{name}");
        assert_eq!(health.uv_overlap, Some(0.0), "{name}, rebuilt {remeshes}");
        assert!(!remeshes || health.is_watertight, "{name}: {health:?}");
    }
}

/// Makes it watertight and counts: its health and Euler characteristic.
fn assert_closes(name: &str, mesh: &TriMesh) -> (MeshHealth, i64) {
    let made = watertight(mesh).unwrap_or_else(|error| panic!("{name}: {error}"));
    let euler = closed_manifold(&made.mesh).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let health = made.health;
    assert!(health.is_closed_manifold(), "{name}: {health:?}");
    assert_eq!(health.euler_characteristic, euler, "{name}");
    assert_eq!(health.num_flipped_faces, 0, "{name}");
    assert_eq!(euler % 2, 0, "{name}: an oriented surface has an even characteristic");
    assert!(euler <= 2 * health.num_components as i64, "{name}: {health:?}");
    assert_finishes(name, mesh);
    (health, euler)
}

/// A grid of `around * along` quads whose far sides are joined to the near ones; `turned` joins the second pair
/// upside down.
fn grid(around: u32, along: u32, is_turned: bool, at: impl Fn(f32, f32) -> Vec3) -> TriMesh {
    let index = |i: u32, j: u32| {
        let j = if is_turned && i == around {
            (along - j % along) % along
        } else {
            j % along
        };
        (i % around) * along + j
    };
    let cells = (0..around).flat_map(|i| (0..along).map(move |j| (i, j)));
    let positions = cells
        .clone()
        .map(|(i, j)| at(i as f32 / around as f32 * TAU, j as f32 / along as f32 * TAU));
    let positions = positions.collect();
    let triangles = cells.flat_map(|(i, j)| {
        let (a, b, c, d) = (index(i, j), index(i + 1, j), index(i + 1, j + 1), index(i, j + 1));
        [[a, b, c], [a, c, d]]
    });
    TriMesh::new(positions, triangles.collect())
}

/// A tube along a trefoil; thick enough to run into itself from a radius of about 0.09.
fn knot(radius: f32) -> TriMesh {
    let center = |t: f32| {
        Vec3::new(
            t.sin() + 2.0 * (2.0 * t).sin(),
            t.cos() - 2.0 * (2.0 * t).cos(),
            -(3.0 * t).sin(),
        ) / 7.0
    };
    grid(240, 24, false, |u, v| {
        let forward = (center(u + 1e-2) - center(u - 1e-2)).normalize();
        let side = forward.cross(center(u)).normalize();
        let up = side.cross(forward);
        center(u) + (side * v.cos() + up * v.sin()) * radius
    })
}

/// The figure-eight immersion: one side, runs through itself.
fn klein_bottle() -> TriMesh {
    grid(64, 32, true, |u, v| {
        let (half, ring) = (u * 0.5, 0.3);
        let across = half.cos() * v.sin() - half.sin() * (2.0 * v).sin();
        let height = half.sin() * v.sin() + half.cos() * (2.0 * v).sin();
        Vec3::new(
            (ring + 0.12 * across) * u.cos(),
            0.12 * height,
            (ring + 0.12 * across) * u.sin(),
        )
    })
}

fn without(mut mesh: TriMesh, is_gone: impl Fn(usize) -> bool) -> TriMesh {
    let faces = mesh.triangles.iter().enumerate();
    mesh.triangles = faces
        .filter(|&(face, _)| !is_gone(face))
        .map(|(_, &triangle)| triangle)
        .collect();
    mesh
}

fn turned_inside_out(mut mesh: TriMesh) -> TriMesh {
    mesh.triangles.iter_mut().for_each(|triangle| triangle.swap(1, 2));
    mesh
}

#[test]
fn spot_and_bob_close() {
    let Some(folder) = std::env::var_os("BOZZETTO_TEST_DATA") else {
        println!("BOZZETTO_TEST_DATA is not set: spot and bob are left out.");
        return;
    };
    for (name, euler) in [("spot.obj", 2), ("bob_tri.obj", 0)] {
        let mesh = common::read_obj(&Path::new(&folder).join("meshes").join(name));
        let health = MeshHealth::examined(&mesh, &Control::silent()).unwrap();
        println!("{name}: {health:?}");
        assert_eq!(assert_closes(name, &mesh).1, euler, "{name}");
        let open = without(mesh, |face| face % 500 < 9);
        assert!(!MeshHealth::of(&open).is_watertight, "{name}");
        assert_closes(name, &open);
    }
}

#[test]
fn closed_and_broken_objects_close() {
    let ball = || shapes::icosphere(0.4, 4);
    let ring = || shapes::torus(0.3, 0.1, 48, 24);
    // A hole a quad wide in twelve places, and a gap of a third of the ring.
    let holes = |face: usize| (face / 48).is_multiple_of(4) && face % 48 < 2;
    let gap = |face: usize| face / 48 < 16;
    for (name, mesh, euler) in [
        ("ball", ball(), 2),
        ("ball inside out", turned_inside_out(ball()), 2),
        ("torus", ring(), 0),
        ("torus with holes", without(ring(), holes), 0),
        ("torus with a gap", without(ring(), gap), 2),
        ("half a ball", without(ball(), |face| face % 5 < 2), 2),
        ("knot", knot(0.05), 0),
        ("knot that runs into itself", knot(0.14), 0),
        (
            "doubled cube",
            {
                let mut cube = shapes::cube(Vec3::ZERO);
                cube.triangles.extend(cube.triangles.clone());
                cube
            },
            2,
        ),
        (
            "thin plate",
            {
                let mut plate = shapes::cube(Vec3::ZERO);
                plate.positions.iter_mut().for_each(|p| p.y *= 1e-4);
                plate
            },
            2,
        ),
        (
            "thin shell",
            shapes::together(ball(), &turned_inside_out(shapes::icosphere(0.3995, 4))),
            4,
        ),
    ] {
        let (health, found) = assert_closes(name, &mesh);
        // Broken into many parts, half a ball closes to as many spheres.
        let expected = if name == "half a ball" {
            2 * health.num_components as i64
        } else {
            euler
        };
        assert_eq!(found, expected, "{name}: {health:?}");
    }
}

#[test]
fn touching_and_one_sided_surfaces_close() {
    let cube = || shapes::cube(Vec3::ZERO);
    let joined = |mesh: &TriMesh| weld(mesh, 0.0, &Control::silent()).unwrap();
    for (name, center) in [("corner", Vec3::ONE), ("edge", Vec3::new(1.0, 1.0, 0.0))] {
        let pair = joined(&shapes::together(cube(), &shapes::cube(center)));
        let (health, euler) = assert_closes(name, &pair);
        assert_eq!((health.num_components, euler), (2, 4), "{name}");
    }
    let klein = klein_bottle();
    let before = MeshHealth::examined(&klein, &Control::silent()).unwrap();
    assert_eq!((before.num_boundary_edges, before.euler_characteristic), (0, 0));
    assert!(
        before.self_intersections.is_some_and(|found| found.count > 10),
        "{before:?}"
    );
    assert_closes("klein bottle", &klein);
    let mess = shapes::together(klein, &shapes::torus(0.3, 0.1, 31, 17));
    assert_closes("klein bottle in a torus", &mess);
    let mut moebius = grid(48, 8, true, |u, v| {
        let across = (v / TAU - 0.5) * 0.4;
        let ring = 0.4 + across * (u * 0.5).cos();
        Vec3::new(ring * u.cos(), across * (u * 0.5).sin(), ring * u.sin())
    });
    moebius = without(moebius, |face| face % 16 >= 14);
    assert_closes("moebius strip", &moebius);
}

#[test]
fn what_cannot_be_closed_is_named() {
    let one = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]);
    let fan = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y, -Vec3::X], vec![[0, 1, 2], [0, 2, 3]]);
    for mesh in [&one, &fan] {
        let error = watertight(mesh).unwrap_err();
        assert!(matches!(error, MeshError::NotClosable { .. }), "{error}");
    }
    let none = TriMesh::default();
    assert_eq!(watertight(&none).unwrap_err(), MeshError::Empty { num_source_faces: 0 });
    assert_eq!(MeshHealth::examined(&none, &Control::silent()).unwrap().num_faces, 0);
    let mut broken = shapes::icosphere(0.4, 2);
    broken.positions[7].z = f32::NAN;
    assert_eq!(watertight(&broken).unwrap_err(), MeshError::NotFinite { vertex: 7 });
    assert!(
        MeshHealth::examined(&broken, &Control::silent())
            .unwrap()
            .num_degenerate_faces
            > 0
    );
    let mut astray = shapes::cube(Vec3::ZERO);
    astray.triangles[3][1] = 1000;
    assert!(matches!(watertight(&astray), Err(MeshError::Inconsistent { .. })));
    assert_eq!(
        MeshHealth::examined(&astray, &Control::silent())
            .unwrap()
            .num_degenerate_faces,
        1
    );
}

#[test]
fn every_repair_mends_its_fault() {
    let control = Control::silent();
    let ball = shapes::icosphere(0.4, 3);
    let nested = shapes::together(ball.clone(), &shapes::icosphere(0.2, 2));
    assert_eq!(MeshHealth::of(&nested).num_inner_shells, 1);
    assert_eq!(remove_inner_shells(&nested, &control).unwrap(), ball);
    let made = make_watertight(
        &nested,
        &FinishSettings {
            removes_inner_shells: true,
            ..settings()
        },
        &control,
    );
    assert_eq!(made.unwrap().health.num_components, 1);
    let mut mixed = ball.clone();
    mixed.triangles.iter_mut().step_by(4).for_each(|face| face.swap(0, 1));
    assert_eq!(MeshHealth::of(&mixed).num_flipped_faces, 320);
    let oriented = orient_outward(&mixed, &control).unwrap();
    assert_eq!(MeshHealth::of(&oriented).num_flipped_faces, 0);
    let open = without(ball, |face| face < 40);
    let closed = close_all_holes(&split_non_manifold(&open, &control).unwrap(), &control).unwrap();
    assert!(MeshHealth::of(&closed).is_closed_manifold());
}

#[test]
fn the_same_on_one_thread_and_four() {
    let mesh = shapes::together(without(knot(0.14), |face| face % 97 < 3), &klein_bottle());
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let made = watertight(&mesh).unwrap();
            let found = SelfIntersections::of(&made.mesh, &Control::silent()).unwrap();
            (made.mesh, made.health, found)
        })
    };
    assert_eq!(run(1), run(4));
}

/// A noisy ball without its cap: measured, closed, and how long it took.
#[expect(clippy::print_stdout, reason = "figures for whoever reads the output")]
fn noisy_ball_closes(levels: u32) {
    let ball = shapes::noisy_sphere(levels, 0.05, 25.0, 0.002);
    let mesh = without(ball.clone(), |face| ball.corners(face)[0].y > 0.3);
    let start = std::time::Instant::now();
    let before = MeshHealth::of(&mesh);
    println!("{} faces, health: {:.3?}", before.num_faces, start.elapsed());
    assert!(before.num_boundary_edges > 0);
    let start = std::time::Instant::now();
    let found = SelfIntersections::of(&mesh, &Control::silent()).expect("nobody cancels");
    println!("{found:?}: {:.3?}", start.elapsed());
    assert_eq!(found.is_estimate, levels > 8);
    let made = watertight(&mesh).unwrap_or_else(|error| panic!("{error}"));
    for timing in &made.timings {
        println!("{:?}: {:.3} s", timing.step, timing.duration_secs);
    }
    let euler = closed_manifold(&made.mesh).unwrap_or_else(|fault| panic!("{fault}"));
    // Faces that hang on the rim by a corner become balls of their own.
    assert_eq!(euler, 2 * made.health.num_components as i64, "{:?}", made.health);
    assert!(made.health.num_components < 10, "{:?}", made.health);
}

#[test]
fn a_noisy_ball_closes() {
    noisy_ball_closes(6);
}

#[test]
#[ignore = "a minute or two and 3 GB"]
fn five_million_noisy_faces_close() {
    noisy_ball_closes(9);
}

/// Few places, so that vertices coincide, faces repeat and edges get many faces.
fn soup() -> impl Strategy<Value = TriMesh> {
    let lattice = (0..4_i32, 0..4_i32, 0..3_i32).prop_map(|(x, y, z)| IVec3::new(x, y, z).as_vec3() * 0.25);
    let anywhere = prop::array::uniform3(-1.0_f32..1.0).prop_map(Vec3::from_array);
    let vertex = prop_oneof![4 => lattice, 2 => anywhere, 1 => Just(Vec3::splat(1e-30)), 1 => Just(Vec3::splat(3e4))];
    prop::collection::vec(vertex, 0..40).prop_flat_map(|positions| {
        let count = positions.len().max(1) as u32;
        prop::collection::vec(prop::array::uniform3(0..count), 0..120)
            .prop_map(move |triangles| TriMesh::new(positions.clone(), triangles))
    })
}

/// A sound surface with faces missing, turned, repeated and bent to other vertices.
fn damaged() -> impl Strategy<Value = TriMesh> {
    let sound = prop_oneof![
        Just(shapes::icosphere(0.4, 2)),
        Just(shapes::torus(0.3, 0.1, 12, 8)),
        Just(shapes::together(shapes::icosphere(0.4, 1), &shapes::icosphere(0.2, 1))),
        Just(grid(12, 8, true, |u, v| Vec3::new(
            (0.3 + 0.1 * v.cos()) * u.cos(),
            0.1 * v.sin(),
            (0.3 + 0.1 * v.cos()) * (u + PI).sin()
        ))),
    ];
    (
        sound,
        prop::collection::vec((0..5_u8, any::<u32>(), any::<u32>()), 0..40),
    )
        .prop_map(|(mut mesh, blows)| {
            for (kind, at, to) in blows {
                let face = at as usize % mesh.triangles.len();
                let vertex = to % mesh.positions.len() as u32;
                match kind {
                    0 => mesh.triangles[face].swap(0, 1),
                    1 => mesh.triangles.push(mesh.triangles[face]),
                    2 => mesh.triangles[face][to as usize % 3] = vertex,
                    3 => mesh.positions[vertex as usize] = mesh.corners(face)[0],
                    _ if mesh.triangles.len() > 1 => {
                        mesh.triangles.swap_remove(face);
                    }
                    _ => {}
                }
            }
            mesh
        })
}

/// What holds whatever went in.
fn assert_ends_well(mesh: &TriMesh) -> Result<(), TestCaseError> {
    let control = Control::silent();
    MeshHealth::examined(mesh, &control).expect("nobody cancels");
    match watertight(mesh) {
        Ok(made) => {
            let euler = closed_manifold(&made.mesh).map_err(TestCaseError::fail)?;
            prop_assert_eq!(euler, made.health.euler_characteristic);
            prop_assert!(euler % 2 == 0 && euler <= 2 * made.health.num_components as i64);
        }
        Err(error) => {
            let is_expected = matches!(
                error,
                MeshError::Empty { .. }
                    | MeshError::NotClosable { .. }
                    | MeshError::NotFinite { .. }
                    | MeshError::Inconsistent { .. }
            );
            prop_assert!(is_expected, "{error}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_soup_ends_well(mesh in soup()) {
        assert_ends_well(&mesh)?;
    }

    #[test]
    fn damaged_surfaces_close(mesh in damaged()) {
        assert_ends_well(&mesh)?;
        // So much is left of each that there always is something to close.
        let made = watertight(&mesh);
        prop_assert!(made.is_ok(), "{:?}", made.err());
    }

    #[test]
    fn anything_at_all_has_a_health(mut mesh in soup(), bad in prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::MAX)], at in any::<u32>(), wrong in any::<bool>()) {
        if wrong && !mesh.triangles.is_empty() {
            let face = at as usize % mesh.triangles.len();
            mesh.triangles[face][0] = at;
        } else if !mesh.positions.is_empty() {
            let vertex = at as usize % mesh.positions.len();
            mesh.positions[vertex].y = bad;
        }
        assert_ends_well(&mesh)?;
    }

    #[test]
    fn each_repair_alone_leaves_a_sound_mesh(mesh in damaged()) {
        let control = Control::silent();
        let cleaned = drop_bad_faces(&mesh, &control).unwrap();
        let split = split_non_manifold(&orient_outward(&cleaned, &control).unwrap(), &control).unwrap();
        for mended in [remove_inner_shells(&split, &control), part_touching(&split, 1e-4, &control), close_all_holes(&split, &control)] {
            match mended {
                Ok(mesh) => prop_assert!(mesh.is_consistent()),
                Err(error) => {
                    let is_expected = matches!(error, MeshError::NotClosable { .. });
                    prop_assert!(is_expected, "{error}");
                }
            }
        }
    }
}
