//! The remesh step: always one closed manifold, true to the shape, sharp where the shape is.

use std::collections::HashMap;

use bozzetto_asset::TriMesh;
use bozzetto_mesh::fidelity::Deviation;
use bozzetto_mesh::nearest::SearchTree;
use bozzetto_mesh::{
    Control, MeshError, MeshHealth, RemeshSettings, SelfIntersections, Step, StepProgress, remesh, shapes,
};
use glam::{Mat3, Vec3};
use proptest::prelude::*;

fn at(resolution: u32) -> RemeshSettings {
    RemeshSettings {
        resolution,
        ..RemeshSettings::default()
    }
}

fn rebuilt(mesh: &TriMesh, settings: &RemeshSettings) -> TriMesh {
    remesh(mesh, settings, &Control::silent()).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong with a mesh as a closed 2-manifold, by index: an edge that is not run through once in each direction,
/// or a vertex whose faces are not one fan.
fn flaw(mesh: &TriMesh) -> Option<String> {
    let mut next: HashMap<(u32, u32), u32> = HashMap::new();
    let mut num_faces: HashMap<u32, usize> = HashMap::new();
    for &[a, b, c] in &mesh.triangles {
        if a == b || b == c || c == a {
            return Some(format!("a face names a vertex twice: {a} {b} {c}"));
        }
        for [center, from, to] in [[a, b, c], [b, c, a], [c, a, b]] {
            if next.insert((center, from), to).is_some() {
                return Some(format!("two faces run from {center} to {from}"));
            }
            *num_faces.entry(center).or_default() += 1;
        }
    }
    let mut starts: HashMap<u32, u32> = HashMap::new();
    for &(center, from) in next.keys() {
        if !next.contains_key(&(from, center)) {
            return Some(format!("the edge {center} {from} is open"));
        }
        starts.insert(center, from);
    }
    for (&center, &start) in &starts {
        let mut length = 0;
        let mut spoke = start;
        while let Some(&following) = next.get(&(center, spoke)) {
            length += 1;
            spoke = following;
            if spoke == start {
                break;
            }
        }
        if length != num_faces[&center] {
            return Some(format!("vertex {center} has more than one fan"));
        }
    }
    (starts.len() != mesh.positions.len()).then(|| "a vertex has no face".to_owned())
}

fn assert_closed(mesh: &TriMesh) -> MeshHealth {
    assert_eq!(flaw(mesh), None);
    assert!(mesh.is_consistent());
    let crossings = SelfIntersections::of(mesh, &Control::silent()).expect("nobody stops it");
    assert_eq!(crossings.count, 0, "faces cross");
    MeshHealth::of(mesh)
}

fn moved(mut mesh: TriMesh, offset: Vec3) -> TriMesh {
    mesh.positions.iter_mut().for_each(|position| *position += offset);
    mesh
}

fn turned_inside_out(mut mesh: TriMesh) -> TriMesh {
    mesh.triangles.iter_mut().for_each(|triangle| triangle.swap(1, 2));
    mesh
}

fn cell_of(mesh: &TriMesh, resolution: u32) -> f32 {
    let (low, high) = mesh.bounds().unwrap_or_default();
    (high - low).max_element() / resolution as f32
}

/// Points all over the faces.
fn surface_points(mesh: &TriMesh, spacing: f32) -> Vec<Vec3> {
    let mut points = Vec::new();
    for face in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(face);
        let longest = a.distance(b).max(b.distance(c)).max(c.distance(a));
        let count = (longest / spacing).ceil().max(1.0) as usize;
        for i in 0..=count {
            for j in 0..=count - i {
                let weights = Mat3::from_cols(a, b, c) * Vec3::new(i as f32, j as f32, (count - i - j) as f32);
                points.push(weights / count as f32);
            }
        }
    }
    points
}

fn farthest(points: &[Vec3], mesh: &TriMesh) -> f32 {
    let tree = SearchTree::new(mesh);
    let squared = points.iter().map(|&point| {
        tree.nearest(point)
            .map_or(f32::INFINITY, |nearest| nearest.distance_squared)
    });
    squared.fold(0.0, f32::max).sqrt()
}

/// Distances in cells: from the shape's sharp edges to the mesh, mean and most, and from either surface to the other.
fn errors(shape: &TriMesh, mesh: &TriMesh, resolution: u32) -> [f32; 4] {
    let cell = cell_of(shape, resolution);
    let deviation = Deviation::of(mesh, shape, cell);
    [
        deviation.mean_at_edges.unwrap_or(0.0),
        deviation.greatest_at_edges.unwrap_or(0.0),
        farthest(&surface_points(shape, cell * 0.5), mesh) / cell,
        farthest(&surface_points(mesh, cell * 0.5), shape) / cell,
    ]
}

