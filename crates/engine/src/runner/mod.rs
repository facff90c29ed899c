//! The inference thread: one job at a time, in order.
//!
//! ```text
//! window ── submit, cancel, move ──▶ Queue ──▶ inference thread: run_recorded(engine, job)
//!        ◀── bounded channel ◀── runner-events ◀── Outbox ◀── events
//! ```
//!
//! The window's thread never waits: the queue's lock is held for moments, and what it tells goes to the outbox. The
//! inference thread waits only for a consumer that is thousands of events behind. A second thread moves events from
//! the outbox to the channel, so that a slow consumer finds the newest progress and not all of it.

mod event;
mod outbox;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use parking_lot::Mutex;

pub use event::{JobId, RunnerEvent, RunnerEventKind};
use queue::{Queue, Task};

use crate::{CancelToken, Engine, EngineError, EngineInfo, InProcessEngine, Job, RunContext, run_recorded};

/// Previews are large, and as many as this can lie in the channel.
const CHANNEL_CAPACITY: usize = 8;

/// The inference thread with its queue. It owns the engines and runs one job at a time; their panics fail the job and
/// nothing else. Assets leave it with their provenance filled in, see [`run_recorded`].
///
/// Dropping it cancels what runs at once, ends the engines' processes and joins its threads.
pub struct Runner {
    queue: Arc<Queue>,
    infos: Arc<Mutex<Vec<EngineInfo>>>,
    events: Receiver<RunnerEvent>,
    /// Closes when dropped, which lets go of a thread that waits for room in `events`.
    is_open: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Runner {
    /// Starts the thread. `wake` is called after every event that was sent: it asks the window for a repaint, and
    /// must not wait for anything.
    ///
    /// # Errors
    /// [`EngineError::Internal`] when the system gives no thread.
    pub fn start(engines: Vec<Box<dyn Engine>>, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Self, EngineError> {
        let engines: Vec<_> = engines.into_iter().map(InProcessEngine::new).collect();
        let infos = engines.iter().map(Engine::info).collect();
        let (sender, events) = bounded(CHANNEL_CAPACITY);
        let (is_open, closing) = bounded(0);
        // From here on dropping the runner joins whatever was started.
        let mut runner = Self {
            queue: Arc::default(),
            infos: Arc::new(Mutex::new(infos)),
            events,
            is_open: Some(is_open),
            threads: Vec::new(),
        };
        let (queue, infos) = (runner.queue.clone(), runner.infos.clone());
        runner.spawn("inference", move || run_tasks(engines, &queue, &infos))?;
        let queue = runner.queue.clone();
        runner.spawn("runner-events", move || {
            forward_events(&queue, &sender, &closing, &*wake);
        })?;
        Ok(runner)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
        let thread = Builder::new().name(name.to_owned()).spawn(work);
        self.threads.push(thread.map_err(|error| EngineError::Internal {
            reason: format!("no thread could be started, {error}"),
        })?);
        Ok(())
    }

    /// What the engines are, in the order they were given. A worker's own word replaces what was known of it before
    /// once it has started.
    pub fn engines(&self) -> Vec<EngineInfo> {
        self.infos.lock().clone()
    }

    /// Has these engines in place of all but the first, once the running job has ended. Jobs that wait for an engine that
    /// is gone are refused when their turn comes.
    pub fn set_other_engines(&self, engines: Vec<Box<dyn Engine>>) {
        let engines: Vec<_> = engines.into_iter().map(InProcessEngine::new).collect();
        let mut infos = self.infos.lock();
        infos.truncate(1);
        infos.extend(engines.iter().map(Engine::info));
        drop(infos);
        self.queue.replace(engines);
    }

    /// Puts a job at the end of the queue. Everything that happens to it is told by events, refusal included.
    pub fn submit(&self, job: Job) -> JobId {
        self.queue.submit(job)
    }

    /// Cancels a job, waiting or running. Does nothing to one that has ended.
    pub fn cancel(&self, job: JobId) {
        self.queue.cancel(|id| id == job, CancelToken::cancel);
    }

    /// The same without waiting for the end of the step that it is in, see [`CancelToken::cancel_at_once`].
    pub fn cancel_at_once(&self, job: JobId) {
        self.queue.cancel(|id| id == job, CancelToken::cancel_at_once);
    }

    /// Cancels every job, waiting or running.
    pub fn cancel_all(&self) {
        self.queue.cancel(|_| true, CancelToken::cancel);
    }

    /// Moves a waiting job to another place among those that wait, 0 being the next to run.
    pub fn move_queued(&self, job: JobId, place: usize) {
        self.queue.move_queued(job, place);
    }

    /// The jobs that wait, the next to run first.
    pub fn queued(&self) -> Vec<JobId> {
        self.queue.queued()
    }

    /// The job that runs.
    pub fn running(&self) -> Option<JobId> {
        self.queue.running()
    }

    /// Asks the engines to free what they keep, models and processes included, once the running job has ended.
    pub fn release_engines(&self) {
        self.queue.release();
    }

    /// Where events arrive. When they are not taken in time, older progress, memory and previews give way to newer
    /// ones, and log lines beyond some hundreds are counted instead of kept; nothing else is ever lost.
    pub fn events(&self) -> &Receiver<RunnerEvent> {
        &self.events
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.queue.close();
        self.is_open = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("the inference thread panicked");
            }
        }
    }
}

fn run_tasks(mut engines: Vec<InProcessEngine>, queue: &Queue, infos: &Mutex<Vec<EngineInfo>>) {
    while let Some(task) = queue.next() {
        let (id, job, cancel) = match task {
            Task::Run(id, job, cancel) => (id, job, cancel),
            Task::Release => {
                engines.iter_mut().for_each(Engine::release);
                continue;
            }
            Task::Replace(others) => {
                engines.truncate(1);
                engines.extend(others);
                continue;
            }
        };
        queue.outbox.push_patiently(id, RunnerEventKind::Started);
        let context = RunContext {
            cancel,
            emit: &|event| queue.outbox.push_patiently(id, RunnerEventKind::Event(event)),
        };
        let result = run_job(&mut engines, &job, &context);
        // Engines that were offered meanwhile keep what is known of them.
        for known in infos.lock().iter_mut() {
            if let Some(engine) = engines.iter().find(|engine| engine.info().id == known.id) {
                *known = engine.info();
            }
        }
        queue.outbox.push_patiently(
            id,
            match result {
                // A result that came just behind the request to cancel is not wanted any more.
                _ if context.cancel.is_cancelled() => RunnerEventKind::Cancelled,
                Ok(asset) => RunnerEventKind::Done(asset),
                Err(EngineError::Cancelled) => RunnerEventKind::Cancelled,
                Err(error) => RunnerEventKind::Failed(error),
            },
        );
    }
}

fn run_job(
    engines: &mut [InProcessEngine],
    job: &Job,
    context: &RunContext<'_>,
) -> Result<bozzetto_asset::Asset, EngineError> {
    let ids: Vec<_> = engines.iter().map(|engine| engine.info().id).collect();
    let place = ids.iter().position(|id| *id == job.engine);
    let place = place.ok_or_else(|| EngineError::UnknownEngine {
        id: job.engine.clone(),
        known: ids,
    })?;
    run_recorded(&mut engines[place], job, context)
}

fn forward_events(queue: &Queue, sender: &Sender<RunnerEvent>, closing: &Receiver<()>, wake: &dyn Fn()) {
    while let Some(event) = queue.outbox.take() {
        select! {
            send(sender, event) -> sent => {
                if sent.is_err() {
                    return;
                }
            }
            recv(closing) -> _ => return,
        }
        wake();
    }
}
