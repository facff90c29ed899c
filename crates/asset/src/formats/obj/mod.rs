//! Wavefront OBJ: geometry as text, a material file and its pictures beside it.
//!
//! The model frame is kept; numbers have no unit, are written in the one that is asked for and read as they are. Texture coordinates begin at the bottom left in the file. Vertex colours stand behind the
//! positions as sRGB, as most programs read them.

mod decode;
mod encode;

use std::path::Path;

use super::{FormatError, read_file};
use crate::{LengthUnit, TexturedMesh, TriMesh};

/// Reads the geometry of a file: positions, vertex colours, UVs, normals, polygons as triangle fans. Objects and groups
/// become one mesh; materials are not read. UVs and normals are kept where every corner has them.
pub fn read(path: &Path) -> Result<TriMesh, FormatError> {
    decode(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read`].
pub fn decode(bytes: &[u8]) -> Result<TriMesh, FormatError> {
    decode::decode(bytes)
}

/// Writes `NAME.obj` and beside it `NAME.mtl` and the pictures that the material has: `NAME_base_color.png`,
/// `NAME_roughness.png`, `NAME_metallic.png`, `NAME_occlusion.png`, `NAME_normal.png`. Blanks in the names of the
/// latter become underscores, because the format separates words by them. Positions are written in `unit`.
pub fn write(path: &Path, textured: &TexturedMesh, unit: LengthUnit) -> Result<(), FormatError> {
    encode::write(path, textured, unit)
}

#[cfg(test)]
mod tests;
