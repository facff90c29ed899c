use tch::{Kind, Tensor};

use super::Linear;
use crate::Result;
use crate::weights::Weights;

/// Two linear layers with a GELU (tanh approximation) between them. Upstream: `modules/transformer/blocks.py`, `FeedForwardNet`.
pub struct FeedForward {
    widen: Linear,
    narrow: Linear,
}

impl FeedForward {
    /// `weights` has `mlp.0` and `mlp.2`.
    pub fn new(weights: &Weights<'_>, channels: i64, hidden: i64, kind: Kind) -> Result<Self> {
        Ok(Self {
            widen: Linear::new(&weights.at("mlp.0"), channels, hidden, kind)?,
            narrow: Linear::new(&weights.at("mlp.2"), hidden, channels, kind)?,
        })
    }

    /// `[.., channels]` to the same.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        // Not in one with the linear layer: cuBLAS has a GELU that is ten times less accurate than bf16 (seen on an H200).
        let hidden = self.widen.forward(x)?.f_gelu_("tanh")?;
        self.narrow.forward(&hidden)
    }
}
