use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be read or written. Every variant names the file, unless it was decoded from memory.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The system refused to read.
    #[error("{} could not be read: {source}", Name(path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system refused to write.
    #[error("{} could not be written: {source}", Name(path))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is something else than its name says.
    #[error("{} is not a {format} file: {reason}.", Name(path))]
    NotRecognized {
        /// The file; empty when decoded from memory.
        path: PathBuf,
        /// What it should have been.
        format: &'static str,
        /// What gave it away.
        reason: String,
    },
    /// The file ends before what its header promises. It was perhaps not copied or downloaded completely.
    #[error(
        "{} is cut short: its {what} would take {needed} bytes, but {available} are there. Copy or download it again.",
        Name(path)
    )]
    Truncated {
        /// The file; empty when decoded from memory.
        path: PathBuf,
        /// Which part of the file.
        what: String,
        /// Bytes that the part takes.
        needed: u64,
        /// Bytes that are there for it.
        available: u64,
    },
    /// The file contradicts itself or its format.
    #[error("{} is damaged: {reason}.", Name(path))]
    Damaged {
        /// The file; empty when decoded from memory.
        path: PathBuf,
        /// What is wrong, with the numbers.
        reason: String,
    },
    /// The file is valid but uses something that is not read here.
    #[error("{} uses {feature}, which Bozzetto does not read.", Name(path))]
    Unsupported {
        /// The file; empty when decoded from memory.
        path: PathBuf,
        /// What it uses.
        feature: String,
    },
    /// The file claims more than any real one holds.
    #[error("{} claims {claimed} {what}; at most {limit} can be read.", Name(path))]
    TooLarge {
        /// The file; empty when decoded from memory.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
        /// How many the file claims.
        claimed: u64,
        /// How many are read at most.
        limit: u64,
    },
    /// What was to be written does not fit the format, or contradicts itself.
    #[error("{} was not written: {reason}.", Name(path))]
    Unwritable {
        /// The file; empty when encoded to memory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl FormatError {
    /// The file that the error is about; empty when it was decoded from memory.
    pub fn path(&self) -> &Path {
        match self {
            Self::Read { path, .. }
            | Self::Write { path, .. }
            | Self::NotRecognized { path, .. }
            | Self::Truncated { path, .. }
            | Self::Damaged { path, .. }
            | Self::Unsupported { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Unwritable { path, .. } => path,
        }
    }

    /// The same error, naming the file if it names none yet.
    #[must_use]
    pub fn at(mut self, file: &Path) -> Self {
        match &mut self {
            Self::Read { path, .. }
            | Self::Write { path, .. }
            | Self::NotRecognized { path, .. }
            | Self::Truncated { path, .. }
            | Self::Damaged { path, .. }
            | Self::Unsupported { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Unwritable { path, .. } => {
                if path.as_os_str().is_empty() {
                    file.clone_into(path);
                }
            }
        }
        self
    }

    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: PathBuf::new(),
            reason: reason.into(),
        }
    }

    pub(crate) fn truncated(what: impl Into<String>, needed: u64, available: usize) -> Self {
        Self::Truncated {
            path: PathBuf::new(),
            what: what.into(),
            needed,
            available: available as u64,
        }
    }

    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported {
            path: PathBuf::new(),
            feature: feature.into(),
        }
    }

    pub(crate) fn not_recognized(format: &'static str, reason: impl Into<String>) -> Self {
        Self::NotRecognized {
            path: PathBuf::new(),
            format,
            reason: reason.into(),
        }
    }

    pub(crate) fn unwritable(reason: impl Into<String>) -> Self {
        Self::Unwritable {
            path: PathBuf::new(),
            reason: reason.into(),
        }
    }
}

/// A path as sentences name it.
struct Name<'a>(&'a Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.as_os_str().is_empty() {
            f.write_str("The file")
        } else {
            write!(f, "{}", self.0.display())
        }
    }
}
