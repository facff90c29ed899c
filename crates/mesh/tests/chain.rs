//! The whole chain on odd input, under cancels, and on any number of threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bozzetto_asset::{Asset, PbrSample, PbrVolume, TriMesh};
use bozzetto_mesh::{
    Control, FinishSettings, MeshError, MeshHealth, Prepared, RemeshSettings, Simplifier, Step, StepProgress, finish,
    shapes,
};
use glam::{IVec3, Vec2, Vec3};
use proptest::prelude::*;

fn asset(mesh: TriMesh) -> Asset {
    Asset {
        mesh: Some(Arc::new(mesh)),
        ..Asset::default()
    }
}

fn small() -> FinishSettings {
    FinishSettings {
        target_faces: 200,
        texture_px: 64,
        padding_px: 1,
        ..FinishSettings::default()
    }
}

fn everything() -> FinishSettings {
    FinishSettings {
        removes_inner_shells: true,
        parts_touching: true,
        target_faces: 2000,
        texture_px: 256,
        bakes_occlusion: true,
        remeshes: true,
        remesh: RemeshSettings {
            resolution: 48,
            ..RemeshSettings::default()
        },
        ..FinishSettings::default()
    }
}

/// What holds for every finished mesh, whatever went in.
fn assert_valid(asset: &Asset, settings: &FinishSettings) -> Result<(), TestCaseError> {
    match finish(asset, settings, &Control::silent()) {
        Ok(finished) => {
            let mesh = &finished.textured.mesh;
            prop_assert!(mesh.is_consistent() && !mesh.triangles.is_empty());
            prop_assert_eq!(mesh.uvs.len(), mesh.positions.len());
            prop_assert!(
                mesh.uvs
                    .iter()
                    .all(|uv| uv.cmpge(Vec2::ZERO).all() && uv.cmple(Vec2::ONE).all())
            );
            prop_assert!(mesh.normals.iter().all(|normal| (normal.length() - 1.0).abs() < 1e-3));
            prop_assert!(mesh.tangents.iter().flatten().all(|value| value.is_finite()));
            let material = &finished.textured.material;
            prop_assert_eq!(
                material.base_color.dimensions(),
                (settings.texture_px, settings.texture_px)
            );
        }
        Err(error) => {
            let expected = matches!(
                error,
                MeshError::Empty { .. }
                    | MeshError::NotFinite { .. }
                    | MeshError::Inconsistent { .. }
                    | MeshError::UnwrapFailed { .. }
            );
            prop_assert!(expected, "{error}");
        }
    }
    Ok(())
}

