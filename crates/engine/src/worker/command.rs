use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How a worker process is started, and how long it is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables set for it, on top of this process' own.
    pub env: Vec<(OsString, OsString)>,
    /// From the start to its greeting; loading libraries may take long.
    pub start_limit: Duration,
    /// From one message to the next while a job runs. A worker sends a heartbeat every second.
    pub silence_limit: Duration,
    /// From a request to cancel to the kill; up to a minute where the steps of its jobs take long.
    pub cancel_grace: Duration,
    /// From a request to shut down to the kill.
    pub shutdown_grace: Duration,
}

impl WorkerCommand {
    /// A program without arguments, with patient limits.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            start_limit: Duration::from_mins(2),
            silence_limit: Duration::from_secs(30),
            cancel_grace: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(2),
        }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// The same with one more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}
