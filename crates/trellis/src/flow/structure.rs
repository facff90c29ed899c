use tch::Tensor;

use super::{FlowConfig, FlowTransformer, PreparedCondition};
use crate::Result;
use crate::layers::{Precision, Rotation};
use crate::weights::Weights;

/// The flow of the sparse structure: a latent cube `[1, channels, r, r, r]`.
pub struct StructureFlow {
    transformer: FlowTransformer,
    rotation: Rotation,
    resolution: i64,
    in_channels: i64,
}

impl StructureFlow {
    /// Builds the model, with blocks of this precision.
    pub fn new(weights: &Weights<'_>, config: &FlowConfig, precision: impl Into<Precision>) -> Result<Self> {
        let sizes = config.block_sizes()?;
        let head_dim = sizes.channels / sizes.num_heads;
        Ok(Self {
            transformer: FlowTransformer::new(weights, config, precision)?,
            rotation: Rotation::of_cube(config.resolution, head_dim, config.rope_freq, weights.device())?,
            resolution: config.resolution,
            in_channels: config.in_channels,
        })
    }

    /// The shape of the noise that it starts from.
    pub fn noise_shape(&self) -> [i64; 5] {
        [1, self.in_channels, self.resolution, self.resolution, self.resolution]
    }

    /// The network inside, which prepares conditions.
    pub fn transformer(&self) -> &FlowTransformer {
        &self.transformer
    }

    /// A cube at noise level `t`, seen under each of `conditions`: a velocity of the same shape for each.
    pub fn forward(&self, x: &Tensor, t: f64, conditions: &[&PreparedCondition]) -> Result<Vec<Tensor>> {
        let tokens = x.f_flatten(2, 4)?.f_transpose(1, 2)?;
        let out = self.transformer.forward(&tokens, t, conditions, &self.rotation)?;
        let r = self.resolution;
        let cubes = out
            .f_transpose(1, 2)?
            .f_contiguous()?
            .f_view([conditions.len() as i64, -1, r, r, r])?;
        Ok(cubes.f_split(1, 0)?)
    }
}
