//! The engines on offer: the built-in one, the native neural one where its program is installed, and the pipelines of a
//! Python environment. All but the built-in one are other programs and are reached as processes only.

mod python;
mod wheel;

use std::path::{Path, PathBuf};

use bozzetto_engine::{Engine, InProcessEngine, WorkerCommand, WorkerEngine};
use bozzetto_hull::HullEngine;

pub use python::{EngineReport, Fault, PythonEnvironment, PythonError, Report, weights};
pub use wheel::{WheelError, bundled_wheel};

/// Id of the native neural engine.
const TRELLIS: &str = "trellis2";
/// Names its program where that does not lie beside ours.
const TRELLIS_VARIABLE: &str = "BOZZETTO_TRELLIS";
/// Names the folder of its weights where they are not in the Hugging Face cache.
const WEIGHTS_VARIABLE: &str = "BOZZETTO_TRELLIS_WEIGHTS";

/// The built-in engine in a process of its own, so that nothing it does can end the window; in this process where the
/// program cannot find itself.
pub fn built_in() -> Box<dyn Engine> {
    let hull = HullEngine::new();
    let info = hull.info();
    match std::env::current_exe() {
        Ok(program) => {
            let command = WorkerCommand::new(program).arg("worker").arg(&info.id);
            Box::new(WorkerEngine::new(info.id.clone(), command).with_info(info))
        }
        Err(error) => {
            tracing::warn!("The program cannot find its own file ({error}), so engines run inside the window.");
            Box::new(InProcessEngine::new(Box::new(hull)))
        }
    }
}

/// The native neural engine, where its program is installed; its weights from a folder of one's own, or from where the
/// environment says.
pub fn native(weights: Option<&Path>) -> Option<Box<dyn Engine>> {
    let mut command = WorkerCommand::new(native_program()?).arg("worker");
    let folder = weights.map(|folder| folder.as_os_str().to_owned());
    if let Some(folder) = folder.or_else(|| std::env::var_os(WEIGHTS_VARIABLE)) {
        command = command.arg("--weights").arg(folder);
    }
    Some(Box::new(WorkerEngine::new(TRELLIS, command)))
}

/// Every engine but the built-in one, as far as is known without starting any: of the Python environment those that its
/// last report says can run.
pub fn others(python: Option<&PythonEnvironment>) -> Vec<Box<dyn Engine>> {
    let of_python = python.into_iter().flat_map(|python| {
        let engines = python.runnable.iter();
        engines.map(|id| Box::new(python.engine(id)) as Box<dyn Engine>)
    });
    native(None).into_iter().chain(of_python).collect()
}

fn native_program() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os(TRELLIS_VARIABLE) {
        return Some(program.into());
    }
    let name = format!("bozzetto-trellis{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe().ok()?.with_file_name(name);
    program.is_file().then_some(program)
}
