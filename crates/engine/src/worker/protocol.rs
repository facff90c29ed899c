//! What crosses the border to a worker process.
//!
//! # How it works
//!
//! The program writes requests to the worker's standard input and reads messages from its standard output, one JSON
//! object a line, UTF-8. Whatever else a worker has to say goes to standard error.
//!
//! ```text
//! worker ▶ {"event":"hello","protocol":3,"engine":{"id":"hull", ...}}
//! ◀ program {"request":"run","id":1,"job":{...},"folder":"/tmp/bozzetto-job-x"}
//! worker ▶ {"event":"stage","id":1,"stage":"carve","label":"Carving the shape","index":2,"count":5}
//! worker ▶ {"event":"progress","id":1,"stage":"carve","done":3,"total":192}
//! worker ▶ {"event":"heartbeat"}
//! worker ▶ {"event":"preview","id":1,"content":"structure","artifact":"preview-1.safetensors"}
//! worker ▶ {"event":"preview","id":1,"content":"mesh","artifact":"preview-2.safetensors"}
//! worker ▶ {"event":"done","id":1,"artifact":"asset.safetensors"}
//! ◀ program {"request":"shutdown"}
//! ```
//!
//! A job ends with exactly one of `done`, `failed` and `cancelled`. One job runs at a time. While one runs, a worker
//! sends a heartbeat at least every [`HEARTBEAT_INTERVAL`] from a thread of its own, so that a long computation is not
//! taken for a hang. When standard input closes, the program is gone and the worker exits.
//!
//! Arrays never go through JSON. They are safetensors files (`bozzetto_asset::formats::artifact`) in the job's folder,
//! which the program makes and removes. An artifact is named relative to that folder and must lie inside it.
//!
//! Version 2 added previews of the sparse structure. Workers that speak version 1 send none and are understood; kinds of
//! previews that a program does not know are passed over from version 2 on, so that another kind needs no new version.
//!
//! Version 3 added errors of environments: gated weights, wrong CUDA, missing packages, a lost device. From it on, kinds of
//! errors that a program does not know are understood as [`EngineError::Other`].
//!
//! Lines longer than [`MAX_LINE_BYTES`] and lines that are no message count as rubbish, of which some is tolerated.

use std::path::PathBuf;
use std::time::Duration;

use bozzetto_asset::Camera;
use serde::{Deserialize, Serialize};

use crate::{EngineError, EngineInfo, Job, LogLevel};

/// Changes whenever an older program or worker would misunderstand a newer one.
pub const PROTOCOL_VERSION: u32 = 3;

/// The oldest version whose workers are understood.
pub const OLDEST_PROTOCOL_VERSION: u32 = 1;

/// A worker that runs a job sends something at least this often.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// No line is longer, in either direction.
pub const MAX_LINE_BYTES: usize = 4 << 20;

/// What the program asks of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Run a job.
    Run {
        /// Names the job in all messages about it.
        id: u64,
        /// The job.
        job: Box<Job>,
        /// Where its artifacts go; exists, and is removed by the program.
        folder: PathBuf,
    },
    /// Stop a job soon. It then ends with `cancelled`, or with `done` or `failed` if it was ending already.
    Cancel {
        /// The job.
        id: u64,
    },
    /// Exit.
    Shutdown,
}

/// A line from a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The job it is about; none for `hello` and `heartbeat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What it says.
    #[serde(flatten)]
    pub body: MessageBody,
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum MessageBody {
    /// The first line of all.
    Hello {
        /// The worker's [`PROTOCOL_VERSION`].
        protocol: u32,
        /// Its engine.
        engine: Box<EngineInfo>,
    },
    /// Still there.
    Heartbeat,
    /// [`crate::Event::Stage`].
    Stage {
        /// Id as in parameter keys.
        stage: String,
        /// What the artist reads.
        label: String,
        /// Place in the engine's list of stages.
        index: usize,
        /// Length of that list.
        count: usize,
    },
    /// [`crate::Event::Progress`].
    Progress {
        /// Id of the stage.
        stage: String,
        /// Work done.
        done: u64,
        /// All of the stage's work.
        total: u64,
    },
    /// [`crate::Event::Reused`].
    Reused {
        /// Id of the stage.
        stage: String,
    },
    /// [`crate::Event::Preview`] of arrays. The file is removed once it was read.
    Preview {
        /// What the file holds.
        content: PreviewContent,
        /// Name of the file in the job's folder.
        artifact: String,
    },
    /// [`crate::Preview::Cameras`].
    Cameras {
        /// The cameras.
        cameras: Vec<Camera>,
    },
    /// [`crate::Event::Memory`].
    Memory {
        /// Bytes in use.
        used: u64,
        /// Bytes there are.
        total: u64,
    },
    /// [`crate::Event::Log`].
    Log {
        /// How much it matters.
        level: LogLevel,
        /// The line.
        message: String,
    },
    /// The job gave an asset.
    Done {
        /// Name of the file in the job's folder; its last part is `asset.safetensors`.
        artifact: String,
    },
    /// The job failed; the worker is well.
    Failed {
        /// Why.
        error: EngineError,
    },
    /// The job was stopped as asked.
    Cancelled,
}

/// What a preview's file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewContent {
    /// As written by `write_structure`.
    Structure,
    /// As written by `write_mesh`.
    Mesh,
    /// As written by `write_splats`.
    Splats,
    /// As written by `write_views`.
    Views,
    /// Something that a newer worker can show and this program cannot.
    #[serde(other)]
    Other,
}

/// What a line from a worker turned out to be.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    Message(Box<Message>),
    /// It means to be a message but is not one, with the reason.
    Malformed(String),
    /// Something that a library printed.
    Rubbish,
}

/// Reads a line. A greeting of another protocol version is understood as far as its version.
pub(super) fn parse(line: &[u8]) -> Parsed {
    let error = match serde_json::from_slice(line) {
        Ok(message) => return Parsed::Message(Box::new(message)),
        Err(error) => error,
    };
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
        return Parsed::Rubbish;
    };
    // Libraries print JSON of their own, often with a field `event`: only our own names count.
    let Some(name) = value
        .get("event")
        .and_then(|event| event.as_str())
        .filter(|name| EVENTS.contains(name))
    else {
        return Parsed::Rubbish;
    };
    match value.get("protocol").and_then(serde_json::Value::as_u64) {
        Some(version) if !is_understood(version) => Parsed::Malformed(other_version(version)),
        _ => Parsed::Malformed(format!("its message '{name}' cannot be read, {error}")),
    }
}

/// Whether workers of a version can be talked to.
pub(super) fn is_understood(version: u64) -> bool {
    (u64::from(OLDEST_PROTOCOL_VERSION)..=u64::from(PROTOCOL_VERSION)).contains(&version)
}

/// The tail of a sentence about a worker that speaks another version.
pub(super) fn other_version(version: impl std::fmt::Display) -> String {
    format!("it speaks version {version} of the protocol, and this program speaks version {PROTOCOL_VERSION}")
}

const EVENTS: [&str; 12] = [
    "hello",
    "heartbeat",
    "stage",
    "progress",
    "reused",
    "preview",
    "cameras",
    "memory",
    "log",
    "done",
    "failed",
    "cancelled",
];

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
