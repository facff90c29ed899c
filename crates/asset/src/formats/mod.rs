//! Readers and writers of the files that artists and workers exchange.
//!
//! Every reader checks what a header claims against the bytes that are there before it allocates, and answers bad files
//! with a [`FormatError`]; none panics. Every writer goes through [`crate::files::write_atomic`]. Conversions between a
//! format's axes and the model frame happen here and nowhere else:
//!
//! | format | its frame | conversion |
//! | --- | --- | --- |
//! | GLB | +Y up, front +Z | none |
//! | SPZ | right, up, back (OpenGL) | none |
//! | 3DGS PLY | right, down, forward (COLMAP) | (x, y, z) -> (x, -y, -z) |
//! | OBJ | +Y up, front +Z | none |
//! | STL, 3MF, mesh PLY | +Z up, front -Y (what slicers expect) | (x, y, z) -> (x, -z, y) |
//! | transforms.json | +Z up (`NeRF`) | (x, y, z) -> (x, z, -y) |

use std::path::Path;

pub mod artifact;
mod compact;
mod error;
pub mod generation;
pub mod glb;
mod mapped;
pub mod obj;
mod pictures;
pub mod ply;
mod splat_frame;
pub mod spz;
pub mod stl;
#[cfg(test)]
mod test_support;
pub mod three_mf;
pub mod transforms;
mod weld;
mod z_up;
mod zip;

pub use error::FormatError;

/// A whole file in memory.
fn read_file(path: &Path) -> Result<Vec<u8>, FormatError> {
    std::fs::read(path).map_err(|source| FormatError::Read {
        path: path.to_owned(),
        source,
    })
}
