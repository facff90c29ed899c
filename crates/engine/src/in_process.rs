use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bozzetto_asset::Asset;

use crate::{CancelToken, Engine, EngineError, EngineInfo, Job, RunContext};

/// An engine in this process whose panics become [`EngineError::Internal`] instead of ending the thread.
///
/// What the engine kept between runs is released after a panic: it may be half written.
pub struct InProcessEngine(Box<dyn Engine>);

impl InProcessEngine {
    /// Wraps an engine.
    pub fn new(engine: Box<dyn Engine>) -> Self {
        Self(engine)
    }
}

impl Engine for InProcessEngine {
    fn info(&self) -> EngineInfo {
        self.0.info()
    }

    fn prepare(&mut self, cancel: &CancelToken) -> Result<EngineInfo, EngineError> {
        caught(|| self.0.prepare(cancel)).and_then(|result| result)
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        match caught(|| self.0.run(job, context)) {
            Ok(result) => result,
            Err(panic) => {
                self.release();
                Err(panic)
            }
        }
    }

    fn release(&mut self) {
        if let Err(error) = caught(|| self.0.release()) {
            tracing::error!("{error}");
        }
    }
}

/// Runs `work`; its panic becomes an error that keeps the message.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| EngineError::Internal {
        reason: panic_message(payload.as_ref()),
    })
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it stopped without saying why")
        .trim_end_matches('.')
        .to_owned()
}
