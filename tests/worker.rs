//! The built-in engine as a worker process of the program: killed and cancelled in every stage.
#![cfg(unix)]

#[path = "../crates/engine/tests/faults/every_stage.rs"]
mod every_stage;

use std::path::Path;

use bozzetto_asset::View;
use bozzetto_engine::{Job, ParamValue, ParamValues, WorkerCommand, WorkerEngine};

fn worker() -> WorkerEngine {
    WorkerEngine::new(
        "hull",
        WorkerCommand::new(env!("CARGO_BIN_EXE_bozzetto"))
            .arg("worker")
            .arg("hull"),
    )
}

fn job() -> Job {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/owl");
    let entries = std::fs::read_dir(example).expect("views");
    let mut pictures: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    pictures.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
    pictures.sort();
    pictures.truncate(2);
    Job {
        engine: "hull".to_owned(),
        params: ParamValues([("carve.resolution".to_owned(), ParamValue::Int(64))].into()),
        views: pictures.into_iter().map(View::new).collect(),
        mesh: None,
        seed: 0,
    }
}

#[test]
fn the_built_in_engine_may_be_killed_or_cancelled_in_any_stage() {
    let job = job();
    let after_kills = every_stage::killed_in_every_stage(&mut worker(), &job);
    assert!(after_kills.mesh.as_ref().is_some_and(|mesh| !mesh.triangles.is_empty()));
    let after_cancels = every_stage::cancelled_in_every_stage(&mut worker(), &job);
    assert_eq!(after_cancels.mesh, after_kills.mesh);
}
