use tch::{Kind, Tensor};

use crate::Result;

/// Voxels of half the resolution, with the features of their children side by side.
#[derive(Debug)]
pub struct Parents {
    /// `[P, 4]` int32 (batch, x, y, z), ascending.
    pub coords: Tensor,
    /// `[P, 8 C]`: child `x % 2 + 2 (y % 2) + 4 (z % 2)` has that eighth; zeros where there is no child.
    pub features: Tensor,
    /// `[N]` int64: eight times the parent's row plus the child's number, for each child.
    pub places: Tensor,
}

/// Moves space into channels: `coords` `[N, 4]` int32 with `features` `[N, C]` to voxels twice as wide.
pub fn spatial_to_channel(coords: &Tensor, features: &Tensor) -> Result<Parents> {
    let halves = Tensor::f_from_slice(&[1_i32, 2, 2, 2])?.f_to_device(coords.device())?;
    let parent_coords = coords.f_divide_tensor_mode(&halves, "floor")?;
    let (parent_coords, parent, _) = parent_coords.f_unique_dim(0, true, true, false)?;
    let numbers = Tensor::f_from_slice(&[0_i32, 1, 2, 4])?.f_to_device(coords.device())?;
    let number = coords
        .f_bitwise_and(1)?
        .f_mul(&numbers)?
        .f_sum_dim_intlist(1, false, Kind::Int64)?;
    let places = parent.f_mul_scalar(8)?.f_add_(&number)?;
    let (num_parents, num_channels) = (parent_coords.size()[0], features.size()[1]);
    let mut spread = Tensor::f_zeros([num_parents * 8, num_channels], (features.kind(), features.device()))?;
    let spread = spread.f_index_copy_(0, &places, features)?;
    Ok(Parents {
        coords: parent_coords,
        features: spread.f_view([num_parents, 8 * num_channels])?,
        places,
    })
}
