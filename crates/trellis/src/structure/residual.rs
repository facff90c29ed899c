use tch::{Kind, Tensor};

use crate::Result;
use crate::weights::Weights;

const EPSILON: f64 = 1e-5;

/// A dense convolution over 3³ voxels that keeps the size: `[1, in, r, r, r]` to `[1, out, r, r, r]`.
pub(super) struct Conv3d {
    weight: Tensor, // [out, in, 3, 3, 3]
    bias: Tensor,
}

impl Conv3d {
    pub(super) fn new(weights: &Weights<'_>, inputs: i64, outputs: i64, kind: Kind) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[outputs, inputs, 3, 3, 3], kind)?,
            bias: weights.tensor("bias", &[outputs], kind)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_conv3d(&self.weight, Some(&self.bias), [1, 1, 1], [1, 1, 1], [1, 1, 1], 1)?)
    }
}

/// Layer norm over the channels of every voxel, in f32, with the SiLU that always follows it.
pub(super) struct ChannelNorm {
    weight: Tensor,
    bias: Tensor,
}

impl ChannelNorm {
    pub(super) fn new(weights: &Weights<'_>, channels: i64) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[channels], Kind::Float)?,
            bias: weights.tensor("bias", &[channels], Kind::Float)?,
        })
    }

    /// `[1, channels, r, r, r]` to the same.
    pub(super) fn forward_silu(&self, x: &Tensor) -> Result<Tensor> {
        let kind = x.f_kind()?;
        let last = x.f_movedim_int(1, -1)?.f_to_kind(Kind::Float)?;
        let (weight, bias) = (Some(&self.weight), Some(&self.bias));
        let normed = last.f_layer_norm(self.weight.size(), weight, bias, EPSILON, true)?;
        let active = normed.f_to_kind(kind)?.f_silu_()?;
        Ok(active.f_movedim_int(-1, 1)?.f_contiguous()?)
    }
}

/// Two convolutions beside an identity.
pub(super) struct ResidualBlock {
    norms: [ChannelNorm; 2],
    convs: [Conv3d; 2],
}

impl ResidualBlock {
    pub(super) fn new(weights: &Weights<'_>, channels: i64, kind: Kind) -> Result<Self> {
        let norm = |name| ChannelNorm::new(&weights.at(name), channels);
        let conv = |name| Conv3d::new(&weights.at(name), channels, channels, kind);
        Ok(Self {
            norms: [norm("norm1")?, norm("norm2")?],
            convs: [conv("conv1")?, conv("conv2")?],
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.convs[0].forward(&self.norms[0].forward_silu(x)?)?;
        let mut hidden = self.convs[1].forward(&self.norms[1].forward_silu(&hidden)?)?;
        Ok(hidden.f_add_(x)?)
    }
}
