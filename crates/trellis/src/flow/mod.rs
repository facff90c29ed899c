//! The flow transformers: from noise, a noise level and a picture's features to the direction in which the noise lessens.
//!
//! [`FlowTransformer`] is the one network behind both. [`StructureFlow`] runs it on a full cube, [`SlatFlow`] on the voxels that
//! are there. Follows `models/sparse_structure_flow.py` and `models/structured_latent_flow.py` of microsoft/TRELLIS.2 at 5565d24.

mod config;
mod slat;
mod structure;
mod transformer;

pub use config::FlowConfig;
pub use slat::{SlatFlow, SlatTokens};
pub use structure::StructureFlow;
pub use transformer::{FlowTransformer, PreparedCondition};
