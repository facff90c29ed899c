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

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::fixture::relative_error;
    use crate::torch::load_cuda;

    #[test]
    fn on_a_card_a_norm_is_the_processors_but_for_rounding() {
        if load_cuda() == Device::Cpu {
            println!("There is no graphics card: its kernel for norms is left out.");
            return;
        }
        for channels in [64, 256, 1024, 40] {
            for (has_affine, has_silu, out_kind) in [
                (true, false, Kind::Half),
                (true, true, Kind::Half),
                (false, true, Kind::Half),
                (false, false, Kind::Float),
            ] {
                let numbers = Tensor::randn([1003, channels], (Kind::Float, Device::Cpu)) * 3.0 + 1.0;
                let numbers = numbers.to_kind(Kind::Half);
                let [cpu, card] = [Device::Cpu, Device::Cuda(0)].map(|device| {
                    let kind = if device == Device::Cpu { Kind::Float } else { Kind::Half };
                    let norm = if has_affine {
                        RowNorm::new(&Weights::drawn(device), channels, kind).expect("weights")
                    } else {
                        RowNorm::plain(1e-6)
                    };
                    let x = numbers.to_device(device).to_kind(kind);
                    let out_kind = if device == Device::Cpu { Kind::Float } else { out_kind };
                    let out = Tensor::full([1003, channels], f64::NAN, (out_kind, device));
                    norm.forward_into(&x, &out, has_silu).expect("numbers");
                    out.to_device(Device::Cpu)
                });
                let error = relative_error(&card, &cpu);
                let most = if out_kind == Kind::Half { 2e-3 } else { 1e-5 };
                assert!(
                    error < most,
                    "{channels} channels, {has_affine} {has_silu} {out_kind:?}: {error:e}"
                );
            }
        }
    }
}
