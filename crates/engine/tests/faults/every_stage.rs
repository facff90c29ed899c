//! What a true engine's worker must stand, in every one of its stages: being killed, and being told to stop. Tests of the
//! crates that have engines include this file.

use bozzetto_asset::Asset;
use bozzetto_engine::{CancelToken, Engine as _, EngineError, Event, Job, RunContext, WorkerEngine};
use rustix::process::{Pid, Signal, kill_process};

/// Kills the worker in each stage: the job fails with a word of it, and the next has a new worker. Gives the asset of the
/// job after all of them.
pub fn killed_in_every_stage(engine: &mut WorkerEngine, job: &Job) -> Asset {
    for stage in stages(engine) {
        let process = prepared(engine);
        let error = run_until(engine, job, &stage, &|_| {
            let process = Pid::from_raw(process.cast_signed()).expect("a process");
            kill_process(process, Signal::KILL).expect("it was there");
        });
        let Err(EngineError::WorkerDied { status, .. }) = &error else {
            panic!("killed in '{stage}': {:?}", error.map(|_| ()));
        };
        assert!(status.contains("killed from outside"), "{stage}: {status}");
        assert_eq!(engine.process_id(), None, "{stage}");
    }
    finished(engine, job)
}

/// Cancels a job in each stage: it ends so, and the worker stays. Gives the asset of the job after all of them.
pub fn cancelled_in_every_stage(engine: &mut WorkerEngine, job: &Job) -> Asset {
    let process = prepared(engine);
    for stage in stages(engine) {
        let result = run_until(engine, job, &stage, &CancelToken::cancel);
        assert_eq!(result.map(|_| ()), Err(EngineError::Cancelled), "{stage}");
        assert_eq!(engine.process_id(), Some(process), "{stage}");
    }
    finished(engine, job)
}

fn stages(engine: &mut WorkerEngine) -> Vec<String> {
    let info = engine.prepare(&CancelToken::new()).expect("it greets");
    info.stages.into_iter().map(|stage| stage.id).collect()
}

fn prepared(engine: &mut WorkerEngine) -> u32 {
    engine.prepare(&CancelToken::new()).expect("it greets");
    engine.process_id().expect("a process")
}

/// Runs a job, and does something to it as soon as it is in a stage.
fn run_until(
    engine: &mut WorkerEngine,
    job: &Job,
    wanted: &str,
    act: &(dyn Fn(&CancelToken) + Sync),
) -> Result<Asset, EngineError> {
    let cancel = CancelToken::new();
    let token = cancel.clone();
    let context = RunContext {
        cancel,
        emit: &|event| {
            if matches!(&event, Event::Stage { id, .. } if id == wanted) {
                act(&token);
            }
        },
    };
    engine.run(job, &context)
}

fn finished(engine: &mut WorkerEngine, job: &Job) -> Asset {
    run_until(engine, job, "", &|_| {}).expect("an asset")
}
