use std::fmt;

use bozzetto_asset::Asset;

use crate::{EngineError, Event};

/// Names a job of one [`crate::Runner`]; later jobs have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(super) u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a job.
#[derive(Clone, Debug)]
pub enum RunnerEventKind {
    /// It waits for its turn.
    Queued,
    /// Its turn has come.
    Started,
    /// It goes on.
    Event(Event),
    /// It is finished; its provenance is filled in. Nothing follows.
    Done(Asset),
    /// It failed. Nothing follows.
    Failed(EngineError),
    /// It was cancelled, waiting or running. Nothing follows.
    Cancelled,
}

impl RunnerEventKind {
    /// Whether nothing follows for this job.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_) | Self::Cancelled)
    }
}

/// A message from the inference thread.
#[derive(Clone, Debug)]
pub struct RunnerEvent {
    /// The job it is about.
    pub job: JobId,
    /// What happened.
    pub kind: RunnerEventKind,
}
