//! The library: one folder a generation.

use std::path::{Path, PathBuf};

use image::RgbaImage;

use super::FormatError;
use crate::{Asset, Provenance};

/// What is remembered of a saved generation besides its arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// The folder it lies in.
    pub folder: PathBuf,
    /// Name of the folder; unique in the library and sorts by time.
    pub id: String,
    /// Seconds since the Unix epoch when it was saved.
    pub created_unix_secs: u64,
    /// What the artist calls it.
    pub name: String,
    /// The job as it was submitted.
    pub job: serde_json::Value,
    /// Engine, parameters, seed and views.
    pub provenance: Provenance,
    /// Finish settings, written and read by whoever finishes; null when there are none.
    pub finish: serde_json::Value,
    /// What was exported and where to, written and read by whoever exports; null when there is nothing.
    pub exported: serde_json::Value,
    /// The pictures in the order of the job's views: the library's copies, or the original path where a picture could
    /// not be copied.
    pub view_files: Vec<PathBuf>,
}

impl Generation {
    /// Path of the thumbnail, a PNG.
    pub fn thumbnail_path(&self) -> PathBuf {
        self.folder.join("thumbnail.png")
    }
}

/// What [`save`] needs. Provenance comes from the asset.
#[derive(Clone, Debug)]
pub struct NewGeneration<'a> {
    /// What the artist calls it.
    pub name: &'a str,
    /// Seconds since the Unix epoch.
    pub created_unix_secs: u64,
    /// The job as it was submitted.
    pub job: &'a serde_json::Value,
    /// Finish settings, or null.
    pub finish: &'a serde_json::Value,
    /// The arrays.
    pub asset: &'a Asset,
    /// A small picture of it.
    pub thumbnail: &'a RgbaImage,
    /// The picture files of the job's views, in order; copied.
    pub view_files: &'a [PathBuf],
}

/// Saves a generation as a new folder of the library, whole or not at all.
pub fn save(_library: &Path, _new: &NewGeneration<'_>) -> Result<Generation, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads a generation and its arrays.
pub fn load(_folder: &Path) -> Result<(Generation, Asset), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads what is remembered of a generation, without its arrays.
pub fn load_info(_folder: &Path) -> Result<Generation, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Every generation of the library, newest first; a damaged folder is an error that names it. Empty when there is no
/// library yet.
pub fn list(_library: &Path) -> Vec<Result<Generation, FormatError>> {
    Vec::new()
}

/// Writes a changed name, finish settings or export record back.
pub fn update(_generation: &Generation) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Deletes a generation's folder. Refuses a folder that is no generation.
pub fn delete(_folder: &Path) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}
