//! Binary glTF: what the program exports, and what it reads of others.
//!
//! Written files hold one mesh with positions, normals, UVs, tangents where a normal map needs them, one
//! metallic-roughness material, and provenance as JSON in `asset.extras.bozzetto`, with the mesh's health beside it in
//! `asset.extras.bozzetto_health` where it is known. A material without textures writes vertex colours instead. The
//! model frame is glTF's, so nothing is turned. On request vertex data is quantised (`KHR_mesh_quantization`) and
//! arrays are compressed (`EXT_meshopt_compression`).
//!
//! Reading merges all triangles of the scene into one mesh with node transforms applied. Normals are computed where a
//! primitive has none. The material with the most triangles gives the textures; several materials without any texture
//! become vertex colours. Skins, morph targets and animations are not applied, texture transforms are ignored.

mod accessor;
mod container;
mod decode;
mod encode;
mod facts;
mod material;
mod meshopt;
mod quantize;

use std::path::Path;

use super::{FormatError, read_file};
use crate::{TexturedMesh, files};

pub use facts::{GlbFacts, TextureFacts};

/// Key of our provenance in `asset.extras`.
const EXTRAS_KEY: &str = "bozzetto";
/// Key of the mesh's health in `asset.extras`.
const HEALTH_KEY: &str = "bozzetto_health";
/// Key of the file's size within the health, bytes.
const FILE_BYTES_KEY: &str = "file_bytes";
/// The extension for WebP textures.
const WEBP_EXTENSION: &str = "EXT_texture_webp";
/// The extension for vertex data in small whole numbers.
const QUANTIZATION_EXTENSION: &str = "KHR_mesh_quantization";

/// How textures are stored in a GLB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextureFormat {
    /// Read by everything, and exact.
    #[default]
    Png,
    /// JPEG for the base colour where it has no alpha, which is much smaller and read by everything; the normal map and
    /// the other values stay PNG, for JPEG would blur them.
    Jpeg,
    /// Lossless WebP (`EXT_texture_webp`): smaller than PNG and exact, but not every program reads it.
    #[serde(rename = "webp")]
    WebP,
}

/// Choices when writing a GLB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GlbOptions {
    /// How textures are stored.
    pub texture_format: TextureFormat,
    /// Store vertex data in small whole numbers: about half the size, off by 1/32767 of the object at most.
    pub is_quantized: bool,
    /// Compress vertex data and triangles with meshopt: smaller and exact, but few programs beside web viewers read it.
    /// The order of vertices and triangles changes.
    pub is_compressed: bool,
    /// What is sound and broken about the mesh, as a JSON object; travels beside the provenance, with the size of the
    /// file as `file_bytes`.
    pub health: Option<serde_json::Value>,
}

/// Reads a file: all triangles as one mesh in the model frame, the main material's textures, and provenance where the
/// file is our own.
///
/// # Errors
/// Files that are cut short, contradict themselves, hold no triangles, hold values that are not finite, or need an
/// extension that is not read (Draco compression, KTX2 textures).
pub fn read(path: &Path) -> Result<TexturedMesh, FormatError> {
    decode(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read`].
pub fn decode(bytes: &[u8]) -> Result<TexturedMesh, FormatError> {
    decode::decode(bytes)
}

/// Reads what a file's description tells beside its mesh; see [`GlbFacts`].
pub fn facts(path: &Path) -> Result<GlbFacts, FormatError> {
    GlbFacts::of(&read_file(path)?).map_err(|error| error.at(path))
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
    encode::encode(textured, options)
}

#[cfg(test)]
mod tests;
