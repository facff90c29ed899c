use tch::Tensor;

use super::guidance::estimate;
use super::{SamplerParams, Spread, schedule};
use crate::Result;

/// A model under a picture, as the sampler asks it: the velocity at `x` and noise level `t`, in the shape of `x`.
pub trait Velocity {
    /// With the picture.
    fn with_condition(&self, x: &Tensor, t: f64) -> Result<Tensor>;

    /// Without it.
    fn without_condition(&self, x: &Tensor, t: f64) -> Result<Tensor>;

    /// Both, with and without; together where that is faster.
    fn both(&self, x: &Tensor, t: f64) -> Result<(Tensor, Tensor)> {
        Ok((self.with_condition(x, t)?, self.without_condition(x, t)?))
    }
}

/// Where sampling stands after a step.
pub struct Step<'a> {
    /// Steps done, from 1.
    pub done: usize,
    /// All steps.
    pub total: usize,
    /// The noisy sample.
    pub x: &'a Tensor,
    /// Where it is believed to lead.
    pub estimate: &'a Tensor,
}

/// Follows the flow from `noise` to a sample. `after_step` stops it by an error, such as that of a cancelled run.
pub fn sample(
    model: &impl Velocity,
    noise: Tensor,
    params: &SamplerParams,
    spread: Spread,
    mut after_step: impl FnMut(&Step<'_>) -> Result<()>,
) -> Result<Tensor> {
    let times = schedule(params.steps, params.rescale_t);
    let mut x = noise;
    for (index, pair) in times.windows(2).enumerate() {
        let (t, next) = (pair[0], pair[1]);
        let strength = params.guidance.strength_at(t);
        let velocity = if params.guidance.needs_both(t) {
            let (with, without) = model.both(&x, t)?;
            params.guidance.combine(&x, t, &with, &without, spread)?
        } else if strength == 0.0 {
            model.without_condition(&x, t)?
        } else {
            model.with_condition(&x, t)?
        };
        let estimate = estimate(&x, t, &velocity)?;
        x = x.f_sub(&velocity.f_mul_scalar(t - next)?)?;
        after_step(&Step {
            done: index + 1,
            total: params.steps,
            x: &x,
            estimate: &estimate,
        })?;
    }
    Ok(x)
}
