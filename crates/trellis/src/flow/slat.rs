use tch::Tensor;

use super::{FlowConfig, FlowTransformer, PreparedCondition};
use crate::Result;
use crate::layers::{Precision, Rotation};
use crate::weights::Weights;

/// The flow of structured latents: features `[tokens, channels]` at the active voxels.
pub struct SlatFlow {
    transformer: FlowTransformer,
    in_channels: i64,
}

/// The voxels of a latent, prepared once for all steps.
pub struct SlatTokens {
    rotation: Rotation,
    /// Features that go in beside the noisy ones, `[tokens, channels]`.
    beside: Option<Tensor>,
}

impl SlatFlow {
    /// Builds the model, with blocks of this precision.
    pub fn new(weights: &Weights<'_>, config: &FlowConfig, precision: impl Into<Precision>) -> Result<Self> {
        Ok(Self {
            transformer: FlowTransformer::new(weights, config, precision)?,
            in_channels: config.in_channels,
        })
    }

    /// Channels that go in, noise and what is beside it together.
    pub fn in_channels(&self) -> i64 {
        self.in_channels
    }

    /// The network inside, which prepares conditions.
    pub fn transformer(&self) -> &FlowTransformer {
        &self.transformer
    }

    /// Voxels at `coords` `[tokens, 3]`, and features `[tokens, channels]` that go in beside the noisy ones, as the shape's do
    /// for the material.
    pub fn tokens(&self, coords: &Tensor, beside: Option<&Tensor>) -> Result<SlatTokens> {
        Ok(SlatTokens {
            rotation: self.transformer.rotation(coords)?,
            beside: beside.map(Tensor::shallow_clone),
        })
    }

    /// Features `[tokens, channels]` at noise level `t`, seen under each of `conditions`: a velocity of the same shape for each.
    pub fn forward(
        &self,
        x: &Tensor,
        tokens: &SlatTokens,
        t: f64,
        conditions: &[&PreparedCondition],
    ) -> Result<Vec<Tensor>> {
        let x = match &tokens.beside {
            Some(beside) => Tensor::f_cat(&[x, beside], 1)?,
            None => x.shallow_clone(),
        };
        let out = self
            .transformer
            .forward(&x.f_unsqueeze(0)?, t, conditions, &tokens.rotation)?;
        Ok(out.f_unbind(0)?)
    }
}
