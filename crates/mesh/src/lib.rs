//! From a raw surface to a clean, textured mesh.
//!
//! A chain of named steps, each timed, cancellable and with progress: weld, clean, orient, split, remove specks, fill
//! holes, simplify, unwrap, tangents, bake, dilate. Every step is a function of its own and [`finish`] runs them all.
//! All are deterministic: same input, same bytes, whatever the number of threads.

mod control;
mod error;
mod finish;
mod health;
mod settings;
mod simplify;

pub use control::{Control, Step, StepProgress, StepTiming};
pub use error::MeshError;
pub use finish::{Finished, Prepared, finish};
pub use health::MeshHealth;
pub use settings::FinishSettings;
pub use simplify::Simplifier;
