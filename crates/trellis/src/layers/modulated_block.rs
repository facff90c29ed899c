use tch::{Kind, Tensor};

use super::{
    Branch, Condition, CrossAttention, FeedForward, LayerNorm, Precision, Rotation, SelfAttention, TokenNorm,
    TokenRows, add_branch,
};
use crate::Result;
use crate::weights::Weights;

const EPSILON: f64 = 1e-6;

/// Sizes that all blocks of a model have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSizes {
    /// Channels of a token.
    pub channels: i64,
    /// Channels of a token of the condition.
    pub condition_channels: i64,
    /// Heads of both attentions.
    pub num_heads: i64,
    /// Channels between the two layers of the feed-forward network.
    pub hidden: i64,
    /// Whether queries and keys of the self-attention are normalized.
    pub has_norms: bool,
    /// Whether those of the cross-attention are.
    pub has_cross_norms: bool,
}

/// What a timestep does to one block: `[channels]` each, in the kind of the block.
pub struct Modulation {
    attention_shift: Tensor,
    attention_scale: Tensor,
    attention_gate: Tensor,
    feed_forward_shift: Tensor,
    feed_forward_scale: Tensor,
    feed_forward_gate: Tensor,
}

impl Modulation {
    /// Those of all blocks at once: learned offsets `[blocks, 6 * channels]` and the timestep's `[1, 6 * channels]`, both f32.
    pub fn of_blocks(offsets: &Tensor, timestep: &Tensor, kind: Kind) -> Result<Vec<Self>> {
        let (num_blocks, width) = offsets.size2()?;
        // Upstream rounds the timestep's before it adds.
        let all = offsets
            .f_add(&timestep.f_to_kind(kind)?.f_to_kind(Kind::Float)?)?
            .f_to_kind(kind)?
            .f_view([num_blocks, 6, width / 6])?;
        // Scales are factors of what is normalized, as differences from 1.
        let scales = all.f_add_scalar(1.0)?;
        (0..num_blocks)
            .map(|block| {
                let row = |of: &Tensor, place| of.f_get(block)?.f_get(place);
                Ok(Self {
                    attention_shift: row(&all, 0)?,
                    attention_scale: row(&scales, 1)?,
                    attention_gate: row(&all, 2)?,
                    feed_forward_shift: row(&all, 3)?,
                    feed_forward_scale: row(&scales, 4)?,
                    feed_forward_gate: row(&all, 5)?,
                })
            })
            .collect()
    }
}

impl Modulation {
    fn attention_norm(&self) -> TokenNorm<'_> {
        modulated(&self.attention_scale, &self.attention_shift)
    }

    fn feed_forward_norm(&self) -> TokenNorm<'_> {
        modulated(&self.feed_forward_scale, &self.feed_forward_shift)
    }
}

fn modulated<'a>(weight: &'a Tensor, shift: &'a Tensor) -> TokenNorm<'a> {
    TokenNorm {
        weight,
        shift,
        epsilon: EPSILON,
        is_modulated: true,
    }
}

/// Self-attention, attention to a condition, feed-forward network: a transformer block whose norms and strengths follow the
/// timestep. Upstream: `modules/transformer/modulated.py`, `ModulatedTransformerCrossBlock` with `share_mod`, and the same for
/// sparse tokens.
pub struct ModulatedCrossBlock {
    self_attention: SelfAttention,
    cross_norm: LayerNorm,
    cross_attention: CrossAttention,
    feed_forward: FeedForward,
}

impl ModulatedCrossBlock {
    /// `weights` has `self_attn`, `norm2`, `cross_attn` and `mlp`; its `modulation` belongs to [`Modulation::of_blocks`].
    pub fn new(weights: &Weights<'_>, sizes: &BlockSizes, precision: impl Into<Precision>) -> Result<Self> {
        let precision = precision.into();
        let BlockSizes {
            channels, num_heads, ..
        } = *sizes;
        Ok(Self {
            self_attention: SelfAttention::new(
                &weights.at("self_attn"),
                channels,
                num_heads,
                sizes.has_norms,
                precision,
            )?,
            cross_norm: LayerNorm::new(&weights.at("norm2"), channels, EPSILON, precision.kind)?,
            cross_attention: CrossAttention::new(
                &weights.at("cross_attn"),
                channels,
                sizes.condition_channels,
                num_heads,
                sizes.has_cross_norms,
                precision,
            )?,
            feed_forward: FeedForward::new(&weights.at("mlp"), channels, sizes.hidden, precision)?,
        })
    }

    /// The part that attends to a condition, which prepares it.
    pub fn cross_attention(&self) -> &CrossAttention {
        &self.cross_attention
    }

    /// Changes tokens `x` `[batch, tokens, channels]`. There is one condition for every element of the batch.
    pub fn forward(
        &self,
        x: &mut Tensor,
        modulation: &Modulation,
        conditions: &[&Condition],
        rotation: Option<&Rotation>,
    ) -> Result<()> {
        let is_eight_bit = self.self_attention.is_eight_bit();
        let rows = TokenRows::like(x, is_eight_bit)?;
        rows.fill_normalized(x, None, &modulation.attention_norm())?;
        let attended = self.self_attention.forward(&rows, rotation)?;
        for (place, condition) in conditions.iter().enumerate() {
            let place = place as i64;
            let (mut one, attended) = (x.f_narrow(0, place, 1)?, attended.f_narrow(0, place, 1)?);
            let branch = Branch {
                added: &attended,
                gate: Some(&modulation.attention_gate),
            };
            let rows = rows.of_batch(place)?;
            match condition {
                Condition::Nothing(_) => add_branch(&mut one, branch)?,
                Condition::Tokens(..) => {
                    rows.fill_normalized(&mut one, Some(branch), &self.cross_norm.of_tokens())?;
                }
            }
            let seen = self.cross_attention.forward(&rows, condition)?;
            let branch = Branch {
                added: &seen,
                gate: None,
            };
            rows.fill_normalized(&mut one, Some(branch), &modulation.feed_forward_norm())?;
        }
        let branch = Branch {
            added: &self.feed_forward.forward(&rows)?,
            gate: Some(&modulation.feed_forward_gate),
        };
        add_branch(x, branch)
    }
}
