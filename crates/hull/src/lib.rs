//! The built-in engine: pictures to 3D without a GPU, weights or Python

mod directions;
mod surface;
mod silhouette;
mod projector;
mod progress;
mod parts;
mod nets;
mod fit;
mod field;
mod colour;
mod carve;
mod matte;
mod engine;
mod params;
mod prepare;

pub use directions::{propose_directions, turntable};
pub use engine::HullEngine;
pub use prepare::{prepare_view, prepare_view_with};
