//! The whole engine on a tiny set of weights: events, what is kept between runs, cancelling, faulty weights, and the same through
//! a process.

#[cfg(unix)]
#[path = "../../engine/tests/faults/every_stage.rs"]
mod every_stage;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bozzetto_asset::{Asset, SparseStructure, View};
use bozzetto_engine::{
    CancelToken, Engine, EngineError, Event, Job, ParamValue, ParamValues, Preview, RunContext, WorkerCommand,
    WorkerEngine,
};
use bozzetto_trellis::engine::Trellis2Engine;
use bozzetto_trellis::networks::TRELLIS2;
use bozzetto_trellis::random_set::{self, Size};
use bozzetto_trellis::weights::Library;
use glam::{IVec3, Vec3};
use image::{Rgba, RgbaImage};
use tch::Device;

const STAGES: [&str; 5] = ["features", "structure", "shape", "material", "decode"];

/// Random numbers come from one generator a process: one engine at a time may draw them. Processes of their own would only
/// take processor cores from each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of tiny weights that tests read and do not change.
static WEIGHTS: LazyLock<tempfile::TempDir> = LazyLock::new(tiny_weights);

fn tiny_weights() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    random_set::make(folder.path(), Size::Tiny).expect("written");
    folder
}

fn engine(weights: &Path) -> Trellis2Engine {
    let library = Library::new(TRELLIS2, Some(weights.to_owned())).with_hub(weights.join("no-cache"));
    Trellis2Engine::on_device(library, Device::Cpu)
}

/// A job with a picture that is cut out already, and few steps.
struct Given {
    _folder: tempfile::TempDir,
    job: Job,
}

fn given(kind: &str) -> Given {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ball.png");
    let is_inside = |x: u32, y: u32| (x as i32 - 32).pow(2) + (y as i32 - 32).pow(2) < 700;
    let picture = RgbaImage::from_fn(64, 64, |x, y| {
        Rgba([(4 * x) as u8, (4 * y) as u8, 90, if is_inside(x, y) { 255 } else { 0 }])
    });
    picture.save(&path).expect("written");
    let mut job = Job {
        engine: "trellis2".to_owned(),
        params: ParamValues::default(),
        views: vec![View::new(path)],
        mesh: None,
        seed: 5,
    };
    set(&mut job, "shape.pipeline_type", ParamValue::Choice(kind.to_owned()));
    for stage in ["structure", "shape", "material"] {
        set(&mut job, &format!("{stage}.steps"), ParamValue::Int(4));
    }
    // Guidance takes twice the time; the shape has it.
    set(&mut job, "structure.guidance_strength", ParamValue::Float(1.0));
    Given { _folder: folder, job }
}

fn set(job: &mut Job, key: &str, value: ParamValue) {
    job.params.0.insert(key.to_owned(), value);
}

/// What a run told, in short.
#[derive(Default)]
struct Told {
    stages: Vec<String>,
    reused: Vec<String>,
    progress: Vec<(String, u64, u64)>,
    structures: usize,
    splats: usize,
    views: usize,
    log: Vec<String>,
}

impl Told {
    fn hear(&mut self, event: Event) {
        match event {
            Event::Stage { id, .. } => self.stages.push(id),
            Event::Reused { stage } => self.reused.push(stage),
            Event::Progress { stage, done, total } => self.progress.push((stage, done, total)),
            Event::Preview(Preview::Structure(structure)) => {
                assert!(structure.is_consistent());
                self.structures += 1;
            }
            Event::Preview(Preview::Splats(splats)) => {
                assert!(splats.is_consistent() && !splats.is_empty());
                self.splats += 1;
            }
            Event::Preview(Preview::Views(views)) => self.views += views.len(),
            Event::Log { message, .. } => self.log.push(message),
            _ => {}
        }
    }
}

/// Runs a job; `watch` may cancel it.
fn run_watched(
    engine: &mut dyn Engine,
    job: &Job,
    watch: impl Fn(&Event, &CancelToken) + Sync,
) -> (Result<Asset, EngineError>, Told) {
    let told = Mutex::new(Told::default());
    let cancel = CancelToken::new();
    let token = cancel.clone();
    let context = RunContext {
        cancel,
        emit: &|event| {
            watch(&event, &token);
            told.lock().expect("no panic").hear(event);
        },
    };
    let result = engine.run(job, &context);
    (result, told.into_inner().expect("no panic"))
}

