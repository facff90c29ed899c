//! Wavefront OBJ.

use std::path::Path;

use super::FormatError;
use crate::{TexturedMesh, TriMesh};

/// Reads the geometry of a file: positions, UVs, normals, polygons as triangle fans.
pub fn read(_path: &Path) -> Result<TriMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads from memory; see [`read`].
pub fn decode(_bytes: &[u8]) -> Result<TriMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes NAME.obj, NAME.mtl and NAME_base_color.png and so on beside it.
pub fn write(_path: &Path, _textured: &TexturedMesh) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}
