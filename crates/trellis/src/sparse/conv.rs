use tch::{Kind, Tensor};

use super::{NeighbourMap, ScratchMemory};
use crate::Result;
use crate::weights::Weights;

/// A convolution of 3 x 3 x 3 whose outputs are where its inputs are; voxels that are not there count as zero.
pub struct SubmanifoldConv {
    /// `[27 * in, out]`, offsets in the order of [`NeighbourMap::column`].
    weight: Tensor,
    /// `[out]`
    bias: Tensor,
}

impl SubmanifoldConv {
    /// Asks for `weight`, `[out, 3, 3, 3, in]` (along x, y and z), and `bias`, `[out]`.
    pub fn new(weights: &Weights<'_>, in_channels: i64, out_channels: i64, kind: Kind) -> Result<Self> {
        let weight = weights.tensor("weight", &[out_channels, 3, 3, 3, in_channels], kind)?;
        Self::of(&weight, weights.tensor("bias", &[out_channels], kind)?)
    }

    /// `weight`: `[out, 3, 3, 3, in]`; `bias`: `[out]`.
    pub fn of(weight: &Tensor, bias: Tensor) -> Result<Self> {
        Ok(Self {
            weight: weight.f_view([bias.size()[0], -1])?.f_transpose(0, 1)?,
            bias,
        })
    }

    /// Channels of the result.
    pub fn out_channels(&self) -> i64 {
        self.bias.size()[0]
    }

    /// What a row of the result takes while it is computed, beside the result.
    pub(crate) fn row_bytes(&self) -> usize {
        self.weight.size()[0] as usize * self.weight.kind().elt_size_in_bytes()
    }

    /// All voxels. `features`: `[N + 1, in]`, the last row zero (see [`super::padded`]). Returns `[N, out]`.
    pub fn forward(&self, features: &Tensor, neighbours: &NeighbourMap, scratch: ScratchMemory) -> Result<Tensor> {
        let num_voxels = neighbours.num_voxels();
        let out = Tensor::f_empty([num_voxels, self.out_channels()], (features.kind(), features.device()))?;
        for (start, length) in scratch.chunks(num_voxels, self.row_bytes()) {
            self.rows_into(&out.f_narrow(0, start, length)?, features, neighbours, start)?;
        }
        Ok(out)
    }

    /// `length` voxels from `start` on. Returns `[length, out]`.
    pub(crate) fn rows(
        &self,
        features: &Tensor,
        neighbours: &NeighbourMap,
        (start, length): (i64, i64),
    ) -> Result<Tensor> {
        let near = self.gathered(features, neighbours, start, length)?;
        Ok(self.bias.f_addmm(&near, &self.weight)?)
    }

    /// As many voxels from `start` on as `out`, `[length, out]`, has rows.
    pub(crate) fn rows_into(
        &self,
        out: &Tensor,
        features: &Tensor,
        neighbours: &NeighbourMap,
        start: i64,
    ) -> Result<()> {
        let near = self.gathered(features, neighbours, start, out.size()[0])?;
        let _ = self.bias.f_addmm_out(out, &near, &self.weight)?;
        Ok(())
    }

    /// What each voxel sees: `[length, 27 * in]`.
    fn gathered(&self, features: &Tensor, neighbours: &NeighbourMap, start: i64, length: i64) -> Result<Tensor> {
        let rows = neighbours.rows().f_narrow(0, start, length)?.f_flatten(0, 1)?;
        Ok(features.f_index_select(0, &rows)?.f_view([length, -1])?)
    }
}
