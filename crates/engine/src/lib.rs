//! Jobs, parameters, events, the [`Engine`] trait, worker processes and the stage cache.

mod cancel;
mod engine;
mod error;
mod event;
mod job;
mod params;

pub use cancel::CancelToken;
pub use engine::{Engine, EngineInfo, RunContext, StageInfo};
pub use error::{EngineError, Hint};
pub use event::{Event, LogLevel, Preview};
pub use job::Job;
pub use params::{ParamError, ParamKind, ParamSpec, ParamValue, ParamValues};