fn soup() -> impl Strategy<Value = TriMesh> {
    // Few places, so that vertices coincide, faces repeat and edges get many faces.
    let lattice = (0..4_i32, 0..4_i32, 0..3_i32).prop_map(|(x, y, z)| IVec3::new(x, y, z).as_vec3() * 0.25);
    let anywhere = prop::array::uniform3(-1.0_f32..1.0).prop_map(Vec3::from_array);
    let vertex = prop_oneof![4 => lattice, 1 => anywhere, 1 => Just(Vec3::splat(1e-30)), 1 => Just(Vec3::splat(3e4))];
    prop::collection::vec(vertex, 3..40).prop_flat_map(|positions| {
        let count = positions.len() as u32;
        prop::collection::vec(prop::array::uniform3(0..count), 1..120)
            .prop_map(move |triangles| TriMesh::new(positions.clone(), triangles))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_soup_ends_well(mesh in soup(), target in 1_u32..100, holes in any::<bool>(), remeshes in any::<bool>()) {
        let settings = FinishSettings {
            target_faces: target,
            fills_holes: holes,
            max_hole_perimeter: 10.0,
            remeshes,
            remesh: RemeshSettings { resolution: 16, ..RemeshSettings::default() },
            ..small()
        };
        assert_valid(&asset(mesh), &settings)?;
    }

    #[test]
    fn any_soup_is_split_into_manifold_sheets(mesh in soup()) {
        let control = Control::silent();
        let cleaned = bozzetto_mesh::drop_bad_faces(&mesh, &control).unwrap();
        let oriented = bozzetto_mesh::orient_outward(&cleaned, &control).unwrap();
        let mut split = bozzetto_mesh::split_non_manifold(&oriented, &control).unwrap();
        // Health joins what lies at one place: move every vertex to a place of its own.
        for (index, position) in split.positions.iter_mut().enumerate() {
            *position = Vec3::new(index as f32, (index as f32).sqrt(), 1.0);
        }
        let health = MeshHealth::of(&split);
        prop_assert_eq!((health.num_non_manifold_edges, health.num_inconsistent_edges), (0, 0));
    }

    #[test]
    fn damage_has_a_type(mut mesh in soup(), bad in prop_oneof![Just(f32::NAN), Just(f32::INFINITY)], wrong in any::<bool>()) {
        if wrong {
            mesh.triangles[0][1] = mesh.positions.len() as u32;
            let error = finish(&asset(mesh), &small(), &Control::silent()).unwrap_err();
            let is_named = matches!(error, MeshError::Inconsistent { .. });
            prop_assert!(is_named);
        } else {
            mesh.positions[1].y = bad;
            let error = finish(&asset(mesh), &small(), &Control::silent()).unwrap_err();
            prop_assert_eq!(error, MeshError::NotFinite { vertex: 1 });
        }
    }
}

#[test]
fn known_oddities_end_well() {
    let bow_tie = shapes::together(shapes::cube(Vec3::ZERO), &shapes::cube(Vec3::ONE));
    let mut doubled = shapes::cube(Vec3::ZERO);
    doubled.triangles.extend(doubled.triangles.clone());
    let mut open = shapes::icosphere(0.4, 3);
    open.triangles.truncate(700);
    let one = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]);
    let thin = {
        let mut cube = shapes::cube(Vec3::ZERO);
        cube.positions.iter_mut().for_each(|position| position.y *= 1e-4);
        cube
    };
    for mesh in [bow_tie, doubled, open, one, thin] {
        let finished = finish(&asset(mesh), &small(), &Control::silent()).unwrap();
        assert!(finished.health.num_faces > 0);
        assert_eq!(finished.health.num_inconsistent_edges, 0);
    }
    let flat = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::X * 2.0], vec![[0, 1, 2], [0, 0, 1]]);
    let error = finish(&asset(flat), &small(), &Control::silent()).unwrap_err();
    assert_eq!(error, MeshError::Empty { num_source_faces: 2 });
    let error = finish(&asset(TriMesh::default()), &small(), &Control::silent()).unwrap_err();
    assert_eq!(error, MeshError::Empty { num_source_faces: 0 });
    let error = finish(&Asset::default(), &small(), &Control::silent()).unwrap_err();
    assert_eq!(error, MeshError::NoMesh);
}

#[test]
fn settings_out_of_range_name_themselves() {
    for wrong in [
        FinishSettings {
            target_faces: 0,
            ..small()
        },
        FinishSettings {
            texture_px: 7,
            ..small()
        },
        FinishSettings {
            padding_px: 60,
            ..small()
        },
        FinishSettings {
            weld_distance: f32::NAN,
            ..small()
        },
        FinishSettings {
            remesh: RemeshSettings {
                resolution: 4,
                ..RemeshSettings::default()
            },
            ..small()
        },
    ] {
        let error = finish(&asset(shapes::cube(Vec3::ZERO)), &wrong, &Control::silent()).unwrap_err();
        assert!(matches!(error, MeshError::BadSetting { .. }), "{error}");
    }
}

#[test]
fn every_step_can_be_cancelled_while_it_runs() {
    let source = asset(shapes::noisy_sphere(5, 0.02, 30.0, 0.0));
    for step in [
        Step::Weld,
        Step::Clean,
        Step::Orient,
        Step::Split,
        Step::RemoveSpecks,
        Step::FillHoles,
        Step::RemoveShells,
        Step::Part,
        Step::Remesh,
        Step::Index,
        Step::Simplify,
        Step::Unwrap,
        Step::Tangents,
        Step::Occlusion,
        Step::Bake,
        Step::Dilate,
        Step::Examine,
    ] {
        let is_cancelled = AtomicBool::new(false);
        let control = Control {
            is_cancelled: &|| is_cancelled.load(Ordering::Relaxed),
            progress: &|progress: StepProgress| {
                if progress.step == step {
                    is_cancelled.store(true, Ordering::Relaxed);
                }
            },
        };
        assert_eq!(
            finish(&source, &everything(), &control).unwrap_err(),
            MeshError::Cancelled { step }
        );
    }
}

