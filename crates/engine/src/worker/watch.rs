use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use super::process::{Incoming, WorkerProcess};
use super::protocol::Message;
use crate::EngineError;

/// How often a waiting engine looks up from its worker, for a cancelled run, a death, a silence.
const TICK: Duration = Duration::from_millis(20);

/// What a worker may write to its output that is no message, in bytes a job.
const MAX_RUBBISH_BYTES: u64 = 16 << 20;

/// How long messages are waited for after the process has ended.
const LAST_WORDS_LIMIT: Duration = Duration::from_millis(500);

/// Why a conversation with a worker cannot go on.
pub(super) enum Broken {
    /// It has ended.
    Died,
    /// It lives, and cannot be trusted any more.
    Failed(EngineError),
}

impl From<EngineError> for Broken {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// Watches over one conversation with a worker: silence, rubbish, death.
pub(super) struct Watch {
    silence: Duration,
    silence_limit: Duration,
    last_look: Instant,
    num_rubbish_bytes: u64,
    ended_at: Option<Instant>,
}

impl Watch {
    pub(super) fn new(silence_limit: Duration) -> Self {
        Self {
            silence: Duration::ZERO,
            silence_limit,
            last_look: Instant::now(),
            num_rubbish_bytes: 0,
            ended_at: None,
        }
    }

    /// The next message; `None` when there is none yet, so that the caller can look at other things.
    pub(super) fn next_message(&mut self, process: &mut WorkerProcess) -> Result<Option<Message>, Broken> {
        let received = process.incoming().recv_timeout(TICK);
        self.look_at_clock();
        match received {
            Ok(Incoming::Message(message)) => {
                self.silence = Duration::ZERO;
                return Ok(Some(*message));
            }
            Ok(Incoming::Malformed(reason)) => return Err(EngineError::Protocol { reason }.into()),
            Ok(Incoming::Rubbish(num_bytes)) => self.count_rubbish(num_bytes)?,
            Err(RecvTimeoutError::Timeout) => self.look_for_death(process)?,
            Err(RecvTimeoutError::Disconnected) => return Err(end_of_output(process)),
        }
        if self.silence > self.silence_limit {
            return Err(Broken::Failed(EngineError::WorkerHung {
                secs: self.silence_limit.as_secs_f64().ceil() as u64,
            }));
        }
        Ok(None)
    }

    /// Silence counts only while this program is awake: after the computer slept, or stood still for want of memory,
    /// the worker gets its time to speak first.
    fn look_at_clock(&mut self) {
        let now = Instant::now();
        self.silence += now.duration_since(self.last_look).min(TICK * 5);
        self.last_look = now;
    }

    fn count_rubbish(&mut self, num_bytes: u64) -> Result<(), Broken> {
        self.num_rubbish_bytes += num_bytes;
        if self.num_rubbish_bytes > MAX_RUBBISH_BYTES {
            return Err(Broken::Failed(EngineError::Protocol {
                reason: format!("it wrote more than {} MB that are no messages", MAX_RUBBISH_BYTES >> 20),
            }));
        }
        Ok(())
    }

    /// An ended process may have left last words, which count. But a process it started may hold its pipe open, so
    /// the pipe's end is not waited for.
    fn look_for_death(&mut self, process: &mut WorkerProcess) -> Result<(), Broken> {
        if !process.has_ended() {
            return Ok(());
        }
        match self.ended_at {
            None => self.ended_at = Some(Instant::now()),
            Some(instant) if instant.elapsed() > LAST_WORDS_LIMIT => return Err(Broken::Died),
            Some(_) => {}
        }
        Ok(())
    }
}

/// The output of a process closes shortly before its end, or without one.
fn end_of_output(process: &mut WorkerProcess) -> Broken {
    let closed_at = Instant::now();
    while closed_at.elapsed() < LAST_WORDS_LIMIT {
        if process.has_ended() {
            return Broken::Died;
        }
        std::thread::sleep(TICK / 4);
    }
    Broken::Failed(EngineError::Protocol {
        reason: "it closed its output".to_owned(),
    })
}
