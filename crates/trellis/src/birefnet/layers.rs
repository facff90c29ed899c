use tch::{Kind, Tensor};

use crate::Result;
use crate::weights::Weights;

/// A convolution of pictures, `[B, C, H, W]`, that keeps their size (or divides it by `stride`).
pub(super) struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    /// With a bias, and a border of zeros half the kernel wide.
    pub fn new(weights: &Weights<'_>, (from, to): (i64, i64), kernel: i64, kind: Kind) -> Result<Self> {
        Ok(Self {
            bias: Some(weights.tensor("bias", &[to], kind)?),
            ..Self::without_bias(weights, (from, to), kernel, kind)?
        })
    }

    pub fn without_bias(weights: &Weights<'_>, (from, to): (i64, i64), kernel: i64, kind: Kind) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[to, from, kernel, kernel], kind)?,
            bias: None,
            stride: 1,
            padding: kernel / 2,
        })
    }

    /// One output for each patch of the kernel's size.
    pub fn patches(weights: &Weights<'_>, (from, to): (i64, i64), kernel: i64, kind: Kind) -> Result<Self> {
        Ok(Self {
            stride: kernel,
            padding: 0,
            ..Self::new(weights, (from, to), kernel, kind)?
        })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        Ok(x.f_conv2d(&self.weight, self.bias.as_ref(), stride, padding, [1, 1], 1)?)
    }
}

/// Normalisation by numbers from training: a scale and a shift for each channel.
pub(super) struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
}

impl BatchNorm {
    const EPSILON: f64 = 1e-5;

    pub fn new(weights: &Weights<'_>, channels: i64, kind: Kind) -> Result<Self> {
        weights.skip("num_batches_tracked");
        Ok(Self {
            weight: weights.tensor("weight", &[channels], kind)?,
            bias: weights.tensor("bias", &[channels], kind)?,
            mean: weights.tensor("running_mean", &[channels], kind)?,
            variance: weights.tensor("running_var", &[channels], kind)?,
        })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = (Some(&self.weight), Some(&self.bias));
        let (mean, variance) = (Some(&self.mean), Some(&self.variance));
        Ok(x.f_batch_norm(weight, bias, mean, variance, false, 0.0, Self::EPSILON, true)?)
    }
}

/// To another size, corners onto corners.
pub(super) fn resized(x: &Tensor, size: [i64; 2]) -> Result<Tensor> {
    Ok(x.f_upsample_bilinear2d(size, true, None, None)?)
}

/// Height and width of `[B, C, H, W]`.
pub(super) fn size_of(x: &Tensor) -> Result<[i64; 2]> {
    let (_, _, height, width) = x.size4()?;
    Ok([height, width])
}

#[cfg(test)]
impl Conv2d {
    /// One that gives zeros.
    pub fn zero(from: i64, to: i64, kernel: i64) -> Self {
        let options = (Kind::Float, tch::Device::Cpu);
        Self {
            weight: Tensor::zeros([to, from, kernel, kernel], options),
            bias: None,
            stride: 1,
            padding: kernel / 2,
        }
    }
}
