use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;

use super::artifacts::write_preview;
use super::protocol::{HEARTBEAT_INTERVAL, Message, MessageBody, PROTOCOL_VERSION};
use crate::{EngineInfo, Event, LogLevel};

/// More progress than this is not sent: nobody could see it.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(30);

/// Where a worker's messages leave, from whatever thread.
pub(super) struct Outlet {
    /// `None` once nobody reads any more.
    stream: Mutex<Option<Box<dyn Write + Send>>>,
    is_busy: AtomicBool,
    num_previews: AtomicU64,
    /// Stage and time of the last progress that was sent.
    last_progress: Mutex<Option<(String, Instant)>>,
}

impl Outlet {
    pub(super) fn new(stream: impl Write + Send + 'static) -> Self {
        Self {
            stream: Mutex::new(Some(Box::new(stream))),
            is_busy: AtomicBool::new(false),
            num_previews: AtomicU64::new(0),
            last_progress: Mutex::default(),
        }
    }

    pub(super) fn greet(&self, engine: EngineInfo) {
        self.send(
            None,
            MessageBody::Hello {
                protocol: PROTOCOL_VERSION,
                engine: Box::new(engine),
            },
        );
    }

    /// Says whether a job runs: an idle worker keeps quiet, and its computer asleep.
    pub(super) fn set_busy(&self, is_busy: bool) {
        self.is_busy.store(is_busy, Ordering::Relaxed);
        *self.last_progress.lock() = None;
    }

    /// Sends heartbeats while a job runs, until the channel closes.
    pub(super) fn beat_until(&self, is_over: &Receiver<()>) {
        while is_over.recv_timeout(HEARTBEAT_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            if self.is_busy.load(Ordering::Relaxed) {
                self.send(None, MessageBody::Heartbeat);
            }
        }
    }

    /// Writes a message in one piece; `false` when nobody reads any more.
    pub(super) fn send(&self, id: Option<u64>, body: MessageBody) -> bool {
        let mut line = match serde_json::to_vec(&Message { id, body }) {
            Ok(line) => line,
            Err(error) => {
                tracing::error!("a message could not be written: {error}");
                return true;
            }
        };
        line.push(b'\n');
        let mut stream = self.stream.lock();
        let Some(writer) = stream.as_mut() else {
            return false;
        };
        if let Err(error) = writer.write_all(&line).and_then(|()| writer.flush()) {
            tracing::debug!("nobody reads any more: {error}");
            *stream = None;
        }
        stream.is_some()
    }

    /// Sends what an engine tells, with the arrays of a preview in a file; `false` when nobody reads any more.
    pub(super) fn send_event(&self, id: u64, event: Event, folder: &Path) -> bool {
        let body = match event {
            Event::Stage {
                id,
                label,
                index,
                count,
            } => MessageBody::Stage {
                stage: id,
                label,
                index,
                count,
            },
            Event::Progress { stage, done, total } => {
                if done < total && !self.is_progress_due(&stage) {
                    return true;
                }
                MessageBody::Progress { stage, done, total }
            }
            Event::Reused { stage } => MessageBody::Reused { stage },
            Event::Memory { used, total } => MessageBody::Memory { used, total },
            Event::Log { level, message } => MessageBody::Log { level, message },
            Event::Preview(preview) => {
                let number = self.num_previews.fetch_add(1, Ordering::Relaxed) + 1;
                write_preview(&preview, folder, number).unwrap_or_else(|error| MessageBody::Log {
                    level: LogLevel::Warning,
                    message: format!("A preview cannot be shown. {error}"),
                })
            }
        };
        self.send(Some(id), body)
    }

    fn is_progress_due(&self, stage: &str) -> bool {
        let mut last = self.last_progress.lock();
        let is_due = last
            .as_ref()
            .is_none_or(|(last_stage, at)| last_stage != stage || at.elapsed() >= PROGRESS_INTERVAL);
        if is_due {
            *last = Some((stage.to_owned(), Instant::now()));
        }
        is_due
    }
}