#[test]
fn a_sphere_stays_a_sphere() {
    let sphere = shapes::icosphere(0.5, 6);
    for resolution in [16, 64, 150] {
        let mesh = rebuilt(&sphere, &at(resolution));
        let health = assert_closed(&mesh);
        assert_eq!(
            (health.num_components, health.euler_characteristic),
            (1, 2),
            "{resolution}"
        );
        assert!(health.is_watertight && health.signed_volume > 0.0);
        let [_, _, to, from] = errors(&sphere, &mesh, resolution);
        assert!(to < 0.1 && from < 0.1, "{resolution}: {to} {from} cells");
    }
}

#[test]
fn a_torus_keeps_its_hole() {
    let health = assert_closed(&rebuilt(&shapes::torus(0.35, 0.1, 120, 60), &at(80)));
    assert_eq!((health.num_components, health.euler_characteristic), (1, 0));
}

#[test]
fn sharp_edges_are_kept() {
    let resolution = 64;
    let nets = RemeshSettings {
        keeps_features: false,
        ..at(resolution)
    };
    let gear = shapes::gear(12, 0.38, 0.5, 0.12);
    // Where a tip passes between samples a bevel of less than a cell remains; on a lattice along the walls none does.
    for (name, shape, most_mean, most) in [
        ("cube", shapes::cube(Vec3::ZERO), 0.001, 0.01),
        ("turned cube", shapes::turned(shapes::cube(Vec3::ZERO)), 0.1, 0.8),
        ("gear", gear.clone(), 0.1, 0.8),
        ("turned gear", shapes::turned(gear), 0.15, 1.0),
    ] {
        let sharp = rebuilt(&shape, &at(resolution));
        let health = assert_closed(&sharp);
        assert_eq!((health.num_components, health.euler_characteristic), (1, 2), "{name}");
        let kept = errors(&shape, &sharp, resolution);
        let plain = errors(&shape, &rebuilt(&shape, &nets), resolution);
        println!("{name}, cells: edges mean and most, to and from the mesh: {kept:.3?}; surface nets {plain:.3?}");
        assert!(
            kept[0] < most_mean && kept[1..].iter().all(|&error| error < most),
            "{name}: {kept:?}"
        );
        assert!(kept[0] < plain[0] * 0.35, "{name}: {kept:?} against {plain:?}");
    }
}

#[test]
fn flat_walls_take_few_faces_and_fine_detail_beside_them_many() {
    let resolution = 96;
    let gear = shapes::turned(shapes::gear(8, 0.2, 0.26, 0.5));
    let shape = shapes::together(shapes::turned(shapes::cube(Vec3::ZERO)), &moved(gear, Vec3::splat(0.3)));
    let mesh = rebuilt(&shape, &at(resolution));
    let health = assert_closed(&mesh);
    assert!(health.is_watertight);
    let rounded = RemeshSettings {
        keeps_features: false,
        ..at(resolution)
    };
    let everywhere = rebuilt(&shape, &rounded);
    assert!(
        mesh.triangles.len() * 5 < everywhere.triangles.len(),
        "{} of {}",
        mesh.triangles.len(),
        everywhere.triangles.len()
    );
    assert_eq!(
        health.euler_characteristic,
        MeshHealth::of(&everywhere).euler_characteristic
    );
    // As near as with a vertex in every cell.
    let [_, _, _, from] = errors(&shape, &mesh, resolution);
    assert!(from < 0.9, "{from}");
}

#[test]
fn larger_cells_leave_a_curved_surface_where_it_is() {
    let shape = shapes::noisy_sphere(7, 0.02, 12.0, 0.0);
    let mesh = rebuilt(&shape, &at(200));
    assert_closed(&mesh);
    let [_, _, to, from] = errors(&shape, &mesh, 200);
    assert!(to < 0.1 && from < 0.1, "{to} {from} cells");
}

#[test]
fn crossing_spheres_become_one() {
    let ball = shapes::icosphere(0.3, 5);
    let two = shapes::together(moved(ball.clone(), Vec3::X * 0.2), &moved(ball, Vec3::X * -0.2));
    let health = assert_closed(&rebuilt(&two, &at(96)));
    assert_eq!((health.num_components, health.euler_characteristic), (1, 2));
    // Two balls less their common lens.
    let volume = std::f64::consts::PI * (4.0 / 3.0 * 0.027 * 2.0 - 2.0 / 3.0 * 0.01 * 0.8);
    assert!(
        (health.signed_volume / volume - 1.0).abs() < 0.01,
        "{}",
        health.signed_volume / volume
    );
}

