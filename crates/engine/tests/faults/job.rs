//! The supervising side: one engine, its worker with a fault, and what a test asks of them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bozzetto_asset::{Asset, View};
use bozzetto_engine::{
    CancelToken, Engine as _, EngineError, Event, Job, ParamValues, RunContext, WorkerCommand, WorkerEngine,
};
use parking_lot::Mutex;

use crate::worker::Player;
use crate::{faulty_engine, leaks};

static NUM_CASES: AtomicUsize = AtomicUsize::new(0);

/// An engine whose worker has a fault once.
pub struct Case {
    pub engine: WorkerEngine,
    pub id: String,
    pub folder: tempfile::TempDir,
    pub events: Mutex<Vec<Event>>,
}

impl Case {
    pub fn new(player: Player, fault: &str) -> Self {
        Self::with_command(player, fault, |_, _| ())
    }

    /// With silence, or the wait for a greeting, taken for a hang after a moment.
    pub fn impatient(player: Player, fault: &str) -> Self {
        Self::with_command(player, fault, |command, _| {
            command.silence_limit = Duration::from_millis(300);
            if fault == "hangs at once" {
                command.start_limit = Duration::from_millis(300);
            }
        })
    }

    pub fn with_command(
        player: Player,
        fault: &str,
        change: impl FnOnce(&mut WorkerCommand, &tempfile::TempDir),
    ) -> Self {
        // Linux shows the first 15 bytes of a thread's name: short ids keep them apart.
        let id = format!("t{:02}", NUM_CASES.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("view.png"), b"a picture").expect("written");
        let mut command = WorkerCommand::new(player.program());
        command.args = player.args();
        let mut command = command
            .env(faulty_engine::FAULT, fault)
            .env(faulty_engine::ID, &id)
            .env(faulty_engine::FOLDER, folder.path());
        command.silence_limit = Duration::from_mins(1);
        command.cancel_grace = Duration::from_mins(1);
        command.shutdown_grace = Duration::from_mins(1);
        change(&mut command, &folder);
        Self {
            engine: WorkerEngine::new(&id, command),
            id,
            folder,
            events: Mutex::default(),
        }
    }

    pub fn job(&self) -> Job {
        Job {
            engine: self.id.clone(),
            params: ParamValues::default(),
            views: vec![View::new(self.folder.path().join("view.png"))],
            mesh: None,
            seed: 0,
        }
    }

    pub fn run(&mut self) -> Result<Asset, EngineError> {
        self.run_until(|_| false)
    }

    /// Runs a job, and cancels it at the first event that `is_enough`.
    pub fn run_until(&mut self, is_enough: impl Fn(&Event) -> bool + Sync) -> Result<Asset, EngineError> {
        self.run_until_stopped(is_enough, CancelToken::cancel)
    }

    /// The same, stopped in the way of `stop`.
    pub fn run_until_stopped(
        &mut self,
        is_enough: impl Fn(&Event) -> bool + Sync,
        stop: fn(&CancelToken),
    ) -> Result<Asset, EngineError> {
        let cancel = CancelToken::new();
        let job = self.job();
        let context = RunContext {
            cancel: cancel.clone(),
            emit: &|event| {
                if is_enough(&event) {
                    stop(&cancel);
                }
                self.events.lock().push(event);
            },
        };
        self.engine.run(&job, &context)
    }

    pub fn failure(&mut self) -> EngineError {
        self.run().map(|_| ()).expect_err("the job must fail")
    }

    pub fn success(&mut self) {
        let asset = self.run().expect("the job must succeed");
        assert_eq!(asset.mesh, faulty_engine::triangle().mesh);
    }

    /// What every test ends with: a job that succeeds, and nothing left behind.
    pub fn recovers(mut self) {
        self.success();
        self.ends_cleanly();
    }

    pub fn ends_cleanly(self) {
        let process = self.engine.process_id();
        drop(self.engine);
        assert!(process.is_some(), "a healthy worker stays for the next job");
        leaks::nothing_is_left(&self.id, self.folder.path());
    }

    pub fn sleeper(&self) -> Option<i32> {
        let path: PathBuf = self.folder.path().join(faulty_engine::SLEEPER);
        std::fs::read_to_string(path).ok()?.parse().ok()
    }
}
