use tch::Tensor;

use super::{Linear, Precision, TokenRows};
use crate::Result;
use crate::weights::Weights;

/// Two linear layers with a GELU (tanh approximation) between them. Upstream: `modules/transformer/blocks.py`, `FeedForwardNet`.
pub struct FeedForward {
    widen: Linear,
    narrow: Linear,
}

impl FeedForward {
    /// `weights` has `mlp.0` and `mlp.2`.
    pub fn new(weights: &Weights<'_>, channels: i64, hidden: i64, precision: impl Into<Precision>) -> Result<Self> {
        let precision = precision.into();
        Ok(Self {
            widen: Linear::new(&weights.at("mlp.0"), channels, hidden, precision)?,
            narrow: Linear::new(&weights.at("mlp.2"), hidden, channels, precision)?,
        })
    }

    /// `[.., channels]` to the same.
    pub fn forward(&self, rows: &TokenRows) -> Result<Tensor> {
        let hidden = self.widen.forward_rows(rows)?;
        let hidden = TokenRows::gelu(hidden, self.narrow.is_eight_bit())?;
        self.narrow.forward_rows(&hidden)
    }
}
