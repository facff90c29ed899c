use std::path::Path;
use std::time::Instant;

use bozzetto_asset::Asset;

use super::WorkerCommand;
use super::artifacts::{read_preview, read_result};
use super::pace::Pace;
use super::process::WorkerProcess;
use super::protocol::{Message, MessageBody, Request, is_understood, other_version};
use super::watch::{Broken, Watch};
use crate::{CancelToken, Engine, EngineError, EngineInfo, Event, Job, LogLevel, Preview, RunContext};

/// An engine in a process of its own.
///
/// The process starts with the first job and keeps its models between jobs. When it dies, hangs or breaks the
/// protocol, that job fails and the next one starts a new process. [`Engine::release`] and dropping end the process:
/// politely, then by force, always reaped, with everything it started.
pub struct WorkerEngine {
    info: EngineInfo,
    command: WorkerCommand,
    process: Option<WorkerProcess>,
    /// Of the jobs that ran in the process.
    pace: Pace,
    last_job: u64,
}

/// How a job ended that the worker itself brought to an end.
enum Ending {
    Done(Box<Asset>),
    Failed(EngineError),
    Cancelled,
}

impl WorkerEngine {
    /// An engine that `command` starts when it is first needed. `id` must be the id that the worker greets with.
    /// Until it has greeted, [`Engine::info`] knows nothing but the id: see [`WorkerEngine::with_info`].
    pub fn new(id: impl Into<String>, command: WorkerCommand) -> Self {
        let id = id.into();
        Self {
            info: EngineInfo {
                label: id.clone(),
                id,
                summary: String::new(),
                stages: Vec::new(),
                params: Vec::new(),
                max_views: None,
                uses_seed: false,
                device: String::new(),
                licences: Vec::new(),
                needs_mesh: false,
            },
            command,
            process: None,
            pace: Pace::default(),
            last_job: 0,
        }
    }

    /// The same with what is known of the engine beforehand, so that panels can be drawn before the process runs.
    /// The worker's own word replaces it.
    #[must_use]
    pub fn with_info(mut self, info: EngineInfo) -> Self {
        self.info = info;
        self
    }

    /// Id of the process while there is one.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(WorkerProcess::id)
    }

    /// Takes a running process or starts one, and waits for its greeting.
    fn running_process(&mut self, cancel: &CancelToken) -> Result<WorkerProcess, EngineError> {
        if let Some(mut process) = self.process.take() {
            if !process.has_ended() {
                return Ok(process);
            }
            tracing::info!(
                "the process of engine '{}' ended between jobs and starts anew",
                self.info.id
            );
        }
        let mut process = WorkerProcess::spawn(&self.info.id, &self.command)?;
        self.pace = Pace::default();
        match self.greeting(&mut process, cancel) {
            Ok(info) => {
                self.info = info;
                Ok(process)
            }
            Err(broken) => Err(ended(process, broken)),
        }
    }

    fn greeting(&self, process: &mut WorkerProcess, cancel: &CancelToken) -> Result<EngineInfo, Broken> {
        let mut watch = Watch::new(self.command.start_limit);
        loop {
            cancel.check()?;
            let Some(message) = watch.next_message(process)? else {
                continue;
            };
            let MessageBody::Hello { protocol, engine } = message.body else {
                let reason = "it did not greet first".to_owned();
                return Err(EngineError::Protocol { reason }.into());
            };
            let reason = if !is_understood(protocol.into()) {
                other_version(protocol)
            } else if engine.id != self.info.id {
                format!("it is the engine '{}', not '{}'", engine.id, self.info.id)
            } else {
                return Ok(*engine);
            };
            return Err(EngineError::Protocol { reason }.into());
        }
    }

    /// Sends the job and follows it to its end.
    fn converse(
        &mut self,
        process: &mut WorkerProcess,
        job: &Job,
        folder: &Path,
        context: &RunContext<'_>,
    ) -> Result<Ending, Broken> {
        let id = self.last_job;
        process.send(&Request::Run {
            id,
            job: Box::new(job.clone()),
            folder: folder.to_owned(),
        })?;
        let mut watch = Watch::new(self.command.silence_limit);
        self.pace.begin();
        let mut cancelled_at = None;
        loop {
            if context.cancel.is_cancelled_at_once() {
                return Err(EngineError::Cancelled.into());
            }
            if context.cancel.is_cancelled() {
                match cancelled_at {
                    None => {
                        process.send(&Request::Cancel { id })?;
                        cancelled_at = Some(Instant::now());
                    }
                    Some(instant) if instant.elapsed() > self.pace.grace(self.command.cancel_grace) => {
                        return Err(EngineError::Cancelled.into());
                    }
                    Some(_) => {}
                }
            }
            let Some(message) = watch.next_message(process)? else {
                continue;
            };
            match &message.body {
                _ if message.id != Some(id) => {}
                MessageBody::Stage { .. } => self.pace.begin(),
                MessageBody::Progress { .. } => self.pace.step(Instant::now()),
                _ => {}
            }
            // Whatever a job still says after it was cancelled interests nobody, except its end.
            let emit = |event| {
                if cancelled_at.is_none() {
                    (context.emit)(event);
                }
            };
            if let Some(ending) = interpret(message, id, folder, &emit)? {
                return match ending {
                    Ending::Cancelled if cancelled_at.is_none() => Err(unasked_cancel().into()),
                    ending => Ok(ending),
                };
            }
        }
    }
}

