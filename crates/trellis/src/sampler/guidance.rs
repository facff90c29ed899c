use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::Result;

/// The noise that is left in a sample. Upstream: `sigma_min` of the samplers in `pipeline.json`.
const SIGMA_MIN: f64 = 1e-5;

/// How strongly the picture is followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guidance {
    /// 1 follows the model's answer, more goes beyond it, 0 ignores the picture.
    #[serde(rename = "guidance_strength")]
    pub strength: f64,
    /// How much of the contrast that guidance adds is taken back, `[0, 1]`.
    #[serde(rename = "guidance_rescale", default)]
    pub rescale: f64,
    /// Noise levels between which guidance acts, both included. Outside, strength is 1.
    #[serde(rename = "guidance_interval")]
    pub interval: (f64, f64),
}

/// How upstream measures the contrast of a latent: over a full cube with the unbiased standard deviation, over sparse tokens
/// with the biased one, as the root of the mean square less the square of the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Of a cube.
    Dense,
    /// Of sparse tokens.
    Sparse,
}

impl Guidance {
    /// The strength at noise level `t`.
    pub fn strength_at(&self, t: f64) -> f64 {
        let (from, to) = self.interval;
        if (from..=to).contains(&t) { self.strength } else { 1.0 }
    }

    /// Whether the model is asked both with and without the picture at noise level `t`.
    pub fn needs_both(&self, t: f64) -> bool {
        let strength = self.strength_at(t);
        strength != 1.0 && strength != 0.0
    }

    /// The guided velocity at `x`, from the model's answers with and without the picture.
    pub fn combine(&self, x: &Tensor, t: f64, with: &Tensor, without: &Tensor, spread: Spread) -> Result<Tensor> {
        let strength = self.strength_at(t);
        let guided = with
            .f_mul_scalar(strength)?
            .f_add_(&without.f_mul_scalar(1.0 - strength)?)?;
        if self.rescale <= 0.0 {
            return Ok(guided);
        }
        let plain = spread.of(&estimate(x, t, with)?)?;
        let mut guided = estimate(x, t, &guided)?;
        let ratio = plain.f_div(&spread.of(&guided)?)?;
        let rescaled = guided.f_mul(&ratio)?.f_mul_scalar_(self.rescale)?;
        let sample = guided.f_mul_scalar_(1.0 - self.rescale)?.f_add_(&rescaled)?;
        let velocity = x
            .f_mul_scalar(1.0 - SIGMA_MIN)?
            .f_sub_(&sample)?
            .f_div_scalar_(noise_share(t));
        Ok(velocity?)
    }
}

impl Spread {
    fn of(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense => Ok(x.f_std(true)?),
            Self::Sparse => {
                let mean = x.f_mean(None)?;
                let mean_of_squares = x.f_square()?.f_mean(None)?;
                Ok(mean_of_squares.f_sub(&mean.f_square()?)?.f_sqrt()?)
            }
        }
    }
}

/// The sample that a velocity at `x` points to.
pub(super) fn estimate(x: &Tensor, t: f64, velocity: &Tensor) -> Result<Tensor> {
    Ok(x.f_mul_scalar(1.0 - SIGMA_MIN)?
        .f_sub_(&velocity.f_mul_scalar(noise_share(t))?)?)
}

/// How much of a point at noise level `t` is noise.
fn noise_share(t: f64) -> f64 {
    SIGMA_MIN + (1.0 - SIGMA_MIN) * t
}
