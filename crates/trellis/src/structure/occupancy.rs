use tch::{Kind, Tensor};

use crate::{Result, TrellisError};

/// Voxels with something in them, `[N, 4]` int32 (batch, x, y, z) in ascending order, of a cube with `resolution` voxels along
/// an edge. `logits` `[1, 1, R, R, R]` may be finer; a voxel then counts when any of its parts does.
pub fn occupied_coords(logits: &Tensor, resolution: i64) -> Result<Tensor> {
    let (_, _, finer, _, _) = logits.size5()?;
    let ratio = finer / resolution.max(1);
    if resolution < 1 || ratio < 1 || finer % resolution != 0 {
        let reason = format!("A structure of {finer} voxels along an edge cannot be brought to {resolution}");
        return Err(TrellisError::Invalid(reason));
    }
    let mut occupied = logits.f_gt(0.0)?;
    if ratio > 1 {
        let pooled = occupied
            .f_to_kind(Kind::Float)?
            .f_max_pool3d([ratio; 3], [ratio; 3], [0; 3], [1; 3], false)?;
        occupied = pooled.f_gt(0.5)?;
    }
    let places = occupied.f_argwhere()?;
    let columns = Tensor::f_from_slice(&[0_i64, 2, 3, 4])?.f_to_device(places.device())?;
    Ok(places.f_index_select(1, &columns)?.f_to_kind(Kind::Int)?)
}
