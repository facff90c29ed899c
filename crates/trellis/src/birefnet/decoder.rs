use tch::{Kind, Tensor};

use super::BiRefNetConfig;
use super::deformable::PyramidPooling;
use super::layers::{BatchNorm, Conv2d, resized, size_of};
use crate::Result;
use crate::weights::Weights;

/// Convolution, pooling over several widths, convolution (`models/modules/decoder_blocks.py`, `BasicDecBlk`).
pub(super) struct DecoderBlock {
    into: (Conv2d, BatchNorm),
    pooling: PyramidPooling,
    out: (Conv2d, BatchNorm),
}

impl DecoderBlock {
    pub fn new(weights: &Weights<'_>, (from, to): (i64, i64), config: &BiRefNetConfig, kind: Kind) -> Result<Self> {
        let inner = config.inner;
        Ok(Self {
            into: (
                Conv2d::new(&weights.at("conv_in"), (from, inner), 3, kind)?,
                BatchNorm::new(&weights.at("bn_in"), inner, kind)?,
            ),
            pooling: PyramidPooling::new(&weights.at("dec_att"), inner, config.branch, kind)?,
            out: (
                Conv2d::new(&weights.at("conv_out"), (inner, to), 3, kind)?,
                BatchNorm::new(&weights.at("bn_out"), to, kind)?,
            ),
        })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let h = self.into.1.forward(&self.into.0.forward(x)?)?.f_relu_()?;
        let h = self.pooling.forward(&h)?;
        self.out.1.forward(&self.out.0.forward(&h)?)
    }
}

/// Two convolutions of the picture itself, cut into as many tiles as make its scale that of the features
/// (`models/birefnet.py`, `SimpleConvs` and `image2patches`).
struct PictureBranch {
    first: Conv2d,
    second: Conv2d,
}

impl PictureBranch {
    /// `tiles`: along a side of the picture.
    fn new(weights: &Weights<'_>, tiles: i64, to: i64, config: &BiRefNetConfig, kind: Kind) -> Result<Self> {
        let from = 3 * tiles * tiles;
        Ok(Self {
            first: Conv2d::new(&weights.at("conv1"), (from, config.picture), 3, kind)?,
            second: Conv2d::new(&weights.at("conv_out"), (config.picture, to), 3, kind)?,
        })
    }

    /// Beside `features`, and of their size.
    fn beside(&self, features: &Tensor, picture: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = picture.size4()?;
        let size = size_of(features)?;
        let (down, across) = (height / size[0], width / size[1]);
        let tiles = picture.f_view([batch, channels, down, height / down, across, width / across])?;
        let tiles = tiles.f_permute([0, 1, 2, 4, 3, 5])?;
        let tiles = tiles.f_reshape([batch, channels * down * across, height / down, width / across])?;
        let seen = self.second.forward(&self.first.forward(&resized(&tiles, size)?)?)?;
        Ok(Tensor::f_cat(&[features, &seen], 1)?)
    }
}

/// Weighs features by where outlines are.
struct OutlineAttention {
    look: (Conv2d, BatchNorm),
    weigh: Conv2d,
}

impl OutlineAttention {
    /// `scale`: upstream's number of the decoder's step.
    fn new(weights: &Weights<'_>, scale: usize, channels: i64, outline: i64, kind: Kind) -> Result<Self> {
        let look = weights.at(format!("gdt_convs_{scale}"));
        // Supervision: of no use but in training.
        for name in [format!("gdt_convs_pred_{scale}.0"), format!("conv_ms_spvn_{scale}")] {
            weights.skip(&format!("{name}.weight"));
            weights.skip(&format!("{name}.bias"));
        }
        Ok(Self {
            look: (
                Conv2d::new(&look.at(0), (channels, outline), 3, kind)?,
                BatchNorm::new(&look.at(1), outline, kind)?,
            ),
            weigh: Conv2d::new(
                &weights.at(format!("gdt_convs_attn_{scale}")).at(0),
                (outline, 1),
                1,
                kind,
            )?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let outline = self.look.1.forward(&self.look.0.forward(x)?)?.f_relu_()?;
        Ok(x.f_mul(&self.weigh.forward(&outline)?.f_sigmoid_()?)?)
    }
}

/// One step of the decoder, to features twice as fine.
struct Step {
    picture: PictureBranch,
    block: DecoderBlock,
    outline: OutlineAttention,
    lateral: Conv2d,
}

/// From the backbone's features to a map of the picture's size (`models/birefnet.py`, `Decoder`).
pub(super) struct Decoder {
    /// From the coarsest.
    steps: Vec<Step>,
    last_picture: PictureBranch,
    last_block: DecoderBlock,
    out_picture: PictureBranch,
    out: Conv2d,
}

impl Decoder {
    pub fn new(weights: &Weights<'_>, config: &BiRefNetConfig, kind: Kind) -> Result<Self> {
        let channels = |stage: usize| config.stage_channels(stage);
        // Scale 0 is the picture's own; 1 to 4 are those of the stages, a quarter to a thirty-second of it.
        let seen = |scale: usize| channels(scale.min(3)) / 8;
        let branch = |scale: usize| {
            let tiles = if scale == 0 { 1 } else { 2 << scale };
            PictureBranch::new(
                &weights.at(format!("ipt_blk{}", scale + 1)),
                tiles,
                seen(scale),
                config,
                kind,
            )
        };
        let block = |scale: usize, from: i64, to: i64| {
            let weights = weights.at(format!("decoder_block{scale}"));
            DecoderBlock::new(&weights, (from + seen(scale), to), config, kind)
        };
        let mut steps = Vec::new();
        for stage in [3, 2, 1] {
            let (scale, finer) = (stage + 1, channels(stage - 1));
            let lateral = weights.at(format!("lateral_block{scale}")).at("conv");
            steps.push(Step {
                picture: branch(scale)?,
                block: block(scale, channels(stage), finer)?,
                outline: OutlineAttention::new(weights, scale, finer, config.outline, kind)?,
                lateral: Conv2d::new(&lateral, (finer, finer), 1, kind)?,
            });
        }
        let last = channels(0) / 2;
        Ok(Self {
            steps,
            last_picture: branch(1)?,
            last_block: block(1, channels(0), last)?,
            out_picture: branch(0)?,
            out: Conv2d::new(&weights.at("conv_out1").at(0), (last + seen(0), 1), 1, kind)?,
        })
    }

    /// `picture`: `[B, 3, H, W]`; `stages`: the backbone's features from fine to coarse, the coarsest squeezed. Returns
    /// `[B, 1, H, W]`.
    pub fn forward(&self, picture: &Tensor, stages: &[Tensor; 4]) -> Result<Tensor> {
        let mut x = stages[3].shallow_clone();
        for (step, finer) in self.steps.iter().zip(stages[..3].iter().rev()) {
            let h = step.block.forward(&step.picture.beside(&x, picture)?)?;
            let mut h = resized(&step.outline.forward(&h)?, size_of(finer)?)?;
            x = h.f_add_(&step.lateral.forward(finer)?)?;
        }
        let h = self.last_block.forward(&self.last_picture.beside(&x, picture)?)?;
        let h = resized(&h, size_of(picture)?)?;
        self.out.forward(&self.out_picture.beside(&h, picture)?)
    }
}
