//! The built-in engine: pictures to 3D without a GPU, weights or Python

mod directions;
mod prepare;

pub use directions::{propose_directions, turntable};
pub use prepare::{prepare_view, prepare_view_with};
