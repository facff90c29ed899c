//! From latents to voxels sixteen times as fine: the shape decoder, which decides at each level which children a voxel has,
//! and the material decoder, which follows the shape's decisions.
//!
//! In half precision on a graphics card, convolutions and norms are kernels of our own (`crate::kernels`). Everything else,
//! and everything elsewhere, is libtorch's. Features are worked on a chunk of voxels at a time, so that memory beside a
//! block's input and result stays within [`ScratchMemory`]; what comes out does not depend on it.
//!
//! Follows `trellis2/models/sc_vaes/sparse_unet_vae.py` and `fdg_vae.py` of microsoft/TRELLIS.2 at 5565d24.

mod config;
mod conv_next;
mod material;
mod norm;
mod shape;
mod torso;
mod up_block;

pub use config::DecoderConfig;
pub use material::MaterialDecoder;
pub use shape::{ShapeDecoder, ShapeVoxels};

pub use crate::sparse::ScratchMemory;

/// Of the normalisation inside blocks.
const BLOCK_EPSILON: f64 = 1e-6;
/// Of the normalisation before the output layer.
const OUTPUT_EPSILON: f64 = 1e-5;

/// How a decoder tells how far it is: called before each of `total` blocks with how many are done. An error ends the work and
/// is passed on.
pub type OnBlock<'a> = &'a mut dyn FnMut(usize, usize) -> crate::Result<()>;
