use tch::{Kind, Tensor};

use super::BiRefNetConfig;
use super::layers::Conv2d;
use super::window_attention::{WindowAttention, Windows};
use crate::Result;
use crate::layers::{LayerNorm, Linear};
use crate::weights::Weights;

const EPSILON: f64 = 1e-5;

/// Swin transformer (Liu et al., 2021): `models/backbones/swin_v1.py`.
pub(super) struct SwinTransformer {
    patches: Conv2d,
    patch_norm: LayerNorm,
    stages: Vec<Stage>,
}

struct Stage {
    blocks: Vec<Block>,
    /// Of the stage's output alone.
    norm: LayerNorm,
    /// To the next stage, if there is one.
    merge: Option<(LayerNorm, Linear)>,
}

impl SwinTransformer {
    const PATCH: i64 = 4;

    pub fn new(weights: &Weights<'_>, config: &BiRefNetConfig, kind: Kind) -> Result<Self> {
        let embed = weights.at("patch_embed");
        let num_stages = config.depths.len();
        let stages = (0..num_stages).map(|index| {
            let channels = config.embedding << index;
            let layer = weights.at("layers").at(index);
            let blocks = (0..config.depths[index]).map(|block| {
                let weights = layer.at("blocks").at(block);
                Block::new(
                    &weights,
                    channels,
                    config.num_heads[index],
                    config.window,
                    block % 2 == 1,
                    kind,
                )
            });
            let blocks = blocks.collect::<Result<_>>()?;
            let merge = (index + 1 < num_stages).then(|| load_merge(&layer.at("downsample"), channels, kind));
            Ok(Stage {
                blocks,
                norm: LayerNorm::new(&weights.at(format!("norm{index}")), channels, EPSILON, kind)?,
                merge: merge.transpose()?,
            })
        });
        Ok(Self {
            patches: Conv2d::patches(&embed.at("proj"), (3, config.embedding), Self::PATCH, kind)?,
            patch_norm: LayerNorm::new(&embed.at("norm"), config.embedding, EPSILON, kind)?,
            stages: stages.collect::<Result<_>>()?,
        })
    }

    /// `picture`: `[B, 3, H, W]`. Returns each stage's output, `[B, C 2^i, H / (4 2^i), W / (4 2^i)]`.
    pub fn forward(&self, picture: &Tensor) -> Result<Vec<Tensor>> {
        let patches = self.patches.forward(&padded_to(picture, [2, 3], Self::PATCH)?)?;
        let mut x = self
            .patch_norm
            .forward(&patches.f_permute([0, 2, 3, 1])?.f_contiguous()?)?;
        let mut outputs = Vec::new();
        for stage in &self.stages {
            for block in &stage.blocks {
                x = block.forward(&x)?;
            }
            outputs.push(stage.norm.forward(&x)?.f_permute([0, 3, 1, 2])?.f_contiguous()?);
            if let Some((norm, reduce)) = &stage.merge {
                x = reduce.forward(&norm.forward(&quarters(&x)?)?)?;
            }
        }
        Ok(outputs)
    }
}

fn load_merge(weights: &Weights<'_>, channels: i64, kind: Kind) -> Result<(LayerNorm, Linear)> {
    let norm = LayerNorm::new(&weights.at("norm"), 4 * channels, EPSILON, kind)?;
    let reduce = weights
        .at("reduction")
        .tensor("weight", &[2 * channels, 4 * channels], kind)?;
    Ok((norm, Linear::of(reduce, None)))
}

/// Each square of four tokens side by side: `[B, H, W, C]` to `[B, H / 2, W / 2, 4 C]`, down before across.
fn quarters(x: &Tensor) -> Result<Tensor> {
    let x = padded_to(x, [1, 2], 2)?;
    let (batch, height, width, channels) = x.size4()?;
    let x = x.f_view([batch, height / 2, 2, width / 2, 2, channels])?;
    Ok(x.f_permute([0, 1, 3, 4, 2, 5])?
        .f_reshape([batch, height / 2, width / 2, 4 * channels])?)
}

/// Zeros after the end of two axes of four, until they are multiples of `step`.
fn padded_to(x: &Tensor, axes: [usize; 2], step: i64) -> Result<Tensor> {
    let size = x.size();
    // Pairs of before and after, from the last axis on.
    let mut padding = [0; 8];
    for axis in axes {
        padding[2 * (3 - axis) + 1] = (step - size[axis] % step) % step;
    }
    if padding == [0; 8] {
        Ok(x.shallow_clone())
    } else {
        Ok(x.f_constant_pad_nd(padding)?)
    }
}

/// Attention within windows, every other block within windows that are shifted by half a window, and a feed-forward.
struct Block {
    norm1: LayerNorm,
    attention: WindowAttention,
    window: i64,
    shift: i64,
    norm2: LayerNorm,
    expand: Linear,
    contract: Linear,
}

impl Block {
    fn new(
        weights: &Weights<'_>,
        channels: i64,
        num_heads: i64,
        window: i64,
        is_shifted: bool,
        kind: Kind,
    ) -> Result<Self> {
        let mlp = weights.at("mlp");
        Ok(Self {
            norm1: LayerNorm::new(&weights.at("norm1"), channels, EPSILON, kind)?,
            attention: WindowAttention::new(&weights.at("attn"), channels, num_heads, window, kind)?,
            window,
            shift: if is_shifted { window / 2 } else { 0 },
            norm2: LayerNorm::new(&weights.at("norm2"), channels, EPSILON, kind)?,
            expand: Linear::new(&mlp.at("fc1"), channels, 4 * channels, kind)?,
            contract: Linear::new(&mlp.at("fc2"), 4 * channels, channels, kind)?,
        })
    }

    /// `[B, H, W, C]`
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (_, height, width, _) = x.size4()?;
        let h = padded_to(&self.norm1.forward(x)?, [1, 2], self.window)?;
        let windows = Windows::new(&h, self.window, self.shift)?;
        let h = self.attention.forward(&windows)?;
        let h = h.f_narrow(1, 0, height)?.f_narrow(2, 0, width)?;
        let x = x.f_add(&h)?;
        let h = self.expand.forward(&self.norm2.forward(&x)?)?.f_gelu_("none")?;
        Ok(self.contract.forward(&h)?.f_add_(&x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, assert_close};

    #[test]
    fn every_stage_gives_upstreams_numbers() {
        let fixture = Fixture::open("birefnet");
        let config = BiRefNetConfig::tiny();
        let backbone = fixture.part(|weights| SwinTransformer::new(&weights.at("bb"), &config, Kind::Float));
        let stages = backbone.forward(&fixture.tensor("picture")).expect("numbers");
        for (index, stage) in stages.iter().enumerate() {
            let expected = fixture.tensor(&format!("out.backbone.{index}"));
            assert_close(stage, &expected, &format!("stage {index}"));
        }
    }
}
