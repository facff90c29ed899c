//! TRELLIS.2 on libtorch: the models, and the worker process that runs them.
//!
//! Models are built from safetensors by [`weights`], strictly: every key is used and every shape checked. Everything
//! fallible comes back as a [`TrellisError`]; memory that runs out is one of its kinds and no panic.
//!
//! The crate links libtorch's processor half alone. The half for graphics cards is loaded when it is there, by
//! [`torch::load_cuda`], before the first tensor.

pub mod bench;
pub mod birefnet;
pub mod decoder;
pub mod dino;
pub mod dual_grid;
pub mod engine;
mod error;
pub mod flow;
mod kernels;
pub mod layers;
pub mod networks;
pub mod params;
mod picture;
pub mod pipeline;
pub mod preprocess;
pub mod random_set;
pub mod resample;
pub mod sampler;
pub mod sparse;
pub mod structure;
pub mod torch;
pub mod weights;

pub use error::{Result, TrellisError};

#[cfg(test)]
extern crate self as bozzetto_trellis;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of whole models use the rest")]
#[path = "../tests/parity/support.rs"]
mod fixture;
