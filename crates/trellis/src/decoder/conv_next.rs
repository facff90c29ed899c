use tch::{Kind, Tensor};

use crate::Result;
use crate::layers::{LayerNorm, Linear};
use crate::sparse::{Level, ScratchMemory, SubmanifoldConv, padded_empty};
use crate::weights::Weights;

/// `x + W2 silu(W1 norm(conv(x)))`, four times as wide inside.
///
/// `SparseConvNeXtBlock3d` in `trellis2/models/sc_vaes/sparse_unet_vae.py`.
pub(super) struct ConvNextBlock {
    conv: SubmanifoldConv,
    norm: LayerNorm,
    expand: Linear,
    contract: Linear,
}

impl ConvNextBlock {
    const EXPANSION: i64 = 4;

    pub fn new(weights: &Weights<'_>, channels: i64, kind: Kind) -> Result<Self> {
        let inner = Self::EXPANSION * channels;
        let mlp = weights.at("mlp");
        Ok(Self {
            conv: SubmanifoldConv::new(&weights.at("conv"), channels, channels, kind)?,
            norm: LayerNorm::new(&weights.at("norm"), channels, super::BLOCK_EPSILON, kind)?,
            expand: Linear::new(&mlp.at(0), channels, inner, kind)?,
            contract: Linear::new(&mlp.at(2), inner, channels, kind)?,
        })
    }

    /// `x`: `[N + 1, C]`, the last row zero; so is the result.
    pub fn forward(&self, x: &Tensor, level: &Level, scratch: ScratchMemory) -> Result<Tensor> {
        let (num_voxels, channels) = (level.num_voxels(), x.size()[1]);
        let out = padded_empty(num_voxels, channels, x)?;
        for (start, length) in scratch.chunks(num_voxels, self.row_bytes(channels, x.kind())) {
            let h = self.conv.rows(x, level.neighbours(), (start, length))?;
            let h = self.expand.forward(&self.norm.forward(&h)?)?.f_silu_()?;
            let h = self.contract.forward(&h)?;
            out.f_narrow(0, start, length)?
                .f_copy_(&h.f_add(&x.f_narrow(0, start, length)?)?)?;
        }
        Ok(out)
    }

    fn row_bytes(&self, channels: i64, kind: Kind) -> usize {
        let after = (Self::EXPANSION + 3) * channels;
        self.conv.row_bytes() + after as usize * kind.elt_size_in_bytes()
    }
}
