use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where an asset came from: enough to make it again. Travels in saved generations and in a GLB's `asset.extras`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name and version of the program that made it, as in `Bozzetto 0.1.0`.
    pub generator: String,
    /// Engine id, as in `hull`.
    pub engine: String,
    /// Every parameter by key, as the engine ran with it.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Seed of the run.
    pub seed: u64,
    /// File name and content hash of each view that took part.
    pub views: Vec<ViewRecord>,
    /// Content hash of each weight file, by file name; empty for engines without weights.
    pub weights: BTreeMap<String, String>,
    /// Seconds since the Unix epoch when the run began.
    pub created_unix_secs: u64,
    /// Wall time of the run in seconds.
    pub duration_secs: f64,
}

/// A view as provenance remembers it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewRecord {
    /// File name without its folder, so that a shared GLB does not tell where its maker lives.
    pub name: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Direction as in [`crate::Direction`]'s text form, empty when unknown.
    pub direction: String,
}
