use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::residual::{ChannelNorm, Conv3d, ResidualBlock};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// Arguments of the decoder, as the JSON file beside its weights names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StructureDecoderConfig {
    /// Channels that come out: one, occupancy.
    pub out_channels: i64,
    /// Channels of the latent.
    pub latent_channels: i64,
    /// Residual blocks at every resolution.
    pub num_res_blocks: i64,
    /// Channels at every resolution, coarsest first.
    pub channels: Vec<i64>,
    /// Residual blocks before the first.
    #[serde(default = "default_middle")]
    pub num_res_blocks_middle: i64,
}

fn default_middle() -> i64 {
    2
}

impl StructureDecoderConfig {
    /// That of the released model.
    pub fn released() -> Self {
        Self {
            out_channels: 1,
            latent_channels: 8,
            num_res_blocks: 2,
            channels: vec![512, 128, 32],
            num_res_blocks_middle: default_middle(),
        }
    }

    /// How many times finer the voxels are than the latent, along an axis.
    pub fn upsampling(&self) -> i64 {
        1 << self.channels.len().saturating_sub(1)
    }

    fn check(&self) -> Result<()> {
        let sizes = [self.out_channels, self.latent_channels];
        let counts = [self.num_res_blocks, self.num_res_blocks_middle];
        let are_positive = self.channels.iter().chain(&sizes).all(|&size| size > 0);
        let are_depths = (1..=6).contains(&self.channels.len()) && counts.iter().all(|count| (0..=100).contains(count));
        if are_positive && are_depths {
            return Ok(());
        }
        let reason = "The structure decoder's description has a size that makes no sense";
        Err(TrellisError::Invalid(reason.to_owned()))
    }
}

/// From a latent cube to the occupancy of a finer one.
pub struct StructureDecoder {
    input: Conv3d,
    middle: Vec<ResidualBlock>,
    levels: Vec<Level>,
    output_norm: ChannelNorm,
    output: Conv3d,
    kind: Kind,
}

/// The blocks of one resolution, and the convolution to the next.
struct Level {
    blocks: Vec<ResidualBlock>,
    up: Option<Conv3d>,
}

impl StructureDecoder {
    /// Builds the model. What leads in and out computes in f32, the rest in `kind`.
    pub fn new(weights: &Weights<'_>, config: &StructureDecoderConfig, kind: Kind) -> Result<Self> {
        config.check()?;
        let (first, last) = (config.channels[0], config.channels[config.channels.len() - 1]);
        let middle = weights.at("middle_block");
        let middle = (0..config.num_res_blocks_middle).map(|index| ResidualBlock::new(&middle.at(index), first, kind));
        let blocks = weights.at("blocks");
        let mut place = 0;
        let mut next = || {
            place += 1;
            blocks.at(place - 1)
        };
        let mut levels = Vec::new();
        for (index, &channels) in config.channels.iter().enumerate() {
            let residual = (0..config.num_res_blocks).map(|_| ResidualBlock::new(&next(), channels, kind));
            let residual = residual.collect::<Result<_>>()?;
            let up = config.channels.get(index + 1);
            let up = up.map(|&finer| Conv3d::new(&next().at("conv"), channels, 8 * finer, kind));
            levels.push(Level {
                blocks: residual,
                up: up.transpose()?,
            });
        }
        Ok(Self {
            input: Conv3d::new(&weights.at("input_layer"), config.latent_channels, first, Kind::Float)?,
            middle: middle.collect::<Result<_>>()?,
            levels,
            output_norm: ChannelNorm::new(&weights.at("out_layer.0"), last)?,
            output: Conv3d::new(&weights.at("out_layer.2"), last, config.out_channels, Kind::Float)?,
            kind,
        })
    }

    /// `[1, latent channels, r, r, r]` to logits of occupancy `[1, 1, R, R, R]`, f32.
    pub fn forward(&self, latent: &Tensor) -> Result<Tensor> {
        let mut x = self
            .input
            .forward(&latent.f_to_kind(Kind::Float)?)?
            .f_to_kind(self.kind)?;
        for block in &self.middle {
            x = block.forward(&x)?;
        }
        for level in &self.levels {
            for block in &level.blocks {
                x = block.forward(&x)?;
            }
            if let Some(up) = &level.up {
                x = channels_to_voxels(&up.forward(&x)?)?;
            }
        }
        self.output
            .forward(&self.output_norm.forward_silu(&x.f_to_kind(Kind::Float)?)?)
    }
}

/// `[1, 8 c, r, r, r]` to `[1, c, 2 r, 2 r, 2 r]`: of the eight channels of a voxel, the first four go to its lower half along x.
fn channels_to_voxels(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, r, _, _) = x.size5()?;
    let split = x.f_reshape([batch, channels / 8, 2, 2, 2, r, r, r])?;
    let beside = split.f_permute([0, 1, 5, 2, 6, 3, 7, 4])?;
    Ok(beside.f_reshape([batch, channels / 8, 2 * r, 2 * r, 2 * r])?)
}
