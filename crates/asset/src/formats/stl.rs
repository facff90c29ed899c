//! Binary STL.

use std::path::Path;

use super::FormatError;
use crate::TriMesh;

/// Reads a binary file; corners at the same place become one vertex.
pub fn read(_path: &Path) -> Result<TriMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads from memory; see [`read`].
pub fn decode(_bytes: &[u8]) -> Result<TriMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes a binary file.
pub fn write(_path: &Path, _mesh: &TriMesh) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes to memory.
pub fn encode(_mesh: &TriMesh) -> Result<Vec<u8>, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}