fn run(engine: &mut dyn Engine, job: &Job) -> (Asset, Told) {
    let (result, told) = run_watched(engine, job, |_, _| {});
    (result.expect("an asset"), told)
}

fn assert_sound(asset: &Asset) {
    let (mesh, volume) = (
        asset.mesh.as_ref().expect("a mesh"),
        asset.volume.as_ref().expect("a volume"),
    );
    assert!(mesh.is_consistent() && !mesh.triangles.is_empty());
    assert!(volume.is_consistent() && volume.coords.len() == mesh.positions.len());
    let (low, high) = mesh.bounds().expect("vertices");
    assert!(low.min_element() >= -0.51 && high.max_element() <= 0.51, "{low} {high}");
}

#[test]
fn a_run_tells_what_it_does_and_makes_a_mesh_with_materials() {
    let _alone = alone();
    let given = given("512");
    let (asset, told) = run(&mut engine(WEIGHTS.path()), &given.job);
    assert_sound(&asset);
    assert_eq!(told.stages, STAGES);
    assert_eq!(told.reused, [""; 0]);
    for (stage, steps) in [("structure", 4), ("shape", 4), ("material", 4)] {
        let done: Vec<_> = told.progress.iter().filter(|(of, ..)| of == stage).collect();
        assert_eq!(done.len(), steps, "{stage}");
        assert!(
            done.iter()
                .enumerate()
                .all(|(index, (_, done, total))| (*done, *total) == (index as u64 + 1, 4))
        );
    }
    assert!(told.progress.iter().any(|(stage, ..)| stage == "decode"));
    assert_eq!((told.views, told.splats), (1, 1));
    // After the third step, and at the stage's end.
    assert_eq!(told.structures, 2);
    assert!(
        told.log
            .iter()
            .any(|line| line.contains("tokens are expected") && line.contains("s to go")),
        "{:?}",
        told.log
    );
    let weights: BTreeSet<_> = asset.provenance.weights.keys().map(String::as_str).collect();
    assert_eq!(weights.len(), 7, "{weights:?}");
    assert!(asset.provenance.weights.values().all(|hash| hash.len() == 64));
}

#[test]
fn a_structure_of_ones_own_is_what_the_shape_is_made_of() {
    let _alone = alone();
    let given = given("512");
    // A staircase: none of its steps are mirror images of others.
    let structure = SparseStructure {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / 64.0,
        resolution: 64,
        coords: (0..8).map(|step| IVec3::new(4 * step, 2 * step, 40)).collect(),
        colors: Vec::new(),
    };
    let halved: BTreeSet<_> = structure.coords.iter().map(|coords| (coords / 2).to_array()).collect();
    let engine = &mut engine(WEIGHTS.path()).with_structure(Some(structure));
    let last = Mutex::new(BTreeSet::new());
    let (asset, _) = run_watched(engine, &given.job, |event, _| {
        if let Event::Preview(Preview::Structure(structure)) = event {
            *last.lock().expect("no panic") = structure.coords.iter().map(IVec3::to_array).collect();
        }
    });
    assert_sound(&asset.expect("an asset"));
    assert_eq!(last.into_inner().expect("no panic"), halved);
}

#[test]
fn a_change_costs_its_stage_and_those_after_it() {
    let _alone = alone();
    let mut engine = engine(WEIGHTS.path());
    let mut given = given("512");
    let (first, _) = run(&mut engine, &given.job);
    let (again, told) = run(&mut engine, &given.job);
    assert_eq!(told.reused, STAGES);
    assert_eq!(again.mesh, first.mesh);

    set(&mut given.job, "material.steps", ParamValue::Int(2));
    let (_, told) = run(&mut engine, &given.job);
    assert_eq!(told.reused, ["features", "structure", "shape"]);

    set(&mut given.job, "shape.guidance_strength", ParamValue::Float(3.0));
    let (_, told) = run(&mut engine, &given.job);
    assert_eq!(told.reused, ["features", "structure"]);

    set(
        &mut given.job,
        "shape.pipeline_type",
        ParamValue::Choice("1024_cascade".to_owned()),
    );
    let (finer, told) = run(&mut engine, &given.job);
    assert_eq!(told.reused, ["structure"], "the picture is looked at once more, closer");
    let (shape_steps, _): (Vec<_>, Vec<_>) = told.progress.iter().partition(|(stage, ..)| stage == "shape");
    assert_eq!(shape_steps.len(), 4, "the coarse shape is that of 512");
    assert_sound(&finer);

    given.job.seed += 1;
    let (_, told) = run(&mut engine, &given.job);
    assert_eq!(told.reused, ["features"]);
}