#[test]
fn inner_shells_vanish() {
    let outer = shapes::icosphere(0.5, 5);
    let inner = shapes::icosphere(0.3, 5);
    let alone = MeshHealth::of(&rebuilt(&outer, &at(64)));
    for shells in [
        shapes::together(outer.clone(), &inner),
        shapes::together(outer.clone(), &turned_inside_out(inner.clone())),
    ] {
        let health = assert_closed(&rebuilt(&shells, &at(64)));
        assert_eq!(health.num_components, 1);
        assert!((health.signed_volume / alone.signed_volume - 1.0).abs() < 1e-3);
    }
    let hollow = shapes::together(outer, &turned_inside_out(inner));
    let keeps = RemeshSettings {
        keeps_cavities: true,
        ..at(64)
    };
    let health = assert_closed(&rebuilt(&hollow, &keeps));
    assert_eq!(health.num_components, 2);
    assert!(health.signed_volume < alone.signed_volume * 0.8);
}

#[test]
fn a_box_without_lid_is_closed() {
    let mut open = shapes::cube(Vec3::ZERO);
    open.triangles.drain(0..2);
    for mesh in [open.clone(), shapes::turned(open)] {
        let health = assert_closed(&rebuilt(&mesh, &at(48)));
        assert!(health.is_watertight);
        assert_eq!((health.num_components, health.euler_characteristic), (1, 2));
        assert!(
            health.signed_volume > 0.7 && health.signed_volume < 1.05,
            "{}",
            health.signed_volume
        );
    }
}

#[test]
fn an_open_sheet_becomes_a_shell() {
    let mut sheet = shapes::cube(Vec3::ZERO);
    sheet.triangles.truncate(2);
    for mesh in [sheet.clone(), shapes::turned(sheet.clone())] {
        for thickness in [2.0, 5.0] {
            let settings = RemeshSettings {
                sheet_thickness: thickness,
                ..at(64)
            };
            let cell = cell_of(&TriMesh::new(mesh.corners(0).into(), vec![[0, 1, 2]]), 64);
            let health = assert_closed(&rebuilt(&mesh, &settings));
            assert_eq!((health.num_components, health.euler_characteristic), (1, 2));
            let expected = f64::from(thickness * cell);
            let ratio = health.signed_volume / expected;
            assert!((0.9..1.2).contains(&ratio), "{thickness}: {ratio}");
        }
    }
    let with_ball = shapes::together(sheet, &moved(shapes::icosphere(0.3, 4), Vec3::Z * 0.2));
    let health = assert_closed(&rebuilt(&with_ball, &at(64)));
    assert_eq!(health.num_components, 2);
}

#[test]
fn projecting_back_comes_closer_and_folds_nothing() {
    let shape = shapes::noisy_sphere(5, 0.1, 25.0, 0.0);
    let plain = RemeshSettings {
        keeps_features: false,
        ..at(48)
    };
    let back = RemeshSettings {
        projects_back: 1.0,
        ..plain.clone()
    };
    let distance = |settings: &RemeshSettings| {
        let mesh = rebuilt(&shape, settings);
        assert_closed(&mesh);
        farthest(&mesh.positions, &shape) / cell_of(&shape, 48)
    };
    let (before, after) = (distance(&plain), distance(&back));
    assert!(after < 1e-3 && before > 0.02, "{before} {after}");
}

#[test]
fn colours_come_along() {
    let mut ball = shapes::icosphere(0.5, 4);
    ball.colors = ball.positions.iter().map(|&position| position + 0.5).collect();
    let mesh = rebuilt(&ball, &at(40));
    assert_eq!(mesh.colors.len(), mesh.positions.len());
    for (position, color) in mesh.positions.iter().zip(&mesh.colors) {
        assert!((*position + 0.5 - *color).length() < 0.02);
    }
}

#[test]
fn threads_do_not_show() {
    let mut open = shapes::noisy_sphere(5, 0.1, 25.0, 0.01);
    open.triangles.truncate(18_000);
    let plain = shapes::together(open, &shapes::turned(shapes::gear(9, 0.3, 0.4, 0.6)));
    // Colours keep a vertex in every cell.
    let mut colored = plain.clone();
    colored.colors = colored.positions.clone();
    let settings = RemeshSettings {
        projects_back: 0.5,
        ..at(96)
    };
    for mesh in [plain, colored] {
        let on = |num_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(num_threads)
                .build()
                .unwrap();
            pool.install(|| rebuilt(&mesh, &settings))
        };
        let alone = on(1);
        assert_closed(&alone);
        assert!(alone == on(3));
    }
}

