//! The same faults, had by a pipeline in the Python worker, and those that only such a pipeline can have.

use std::time::Duration;

use bozzetto_engine::EngineError;
use libtest_mimic::Trial;

use crate::faulty_engine;
use crate::job::Case;
use crate::trials::{
    died, ends_by_itself, fails_for_good, hung, is_cancelled_by_force, is_cancelled_politely, tolerated, trial,
};
use crate::worker::{self, Player};

const PYTHON: Player = Player::Python;

/// Faults that end in `WorkerDied`, with a part of its status.
const DEADLY: &[(&str, &str)] = &[
    ("exits at once", "exit code 3"),
    ("exits in mid-job", "exit code 4"),
    ("is killed", "killed from outside"),
    ("leaves a child behind", "exit code 6"),
];

/// Faults that do no harm.
const HARMLESS: &[&str] = &[
    "prints rubbish",
    "floods with lines",
    "floods standard error",
    "floods with progress",
    "asks for input",
    "forks",
    "is healthy",
];

/// What needs words of its own.
const OTHERS: &[(&str, fn())] = &[
    ("fails", fails),
    ("hangs", || hung(PYTHON, "hangs")),
    ("holds the interpreter", holds_the_interpreter),
    ("loses the device", || fails_for_good(PYTHON)),
    ("is cancelled politely", || {
        is_cancelled_politely(PYTHON, "is cancelled politely");
    }),
    ("ignores cancel", || is_cancelled_by_force(PYTHON, "ignores cancel")),
    ("blocks signals", || is_cancelled_by_force(PYTHON, "blocks signals")),
    ("is left alone", || ends_by_itself(PYTHON)),
];

/// Every test; they are passed over where there is no Python environment, and where no process can be stopped or forked.
pub fn all() -> impl Iterator<Item = Trial> {
    let is_missing = cfg!(not(unix)) || std::env::var_os(worker::PYTHON).is_none();
    let deadly = DEADLY
        .iter()
        .map(|&(fault, wanted)| named(fault, move || died(PYTHON, fault, wanted)));
    let harmless = HARMLESS
        .iter()
        .map(|&fault| named(fault, move || tolerated(PYTHON, fault)));
    let others = OTHERS.iter().map(|&(name, test)| named(name, test));
    let trials: Vec<_> = deadly.chain(harmless).chain(others).collect();
    trials.into_iter().map(move |trial| trial.with_ignored_flag(is_missing))
}

fn named(fault: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(&format!("python {fault}"), test)
}

/// Faults of a pipeline, by the error that the program hears of. The worker is well after each.
fn failures() -> Vec<(&'static str, EngineError)> {
    let internal = |reason: &str| EngineError::Internal { reason: reason.into() };
    let out_of_memory = |device: &str| EngineError::OutOfMemory {
        device: device.into(),
        stage: "carve".into(),
    };
    vec![
        ("fails politely", faulty_engine::no_result()),
        ("panics", internal("ValueError: the grid is upside down")),
        ("asks to exit", internal("SystemExit: 7")),
        ("runs out of device memory", out_of_memory("The graphics card")),
        ("runs out of memory", out_of_memory("The computer")),
        (
            "needs gated weights",
            EngineError::GatedWeights {
                what: "The model facebook/dinov3-vitl16-pretrain-lvd1689m".into(),
                page: "https://huggingface.co/facebook/dinov3-vitl16-pretrain-lvd1689m".into(),
            },
        ),
        (
            "needs missing weights",
            EngineError::MissingFile {
                what: "A model".into(),
                path: "/nowhere/model.safetensors".into(),
            },
        ),
        (
            "has the wrong CUDA",
            EngineError::WrongCuda {
                reason: "a library was not built for this model of graphics card".into(),
            },
        ),
        (
            "fails to load",
            EngineError::MissingPackage {
                package: "flex_gemm".into(),
                problem: "is not installed".into(),
                advice: "Install it into the engine's Python environment, or choose an environment that has it.".into(),
            },
        ),
    ]
}

fn fails() {
    for (fault, wanted) in failures() {
        let mut case = Case::new(PYTHON, fault);
        assert_eq!(case.failure(), wanted, "{fault}");
        let process = case.engine.process_id();
        case.success();
        assert_eq!(case.engine.process_id(), process, "it stays after '{fault}'");
        case.ends_cleanly();
    }
}

/// The heartbeat needs no interpreter.
fn holds_the_interpreter() {
    let mut case = Case::with_command(PYTHON, "holds the interpreter", |command, _| {
        command.silence_limit = Duration::from_secs(3);
    });
    case.success();
    case.recovers();
}
