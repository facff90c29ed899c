use tch::{Kind, Tensor};

use crate::Result;

/// Rotary position embedding in three dimensions: neighbouring channels are turned in pairs, by angles in proportion to a
/// token's coordinates.
///
/// A third of the pairs belongs to each axis, x first; pairs that are left over stand still. Upstream:
/// `modules/attention/rope.py`, and the same for sparse tokens in `modules/sparse/attention/rope.py`.
pub struct Rotation {
    /// Complex numbers of length 1, `[tokens, 1, head_dim / 2]`.
    phases: Tensor,
}

impl Rotation {
    /// For tokens at integer `coords` `[tokens, 3]`. Pair `j` of an axis with `n` pairs turns by
    /// `frequencies.0 / frequencies.1^(j / n)` a voxel.
    pub fn new(coords: &Tensor, head_dim: i64, frequencies: (f64, f64)) -> Result<Self> {
        let (num_tokens, device) = (coords.size()[0], coords.device());
        let float = (Kind::Float, device);
        let pairs = head_dim / 2 / 3;
        let exponents = Tensor::f_arange(pairs, float)?.f_div_scalar(pairs as f64)?;
        let steps = Tensor::f_full([pairs], frequencies.1, float)?.f_pow(&exponents)?;
        let steps = steps.f_reciprocal()?.f_mul_scalar(frequencies.0)?;
        let coords = coords.f_to_kind(Kind::Float)?;
        let angles = coords
            .f_unsqueeze(-1)?
            .f_mul(&steps)?
            .f_reshape([num_tokens, 3 * pairs])?;
        let still = Tensor::f_zeros([num_tokens, head_dim / 2 - 3 * pairs], float)?;
        let angles = Tensor::f_cat(&[angles, still], 1)?;
        let phases = Tensor::f_polar(&angles.f_ones_like()?, &angles)?;
        Ok(Self {
            phases: phases.f_unsqueeze(1)?,
        })
    }

    /// Of the full cube with `resolution` voxels along an edge, x slowest.
    pub fn of_cube(resolution: i64, head_dim: i64, frequencies: (f64, f64), device: tch::Device) -> Result<Self> {
        let axis = Tensor::f_arange(resolution, (Kind::Int64, device))?;
        let axes = Tensor::f_meshgrid_indexing(&[&axis, &axis, &axis], "ij")?;
        let coords = Tensor::f_stack(&axes, -1)?.f_reshape([-1, 3])?;
        Self::new(&coords, head_dim, frequencies)
    }

    /// Cosine and sine of each pair, `[tokens, head_dim / 2, 2]` f32.
    pub(crate) fn pairs(&self) -> Result<Tensor> {
        Ok(self.phases.f_squeeze_dim(1)?.f_view_as_real()?)
    }

    /// `[batch, tokens, heads, head_dim]`, f32, to the same.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let size = x.size();
        let mut pairs = size.clone();
        pairs.pop();
        pairs.extend([-1, 2]);
        let turned = x.f_reshape(pairs)?.f_view_as_complex()?.f_mul(&self.phases)?;
        Ok(turned.f_view_as_real()?.f_reshape(size)?)
    }
}