#[test]
fn progress_rises_and_a_cancel_ends_it() {
    let mesh = shapes::icosphere(0.5, 5);
    let seen = std::sync::Mutex::new(Vec::new());
    let control = Control {
        is_cancelled: &|| false,
        progress: &|progress: StepProgress| seen.lock().unwrap().push(progress),
    };
    remesh(&mesh, &at(128), &control).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.iter()
            .all(|progress| progress.step == Step::Remesh && progress.done <= progress.total)
    );
    assert!(seen.is_sorted_by_key(|progress| progress.done) && seen.len() > 10);
    for after in [0, 1, 5, 20] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let control = Control {
            is_cancelled: &|| count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= after,
            progress: &|_| (),
        };
        let error = remesh(&mesh, &at(128), &control).unwrap_err();
        assert_eq!(error, MeshError::Cancelled { step: Step::Remesh });
    }
}

#[test]
fn what_cannot_be_rebuilt_says_why() {
    let with = |positions: Vec<Vec3>, triangles: Vec<[u32; 3]>, settings: &RemeshSettings| {
        remesh(&TriMesh::new(positions, triangles), settings, &Control::silent()).unwrap_err()
    };
    let corners = vec![Vec3::ZERO, Vec3::X, Vec3::Y];
    assert!(matches!(with(Vec::new(), Vec::new(), &at(64)), MeshError::Empty { .. }));
    assert!(matches!(
        with(vec![Vec3::ONE; 3], vec![[0, 1, 2]], &at(64)),
        MeshError::Empty { .. }
    ));
    assert!(matches!(
        with(corners.clone(), vec![[0, 1, 3]], &at(64)),
        MeshError::Inconsistent { .. }
    ));
    assert!(matches!(
        with(corners.clone(), vec![[0, 1, 2]], &at(8)),
        MeshError::BadSetting { .. }
    ));
    let nowhere = vec![Vec3::ZERO, Vec3::X, Vec3::NAN];
    assert_eq!(
        with(nowhere, vec![[0, 1, 2]], &at(64)),
        MeshError::NotFinite { vertex: 2 }
    );
    for (projects_back, sheet_thickness) in [(f32::NAN, 2.0), (1.5, 2.0), (0.0, 1.0), (0.0, f32::INFINITY)] {
        let settings = RemeshSettings {
            projects_back,
            sheet_thickness,
            ..at(64)
        };
        let error = with(corners.clone(), vec![[0, 1, 2]], &settings);
        assert!(matches!(error, MeshError::BadSetting { .. }), "{error}");
    }
}

fn soup() -> impl Strategy<Value = TriMesh> {
    // Few places, so that vertices coincide, faces repeat and edges get many faces.
    let lattice = prop::array::uniform3(0..4_i32).prop_map(|place| Vec3::from_array(place.map(|i| i as f32 * 0.25)));
    let anywhere = prop::array::uniform3(-1.0_f32..1.0).prop_map(Vec3::from_array);
    let vertex = prop_oneof![3 => lattice, 2 => anywhere, 1 => Just(Vec3::splat(1e-30))];
    prop::collection::vec(vertex, 3..40).prop_flat_map(|positions| {
        let count = positions.len() as u32;
        prop::collection::vec(prop::array::uniform3(0..count), 1..120)
            .prop_map(move |triangles| TriMesh::new(positions.clone(), triangles))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_soup_becomes_a_closed_manifold(
        mesh in soup(),
        resolution in 16_u32..48,
        projects_back in prop_oneof![Just(0.0_f32), 0.0_f32..=1.0],
        keeps_features in any::<bool>(),
        keeps_cavities in any::<bool>(),
    ) {
        let settings = RemeshSettings { projects_back, keeps_features, keeps_cavities, ..at(resolution) };
        match remesh(&mesh, &settings, &Control::silent()) {
            Ok(rebuilt) => {
                prop_assert_eq!(flaw(&rebuilt), None);
                prop_assert!(rebuilt.is_consistent() && !rebuilt.triangles.is_empty());
                let crossings = SelfIntersections::of(&rebuilt, &Control::silent()).unwrap();
                prop_assert_eq!(crossings.count, 0);
            }
            Err(error) => prop_assert!(matches!(error, MeshError::Empty { .. }), "{error}"),
        }
    }
}
