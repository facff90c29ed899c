//! Binary glTF: what the program exports, and what it reads of others.
//!
//! Written files hold one mesh with positions, normals, UVs, tangents where a normal map needs them, one
//! metallic-roughness material, and provenance as JSON in `asset.extras.bozzetto`. A material without textures writes
//! vertex colours instead. The model frame is glTF's, so nothing is turned.
//!
//! Reading merges all triangles of the scene into one mesh with node transforms applied. Normals are computed where a
//! primitive has none. The material with the most triangles gives the textures; several materials without any texture
//! become vertex colours. Skins, morph targets and animations are not applied, texture transforms are ignored.

mod accessor;
mod container;
mod decode;
mod encode;
mod material;

use std::path::Path;

use super::{FormatError, read_file};
use crate::{TexturedMesh, files};

/// Key of our provenance in `asset.extras`.
const EXTRAS_KEY: &str = "bozzetto";
/// The extension for WebP textures.
const WEBP_EXTENSION: &str = "EXT_texture_webp";

/// How textures are stored in a GLB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextureFormat {
    /// Read by everything.
    #[default]
    Png,
    /// Lossless WebP (`EXT_texture_webp`): smaller, but not every program reads it.
    #[serde(rename = "webp")]
    WebP,
}

/// Choices when writing a GLB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlbOptions {
    /// How textures are stored.
    pub texture_format: TextureFormat,
}

/// Reads a file: all triangles as one mesh in the model frame, the main material's textures, and provenance where the
/// file is our own.
///
/// # Errors
/// Files that are cut short, contradict themselves, hold no triangles, hold values that are not finite, or need an
/// extension that is not read (mesh compression, KTX2 textures).
pub fn read(path: &Path) -> Result<TexturedMesh, FormatError> {
    decode(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read`].
pub fn decode(bytes: &[u8]) -> Result<TexturedMesh, FormatError> {
    decode::decode(bytes)
}

/// Writes a file.
///
/// # Errors
/// A mesh without triangles or with values that are not finite, and what the system refuses.
pub fn write(path: &Path, textured: &TexturedMesh, options: &GlbOptions) -> Result<(), FormatError> {
    files::write_bytes(path, &encode(textured, options).map_err(|error| error.at(path))?)
}

/// Writes to memory; see [`write`].
pub fn encode(textured: &TexturedMesh, options: &GlbOptions) -> Result<Vec<u8>, FormatError> {
    encode::encode(textured, options.texture_format)
}

#[cfg(test)]
mod tests;
