use tch::{Device, Kind, Tensor};

use super::linear::quantized;
use super::{Linear, Precision};
use crate::Result;
use crate::kernels::{Out, Step, token_rows};
use crate::weights::Weights;

/// Rows as the next linear layer takes them.
pub enum TokenRows {
    /// `[batch, tokens, channels]`
    Full(Tensor),
    /// In 8 bits.
    Eight {
        /// `[batch, tokens, channels]`
        values: Tensor,
        /// What each row is to be multiplied with, `[batch * tokens, 1]` f32.
        factors: Tensor,
        /// Kind of what comes out of the linear layer.
        kind: Kind,
    },
}

/// What a branch of a block gives, `[batch, tokens, channels]` or one row for all, with factors of its channels.
#[derive(Clone, Copy)]
pub struct Branch<'a> {
    /// What is added to the tokens.
    pub added: &'a Tensor,
    /// `[channels]`
    pub gate: Option<&'a Tensor>,
}

/// Layer norm with factors and shifts of channels, `[channels]` each.
#[derive(Clone, Copy)]
pub struct TokenNorm<'a> {
    /// Factors.
    pub weight: &'a Tensor,
    /// Shifts.
    pub shift: &'a Tensor,
    /// Added to variances.
    pub epsilon: f64,
    /// Whether the two come from the timestep: upstream then rounds in between.
    pub is_modulated: bool,
}

impl TokenRows {
    /// Room for rows like `x`, in its kind or in 8 bits.
    pub fn like(x: &Tensor, is_eight_bit: bool) -> Result<Self> {
        if !is_eight_bit {
            return Ok(Self::Full(x.f_empty_like()?));
        }
        let size = x.size();
        let num_rows: i64 = size[..size.len().saturating_sub(1)].iter().product();
        Ok(Self::Eight {
            factors: Tensor::f_empty([num_rows, 1], (Kind::Float, x.device()))?,
            values: Tensor::f_empty(size, (Kind::Float8e4m3fn, x.device()))?,
            kind: x.f_kind()?,
        })
    }

    /// `x` in 8 bits.
    pub fn eight_bit(x: &Tensor) -> Result<Self> {
        let rows = Self::like(x, true)?;
        rows.fill(x, None, Step::Nothing, || Ok(x.shallow_clone()))?;
        Ok(rows)
    }

    /// GELU of `x` (tanh approximation), which may be lost.
    pub fn gelu(x: Tensor, is_eight_bit: bool) -> Result<Self> {
        let mut x = x;
        // Not in one with the linear layer: cuBLAS has a GELU that is ten times less accurate than bf16 (seen on an H200).
        if !is_eight_bit {
            return Ok(Self::Full(x.f_gelu_("tanh")?));
        }
        let rows = Self::like(&x, true)?;
        rows.fill(&x, None, Step::Gelu, || Ok(x.f_gelu("tanh")?))?;
        Ok(rows)
    }

    /// The rows of one element of the batch.
    pub fn of_batch(&self, place: i64) -> Result<Self> {
        Ok(match self {
            Self::Full(x) => Self::Full(x.f_narrow(0, place, 1)?),
            Self::Eight { values, factors, kind } => {
                let num_tokens = values.size()[1];
                Self::Eight {
                    values: values.f_narrow(0, place, 1)?,
                    factors: factors.f_narrow(0, place * num_tokens, num_tokens)?,
                    kind: *kind,
                }
            }
        })
    }

    /// Adds a branch to tokens `x`, in place, and fills these rows with the norm of them.
    pub fn fill_normalized(&self, x: &mut Tensor, branch: Option<Branch<'_>>, norm: &TokenNorm<'_>) -> Result<()> {
        let step = Step::Norm {
            weight: norm.weight,
            shift: norm.shift,
            epsilon: norm.epsilon,
            is_modulated: norm.is_modulated,
        };
        let x = &*x;
        self.fill(x, branch, step, || {
            let channels = norm.weight.size();
            // Sums in f32 for every kind and rounds once, at the end.
            Ok(x.f_layer_norm(channels, Some(norm.weight), Some(norm.shift), norm.epsilon, true)?)
        })
    }

    /// `other` does what the step does, where there is no kernel for it.
    fn fill(
        &self,
        x: &Tensor,
        branch: Option<Branch<'_>>,
        step: Step<'_>,
        other: impl FnOnce() -> Result<Tensor>,
    ) -> Result<()> {
        let addend = branch.map(|branch| (branch.added, branch.gate));
        let out = match self {
            Self::Full(out) => Out::Full(out),
            Self::Eight { values, factors, .. } => Out::Eight(values, factors),
        };
        if token_rows(x, addend, step, out)? {
            return Ok(());
        }
        if let Some(branch) = branch {
            add_with_libtorch(x, branch)?;
        }
        let made = other()?;
        match self {
            Self::Full(out) => drop(out.shallow_clone().f_copy_(&made)?),
            Self::Eight { values, factors, .. } => {
                let (new_values, new_factors) = quantized(&made)?;
                values.shallow_clone().f_copy_(&new_values)?;
                factors.shallow_clone().f_copy_(&new_factors)?;
            }
        }
        Ok(())
    }
}

/// Adds a branch to tokens `x`, in place.
pub fn add_branch(x: &mut Tensor, branch: Branch<'_>) -> Result<()> {
    if token_rows(x, Some((branch.added, branch.gate)), Step::Nothing, Out::Nothing)? {
        return Ok(());
    }
    add_with_libtorch(x, branch)
}

fn add_with_libtorch(x: &Tensor, Branch { added, gate }: Branch<'_>) -> Result<()> {
    let mut x = x.shallow_clone();
    let _ = match gate {
        Some(gate) => x.f_addcmul_(added, gate)?,
        None => x.f_add_(added)?,
    };
    Ok(())
}

/// Whether linear layers can be computed in 8 bits on this device, which is tried once with a small one.
pub fn can_compute_in_eight_bits(device: Device) -> bool {
    let tried = || -> Result<Tensor> {
        let precision = Precision::eight_bit(Kind::BFloat16);
        let layer = Linear::new(&Weights::drawn(device), 128, 128, precision)?;
        let x = Tensor::f_ones([16, 128], (Kind::BFloat16, device))?;
        Ok(layer.forward(&x)?.f_to_device(Device::Cpu)?)
    };
    matches!(device, Device::Cuda(_))
        && tried()
            .inspect_err(|reason| tracing::info!("this card has no linear layers in 8 bits: {reason}"))
            .is_ok()
}
