//! TRELLIS.2 on libtorch: the models, and the worker process that runs them.
//!
//! Models are built from safetensors by [`weights`], strictly: every key is used and every shape checked. Everything
//! fallible comes back as a [`TrellisError`]; memory that runs out is one of its kinds and no panic.
//!
//! The crate links libtorch's processor half alone. The half for graphics cards is loaded when it is there, by
//! [`torch::load_cuda`], before the first tensor.

pub mod dino;
mod error;
pub mod flow;
pub mod layers;
pub mod sampler;
pub mod structure;
pub mod torch;
pub mod weights;

pub use error::{Result, TrellisError};
