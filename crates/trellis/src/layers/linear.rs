use tch::{Device, Kind, Tensor};

use super::{Precision, TokenRows};
use crate::Result;
use crate::weights::Weights;

/// `x · weightᵀ + bias`.
pub struct Linear {
    weight: Weight,
    bias: Option<Tensor>,
}

enum Weight {
    /// `[outputs, inputs]`
    Full(Tensor),
    /// The same in 8 bits, and what each output is to be multiplied with, `[1, outputs]` f32.
    Eight(Tensor, Tensor),
}

impl Linear {
    /// With a bias, as almost all have.
    pub fn new(weights: &Weights<'_>, inputs: i64, outputs: i64, precision: impl Into<Precision>) -> Result<Self> {
        let precision = precision.into();
        let bias = Some(weights.tensor("bias", &[outputs], precision.kind)?);
        let weight = weights.tensor("weight", &[outputs, inputs], precision.kind)?;
        let weight = if precision.has_eight_bit_linears {
            let (values, factors) = quantized(&weight)?;
            Weight::Eight(values, factors.f_reshape([1, outputs])?)
        } else {
            Weight::Full(weight)
        };
        Ok(Self { weight, bias })
    }

    /// Of tensors that are there already.
    pub fn of(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self {
            weight: Weight::Full(weight),
            bias,
        }
    }

    /// Whether it takes rows in 8 bits.
    pub fn is_eight_bit(&self) -> bool {
        matches!(self.weight, Weight::Eight(..))
    }

    /// `[.., inputs]` to `[.., outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.weight {
            Weight::Full(weight) => Ok(x.f_linear(weight, self.bias.as_ref())?),
            Weight::Eight(..) => self.forward_rows(&TokenRows::eight_bit(x)?),
        }
    }

    /// The same for rows that were prepared for it.
    pub fn forward_rows(&self, rows: &TokenRows) -> Result<Tensor> {
        match (&self.weight, rows) {
            (Weight::Eight(weight, weight_factors), TokenRows::Eight { values, factors, kind }) => {
                let mut size = values.size();
                let rows = values.f_flatten(0, -2)?;
                let made = if matches!(rows.device(), Device::Cuda(_)) {
                    let none = None::<&Tensor>;
                    let (weight, bias) = (weight.f_tr()?, self.bias.as_ref());
                    rows.f_internal_scaled_mm(&weight, factors, weight_factors, bias, none, *kind, true)?
                } else {
                    let full = |values: &Tensor, factors: &Tensor| values.f_to_kind(Kind::Float)?.f_mul(factors);
                    let weight = full(weight, &weight_factors.f_tr()?)?.f_to_kind(*kind)?;
                    full(&rows, factors)?
                        .f_to_kind(*kind)?
                        .f_linear(&weight, self.bias.as_ref())?
                };
                if let Some(channels) = size.last_mut() {
                    *channels = made.size()[1];
                }
                Ok(made.f_view(size.as_slice())?)
            }
            (_, TokenRows::Full(x)) => self.forward(x),
            (Weight::Full(_), TokenRows::Eight { .. }) => Err(crate::TrellisError::Invalid(
                "A linear layer of full precision was given numbers of 8 bits".to_owned(),
            )),
        }
    }

    /// What comes out of zeros.
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }
}

/// The largest number that 8 bits hold.
const LARGEST: f64 = 448.0;

/// Rows `[.., C]` in 8 bits, and what each is to be multiplied with, `[rows, 1]` f32: the largest number of a row becomes the
/// largest that there is.
pub(super) fn quantized(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let x = x.f_to_kind(Kind::Float)?;
    let largest = x.f_abs()?.f_amax([-1], true)?;
    let factors = largest
        .f_clamp_min(f64::from(f32::MIN_POSITIVE) * LARGEST)?
        .f_div_scalar(LARGEST)?;
    let values = x.f_div(&factors)?.f_to_kind(Kind::Float8e4m3fn)?;
    Ok((values, factors.f_reshape([-1, 1])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torch::load_cuda;

    #[test]
    fn eight_bits_are_a_few_hundredths_off() {
        let device = load_cuda();
        let kind = if device.is_cuda() { Kind::BFloat16 } else { Kind::Float };
        let layer = |precision: Precision| Linear::new(&Weights::drawn(device), 256, 384, precision).expect("weights");
        // Rows and outputs of very different sizes, and a row of zeros.
        let sizes = Tensor::linspace(-8.0, 4.0, 20, (Kind::Float, device))
            .exp()
            .unsqueeze(-1);
        let x = Tensor::randn([20, 256], (Kind::Float, device)) * &sizes;
        let _ = x.narrow(0, 7, 1).zero_();
        let x = x.to_kind(kind).view([2, 10, 256]);
        let exact = layer(kind.into()).forward(&x).expect("numbers");
        let found = layer(Precision::eight_bit(kind)).forward(&x).expect("numbers");
        assert_eq!(found.size(), [2, 10, 384]);
        let off = |tensor: &Tensor| {
            tensor
                .to_kind(Kind::Float)
                .view([20, 384])
                .norm_scalaropt_dim(2.0, [-1], false)
        };
        let bias = layer(kind.into()).bias.expect("a bias");
        let relative = off(&(&found - &exact)) / (off(&(&exact - bias)) + 1e-9);
        let worst = f64::try_from(relative.max()).expect("a number");
        assert!((1e-3..0.06).contains(&worst), "{worst}");
    }

    #[test]
    fn full_layers_refuse_rows_of_eight_bits() {
        let layer = Linear::new(&Weights::drawn(Device::Cpu), 16, 16, Kind::Float).expect("weights");
        let rows = TokenRows::eight_bit(&Tensor::ones([2, 16], (Kind::Float, Device::Cpu))).expect("rows");
        assert!(layer.forward_rows(&rows).is_err());
    }
}
