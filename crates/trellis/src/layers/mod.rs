//! Building blocks that the models share. Rows are tokens: `[batch, tokens, channels]`.
//!
//! Where upstream computes in f32 in the middle of a model in another kind (norms, rotary embedding), these do too.

mod linear;
mod norm;

pub use linear::Linear;
pub use norm::{LayerNorm, MultiHeadRmsNorm, modulated_layer_norm, plain_layer_norm};
