//! The built-in engine: pictures to 3D without a GPU, weights or Python

mod carve;
mod colour;
mod directions;
mod engine;
mod field;
mod fit;
mod matte;
mod nets;
mod params;
mod parts;
mod prepare;
mod progress;
mod projector;
mod silhouette;
mod surface;

pub use directions::{propose_directions, resolve_directions, turntable};
pub use engine::HullEngine;
pub use prepare::{prepare_view, prepare_view_with};
