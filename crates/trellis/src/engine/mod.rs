//! The engine `trellis2`: stages with a cache, previews, forecasts, and a way on when memory runs out.

mod chain;
mod forecast;
mod hashes;
mod peak_memory;
mod plan;
mod preview;
mod reporter;
mod trellis2;

pub use forecast::Forecast;
pub use plan::Plan;
pub use preview::{splats_of_volume, structure_of_coords};
pub use trellis2::Trellis2Engine;