impl Engine for WorkerEngine {
    fn info(&self) -> EngineInfo {
        self.info.clone()
    }

    fn prepare(&mut self, cancel: &CancelToken) -> Result<EngineInfo, EngineError> {
        self.process = Some(self.running_process(cancel)?);
        Ok(self.info())
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        refuse_unspeakable_paths(job)?;
        let folder = tempfile::Builder::new().prefix("bozzetto-job-").tempdir();
        let folder = folder.map_err(|error| EngineError::Io {
            operation: "written".to_owned(),
            path: "the folder for temporary files".into(),
            reason: error.to_string(),
        })?;
        let mut process = self.running_process(&context.cancel)?;
        self.last_job += 1;
        let result = match self.converse(&mut process, job, folder.path(), context) {
            Ok(ending) => {
                match &ending {
                    // Whatever runs in it from now on would fail too.
                    Ending::Failed(EngineError::DeviceLost { .. }) => process.shut_down(self.command.shutdown_grace),
                    _ => self.process = Some(process),
                }
                match ending {
                    Ending::Done(asset) => Ok(*asset),
                    Ending::Failed(error) => Err(error),
                    Ending::Cancelled => Err(EngineError::Cancelled),
                }
            }
            // It may have files to take away.
            Err(Broken::Failed(error)) if context.cancel.is_cancelled_at_once() => {
                process.shut_down(self.command.shutdown_grace);
                Err(error)
            }
            Err(broken) => Err(ended(process, broken)),
        };
        // Once the artist has asked for an end, that is how the job ended, whatever else befell it.
        context.cancel.check()?;
        result
    }

    fn release(&mut self) {
        if let Some(process) = self.process.take() {
            process.shut_down(self.command.shutdown_grace);
        }
    }
}

impl Drop for WorkerEngine {
    fn drop(&mut self) {
        self.release();
    }
}

/// Turns a message into events; `Some` when it is the job's last.
fn interpret(message: Message, job: u64, folder: &Path, emit: &dyn Fn(Event)) -> Result<Option<Ending>, Broken> {
    if message.id != Some(job) {
        // Heartbeats, and what an earlier job left in the pipe.
        return Ok(None);
    }
    emit(match message.body {
        MessageBody::Stage {
            stage,
            label,
            index,
            count,
        } => Event::Stage {
            id: stage,
            label,
            index,
            count,
        },
        MessageBody::Progress { stage, done, total } => Event::Progress { stage, done, total },
        MessageBody::Reused { stage } => Event::Reused { stage },
        MessageBody::Memory { used, total } => Event::Memory { used, total },
        MessageBody::Log { level, message } => Event::Log { level, message },
        MessageBody::Cameras { cameras } => Event::Preview(Preview::Cameras(cameras)),
        MessageBody::Preview { content, artifact } => {
            read_preview(content, &artifact, folder).unwrap_or_else(|error| {
                // The result may still be good.
                Event::Log {
                    level: LogLevel::Warning,
                    message: format!("A preview cannot be shown. {error}"),
                }
            })
        }
        MessageBody::Done { artifact } => {
            let asset = read_result(&artifact, folder)?;
            return Ok(Some(Ending::Done(Box::new(asset))));
        }
        MessageBody::Failed {
            error: EngineError::Cancelled,
        }
        | MessageBody::Cancelled => return Ok(Some(Ending::Cancelled)),
        MessageBody::Failed { error } => return Ok(Some(Ending::Failed(error))),
        MessageBody::Hello { .. } | MessageBody::Heartbeat => return Ok(None),
    });
    Ok(None)
}

fn ended(process: WorkerProcess, broken: Broken) -> EngineError {
    match broken {
        Broken::Died => process.died(),
        Broken::Failed(error) => {
            tracing::debug!("the engine's process {} is ended: {error}", process.id());
            drop(process);
            error
        }
    }
}

fn unasked_cancel() -> EngineError {
    EngineError::Protocol {
        reason: "it says that the job was cancelled, which nobody asked for".to_owned(),
    }
}

/// JSON is UTF-8, and file names need not be.
fn refuse_unspeakable_paths(job: &Job) -> Result<(), EngineError> {
    match job.views.iter().find(|view| view.path.to_str().is_none()) {
        None => Ok(()),
        Some(view) => Err(EngineError::BadView {
            name: view.name(),
            reason: "its file name is not valid text; rename it".to_owned(),
        }),
    }
}
