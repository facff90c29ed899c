//! Arrays on the worker border and in saved generations: safetensors files.

use std::path::Path;

use super::FormatError;
use crate::{Asset, GaussianSplats, PbrVolume, PreparedView, TriMesh};

/// Name of the file that [`write_asset`] makes in its folder.
pub const ASSET_FILE: &str = "asset.safetensors";

/// Writes everything that an asset holds as [`ASSET_FILE`] in a folder.
pub fn write_asset(_folder: &Path, _asset: &Asset) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads what [`write_asset`] wrote.
pub fn read_asset(_folder: &Path) -> Result<Asset, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes a mesh to a file.
pub fn write_mesh(_path: &Path, _mesh: &TriMesh) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads a mesh from a file.
pub fn read_mesh(_path: &Path) -> Result<TriMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes splats to a file.
pub fn write_splats(_path: &Path, _splats: &GaussianSplats) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads splats from a file.
pub fn read_splats(_path: &Path) -> Result<GaussianSplats, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes a volume to a file.
pub fn write_volume(_path: &Path, _volume: &PbrVolume) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads a volume from a file.
pub fn read_volume(_path: &Path) -> Result<PbrVolume, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes prepared views to one file.
pub fn write_views(_path: &Path, _views: &[PreparedView]) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads prepared views from one file.
pub fn read_views(_path: &Path) -> Result<Vec<PreparedView>, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}
