use tch::{Kind, Tensor};

use super::FlowConfig;
use crate::layers::{
    Condition, Linear, ModulatedCrossBlock, Modulation, Precision, Rotation, TimestepEmbedding, plain_layer_norm,
};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// Head and trunk have different ones.
const HEAD_EPSILON: f64 = 1e-5;

/// What all blocks look at, prepared once for all steps of a stage.
pub struct PreparedCondition {
    blocks: Vec<Condition>,
}

/// The network of both flow models, on tokens `[batch, tokens, channels]`.
///
/// Blocks compute in the kind that it was loaded with; what leads in and out, and the timestep, in f32.
pub struct FlowTransformer {
    input: Linear,
    timestep: TimestepEmbedding,
    timestep_modulation: Linear,
    /// What each block adds to the timestep's modulation, `[blocks, 6 * channels]`, f32.
    modulation_offsets: Tensor,
    blocks: Vec<ModulatedCrossBlock>,
    output: Linear,
    condition_channels: i64,
    head_dim: i64,
    frequencies: (f64, f64),
    kind: Kind,
}

impl FlowTransformer {
    /// Builds the model, with blocks of this precision.
    pub fn new(weights: &Weights<'_>, config: &FlowConfig, precision: impl Into<Precision>) -> Result<Self> {
        let precision = precision.into();
        let sizes = config.block_sizes()?;
        let channels = sizes.channels;
        let block = |index: i64| weights.at("blocks").at(index);
        let offsets: Vec<_> = (0..config.num_blocks)
            .map(|index| block(index).tensor("modulation", &[6 * channels], Kind::Float))
            .collect::<Result<_>>()?;
        Ok(Self {
            input: Linear::new(&weights.at("input_layer"), config.in_channels, channels, Kind::Float)?,
            timestep: TimestepEmbedding::new(&weights.at("t_embedder"), channels)?,
            timestep_modulation: Linear::new(&weights.at("adaLN_modulation.1"), channels, 6 * channels, Kind::Float)?,
            modulation_offsets: Tensor::f_stack(&offsets, 0)?,
            blocks: (0..config.num_blocks)
                .map(|index| ModulatedCrossBlock::new(&block(index), &sizes, precision))
                .collect::<Result<_>>()?,
            output: Linear::new(&weights.at("out_layer"), channels, config.out_channels, Kind::Float)?,
            condition_channels: sizes.condition_channels,
            head_dim: channels / sizes.num_heads,
            frequencies: config.rope_freq,
            kind: precision.kind,
        })
    }

    /// Where tokens at `coords` `[tokens, 3]` are, for [`Self::forward`].
    pub fn rotation(&self, coords: &Tensor) -> Result<Rotation> {
        Rotation::new(coords, self.head_dim, self.frequencies)
    }

    /// Prepares a picture's features `[1, tokens, condition channels]`.
    pub fn condition(&self, features: &Tensor) -> Result<PreparedCondition> {
        let channels = features.size().last().copied();
        if channels != Some(self.condition_channels) {
            return Err(TrellisError::Invalid(format!(
                "The flow model takes features of {} channels, and the picture's are {:?}",
                self.condition_channels,
                features.size()
            )));
        }
        let features = features.f_to_kind(self.kind)?;
        let blocks = self
            .blocks
            .iter()
            .map(|block| block.cross_attention().condition(&features));
        Ok(PreparedCondition {
            blocks: blocks.collect::<Result<_>>()?,
        })
    }

    /// Prepares features that are all zero.
    pub fn no_condition(&self) -> Result<PreparedCondition> {
        let blocks = self.blocks.iter().map(|block| block.cross_attention().no_condition());
        Ok(PreparedCondition {
            blocks: blocks.collect::<Result<_>>()?,
        })
    }

    /// Tokens `[1, tokens, in channels]` at noise level `t`, seen under each of `conditions`, to
    /// `[conditions, tokens, out channels]`, f32.
    pub fn forward(
        &self,
        x: &Tensor,
        t: f64,
        conditions: &[&PreparedCondition],
        rotation: &Rotation,
    ) -> Result<Tensor> {
        let timestep = self.timestep.forward(t)?;
        let timestep = self.timestep_modulation.forward(&timestep.f_silu()?)?;
        let modulations = Modulation::of_blocks(&self.modulation_offsets, &timestep, self.kind)?;
        let hidden = self.input.forward(&x.f_to_kind(Kind::Float)?)?;
        let hidden = hidden.f_to_kind(self.kind)?;
        let mut hidden = match conditions.len() {
            1 => hidden,
            count => hidden.f_repeat([count as i64, 1, 1])?,
        };
        for (index, (block, modulation)) in self.blocks.iter().zip(&modulations).enumerate() {
            let conditions: Vec<_> = conditions.iter().map(|condition| &condition.blocks[index]).collect();
            block.forward(&mut hidden, modulation, &conditions, Some(rotation))?;
        }
        let hidden = plain_layer_norm(&hidden.f_to_kind(Kind::Float)?, HEAD_EPSILON)?;
        self.output.forward(&hidden)
    }
}
