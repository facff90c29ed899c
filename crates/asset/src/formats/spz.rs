//! Gaussian splats as spz files.

use std::path::Path;

use super::FormatError;
use crate::GaussianSplats;

/// Reads a file. Splats with a position, scale, rotation or opacity that is no number are left out.
pub fn read(_path: &Path) -> Result<GaussianSplats, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads from memory; see [`read`].
pub fn decode(_bytes: &[u8]) -> Result<GaussianSplats, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads from memory and also tells how many splats were left out because they were not finite.
pub fn decode_counted(_bytes: &[u8]) -> Result<(GaussianSplats, usize), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes a file.
pub fn write(_path: &Path, _splats: &GaussianSplats) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes to memory.
pub fn encode(_splats: &GaussianSplats) -> Result<Vec<u8>, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}
