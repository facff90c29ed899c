use std::thread::Builder;

use bozzetto_asset::Asset as ModelAsset;
use bozzetto_engine::{Engine, EngineError, EngineInfo, Event, Job, RunContext, WorkerStreams};
use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::asset::Asset;
use crate::context::Context;

/// The worker's ends of the pipes to the program.
#[pyclass(frozen)]
pub(crate) struct Streams(Mutex<Option<WorkerStreams>>);

impl Streams {
    pub(crate) fn take() -> PyResult<Self> {
        let streams = WorkerStreams::take().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(Self(Mutex::new(Some(streams))))
    }
}

#[pymethods]
impl Streams {
    /// Greets as the engine that `info` describes (JSON), and runs jobs with `handler.run(job, context)` on this thread
    /// until the program asks to stop or is gone.
    fn serve(&self, py: Python<'_>, info: &str, handler: Py<PyAny>) -> PyResult<()> {
        let info: EngineInfo = serde_json::from_str(info)
            .map_err(|error| PyValueError::new_err(format!("The engine's description is wrong: {error}.")))?;
        let Some(streams) = self.0.lock().take() else {
            return Err(PyRuntimeError::new_err("The streams are served already."));
        };
        let engine = Box::new(PythonEngine { info, handler });
        py.detach(|| streams.serve(engine))
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }
}

/// An engine whose work is done by a Python object.
struct PythonEngine {
    info: EngineInfo,
    handler: Py<PyAny>,
}

impl Engine for PythonEngine {
    fn info(&self) -> EngineInfo {
        self.info.clone()
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<ModelAsset, EngineError> {
        let job = serde_json::to_string(job).map_err(|error| internal(&error))?;
        let (events, to_emit) = bounded::<Event>(16);
        std::thread::scope(|scope| {
            // What Python holds may outlive the job, so it gets a channel instead of the job's own context.
            let forward = move || to_emit.iter().for_each(|event| (context.emit)(event));
            Builder::new()
                .name("python-events".to_owned())
                .spawn_scoped(scope, forward)
                .map_err(|error| internal(&error))?;
            let cancel = context.cancel.clone();
            Python::attach(|py| self.call(py, &job, Context::new(cancel, self.info.stages.clone(), events)))
        })
    }
}

impl PythonEngine {
    fn call(&self, py: Python<'_>, job: &str, context: Context) -> Result<ModelAsset, EngineError> {
        let context = Py::new(py, context).map_err(|error| internal(&error))?;
        let _closed_at_end = Closing(&context);
        let made = self
            .handler
            .call_method1(py, "run", (job, &context))
            .map_err(|error| told(py, &error))?;
        let made = made.bind(py).cast::<Asset>().map_err(|error| internal(&error))?;
        let asset = made.borrow_mut().take();
        if asset.is_empty() {
            return Err(EngineError::NoResult {
                reason: "The engine made nothing from this picture".to_owned(),
                advice: "Try another seed, or a picture that shows one object whole on a plain background.".to_owned(),
            });
        }
        Ok(asset)
    }
}

/// Ends the stream of events whichever way a call ends: who forwards them waits for that.
struct Closing<'a>(&'a Py<Context>);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.get().close();
    }
}

/// What an exception says in the protocol's words, which the handler put into it.
fn told(py: Python<'_>, error: &PyErr) -> EngineError {
    let words = error
        .value(py)
        .getattr("engine_error")
        .and_then(|words| words.extract::<String>());
    words
        .ok()
        .and_then(|words| serde_json::from_str(&words).ok())
        .unwrap_or_else(|| internal(error))
}

fn internal(error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Internal {
        reason: error.to_string().trim_end_matches('.').to_owned(),
    }
}

pub(crate) type Events = Sender<Event>;
