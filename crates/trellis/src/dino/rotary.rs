use tch::{Device, Kind, Tensor};

use crate::Result;

/// Where patches are, as angles by which channels of queries and keys are turned: pair `p` of a head consists of channels `p` and
/// `p + head_dim / 2`. The first half of the pairs follows the row, the second the column.
pub(super) struct PatchRotation {
    cos: Tensor, // [1, 1, patches, head_dim]
    sin: Tensor,
}

impl PatchRotation {
    /// For `rows` times `columns` patches, row by row.
    pub(super) fn new(rows: i64, columns: i64, head_dim: i64, theta: f64, device: Device) -> Result<Self> {
        let float = (Kind::Float, device);
        let quarter = head_dim / 4;
        let exponents = Tensor::f_arange(quarter, float)?.f_mul_scalar(4.0 / head_dim as f64)?;
        let frequencies = Tensor::f_full([quarter], theta, float)?
            .f_pow(&exponents)?
            .f_reciprocal()?;
        // Centres of patches, from -1 to 1.
        let centers = |count: i64| {
            let centers = Tensor::f_arange(count, float)?
                .f_add_scalar(0.5)?
                .f_div_scalar(count as f64)?;
            centers.f_mul_scalar(2.0)?.f_sub_scalar(1.0)
        };
        let grid = Tensor::f_meshgrid_indexing(&[&centers(rows)?, &centers(columns)?], "ij")?;
        let places = Tensor::f_stack(&grid, -1)?.f_view([-1, 2, 1])?;
        let angles = places
            .f_mul_scalar(2.0 * std::f64::consts::PI)?
            .f_mul(&frequencies)?
            .f_flatten(1, 2)?;
        let angles = angles.f_repeat([1, 2])?.f_unsqueeze(0)?.f_unsqueeze(0)?;
        Ok(Self {
            cos: angles.f_cos()?,
            sin: angles.f_sin()?,
        })
    }

    /// Queries or keys `[batch, heads, tokens, head_dim]`, of which the last tokens are the patches, to the same.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let num_patches = self.cos.size()[2];
        let num_prefix = x.size()[2] - num_patches;
        let prefix = x.f_narrow(2, 0, num_prefix)?;
        let patches = x.f_narrow(2, num_prefix, num_patches)?;
        let halves = patches.f_chunk(2, -1)?;
        let across = Tensor::f_cat(&[&halves[1].f_neg()?, &halves[0]], -1)?;
        let turned = patches.f_mul(&self.cos)?.f_add_(&across.f_mul(&self.sin)?)?;
        Ok(Tensor::f_cat(&[prefix, turned], 2)?)
    }
}