#[test]
fn progress_never_falls_and_every_step_is_timed() {
    let seen: std::sync::Mutex<Vec<StepProgress>> = std::sync::Mutex::default();
    let control = Control {
        is_cancelled: &|| false,
        progress: &|progress| seen.lock().unwrap().push(progress),
    };
    let finished = finish(
        &asset(shapes::noisy_sphere(5, 0.02, 30.0, 0.0)),
        &everything(),
        &control,
    )
    .unwrap();
    let seen = seen.into_inner().unwrap();
    for timing in &finished.timings {
        assert!(seen.iter().any(|progress| progress.step == timing.step));
    }
    assert!(finished.timings.len() >= 14);
    let baking: Vec<u64> = seen.iter().filter(|p| p.step == Step::Bake).map(|p| p.done).collect();
    assert!(baking.is_sorted() && baking.last() > Some(&200), "{baking:?}");
}

#[test]
fn one_thread_and_four_give_the_same_bytes() {
    let volume = {
        let coords: Vec<IVec3> = (0..32 * 32 * 32)
            .map(|i| IVec3::new(i % 32, i / 32 % 32, i / 1024))
            .collect();
        let samples = coords
            .iter()
            .map(|c| PbrSample {
                base_color: (c.as_vec3() / 32.0).to_array(),
                alpha: 1.0,
                metallic: c.x as f32 / 32.0,
                roughness: 0.5,
            })
            .collect();
        PbrVolume {
            origin: Vec3::splat(-0.5),
            voxel_size: 1.0 / 32.0,
            resolution: 32,
            coords,
            samples,
        }
    };
    let source = Asset {
        volume: Some(Arc::new(volume)),
        ..asset(shapes::noisy_sphere(5, 0.05, 25.0, 0.01))
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| finish(&source, &everything(), &Control::silent()).unwrap().textured)
    };
    let (one, four) = (run(1), run(4));
    assert_eq!(one.mesh, four.mesh);
    assert_eq!(one.material.base_color, four.material.base_color);
    assert_eq!(one.material.normal, four.material.normal);
    assert_eq!(one.material.orm, four.material.orm);
}

#[test]
fn the_slider_and_the_export_agree() {
    let source = asset(shapes::noisy_sphere(5, 0.05, 25.0, 0.01));
    let slider = Simplifier::new(source.mesh.as_ref().unwrap());
    let prepared = Prepared::new(&source, &small(), &Control::silent()).unwrap();
    for target_faces in [9000, 1500, 400] {
        let settings = FinishSettings {
            target_faces,
            ..small()
        };
        let shown = slider.simplified(target_faces as usize);
        let exported = prepared.finish(&settings, &Control::silent()).unwrap().textured.mesh;
        assert_eq!(shown.triangles.len(), exported.triangles.len());
        for face in 0..shown.triangles.len() {
            assert_eq!(shown.corners(face), exported.corners(face));
        }
        assert_eq!(
            *exported,
            *finish(&source, &settings, &Control::silent()).unwrap().textured.mesh
        );
    }
}

#[test]
fn the_remesh_counts_only_where_it_is_on() {
    let rebuilt = FinishSettings {
        remeshes: true,
        ..FinishSettings::default()
    };
    assert!(!rebuilt.prepares_like(&FinishSettings::default()));
    let finer = FinishSettings {
        remesh: RemeshSettings {
            resolution: 1024,
            ..RemeshSettings::default()
        },
        ..FinishSettings::default()
    };
    assert!(finer.prepares_like(&FinishSettings::default()));
}

#[test]
fn a_rebuilt_finish_is_closed() {
    let mut open = shapes::noisy_sphere(5, 0.05, 25.0, 0.0);
    open.triangles.drain(0..3000);
    let settings = FinishSettings {
        target_faces: 3000,
        fills_holes: false,
        ..everything()
    };
    let finished = finish(&asset(open), &settings, &Control::silent()).unwrap();
    assert!(finished.health.is_watertight, "{:?}", finished.health);
}
