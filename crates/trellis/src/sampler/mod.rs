//! Euler's method on a flow, with guidance: from noise to a sample.
//!
//! The path leads from noise at time 1 to the sample at time 0; a model gives the velocity at a point of it. Guidance asks the
//! model twice, with and without the picture, and goes further in the direction of the difference.
//!
//! Follows `pipelines/samplers` of microsoft/TRELLIS.2 at 5565d24, `FlowEulerGuidanceIntervalSampler`.

mod euler;
mod guidance;
mod schedule;

pub use euler::{Step, Velocity, sample};
pub use guidance::{Guidance, Spread};
pub use schedule::{SamplerParams, schedule};
