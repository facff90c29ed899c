//! The sparse structure: from the latent cube of its flow to the voxels in which there is something.
//!
//! Follows `models/sparse_structure_vae.py` of microsoft/TRELLIS.2 at 5565d24, `SparseStructureDecoder`.

mod decoder;
mod occupancy;
mod residual;

pub use decoder::{StructureDecoder, StructureDecoderConfig};
pub use occupancy::occupied_coords;
