use std::io::{self, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::WorkerCommand;
use super::lines::{Line, LineReader, excerpt};
use super::pipe::{Pipe, Stop};
use super::process_tree::{ProcessTree, status_words};
use super::protocol::{MAX_LINE_BYTES, Message, Parsed, Request, parse};
use super::tail::Tail;
use crate::EngineError;

/// What came out of a worker's standard output.
pub(super) enum Incoming {
    Message(Box<Message>),
    /// It means to be a message but is not one, with the reason.
    Malformed(String),
    /// So many bytes that are no message.
    Rubbish(u64),
}

/// How long the pumps may take to hand over what a worker wrote before its end.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);

/// How often a process that is about to end is looked at.
const END_POLL: Duration = Duration::from_millis(5);

/// Longer lines on standard error are cut: they are for people.
const MAX_ERROR_LINE_BYTES: usize = 1 << 13;

/// A running worker with its three pumps: threads that write requests, read messages and collect standard error.
///
/// All channels are bounded. A worker that writes faster than it is read waits in its own `write`.
pub(super) struct WorkerProcess {
    child: Child,
    tree: ProcessTree,
    requests: Option<Sender<Vec<u8>>>,
    incoming: Receiver<Incoming>,
    tail: Arc<Tail>,
    stop: Option<Stop>,
    pumps: Vec<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

impl WorkerProcess {
    /// Starts the program; `id` names the threads.
    pub(super) fn spawn(id: &str, command: &WorkerCommand) -> Result<Self, EngineError> {
        let mut builder = Command::new(&command.program);
        builder
            .args(&command.args)
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        ProcessTree::prepare(&mut builder);
        let failed = |error: io::Error| EngineError::WorkerStart {
            reason: format!("{error} ({})", command.program.display()),
        };
        let stop = Stop::new().map_err(failed)?;
        let mut child = builder.spawn().map_err(failed)?;
        let tree = match ProcessTree::of(&child) {
            Ok(tree) => tree,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(error));
            }
        };
        let (requests, to_write) = bounded(16);
        let (found, incoming) = bounded(256);
        let mut process = Self {
            child,
            tree,
            requests: Some(requests),
            incoming,
            tail: Arc::default(),
            stop: Some(stop),
            pumps: Vec::new(),
            status: None,
        };
        // From here on dropping the process ends and reaps it.
        process.start_pumps(id, to_write, found).map_err(failed)?;
        Ok(process)
    }

    fn start_pumps(&mut self, id: &str, to_write: Receiver<Vec<u8>>, found: Sender<Incoming>) -> io::Result<()> {
        let Some(stop) = &self.stop else { return Ok(()) };
        if let Some(end) = self.child.stdin.take() {
            let pipe = Pipe::new(end, stop)?;
            let pump = Builder::new().name(format!("worker-in {id}"));
            self.pumps.push(pump.spawn(move || write_requests(pipe, &to_write))?);
        }
        if let Some(end) = self.child.stdout.take() {
            let (pipe, tail) = (Pipe::new(end, stop)?, self.tail.clone());
            let pump = Builder::new().name(format!("worker-out {id}"));
            self.pumps.push(pump.spawn(move || read_messages(pipe, &found, &tail))?);
        }
        if let Some(end) = self.child.stderr.take() {
            let (pipe, tail) = (Pipe::new(end, stop)?, self.tail.clone());
            let pump = Builder::new().name(format!("worker-err {id}"));
            self.pumps.push(pump.spawn(move || collect_errors(pipe, &tail))?);
        }
        Ok(())
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Queues a request. One that finds the queue full is lost: the worker reads nothing, and its silence will tell.
    pub(super) fn send(&self, request: &Request) -> Result<(), EngineError> {
        let mut line = serde_json::to_vec(request).map_err(|error| EngineError::Internal {
            reason: format!("a request could not be written, {error}"),
        })?;
        line.push(b'\n');
        if line.len() > MAX_LINE_BYTES {
            return Err(EngineError::Internal {
                reason: format!("a request of {} bytes is too long", line.len()),
            });
        }
        if let Some(requests) = &self.requests
            && requests.try_send(line).is_err()
        {
            tracing::warn!("a request to the engine's process was lost");
        }
        Ok(())
    }

    /// What the worker says; disconnected once its output has ended.
    pub(super) fn incoming(&self) -> &Receiver<Incoming> {
        &self.incoming
    }

    /// Whether the process has ended; what it wrote may still be on its way.
    pub(super) fn has_ended(&mut self) -> bool {
        self.status.is_some() || self.tree.has_ended(&mut self.child)
    }

    /// Kills what is left of it and everything it started, and says how it ended.
    pub(super) fn died(mut self) -> EngineError {
        let status = self.end();
        EngineError::WorkerDied {
            status: status.map_or_else(|| "nobody knows how".to_owned(), status_words),
            last_lines: self.tail.lines(),
        }
    }

    /// Asks it to exit, and kills it after `grace`.
    pub(super) fn shut_down(mut self, grace: Duration) {
        let _ = self.send(&Request::Shutdown);
        // The writer closes standard input behind the request, which says the same to a worker that is half deaf.
        self.requests = None;
        // Nobody listens any more: a worker that is writing must not wait for that.
        let deaf = std::mem::replace(&mut self.incoming, crossbeam_channel::never());
        let deadline = Instant::now() + grace;
        while !self.has_ended() && Instant::now() < deadline {
            while deaf.try_recv().is_ok() {}
            std::thread::sleep(END_POLL);
        }
    }

    /// Kills, reaps and joins. Does nothing the second time.
    fn end(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.tree.kill(&mut self.child);
            self.status = self.child.wait().ok();
        }
        self.requests = None;
        // A reader that waits for room in the channel finds it closed and ends.
        self.incoming = crossbeam_channel::never();
        let deadline = Instant::now() + DRAIN_LIMIT;
        while self.pumps.iter().any(|pump| !pump.is_finished()) && Instant::now() < deadline {
            std::thread::sleep(END_POLL);
        }
        self.stop = None;
        for pump in self.pumps.drain(..) {
            if pump.join().is_err() {
                tracing::error!("a thread of the engine's process panicked");
            }
        }
        self.status
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.end();
    }
}

