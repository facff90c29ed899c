//! What an engine promises: same bytes, honest progress, quick cancel, reused stages, whole assets.

mod common;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bozzetto_asset::{Asset, PreparedView, View};
use bozzetto_engine::{
    CancelToken, Engine as _, EngineError, Event, Job, ParamValue, ParamValues, Preview, RunContext,
};
use bozzetto_hull::HullEngine;
use common::mesh_check;
use common::scene::Scene;

fn views() -> Vec<PreparedView> {
    Scene::synthetic().turntable(4, &[0.0], 160)
}

fn small(extra: &[(&str, f64)]) -> ParamValues {
    let mut values = common::params(extra);
    values.0.insert("carve.resolution".to_owned(), ParamValue::Int(64));
    values
}

fn run(engine: &mut HullEngine, parameters: &ParamValues) -> (Asset, Vec<Event>) {
    let events = Mutex::new(Vec::new());
    let context = RunContext {
        cancel: CancelToken::new(),
        emit: &|event| events.lock().expect("no panic").push(event),
    };
    let asset = engine.run_views(&views(), parameters, &context).expect("an asset");
    (asset, events.into_inner().expect("no panic"))
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let with_threads = |count: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build()
            .expect("threads start");
        pool.install(|| run(&mut HullEngine::new(), &small(&[])).0)
    };
    let (one, three) = (with_threads(1), with_threads(3));
    assert_eq!(one.mesh, three.mesh);
    assert_eq!(one.volume, three.volume);
    assert_eq!(one.splats, three.splats);
    assert_eq!(one.cameras, three.cameras);
}

#[test]
fn an_asset_is_whole() {
    let (asset, _) = run(&mut HullEngine::new(), &small(&[]));
    let mesh = asset.mesh.expect("a mesh");
    assert!(mesh.is_consistent() && mesh.normals.len() == mesh.positions.len());
    assert_eq!(mesh.colors.len(), mesh.positions.len());
    for (index, triangle) in mesh.triangles.iter().enumerate().step_by(97) {
        let [a, b, c] = mesh.corners(index);
        let face = (b - a).cross(c - a);
        let normal = mesh.normals[triangle[0] as usize];
        assert!(face.dot(normal) > -1e-9, "faces point outwards like their normals");
    }
    let volume = asset.volume.expect("a volume");
    assert!(volume.is_consistent());
    let splats = asset.splats.expect("splats");
    assert!(splats.is_consistent() && splats.sh_degree == 0 && !splats.is_empty());
    assert_eq!(asset.cameras.len(), 4);
    assert_eq!(asset.provenance.engine, "hull");
}

#[test]
fn the_artist_watches_the_shape_form_from_voxels_to_colours() {
    let (asset, events) = run(&mut HullEngine::new(), &small(&[]));
    let mesh = asset.mesh.expect("a mesh");
    let shapes: Vec<&Preview> = events
        .iter()
        .filter_map(|event| match event {
            Event::Preview(preview @ (Preview::Structure(_) | Preview::Mesh(_) | Preview::Splats(_))) => Some(preview),
            _ => None,
        })
        .collect();
    let num_voxel_shapes = shapes
        .iter()
        .take_while(|shape| matches!(shape, Preview::Structure(_)))
        .count();
    assert!(num_voxel_shapes >= 3, "coarse to fine, before there is a surface");
    let Preview::Structure(last) = shapes[num_voxel_shapes - 1] else {
        panic!("voxels come first")
    };
    // The voxels are where the surface will be.
    let bounds = last.bounds().expect("some");
    let (low, high) = mesh.bounds().expect("a mesh");
    let slack = glam::Vec3::splat(2.0 * last.voxel_size);
    assert!(
        bounds.0.cmpge(low - slack).all() && bounds.1.cmple(high + slack).all(),
        "{bounds:?}"
    );
    assert!(
        bounds.0.cmple(low + slack).all() && bounds.1.cmpge(high - slack).all(),
        "{bounds:?}"
    );
    let rest = &shapes[num_voxel_shapes..];
    assert!(matches!(rest, [Preview::Mesh(_), Preview::Mesh(_), Preview::Splats(_)]));
}

