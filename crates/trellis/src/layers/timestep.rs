use tch::{Kind, Tensor};

use super::Linear;
use crate::Result;
use crate::weights::Weights;

/// Waves of different lengths that a timestep is described with, half of them cosines.
const NUM_WAVES: i64 = 256;
const LONGEST_PERIOD: f64 = 10_000.0;

/// A timestep as a vector. Upstream: `models/sparse_structure_flow.py`, `TimestepEmbedder`.
pub struct TimestepEmbedding {
    first: Linear,
    second: Linear,
    frequencies: Tensor, // [NUM_WAVES / 2]
}

impl TimestepEmbedding {
    /// `weights` has `mlp.0` and `mlp.2`.
    pub fn new(weights: &Weights<'_>, channels: i64) -> Result<Self> {
        let half = NUM_WAVES / 2;
        let frequencies = Tensor::f_arange(half, (Kind::Float, weights.device()))?;
        let frequencies = frequencies
            .f_mul_scalar(-LONGEST_PERIOD.ln())?
            .f_div_scalar(half as f64)?;
        Ok(Self {
            first: Linear::new(&weights.at("mlp.0"), NUM_WAVES, channels, Kind::Float)?,
            second: Linear::new(&weights.at("mlp.2"), channels, channels, Kind::Float)?,
            frequencies: frequencies.f_exp()?,
        })
    }

    /// The noise level `t` in `[0, 1]` to `[1, channels]`, f32. Models were trained with a thousand times that.
    pub fn forward(&self, t: f64) -> Result<Tensor> {
        let t = f64::from((1000.0 * t) as f32);
        let angles = self.frequencies.f_mul_scalar(t)?;
        let waves = Tensor::f_cat(&[angles.f_cos()?, angles.f_sin()?], 0)?.f_unsqueeze(0)?;
        self.second.forward(&self.first.forward(&waves)?.f_silu_()?)
    }
}
