use tch::{Kind, Tensor};

use super::norm::RowNorm;
use crate::Result;
use crate::layers::Linear;
use crate::sparse::{Level, ScratchMemory, SubmanifoldConv, padded_empty};
use crate::weights::Weights;

/// `x + W2 silu(W1 norm(conv(x)))`, four times as wide inside.
///
/// `SparseConvNeXtBlock3d` in `trellis2/models/sc_vaes/sparse_unet_vae.py`.
pub(super) struct ConvNextBlock {
    conv: SubmanifoldConv,
    norm: RowNorm,
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
            norm: RowNorm::new(&weights.at("norm"), channels, kind)?,
            expand: Linear::new(&mlp.at(0), channels, inner, kind)?,
            contract: Linear::new(&mlp.at(2), inner, channels, kind)?,
        })
    }

    /// `x`: `[N + 1, C]`, the last row zero; so is the result.
    pub fn forward(&self, x: &Tensor, level: &Level, scratch: ScratchMemory) -> Result<Tensor> {
        let (num_voxels, channels) = (level.num_voxels(), x.size()[1]);
        let out = padded_empty(num_voxels, channels, x)?;
        self.conv
            .forward_into(&out.f_narrow(0, 0, num_voxels)?, x, level.neighbours(), None, scratch)?;
        let row_bytes = (2 * Self::EXPANSION + 2) * channels;
        for (start, length) in scratch.chunks(num_voxels, row_bytes as usize * x.kind().elt_size_in_bytes()) {
            let rows = out.f_narrow(0, start, length)?;
            self.norm.forward_into(&rows, &rows, false)?;
            let h = self.expand.forward(&rows)?.f_silu_()?;
            let h = self.contract.forward(&h)?;
            let _ = h.f_add_out(&rows, &x.f_narrow(0, start, length)?)?;
        }
        Ok(out)
    }
}
