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

    /// The same and a GELU (tanh approximation) after it, in one pass where a card has it.
    pub fn forward_gelu(&self, x: &Tensor) -> Result<Tensor> {
        let Some(bias) = self.bias.as_ref().filter(|_| x.device().is_cuda()) else {
            return Ok(self.forward(x)?.f_gelu_("tanh")?);
        };
        let mut shape = x.size();
        let inputs = shape.pop().unwrap_or_default();
        shape.push(bias.size()[0]);
        let rows = x.f_reshape([-1, inputs])?;
        Ok(bias
            .f_internal_addmm_activation(&rows, &self.weight.f_transpose(0, 1)?, true)?
            .f_view(shape.as_slice())?)
    }

    /// What comes out of zeros.
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }
}
