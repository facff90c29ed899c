//! Sparse voxels: features at integer coordinates, and the operations that move them.
//!
//! A [`Level`] knows its voxels and who neighbours whom; a [`VoxelTree`] is a stack of levels, each of which subdivides the
//! one above. Neighbours are searched for once, at the root. Those of children follow from their parents' by table.
//!
//! Convolutions read features that end with one more row, of zeros, which stands for every missing neighbour: so a
//! convolution is one gather and one matrix product, without a mask. See [`padded`].
//!
//! Follows `trellis2/modules/sparse` of microsoft/TRELLIS.2 at 5565d24, and JeffreyXiang/FlexGEMM at 6dd94a8 for what a
//! submanifold convolution is.

mod channels;
mod conv;
mod neighbours;
mod order;
mod scratch;
mod tree;

pub use channels::{Parents, spatial_to_channel};
pub use conv::{SkipFromParents, SubmanifoldConv};
pub use neighbours::NeighbourMap;
pub use scratch::ScratchMemory;
pub use tree::{Level, Subdivision, VoxelTree};

use tch::Tensor;

use crate::Result;

/// Features followed by the row of zeros that stands for missing neighbours: `[N, C]` to `[N + 1, C]`.
pub fn padded(features: &Tensor) -> Result<Tensor> {
    Ok(features.f_constant_pad_nd([0, 0, 0, 1])?)
}

/// Room for `num_rows` rows of features whose last row, the one after them, is zero already. `[N + 1, C]`
pub(crate) fn padded_empty(num_rows: i64, num_channels: i64, like: &Tensor) -> Result<Tensor> {
    let features = Tensor::f_empty([num_rows + 1, num_channels], (like.kind(), like.device()))?;
    let _ = features.f_narrow(0, num_rows, 1)?.f_zero_()?;
    Ok(features)
}