#[test]
fn a_run_that_starts_in_the_middle_draws_the_same_numbers_as_a_whole_one() {
    let _alone = alone();
    let given = given("1024_cascade");
    let (whole, _) = run(&mut engine(WEIGHTS.path()), &given.job);
    let mut engine = engine(WEIGHTS.path());
    let mut other = given.job.clone();
    set(&mut other, "shape.pipeline_type", ParamValue::Choice("512".to_owned()));
    run(&mut engine, &other);
    let (continued, told) = run(&mut engine, &given.job);
    assert_eq!(told.reused, ["structure"]);
    assert_eq!(continued.mesh, whole.mesh);
    assert_eq!(continued.volume, whole.volume);
}

#[test]
fn every_kind_of_pipeline_makes_something() {
    let _alone = alone();
    let mut engine = engine(WEIGHTS.path());
    for (kind, resolution) in [
        ("512", 512),
        ("1024", 1024),
        ("1024_cascade", 1024),
        ("1536_cascade", 1536),
    ] {
        let (asset, _) = run(&mut engine, &given(kind).job);
        assert_sound(&asset);
        assert_eq!(asset.volume.map(|volume| volume.resolution), Some(resolution), "{kind}");
    }
}

#[test]
fn a_run_is_cancelled_in_any_stage_and_the_next_one_is_whole() {
    let _alone = alone();
    let mut engine = engine(WEIGHTS.path());
    let given = given("1024_cascade");
    for stage in STAGES {
        let cancel_there = |event: &Event, token: &CancelToken| {
            if matches!(event, Event::Progress { stage: at, .. } if at == stage) {
                token.cancel();
            }
        };
        let (result, told) = run_watched(&mut engine, &given.job, cancel_there);
        assert_eq!(result.err(), Some(EngineError::Cancelled), "{stage}");
        assert_eq!(told.stages.last().map(String::as_str), Some(stage));
    }
    let (asset, _) = run(&mut engine, &given.job);
    assert_sound(&asset);
}

/// The error of a run whose weights `damage` has changed.
fn error_after(damage: impl FnOnce(&Path)) -> EngineError {
    let _alone = alone();
    let folder = tiny_weights();
    damage(folder.path());
    let (result, _) = run_watched(&mut engine(folder.path()), &given("512").job, |_, _| {});
    result.expect_err("it must fail")
}

/// A network's file.
fn file(folder: &Path, part: &str) -> PathBuf {
    let ckpts = folder.join("ckpts");
    let entries = fs::read_dir(&ckpts)
        .expect("there")
        .map(|entry| entry.expect("readable").path());
    let mut found = entries.filter(|path| {
        let name = path.to_string_lossy();
        name.contains(part) && name.ends_with(".safetensors")
    });
    found
        .next()
        .unwrap_or_else(|| panic!("no {part} in {}", ckpts.display()))
}

