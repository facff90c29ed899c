//! From safetensors to tensors on the device, strictly.
//!
//! A model is built by a function that takes [`Weights`], a view of a file below a prefix, and asks it for every tensor by
//! name, shape and kind. [`Checkpoint::load`] runs that function on a file: a key that is missing, has another shape or
//! another kind is an error that names file and key, and so is a key that nobody asked for. [`record`] runs the same
//! function without any file and gives the list of what it asks for; no memory is taken for the tensors, so that this works
//! for models of any size.

mod checkpoint;
mod error;
mod locate;
mod random;
mod record;
mod view;

pub use checkpoint::Checkpoint;
pub use error::WeightsError;
pub use locate::{Download, Library};
pub(crate) use random::write_whole;
pub use random::{Adjustment, RandomWeights};
pub use record::{TensorSpec, record};
pub use view::Weights;