#[test]
fn any_surface_point_finds_its_eight_voxels() {
    let (asset, _) = run(&mut HullEngine::new(), &small(&[]));
    let (mesh, volume) = (asset.mesh.expect("a mesh"), asset.volume.expect("a volume"));
    let known: std::collections::HashSet<glam::IVec3> = volume.coords.iter().copied().collect();
    assert_eq!(known.len(), volume.coords.len(), "no voxel twice");
    let missing = (0..mesh.triangles.len())
        .filter(|&triangle| {
            let [a, b, c] = mesh.corners(triangle);
            let low = (((a + b + c) / 3.0 - volume.origin) / volume.voxel_size - 0.5)
                .floor()
                .as_ivec3();
            (0..8).any(|corner| !known.contains(&(low + glam::IVec3::new(corner & 1, corner >> 1 & 1, corner >> 2))))
        })
        .count();
    let share = missing as f64 / mesh.triangles.len() as f64;
    println!("{:.3} % of the faces lack a voxel", share * 100.0);
    assert!(share < 0.01, "{share}");
}

#[test]
fn progress_never_goes_back_and_reaches_the_end() {
    let (_, events) = run(&mut HullEngine::new(), &small(&[]));
    let mut at = std::collections::HashMap::new();
    for event in &events {
        if let Event::Progress { stage, done, total } = event {
            let last = at.insert(stage.clone(), *done).unwrap_or(0);
            assert!(
                *done >= last && done <= total,
                "{stage}: {done} after {last} of {total}"
            );
        }
    }
    for stage in ["fit", "carve", "surface", "colour"] {
        assert_eq!(at.get(stage), Some(&1000), "{stage}");
    }
}

#[test]
fn a_changed_parameter_reruns_its_stage_and_later_ones_only() {
    let mut engine = HullEngine::new();
    run(&mut engine, &small(&[]));
    for (key, value, kept) in [
        ("colour.roughness", 0.2, vec!["fit", "carve", "surface"]),
        ("surface.smoothing", 0.6, vec!["fit", "carve"]),
        ("carve.rounding", 0.3, vec!["fit"]),
        ("fit.field_of_view", 30.0, vec![]),
    ] {
        let (_, events) = run(&mut engine, &small(&[(key, value)]));
        let reused: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::Reused { stage } => Some(stage.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(reused, kept, "{key}");
    }
}

#[test]
fn a_cancelled_run_ends_at_once_wherever_it_is() {
    let views = views();
    let total = count_events(&views);
    let mut slowest = Duration::ZERO;
    // Cancelled at every tenth part of the way through.
    for tenth in 0..10 {
        let cancel = CancelToken::new();
        let seen = AtomicUsize::new(0);
        let asked_at = Mutex::new(None);
        let context = RunContext {
            cancel: cancel.clone(),
            emit: &|_| {
                if seen.fetch_add(1, Ordering::Relaxed) == total * tenth / 10 {
                    *asked_at.lock().expect("no panic") = Some(Instant::now());
                    cancel.cancel();
                }
            },
        };
        let outcome = HullEngine::new().run_views(&views, &small(&[]), &context);
        assert_eq!(outcome.err(), Some(EngineError::Cancelled), "tenth {tenth}");
        let asked_at = asked_at.into_inner().expect("no panic").expect("asked");
        slowest = slowest.max(asked_at.elapsed());
    }
    println!("the slowest cancel took {slowest:?}");
}

fn count_events(views: &[PreparedView]) -> usize {
    let seen = AtomicUsize::new(0);
    let context = RunContext {
        cancel: CancelToken::new(),
        emit: &|_| {
            seen.fetch_add(1, Ordering::Relaxed);
        },
    };
    HullEngine::new()
        .run_views(views, &small(&[]), &context)
        .expect("an asset");
    seen.into_inner()
}

#[test]
fn a_job_of_files_runs_and_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let views = views();
    let files: Vec<View> = ["front", "left", "back", "right"]
        .iter()
        .zip(&views)
        .map(|(name, view)| {
            let (width, height) = view.matte.dimensions();
            let picture = image::RgbaImage::from_fn(width, height, |x, y| {
                let [r, g, b] = view.color.get_pixel(x, y).0;
                image::Rgba([r, g, b, view.matte.get_pixel(x, y).0[0]])
            });
            let path = folder.path().join(format!("thing_{name}.png"));
            picture.save(&path).expect("the picture can be written");
            View::new(path)
        })
        .collect();
    let job = Job {
        engine: "hull".to_owned(),
        params: small(&[]),
        views: files,
        mesh: None,
        seed: 7,
    };
    let context = RunContext {
        cancel: CancelToken::new(),
        emit: &|_| (),
    };
    let asset = HullEngine::new().run(&job, &context).expect("an asset");
    assert_eq!(asset.provenance.seed, 7);
    assert_eq!(asset.provenance.views.len(), 4);
    assert!(asset.provenance.views.iter().all(|view| view.sha256.len() == 64));
    // Names alone tell the directions: the second camera looks from the object's left, which is +X.
    assert!(asset.cameras[1].forward().abs_diff_eq(-glam::Vec3::X, 1e-5));
    assert!(mesh_check::Topology::of(asset.mesh.as_ref().expect("a mesh")).is_closed_manifold());
}

