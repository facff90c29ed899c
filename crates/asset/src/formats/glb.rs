//! Binary glTF.

use std::path::Path;

use super::FormatError;
use crate::TexturedMesh;

/// How textures are stored in a GLB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextureFormat {
    /// Read by everything.
    #[default]
    Png,
    /// Lossless WebP (`EXT_texture_webp`): smaller, but not every program reads it.
    WebP,
}

/// Choices when writing a GLB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlbOptions {
    /// How textures are stored.
    pub texture_format: TextureFormat,
}

/// Reads a file: all triangle primitives as one mesh with node transforms applied, the first material's textures, and
/// provenance when the file is our own.
pub fn read(_path: &Path) -> Result<TexturedMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Reads from memory; see [`read`].
pub fn decode(_bytes: &[u8]) -> Result<TexturedMesh, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes a file.
pub fn write(_path: &Path, _textured: &TexturedMesh, _options: &GlbOptions) -> Result<(), FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}

/// Writes to memory.
pub fn encode(_textured: &TexturedMesh, _options: &GlbOptions) -> Result<Vec<u8>, FormatError> {
    Err(FormatError::unsupported("a format that is not there yet"))
}
