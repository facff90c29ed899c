use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use bozzetto_asset::formats::artifact::{ASSET_FILE, write_asset};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use super::lines::{Line, LineReader};
use super::outlet::Outlet;
use super::protocol::{MAX_LINE_BYTES, MessageBody, Request};
use super::streams::WorkerStreams;
use crate::in_process::InProcessEngine;
use crate::{CancelToken, Engine, EngineError, Job, RunContext};

/// How long a worker that was left alone goes on with what it does before it exits regardless.
const ABANDONED_GRACE: Duration = Duration::from_secs(1);

/// A worker's `main`: takes the streams and serves the engine, see [`WorkerStreams::serve`]. Call it first thing, before
/// any library prints.
///
/// # Errors
/// [`EngineError::WorkerStart`] when there is no standard output, or no thread can be started.
pub fn serve_worker(engine: Box<dyn Engine>) -> Result<(), EngineError> {
    WorkerStreams::take()?.serve(engine)
}

pub(super) fn serve_streams(
    engine: Box<dyn Engine>,
    requests: impl Read + Send + 'static,
    messages: impl Write + Send + 'static,
) -> Result<(), EngineError> {
    yield_to_window();
    serve(engine, requests, messages, exit)
}

/// Leaves the processor to the window whenever it has something to draw. On Windows the window starts its workers so.
fn yield_to_window() {
    // It is a courtesy: a system that refuses it runs the worker as well.
    #[cfg(unix)]
    let _ = rustix::process::nice(10);
}

pub(super) fn start_failure(error: &std::io::Error) -> EngineError {
    EngineError::WorkerStart {
        reason: error.to_string(),
    }
}

/// Ends the process and what it started, without a word to the libraries in it: one that waits for its busy threads
/// would keep the graphics card.
#[expect(clippy::exit, reason = "a busy main thread cannot be reached in another way")]
fn exit() {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};

        if getpgrp() == getpid() {
            let _ = kill_current_process_group(Signal::KILL);
        }
        let _ = kill_process(getpid(), Signal::KILL);
    }
    std::process::exit(1)
}

/// A job on its way from the thread that reads requests to the one that runs them.
struct Order {
    id: u64,
    job: Box<Job>,
    folder: PathBuf,
    cancel: CancelToken,
}

/// Jobs that wait or run, for whoever cancels them.
type Pending = Arc<Mutex<Vec<(u64, CancelToken)>>>;

/// [`WorkerStreams::serve`] on any pair of streams. `abandoned` is called when the input has closed and the engine does not
/// come to an end.
fn serve(
    engine: Box<dyn Engine>,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    abandoned: impl FnOnce() + Send + 'static,
) -> Result<(), EngineError> {
    let mut engine = InProcessEngine::new(engine);
    let outlet = Arc::new(Outlet::new(output));
    outlet.greet(engine.info());
    let pending = Pending::default();
    let (orders, to_run) = bounded(16);
    // Dropped when this function returns, which is how the other threads learn of it.
    let (_unfinished, has_finished) = bounded::<()>(0);
    let inlet = Inlet {
        orders,
        pending: pending.clone(),
        outlet: outlet.clone(),
    };
    let is_over = has_finished.clone();
    let requests = Builder::new().name("worker-requests".to_owned());
    requests
        .spawn(move || {
            inlet.read_requests(input);
            if is_over.recv_timeout(ABANDONED_GRACE) == Err(RecvTimeoutError::Timeout) {
                abandoned();
            }
        })
        .map_err(|error| start_failure(&error))?;
    let pulse = outlet.clone();
    let heartbeat = Builder::new().name("heartbeat".to_owned());
    heartbeat
        .spawn(move || pulse.beat_until(&has_finished))
        .map_err(|error| start_failure(&error))?;
    for order in &to_run {
        outlet.set_busy(true);
        let ending = run_order(&mut engine, &order, &outlet);
        outlet.set_busy(false);
        pending.lock().retain(|(id, _)| *id != order.id);
        outlet.send(Some(order.id), ending);
    }
    Ok(())
}

fn run_order(engine: &mut InProcessEngine, order: &Order, outlet: &Outlet) -> MessageBody {
    let context = RunContext {
        cancel: order.cancel.clone(),
        emit: &|event| {
            if !outlet.send_event(order.id, event, &order.folder) {
                // Nobody is there to hear the end.
                order.cancel.cancel();
            }
        },
    };
    let result = order
        .cancel
        .check()
        .and_then(|()| order.job.validated(&engine.info()))
        .and_then(|job| engine.run(&job, &context))
        .and_then(|asset| {
            write_asset(&order.folder, &asset).map_err(|error| EngineError::Io {
                operation: "written".to_owned(),
                path: order.folder.join(ASSET_FILE),
                reason: error.to_string().trim_end_matches('.').to_owned(),
            })
        });
    match result {
        Ok(()) => MessageBody::Done {
            artifact: ASSET_FILE.to_owned(),
        },
        Err(EngineError::Cancelled) => MessageBody::Cancelled,
        Err(error) => MessageBody::Failed { error },
    }
}

/// Where requests arrive.
struct Inlet {
    orders: Sender<Order>,
    pending: Pending,
    outlet: Arc<Outlet>,
}

impl Inlet {
    /// Reads until the input closes or asks to shut down, and then cancels whatever waits or runs.
    fn read_requests(self, input: impl Read) {
        let mut lines = LineReader::new(input, MAX_LINE_BYTES);
        while let Some(line) = lines.next_line() {
            let Line::Whole(line) = line else {
                tracing::warn!("a request is too long or unfinished");
                continue;
            };
            match serde_json::from_slice(line) {
                Ok(Request::Run { id, job, folder }) => self.accept(id, job, folder),
                Ok(Request::Cancel { id }) => self.cancel(|other| other == id),
                Ok(Request::Shutdown) => break,
                Err(error) => self.refuse(line, &error),
            }
        }
        self.cancel(|_| true);
    }

    fn accept(&self, id: u64, job: Box<Job>, folder: PathBuf) {
        let cancel = CancelToken::new();
        self.pending.lock().push((id, cancel.clone()));
        let order = Order {
            id,
            job,
            folder,
            cancel,
        };
        if self.orders.send(order).is_err() {
            tracing::warn!("job {id} came after the end");
        }
    }

    fn cancel(&self, is_meant: impl Fn(u64) -> bool) {
        for (_, cancel) in self.pending.lock().iter().filter(|(id, _)| is_meant(*id)) {
            cancel.cancel();
        }
    }

    /// Answers a request that cannot be understood, if it is known which job waits for the answer.
    fn refuse(&self, line: &[u8], error: &serde_json::Error) {
        tracing::warn!("a request cannot be read: {error}");
        let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
        if let Some(id) = value.get("id").and_then(serde_json::Value::as_u64) {
            let reason = format!("it does not understand the request, {error}");
            let error = EngineError::Protocol { reason };
            self.outlet.send(Some(id), MessageBody::Failed { error });
        }
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
