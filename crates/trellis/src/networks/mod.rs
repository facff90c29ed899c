//! The networks of TRELLIS.2: which files they are in, and which of them are on the device.

mod catalogue;
mod description;
mod resident;

pub use catalogue::{Network, TRELLIS2};
pub use description::{Normalization, PipelineDescription};
pub use resident::Networks;
