use tch::{Kind, Tensor};

use crate::Result;
use crate::weights::Weights;

/// `x · weightᵀ + bias`.
pub struct Linear {
    weight: Tensor, // [outputs, inputs]
    bias: Option<Tensor>,
}

impl Linear {
    /// With a bias, as almost all have.
    pub fn new(weights: &Weights<'_>, inputs: i64, outputs: i64, kind: Kind) -> Result<Self> {
        let bias = Some(weights.tensor("bias", &[outputs], kind)?);
        let weight = weights.tensor("weight", &[outputs, inputs], kind)?;
        Ok(Self { weight, bias })
    }

    /// Of tensors that are there already.
    pub fn of(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// `[.., inputs]` to `[.., outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_linear(&self.weight, self.bias.as_ref())?)
    }

    /// What comes out of zeros.
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }
}
