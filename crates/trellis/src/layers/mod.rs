//! Building blocks that the models share. Rows are tokens: `[batch, tokens, channels]`.
//!
//! Where upstream computes in f32 in the middle of a model in another kind (norms, rotary embedding), these do too.

mod attention;
mod feed_forward;
mod linear;
mod modulated_block;
mod norm;
mod precision;
mod rotary;
mod timestep;
mod token_rows;

pub use attention::{Condition, CrossAttention, SelfAttention, attend};
pub use feed_forward::FeedForward;
pub use linear::Linear;
pub use modulated_block::{BlockSizes, ModulatedCrossBlock, Modulation};
pub use norm::{LayerNorm, MultiHeadRmsNorm, plain_layer_norm};
pub use precision::Precision;
pub use rotary::Rotation;
pub use timestep::TimestepEmbedding;
pub use token_rows::{Branch, TokenNorm, TokenRows, add_branch, can_compute_in_eight_bits};
