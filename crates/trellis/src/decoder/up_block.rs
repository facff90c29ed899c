use tch::{Kind, Tensor};

use crate::layers::{LayerNorm, Linear, plain_layer_norm};
use crate::sparse::{Level, ScratchMemory, Subdivision, SubmanifoldConv, padded_empty};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// From voxels to those of their children that are there: `conv2(silu(norm(split(conv1(silu(norm(x))))))) + split(x)`, where
/// `split` moves channels into space, and channels of the second term are repeated to the width of the first.
///
/// `SparseResBlockC2S3d` in `trellis2/models/sc_vaes/sparse_unet_vae.py`.
pub(super) struct UpBlock {
    norm: LayerNorm,
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
            norm: LayerNorm::new(&weights.at("norm1"), in_channels, super::BLOCK_EPSILON, kind)?,
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
        let h = self.split(x, parents, subdivision, scratch)?;
        let (num_children, out_channels) = (children.num_voxels(), self.conv.out_channels());
        let out = padded_empty(num_children, out_channels, x)?;
        let x = x.f_narrow(0, 0, parents.num_voxels())?;
        for (start, length) in scratch.chunks(num_children, self.conv.row_bytes()) {
            let rows = out.f_narrow(0, start, length)?;
            self.conv.rows_into(&rows, &h, children.neighbours(), start)?;
            let skip = subdivision
                .channel_to_spatial_of(&x, 0, (start, length))?
                .f_unsqueeze(2)?; // [n, C / 8, 1]
            let _ = rows.f_view([length, skip.size()[1], -1])?.f_add_(&skip)?;
        }
        Ok(out)
    }

    /// What `conv` reads: `[M + 1, out]`. The eight children of a parent are computed at once, and those that are not there
    /// left out before the next parents' turn.
    fn split(&self, x: &Tensor, parents: &Level, subdivision: &Subdivision, scratch: ScratchMemory) -> Result<Tensor> {
        let (num_parents, out_channels) = (parents.num_voxels(), self.conv.out_channels());
        let normed = padded_empty(num_parents, x.size()[1], x)?;
        let element = x.kind().elt_size_in_bytes();
        for (start, length) in scratch.chunks(num_parents, 2 * x.size()[1] as usize * element) {
            let rows = self.norm.forward(&x.f_narrow(0, start, length)?)?.f_silu_()?;
            normed.f_narrow(0, start, length)?.f_copy_(&rows)?;
        }
        let split = padded_empty(subdivision.num_children(), out_channels, x)?;
        let row_bytes = self.split_conv.row_bytes() + 4 * self.split_conv.out_channels() as usize * element;
        let runs: Vec<_> = scratch.chunks(num_parents, row_bytes).collect();
        for (&run, children) in runs.iter().zip(subdivision.children_of(&runs)?) {
            let h = self.split_conv.rows(&normed, parents.neighbours(), run)?;
            let h = subdivision.channel_to_spatial_of(&h, run.0, children)?;
            let h = plain_layer_norm(&h, super::BLOCK_EPSILON)?.f_silu_()?;
            split.f_narrow(0, children.0, children.1)?.f_copy_(&h)?;
        }
        Ok(split)
    }
}
