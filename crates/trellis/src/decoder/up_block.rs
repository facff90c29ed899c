use tch::{Kind, Tensor};

use super::norm::RowNorm;
use crate::layers::Linear;
use crate::sparse::{Level, ScratchMemory, SkipFromParents, Subdivision, SubmanifoldConv, padded_empty};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// From voxels to those of their children that are there: `conv2(silu(norm(split(conv1(silu(norm(x))))))) + split(x)`, where
/// `split` moves channels into space, and channels of the second term are repeated to the width of the first.
///
/// `SparseResBlockC2S3d` in `trellis2/models/sc_vaes/sparse_unet_vae.py`.
pub(super) struct UpBlock {
    norm: RowNorm,
    inner_norm: RowNorm,
    split_conv: SubmanifoldConv,
    conv: SubmanifoldConv,
    /// Which children there are, for a decoder that decides it itself.
    to_subdivision: Option<Linear>,
}

impl UpBlock {
    pub fn new(
        weights: &Weights<'_>,
        (in_channels, out_channels): (i64, i64),
        decides_subdivision: bool,
        kind: Kind,
    ) -> Result<Self> {
        let to_subdivision = decides_subdivision.then(|| Linear::new(&weights.at("to_subdiv"), in_channels, 8, kind));
        Ok(Self {
            norm: RowNorm::new(&weights.at("norm1"), in_channels, kind)?,
            inner_norm: RowNorm::plain(super::BLOCK_EPSILON),
            split_conv: SubmanifoldConv::new(&weights.at("conv1"), in_channels, 8 * out_channels, kind)?,
            conv: SubmanifoldConv::new(&weights.at("conv2"), out_channels, out_channels, kind)?,
            to_subdivision: to_subdivision.transpose()?,
        })
    }

    /// Logits of the eight children, `[N, 8]`, from `x`, `[N + 1, C]`: a child is there where its logit is positive.
    pub fn subdivision_logits(&self, x: &Tensor) -> Result<Tensor> {
        let Some(to_subdivision) = &self.to_subdivision else {
            return Err(TrellisError::Invalid(
                "This decoder does not decide what is subdivided".to_owned(),
            ));
        };
        to_subdivision.forward(&x.f_narrow(0, 0, x.size()[0] - 1)?)
    }

    /// `x`: `[N + 1, C]` of `parents`, the last row zero. Returns `[M + 1, out]` of `children`, likewise.
    pub fn forward(
        &self,
        x: &Tensor,
        parents: &Level,
        subdivision: &Subdivision,
        children: &Level,
        scratch: ScratchMemory,
    ) -> Result<Tensor> {
        let (num_parents, num_children) = (parents.num_voxels(), children.num_voxels());
        let out_channels = self.conv.out_channels();
        let h = self.split(x, parents, subdivision, scratch)?;
        let out = padded_empty(num_children, out_channels, x)?;
        let skip = SkipFromParents {
            features: &x.f_narrow(0, 0, num_parents)?,
            subdivision,
        };
        let rows = out.f_narrow(0, 0, num_children)?;
        self.conv
            .forward_into(&rows, &h, children.neighbours(), Some(skip), scratch)?;
        Ok(out)
    }

    /// What `conv` reads: `[M + 1, out]`.
    fn split(&self, x: &Tensor, parents: &Level, subdivision: &Subdivision, scratch: ScratchMemory) -> Result<Tensor> {
        let num_parents = parents.num_voxels();
        let normed = padded_empty(num_parents, x.size()[1], x)?;
        let rows = normed.f_narrow(0, 0, num_parents)?;
        self.norm
            .all_into(&x.f_narrow(0, 0, num_parents)?, &rows, true, scratch)?;
        let split = padded_empty(subdivision.num_children(), self.conv.out_channels(), x)?;
        let rows = split.f_narrow(0, 0, subdivision.num_children())?;
        self.split_conv
            .split_into(&rows, &normed, parents.neighbours(), subdivision, scratch)?;
        self.inner_norm.all_into(&rows, &rows, true, scratch)?;
        Ok(split)
    }
}