#[test]
fn what_is_said_of_a_view_keeps_its_cut_and_fits_it_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("thing.png");
    let picture = image::RgbaImage::from_fn(64, 64, |x, y| {
        let is_inside = x.abs_diff(32) < 20 && y.abs_diff(32) < 14;
        image::Rgba([90, 120, 60, if is_inside { 255 } else { 0 }])
    });
    picture.save(&path).expect("the picture can be written");
    let mut engine = HullEngine::new();
    let mut reused = |view: View| {
        let events = Mutex::new(Vec::new());
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|event| events.lock().expect("no panic").push(event),
        };
        let job = Job {
            engine: "hull".to_owned(),
            params: small(&[]),
            views: vec![view],
            mesh: None,
            seed: 0,
        };
        let asset = engine.run(&job, &context).expect("an asset");
        let events = events.into_inner().expect("no panic");
        let kept: Vec<String> = events
            .into_iter()
            .filter_map(|event| match event {
                Event::Reused { stage } => Some(stage),
                _ => None,
            })
            .collect();
        (kept, asset.cameras[0].forward())
    };
    let mut view = View::new(path);
    assert!(reused(view.clone()).0.is_empty());
    view.direction = Some(bozzetto_asset::Direction::Left);
    let (kept, forward) = reused(view.clone());
    assert_eq!(kept, ["matte"]);
    assert!(forward.abs_diff_eq(-glam::Vec3::X, 1e-5), "{forward}");
    view.matte.inverted = true;
    assert!(!reused(view).0.contains(&"matte".to_owned()));
}

#[test]
fn useless_views_are_refused_in_words() {
    let context = RunContext {
        cancel: CancelToken::new(),
        emit: &|_| (),
    };
    let mut engine = HullEngine::new();
    let none = engine.run_views(&[], &ParamValues::default(), &context);
    assert_eq!(none.err(), Some(EngineError::NoViews));
    let mut empty = views().remove(0);
    empty.matte = std::sync::Arc::new(image::GrayImage::new(160, 160));
    let error = engine.run_views(&[empty], &ParamValues::default(), &context).err();
    assert!(matches!(error, Some(EngineError::BadView { .. })), "{error:?}");
    let mut flat = views().remove(0);
    let projection = bozzetto_asset::Projection::Perspective { fov_y_rad: 0.0 };
    flat.camera = Some(bozzetto_asset::Camera::orbit(0.0, 0.0, 2.0, projection, 1.0));
    let error = engine.run_views(&[flat], &ParamValues::default(), &context).err();
    assert!(matches!(error, Some(EngineError::BadView { .. })), "{error:?}");
    assert!(engine.info().params.iter().all(|spec| !spec.help.is_empty()));
}
