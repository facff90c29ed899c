use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ParamError;

/// What to do next after an error; shown below its sentence.
pub trait Hint {
    /// One sentence that an artist can act on, when there is one.
    fn hint(&self) -> Option<String>;
}

/// Why a job did not give an asset. Crosses the process border as JSON.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EngineError {
    /// The artist stopped it.
    #[error("Cancelled.")]
    Cancelled,
    /// No engine has this id.
    #[error("There is no engine called '{id}'. There are: {}.", known.join(", "))]
    UnknownEngine {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The job names no view that is switched on.
    #[error("There is no picture to work from.")]
    NoViews,
    /// More views than the engine takes.
    #[error("This engine takes {max} picture(s) at most, and {given} are switched on.")]
    TooManyViews {
        /// Views switched on.
        given: usize,
        /// Views the engine takes.
        max: usize,
    },
    /// A picture could not be read or used.
    #[error("The picture '{name}' cannot be used: {reason}.")]
    BadView {
        /// File name.
        name: String,
        /// Why, as the tail of the sentence.
        reason: String,
    },
    /// Parameters are wrong.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// The views contradict each other or hold nothing to build from.
    #[error("{reason}.")]
    NoResult {
        /// A sentence without its full stop.
        reason: String,
        /// What the artist can do.
        advice: String,
    },
    /// Weights or other files the engine needs are missing.
    #[error("{what} is not installed: {path} is missing.", path = path.display())]
    MissingFile {
        /// What it is, as an artist would call it.
        what: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Memory ran out.
    #[error("{device} ran out of memory in stage '{stage}'.")]
    OutOfMemory {
        /// `The graphics card` or `The computer`.
        device: String,
        /// Stage that ran.
        stage: String,
    },
    /// Weights that only those may fetch whom their maker let.
    #[error("{what} may only be fetched with its maker's permission.")]
    GatedWeights {
        /// What it is, as an artist would call it.
        what: String,
        /// Address of the page on which to ask for it.
        page: String,
    },
    /// The driver, the graphics card and the engine's libraries do not fit together.
    #[error("The graphics card cannot be used: {reason}.")]
    WrongCuda {
        /// Why, as the tail of the sentence.
        reason: String,
    },
    /// A library of the engine's environment is missing or was built for another one.
    #[error("The engine needs '{package}', which {problem}.")]
    MissingPackage {
        /// Its name, as its installer knows it.
        package: String,
        /// What is wrong with it, as the tail of the sentence.
        problem: String,
        /// What the artist can do.
        advice: String,
    },
    /// The graphics card gave up in the middle of a computation. The process cannot use it again.
    #[error("The graphics card stopped working: {reason}.")]
    DeviceLost {
        /// What the driver said, as the tail of the sentence.
        reason: String,
    },
    /// The worker process ended before its job did.
    #[error("The engine's process ended unexpectedly ({status}).")]
    WorkerDied {
        /// Exit code or signal in words.
        status: String,
        /// The last lines it wrote.
        last_lines: Vec<String>,
    },
    /// The worker process could not be started.
    #[error("The engine's process could not be started: {reason}.")]
    WorkerStart {
        /// Why.
        reason: String,
    },
    /// The worker process gave no sign of life for too long and was ended.
    #[error("The engine's process did not answer for {secs} s and was ended.")]
    WorkerHung {
        /// How long it was waited for.
        secs: u64,
    },
    /// The worker broke the protocol.
    #[error("The engine's process answered in a way that makes no sense: {reason}.")]
    Protocol {
        /// What was wrong.
        reason: String,
    },
    /// A file that the worker named is missing, damaged or wrong.
    #[error("The engine's process handed over a file that cannot be used ({path}): {reason}.", path = path.display())]
    BadArtifact {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Reading or writing a file failed.
    #[error("{path} cannot be {operation}: {reason}.", path = path.display())]
    Io {
        /// `read` or `written`.
        operation: String,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A fault of the program itself, caught.
    #[error("The engine failed: {reason}.")]
    Internal {
        /// What is known.
        reason: String,
    },
    /// Something that a newer worker can say and this program cannot.
    #[error("The engine failed in a way that this version of the program does not know.")]
    #[serde(other)]
    Other,
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Cancelled | Self::UnknownEngine { .. } => return None,
            Self::NoViews => "Drop a picture on the window, or switch one of the views on.",
            Self::TooManyViews { .. } => "Switch off the views that matter least, or choose another engine.",
            Self::BadView { .. } => "Open it in a picture editor and save it as PNG, or remove it from the views.",
            Self::Params(_) => "Reset the parameter to its default.",
            Self::NoResult { advice, .. } | Self::MissingPackage { advice, .. } => return Some(advice.clone()),
            Self::MissingFile { .. } => "Install the engine's files, or choose another engine.",
            Self::OutOfMemory { .. } => "Close other programs, or lower the resolution.",
            Self::GatedWeights { page, .. } => {
                return Some(format!(
                    "Ask for it at {page}, and once it is granted, log in with 'hf auth login' and try again."
                ));
            }
            Self::WrongCuda { .. } => {
                "Update the graphics driver, or install a PyTorch that fits it into the engine's environment."
            }
            Self::DeviceLost { .. } | Self::WorkerDied { .. } | Self::WorkerHung { .. } => {
                "Nothing is lost: try again, the engine starts afresh. If it happens again, copy the log and report it."
            }
            Self::WorkerStart { .. } => "Check that the program is installed whole and may be run.",
            Self::Protocol { .. } | Self::BadArtifact { .. } => "The engine may be of another version: reinstall it.",
            Self::Io { .. } => "Check that the folder exists, may be written to and has space left.",
            Self::Internal { .. } => "Please copy the log and report it.",
            Self::Other => "Update the program.",
        };
        Some(text.to_owned())
    }
}
