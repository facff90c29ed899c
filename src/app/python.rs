//! Engines in other programs: the native neural one and a Python environment's pipelines, looked over, set up and greeted
//! on a thread of their own.

use std::path::PathBuf;

use bozzetto_engine::{CancelToken, Engine};

use super::desktop::{Answer, Pending};
use super::mailbox::{Mailbox, Message};
use super::pool::Pool;
use super::state::Problem;
use crate::engines::{self, PythonEnvironment, PythonError, Report};

/// What a folder was chosen for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderUse {
    /// It is a Python environment.
    Environment,
    /// It holds a pipeline's code.
    Source,
    /// It holds weights for the engine of this id.
    Weights(String),
}

/// What became of the environment.
pub enum PythonEvent {
    /// A dialog was answered.
    Chosen {
        /// What for.
        folder_use: FolderUse,
        /// The answer.
        answer: Answer<PathBuf>,
    },
    /// It was looked over, or why not.
    Examined {
        /// The environment with what it can run.
        environment: PythonEnvironment,
        /// What was found.
        report: Result<Report, PythonFailure>,
    },
    /// Every engine in another program, ready to be offered.
    Engines(Vec<Box<dyn Engine>>),
}

/// Why an environment could not be looked over or set up.
#[derive(Clone, Debug, PartialEq)]
pub struct PythonFailure {
    /// What the artist reads.
    pub problem: Problem,
    /// Whether installing the bridge would mend it.
    pub lacks_bridge: bool,
}

impl From<PythonError> for PythonFailure {
    fn from(error: PythonError) -> Self {
        Self {
            problem: Problem::new(error.to_string()),
            lacks_bridge: matches!(error, PythonError::NoBridge { .. } | PythonError::BadReport { .. }),
        }
    }
}

/// The thread.
pub struct Python {
    pool: Pool,
    mailbox: Mailbox,
}

impl Python {
    /// Starts it.
    pub fn new(mailbox: Mailbox) -> Self {
        Self {
            pool: Pool::new("python", 1),
            mailbox,
        }
    }

    /// Waits for a dialog.
    pub fn choose(&self, folder_use: FolderUse, pending: Pending<PathBuf>) {
        self.run(move |mailbox| {
            let answer = pollster::block_on(pending);
            mailbox.post(Message::Python(PythonEvent::Chosen { folder_use, answer }));
        });
    }

    /// Greets the engines that are known without looking anything over.
    pub fn greet(&self, environment: Option<PythonEnvironment>) {
        self.run(move |mailbox| post_engines(mailbox, environment.as_ref()));
    }

    /// Looks an environment over and greets its engines.
    pub fn examine(&self, environment: PythonEnvironment) {
        self.run(move |mailbox| examine(mailbox, environment));
    }

    /// Puts the bridge that came with the program into an environment, and looks it over.
    pub fn install(&self, environment: PythonEnvironment) {
        self.run(move |mailbox| {
            let installed = engines::bundled_wheel()
                .map_err(|error| PythonFailure {
                    problem: Problem::new(error.to_string()),
                    lacks_bridge: true,
                })
                .and_then(|wheel| environment.install(&wheel).map_err(PythonFailure::from));
            match installed {
                Ok(()) => examine(mailbox, environment),
                Err(failure) => {
                    mailbox.post(Message::Python(PythonEvent::Examined {
                        environment,
                        report: Err(failure),
                    }));
                }
            }
        });
    }

    fn run(&self, task: impl FnOnce(&Mailbox) + Send + 'static) {
        let mailbox = self.mailbox.clone();
        self.pool.run(move || task(&mailbox));
    }
}

fn examine(mailbox: &Mailbox, mut environment: PythonEnvironment) {
    let report = environment.examine().map_err(PythonFailure::from);
    let examined = environment.clone();
    mailbox.post(Message::Python(PythonEvent::Examined {
        environment: examined,
        report,
    }));
    post_engines(mailbox, Some(&environment));
}

/// What can be set is known once an engine has greeted. Its process ends again: most starts of the program use one engine.
fn post_engines(mailbox: &Mailbox, environment: Option<&PythonEnvironment>) {
    let mut greeted = engines::others(environment);
    greeted.retain_mut(|engine| {
        let result = engine.prepare(&CancelToken::new());
        engine.release();
        if let Err(error) = &result {
            tracing::warn!("The engine '{}' did not start: {error}", engine.info().id);
        }
        result.is_ok()
    });
    mailbox.post(Message::Python(PythonEvent::Engines(greeted)));
}
