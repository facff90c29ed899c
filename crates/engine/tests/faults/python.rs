//! The same faults, had by a pipeline in the Python worker, and those that only such a pipeline can have.

use bozzetto_engine::EngineError;
use libtest_mimic::Trial;

use crate::faulty_engine;
use crate::guests::{self, says_nothing_for_long};
use crate::job::Case;
use crate::trials::{is_cancelled_by_force, tolerated};
use crate::worker::{self, Player};

const PYTHON: Player = Player::Python;

/// What this worker alone has.
const OWN: &[(&str, fn())] = &[
    ("forks", || tolerated(PYTHON, "forks")),
    ("fails", fails),
    ("holds the interpreter", || {
        says_nothing_for_long(PYTHON, "holds the interpreter");
    }),
    ("blocks signals", || is_cancelled_by_force(PYTHON, "blocks signals")),
];

/// Every test; they are passed over where there is no Python environment.
pub fn all() -> Vec<Trial> {
    guests::all("python", PYTHON, std::env::var_os(worker::PYTHON).is_none(), OWN)
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
