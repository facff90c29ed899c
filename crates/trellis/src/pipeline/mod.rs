//! The stages from picture to asset, each callable by itself.
//!
//! ```text
//! picture ─ features ─▶ structure ─▶ coarse shape ─▶ finer voxels ─▶ shape ─▶ material ─▶ decode ─▶ mesh, volume
//!                          noise        noise                         noise     noise
//! ```
//!
//! What a stage hands on lies in the computer's memory, small beside the networks, so that it can be kept and a network's room
//! on the device is free as soon as its stage is over. Noise is drawn on the processor from the generator that
//! [`tch::manual_seed`] starts, in upstream's order: each stage takes the generator's state from the one before and hands on its
//! own, so that a run which starts in the middle draws the same numbers as a whole one.
//!
//! Follows `pipelines/trellis2_image_to_3d.py` of microsoft/TRELLIS.2 at 5565d24.

mod cascade;
mod conditioned;
mod decode;
mod features;
mod host;
mod kind;
mod latent;
mod structure;

pub use cascade::{FinerVoxels, finer_voxels};
pub use decode::{Decoded, decode};
pub use features::{features, matte};
pub use host::HostTensor;
pub use kind::{FlowSize, PipelineKind};
pub use latent::{Latent, material, shape};
pub use structure::{Structure, StructureStep, structure};

/// How far a stage is: work done, and all of it. An error ends the stage.
pub type OnProgress<'a> = &'a mut dyn FnMut(usize, usize) -> crate::Result<()>;
