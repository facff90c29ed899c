use tch::{Kind, Tensor};

use crate::kernels::{self, NormKernel};
use crate::sparse::ScratchMemory;
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// Layer norm of rows of voxels, with the `SiLU` that often follows it. Sums are f32 whatever the kind.
pub(super) struct RowNorm {
    affine: Option<(Tensor, Tensor)>,
    epsilon: f64,
}

impl RowNorm {
    /// Asks for `weight` and `bias`, `[C]` each.
    pub fn new(weights: &Weights<'_>, channels: i64, kind: Kind) -> Result<Self> {
        let affine = (
            weights.tensor("weight", &[channels], kind)?,
            weights.tensor("bias", &[channels], kind)?,
        );
        Ok(Self {
            affine: Some(affine),
            epsilon: super::BLOCK_EPSILON,
        })
    }

    /// Without anything learned.
    pub fn plain(epsilon: f64) -> Self {
        Self { affine: None, epsilon }
    }

    /// `x`, `[N, C]`, into `out`, `[N, C]` of the same kind or f32, which may be `x` itself.
    pub fn forward_into(&self, x: &Tensor, out: &Tensor, has_silu: bool) -> Result<()> {
        let affine = self.affine.as_ref().map(|(weight, bias)| (weight, bias));
        let what = NormKernel {
            affine,
            epsilon: self.epsilon,
            has_silu,
        };
        if kernels::layer_norm(x, what, out)? {
            return Ok(());
        }
        let &[.., channels] = x.size().as_slice() else {
            return Err(TrellisError::Invalid("A number is no row".to_owned()));
        };
        let (weight, bias) = affine.unzip();
        let x = x.f_to_kind(out.kind())?;
        let mut normed = x.f_layer_norm([channels], weight, bias, self.epsilon, true)?;
        let normed = if has_silu { normed.f_silu_()? } else { normed };
        out.shallow_clone().f_copy_(&normed)?;
        Ok(())
    }

    /// The same, a chunk of rows at a time.
    pub fn all_into(&self, x: &Tensor, out: &Tensor, has_silu: bool, scratch: ScratchMemory) -> Result<()> {
        let (num_rows, channels) = x.size2()?;
        for (start, length) in scratch.chunks(num_rows, 2 * channels as usize * x.kind().elt_size_in_bytes()) {
            self.forward_into(
                &x.f_narrow(0, start, length)?,
                &out.f_narrow(0, start, length)?,
                has_silu,
            )?;
        }
        Ok(())
    }
}
