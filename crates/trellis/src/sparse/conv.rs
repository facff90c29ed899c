use tch::{Kind, Tensor};

use super::tree::eighths;
use super::{NeighbourMap, ScratchMemory, Subdivision};
use crate::Result;
use crate::kernels::{self, Added};
use crate::weights::Weights;

/// What parents had, added to what a convolution gives their children: each child gets an eighth of the channels, and each
/// channel is repeated until the width is the result's.
#[derive(Clone, Copy)]
pub struct SkipFromParents<'a> {
    /// Of the parents, `[N, C]`.
    pub features: &'a Tensor,
    /// From parents to children.
    pub subdivision: &'a Subdivision,
}

/// A convolution of 3 x 3 x 3 whose outputs are where its inputs are; voxels that are not there count as zero.
///
/// On a graphics card, in half precision, it is one kernel ([`crate::kernels`]). Elsewhere each chunk of voxels is one
/// gather of all they see and one matrix product.
pub struct SubmanifoldConv {
    /// `[out, 27 * in]`, offsets in the order of [`NeighbourMap::column`].
    weight: Tensor,
    /// `[out]`
    bias: Tensor,
}

impl SubmanifoldConv {
    /// Asks for `weight`, `[out, 3, 3, 3, in]` (along x, y and z), and `bias`, `[out]`.
    pub fn new(weights: &Weights<'_>, in_channels: i64, out_channels: i64, kind: Kind) -> Result<Self> {
        let weight = weights.tensor("weight", &[out_channels, 3, 3, 3, in_channels], kind)?;
        Ok(Self {
            weight: weight.f_view([out_channels, -1])?,
            bias: weights.tensor("bias", &[out_channels], kind)?,
        })
    }

    /// Channels of the result.
    pub fn out_channels(&self) -> i64 {
        self.bias.size()[0]
    }

    /// `features`: `[N + 1, in]`, the last row zero (see [`super::padded`]). Fills `out`, `[N, out]`.
    pub fn forward_into(
        &self,
        out: &Tensor,
        features: &Tensor,
        neighbours: &NeighbourMap,
        skip: Option<SkipFromParents<'_>>,
        scratch: ScratchMemory,
    ) -> Result<()> {
        if kernels::suits(features, &self.weight, self.out_channels()) {
            let eighths = skip.map(|skip| eighths(skip.features)).transpose()?;
            let added = skip.zip(eighths.as_ref()).map(|(skip, features)| Added {
                features,
                places: skip.subdivision.places(),
            });
            let rows = neighbours.blocked_rows()?;
            let weights = (&self.weight, &self.bias);
            return kernels::convolve(features, neighbours.rows(), rows, weights, added, out);
        }
        let weight = self.weight.f_transpose(0, 1)?;
        for (start, length) in scratch.chunks(neighbours.num_voxels(), self.row_bytes()) {
            let near = gathered(features, neighbours, start, length)?;
            let out = out.f_narrow(0, start, length)?;
            let _ = self.bias.f_addmm_out(&out, &near, &weight)?;
            if let Some(skip) = skip {
                let added = skip
                    .subdivision
                    .channel_to_spatial_of(skip.features, 0, (start, length))?;
                let added = added.f_unsqueeze(2)?; // [n, C / 8, 1]
                let _ = out.f_view([length, added.size()[1], -1])?.f_add_(&added)?;
            }
        }
        Ok(())
    }

    /// The convolution of parents whose result has eight times the channels, and each eighth goes to a child: that which is
    /// not asked for is not kept, on a graphics card not even computed.
    ///
    /// `features`: `[N + 1, in]` of the parents, the last row zero. Fills `out`, `[M, out / 8]`.
    pub fn split_into(
        &self,
        out: &Tensor,
        features: &Tensor,
        parents: &NeighbourMap,
        subdivision: &Subdivision,
        scratch: ScratchMemory,
    ) -> Result<()> {
        if kernels::suits(features, &self.weight, self.out_channels() / 8) {
            let rows = subdivision.blocked_rows(parents)?;
            let weights = (&self.weight, &self.bias);
            return kernels::convolve(features, parents.rows(), &rows, weights, None, out);
        }
        let weight = self.weight.f_transpose(0, 1)?;
        let result_bytes = 2 * self.out_channels() as usize * features.kind().elt_size_in_bytes();
        let runs: Vec<_> = scratch
            .chunks(parents.num_voxels(), self.row_bytes() + result_bytes)
            .collect();
        for (&(start, length), children) in runs.iter().zip(subdivision.children_of(&runs)?) {
            let near = gathered(features, parents, start, length)?;
            let all = self.bias.f_addmm(&near, &weight)?;
            let kept = subdivision.channel_to_spatial_of(&all, start, children)?;
            out.f_narrow(0, children.0, children.1)?.f_copy_(&kept)?;
        }
        Ok(())
    }

    /// What a row takes that is gathered.
    fn row_bytes(&self) -> usize {
        self.weight.size()[1] as usize * self.weight.kind().elt_size_in_bytes()
    }
}

/// What voxels from `start` on see: `[length, 27 * in]`.
fn gathered(features: &Tensor, neighbours: &NeighbourMap, start: i64, length: i64) -> Result<Tensor> {
    let rows = neighbours.rows().f_narrow(0, start, length)?.f_flatten(0, 1)?;
    Ok(features.f_index_select(0, &rows)?.f_view([length, -1])?)
}
