use tch::{Kind, Tensor};

use super::TokenNorm;
use crate::Result;
use crate::weights::Weights;

/// Layer norm over the last axis with learned scale and shift, computed in f32 whatever the kind of `x`.
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl LayerNorm {
    /// `weights` has `weight` and `bias`. `kind` is that of what is normalized.
    pub fn new(weights: &Weights<'_>, channels: i64, epsilon: f64, kind: Kind) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[channels], kind)?,
            bias: weights.tensor("bias", &[channels], kind)?,
            epsilon,
        })
    }

    /// For [`super::TokenRows::fill_normalized`].
    pub fn of_tokens(&self) -> TokenNorm<'_> {
        TokenNorm {
            weight: &self.weight,
            shift: &self.bias,
            epsilon: self.epsilon,
            is_modulated: false,
        }
    }

    /// `[.., channels]` to the same.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let channels = self.weight.size();
        // The kernel sums in f32 for every kind and rounds once, at the end.
        Ok(x.f_layer_norm(channels, Some(&self.weight), Some(&self.bias), self.epsilon, true)?)
    }
}

/// Layer norm over the last axis without anything learned, as heads of models have it.
pub fn plain_layer_norm(x: &Tensor, epsilon: f64) -> Result<Tensor> {
    let channels = x.size().last().copied().unwrap_or_default();
    Ok(x.f_layer_norm::<&Tensor>([channels], None, None, epsilon, true)?)
}

/// Brings queries or keys of every head to length `sqrt(head_dim)`, times a learned factor for every head and channel.
/// Upstream: `modules/attention/modules.py`, `MultiHeadRMSNorm`.
pub struct MultiHeadRmsNorm {
    /// With the length that vectors get. `[heads, head_dim]`, f32.
    gamma: Tensor,
}

impl MultiHeadRmsNorm {
    /// `weights` has `gamma`.
    pub fn new(weights: &Weights<'_>, num_heads: i64, head_dim: i64) -> Result<Self> {
        let gamma = weights.tensor("gamma", &[num_heads, head_dim], Kind::Float)?;
        Ok(Self {
            gamma: gamma.f_mul_scalar((head_dim as f64).sqrt())?,
        })
    }

    /// Factors of heads and channels, with the length that vectors get: `[heads, head_dim]`, f32.
    pub(crate) fn factors(&self) -> &Tensor {
        &self.gamma
    }

    /// `[.., heads, head_dim]` to the same in f32.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.f_to_kind(Kind::Float)?;
        let length = x.f_norm_scalaropt_dim(2.0, [-1], true)?.f_clamp_min(1e-12)?;
        Ok(x.f_div(&length)?.f_mul_(&self.gamma)?)
    }
}
