//! Jobs, parameters, events, the [`Engine`] trait, worker processes and the stage cache.

mod cancel;
mod engine;
mod error;
mod event;
mod in_process;
mod job;
mod params;
mod recorded;
mod runner;
mod stage_cache;
mod stage_key;
#[cfg(test)]
mod test_support;
mod view_picture;
mod worker;

pub use cancel::CancelToken;
pub use engine::{Engine, EngineInfo, PartLicence, RunContext, StageInfo};
pub use error::{EngineError, Hint};
pub use event::{Event, LogLevel, Preview};
pub use in_process::InProcessEngine;
pub use job::Job;
pub use params::{ParamError, ParamKind, ParamSpec, ParamValue, ParamValues};
pub use recorded::{GENERATOR, run_recorded};
pub use runner::{JobId, Runner, RunnerEvent, RunnerEventKind};
pub use stage_cache::StageCache;
pub use stage_key::StageKey;
pub use view_picture::read_picture;
pub use worker::{WorkerCommand, WorkerEngine, WorkerStreams, protocol, serve_worker};