#[test]
fn faulty_weights_are_named() {
    let path = RefCell::new(PathBuf::new());
    let remember = |file: PathBuf| path.replace(file);
    let named = || {
        path.borrow()
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };

    let truncated = error_after(|folder| {
        remember(file(folder, "img2shape_dit_1_3B_512"));
        let bytes = fs::read(&*path.borrow()).expect("there");
        fs::write(&*path.borrow(), &bytes[..bytes.len() / 2]).expect("written");
    });
    assert!(truncated.to_string().contains("is damaged"), "{truncated}");
    assert!(truncated.to_string().contains(&named()), "{truncated}");

    let corrupt = error_after(|folder| {
        remember(file(folder, "ss_flow"));
        fs::write(&*path.borrow(), vec![0x55; 4096]).expect("written");
    });
    assert!(
        corrupt.to_string().contains("is damaged") && corrupt.to_string().contains(&named()),
        "{corrupt}"
    );

    let other_model = error_after(|folder| {
        let (shape, material) = (file(folder, "shape_dec"), file(folder, "tex_dec"));
        fs::copy(material, &shape).expect("copied");
        remember(shape);
    });
    assert!(
        other_model.to_string().contains("is not the model it should be"),
        "{other_model}"
    );
    assert!(other_model.to_string().contains(&named()), "{other_model}");

    let missing = error_after(|folder| {
        remember(file(folder, "imgshape2tex_dit_1_3B_512"));
        fs::remove_file(&*path.borrow()).expect("it was there");
    });
    assert!(matches!(&missing, EngineError::MissingFile { .. }), "{missing}");
    assert!(
        missing.to_string().contains("2.6 GB") && missing.to_string().contains(&named()),
        "{missing}"
    );

    let no_dino = error_after(|folder| fs::remove_dir_all(folder.join("timm")).expect("it was there"));
    assert!(
        no_dino.to_string().contains("DINOv3") && no_dino.to_string().contains("1.2 GB"),
        "{no_dino}"
    );

    let no_pipeline = error_after(|folder| fs::remove_file(folder.join("pipeline.json")).expect("it was there"));
    assert!(matches!(&no_pipeline, EngineError::MissingFile { .. }), "{no_pipeline}");
}

#[test]
fn a_picture_without_an_object_is_told_apart_from_a_fault() {
    let _alone = alone();
    let given = given("512");
    let path = given.job.views[0].path.clone();
    RgbaImage::new(64, 64).save(&path).expect("written");
    let (result, _) = run_watched(&mut engine(WEIGHTS.path()), &given.job, |_, _| {});
    assert!(matches!(result, Err(EngineError::NoResult { .. })), "{result:?}");
}

fn process() -> WorkerEngine {
    let mut command = WorkerCommand::new(env!("CARGO_BIN_EXE_bozzetto-trellis"))
        .arg("worker")
        .arg("--weights")
        .arg(WEIGHTS.path());
    // A step takes seconds on a processor with much else to do, and a worker that is killed forgets everything.
    command.cancel_grace = Duration::from_mins(1);
    WorkerEngine::new("trellis2", command)
}

#[test]
fn the_process_serves_two_jobs_and_a_cancelled_one() {
    let _alone = alone();
    let mut worker = process();
    let given = given("512");
    let info = worker.prepare(&CancelToken::new()).expect("it greets");
    assert_eq!((info.id.as_str(), info.stages.len()), ("trellis2", 5));
    let (first, told) = run(&mut worker, &given.job);
    assert_sound(&first);
    assert_eq!(told.stages, STAGES);
    assert_eq!((told.structures, told.splats, told.views), (2, 1, 1));

    let mut slow = given.job.clone();
    slow.seed = 9;
    set(&mut slow, "structure.steps", ParamValue::Int(50));
    let (result, _) = run_watched(&mut worker, &slow, |event, token| {
        if matches!(event, Event::Progress { stage, .. } if stage == "structure") {
            token.cancel();
        }
    });
    assert_eq!(result.err(), Some(EngineError::Cancelled));

    let (again, told) = run(&mut worker, &given.job);
    assert_eq!(told.reused, STAGES, "a cancelled run forgets nothing");
    assert_eq!(again.mesh, first.mesh);
}

#[cfg(unix)]
#[test]
fn the_process_may_be_killed_or_cancelled_in_any_stage() {
    let _alone = alone();
    let mut given = given("512");
    for stage in ["structure", "shape", "material"] {
        set(&mut given.job, &format!("{stage}.steps"), ParamValue::Int(2));
        set(
            &mut given.job,
            &format!("{stage}.guidance_strength"),
            ParamValue::Float(1.0),
        );
    }
    let mut worker = process();
    let after_kills = every_stage::killed_in_every_stage(&mut worker, &given.job);
    assert_sound(&after_kills);
    let mut worker = process();
    let after_cancels = every_stage::cancelled_in_every_stage(&mut worker, &given.job);
    assert_eq!(after_cancels.mesh, after_kills.mesh);
    assert_eq!(after_cancels.volume, after_kills.volume);
}
