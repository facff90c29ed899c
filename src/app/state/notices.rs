use std::time::{Duration, SystemTime};

use bozzetto_engine::Hint;

use crate::app::Command;

/// Something that went wrong, in words for the artist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What happened.
    pub sentence: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with something to do about it.
    pub fn with_hint(sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            hint: Some(hint.into()),
        }
    }

    /// A problem that speaks for itself.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            hint: None,
        }
    }

    /// An error's sentence and hint.
    pub fn of(error: &(impl std::fmt::Display + Hint)) -> Self {
        Self {
            sentence: error.to_string(),
            hint: error.hint(),
        }
    }
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeLevel {
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    #[default]
    Info,
    /// Something was achieved.
    Success,
    /// Something was worked around.
    Warning,
    /// Something failed.
    Error,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// Growing from line to line.
    pub id: u64,
    /// How much it matters.
    pub level: NoticeLevel,
    /// The line.
    pub text: String,
    /// What to do next.
    pub hint: Option<String>,
    /// When it happened.
    pub at: SystemTime,
    /// How long ago that was when this frame began.
    pub age: Duration,
}

/// The last lines of the log, oldest first.
#[derive(Clone, Debug, Default)]
pub struct LogState {
    /// The lines.
    pub lines: std::collections::VecDeque<LogLine>,
    /// Errors since the log was last looked at.
    pub num_unread_errors: usize,
}

/// A notice that floats over the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    /// Same as the log line's.
    pub id: u64,
    /// How much it matters.
    pub level: NoticeLevel,
    /// What happened.
    pub text: String,
    /// What to do next.
    pub hint: Option<String>,
    /// A button on the notice: its label and what it does.
    pub action: Option<(String, Command)>,
    /// How long it has been there.
    pub age: Duration,
    /// When it goes by itself; errors stay until they are closed.
    pub lifetime: Option<Duration>,
}
