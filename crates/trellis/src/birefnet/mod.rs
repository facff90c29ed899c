//! BiRefNet (Zheng et al., 2024): which pixels of a picture are the object.
//!
//! `ZhengPeng7/BiRefNet` and `briaai/RMBG-2.0` are both this network over Swin-L. Follows `models/` of ZhengPeng7/BiRefNet at
//! 25cb930 with the settings of its `config.py`; what only training needs is left out.

mod config;
mod decoder;
mod deformable;
mod layers;
mod matte;
mod swin;
mod window_attention;

pub use config::BiRefNetConfig;
pub use matte::{SIDE_PX, matte_of, network_input};

use decoder::{Decoder, DecoderBlock};
use layers::{resized, size_of};
use swin::SwinTransformer;
use tch::{Kind, Tensor};

use crate::weights::Weights;
use crate::{Result, TrellisError};

/// The network.
pub struct BiRefNet {
    backbone: SwinTransformer,
    squeeze: DecoderBlock,
    decoder: Decoder,
    kind: Kind,
}

impl BiRefNet {
    /// Sides of a picture are multiples of this.
    pub const SIDE_STEP: i64 = 32;

    /// All of it computes in `kind`, but for the places where deformable convolutions look.
    pub fn new(weights: &Weights<'_>, config: &BiRefNetConfig, kind: Kind) -> Result<Self> {
        let coarsest = config.stage_channels(3);
        let all: i64 = (0..4).map(|stage| config.stage_channels(stage)).sum();
        Ok(Self {
            backbone: SwinTransformer::new(&weights.at("bb"), config, kind)?,
            squeeze: DecoderBlock::new(&weights.at("squeeze_module").at(0), (all, coarsest), config, kind)?,
            decoder: Decoder::new(&weights.at("decoder"), config, kind)?,
            kind,
        })
    }

    /// `picture`: `[B, 3, H, W]` f32, normalised as ImageNet's. Returns logits, `[B, 1, H, W]` f32.
    pub fn forward(&self, picture: &Tensor) -> Result<Tensor> {
        let [height, width] = size_of(picture)?;
        if height % Self::SIDE_STEP != 0 || width % Self::SIDE_STEP != 0 || height * width == 0 {
            let reason = format!(
                "A picture of {width} x {height} pixels is not made of squares of {}",
                Self::SIDE_STEP
            );
            return Err(TrellisError::Invalid(reason));
        }
        let picture = picture.f_to_kind(self.kind)?;
        let mut stages = self.stages(&picture)?;
        let size = size_of(&stages[3])?;
        let mut all = Vec::new();
        for stage in &stages[..3] {
            all.push(resized(stage, size)?);
        }
        all.push(stages[3].shallow_clone());
        stages[3] = self.squeeze.forward(&Tensor::f_cat(&all, 1)?)?;
        Ok(self.decoder.forward(&picture, &stages)?.f_to_kind(Kind::Float)?)
    }

    /// The backbone's features of the picture and of half of it, side by side, from fine to coarse.
    fn stages(&self, picture: &Tensor) -> Result<[Tensor; 4]> {
        let [height, width] = size_of(picture)?;
        let whole = self.backbone.forward(picture)?;
        let half = self.backbone.forward(&resized(picture, [height / 2, width / 2])?)?;
        let mut stages = Vec::new();
        for (whole, half) in whole.iter().zip(&half) {
            stages.push(Tensor::f_cat(&[whole, &resized(half, size_of(whole)?)?], 1)?);
        }
        let count = stages.len();
        stages
            .try_into()
            .map_err(|_| TrellisError::Invalid(format!("A backbone of {count} stages is no use here")))
    }
}