fn write_requests(mut pipe: Pipe, to_write: &Receiver<Vec<u8>>) {
    for line in to_write {
        if let Err(error) = pipe.write_all(&line) {
            tracing::debug!("the engine's process takes no requests: {error}");
            return;
        }
    }
}

fn read_messages(pipe: Pipe, found: &Sender<Incoming>, tail: &Tail) {
    let mut reader = LineReader::new(pipe, MAX_LINE_BYTES);
    while let Some(line) = reader.next_line() {
        let rubbish = |line: &[u8]| {
            let text = excerpt(line);
            tracing::debug!(target: "bozzetto_engine::worker", "{text}");
            tail.push(text);
            Incoming::Rubbish(line.len() as u64 + 1)
        };
        let incoming = match line {
            Line::Whole(line) => match parse(line) {
                Parsed::Message(message) => Incoming::Message(message),
                Parsed::Malformed(reason) => Incoming::Malformed(reason),
                Parsed::Rubbish => rubbish(line),
            },
            Line::Cut(start) => rubbish(start),
            Line::Rest(count) => Incoming::Rubbish(count),
        };
        if found.send(incoming).is_err() {
            return;
        }
    }
}

fn collect_errors(pipe: Pipe, tail: &Tail) {
    let mut reader = LineReader::new(pipe, MAX_ERROR_LINE_BYTES);
    while let Some(line) = reader.next_line() {
        if let Line::Whole(line) | Line::Cut(line) = line {
            let text = excerpt(line);
            tracing::debug!(target: "bozzetto_engine::worker", "{text}");
            tail.push(text);
        }
    }
}
