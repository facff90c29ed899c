use tch::{Kind, Tensor};

use super::HostTensor;
use crate::Result;
use crate::flow::{FlowTransformer, PreparedCondition};
use crate::sampler::Velocity;

/// More tokens than this fill the device by themselves: asking for two answers at once then takes memory and saves no time.
const MOST_TOKENS_TOGETHER: usize = 8192;

/// A flow under a picture's features.
pub(super) struct Conditioned<F> {
    /// Velocities of a point at a noise level, one for each condition.
    forward: F,
    with: PreparedCondition,
    without: PreparedCondition,
    /// Whether both answers are asked for at once.
    together: bool,
}

impl<F: Fn(&Tensor, f64, &[&PreparedCondition]) -> Result<Vec<Tensor>>> Conditioned<F> {
    pub(super) fn new(
        transformer: &FlowTransformer,
        features: &HostTensor,
        num_tokens: usize,
        device: tch::Device,
        forward: F,
    ) -> Result<Self> {
        let features = features.on(device)?.f_to_kind(Kind::Float)?;
        Ok(Self {
            forward,
            with: transformer.condition(&features)?,
            without: transformer.no_condition()?,
            together: num_tokens <= MOST_TOKENS_TOGETHER,
        })
    }

    fn one(&self, x: &Tensor, t: f64, condition: &PreparedCondition) -> Result<Tensor> {
        Ok((self.forward)(x, t, &[condition])?.swap_remove(0))
    }
}

impl<F: Fn(&Tensor, f64, &[&PreparedCondition]) -> Result<Vec<Tensor>>> Velocity for Conditioned<F> {
    fn with_condition(&self, x: &Tensor, t: f64) -> Result<Tensor> {
        self.one(x, t, &self.with)
    }

    fn without_condition(&self, x: &Tensor, t: f64) -> Result<Tensor> {
        self.one(x, t, &self.without)
    }

    fn both(&self, x: &Tensor, t: f64) -> Result<(Tensor, Tensor)> {
        if !self.together {
            return Ok((self.with_condition(x, t)?, self.without_condition(x, t)?));
        }
        let mut velocities = (self.forward)(x, t, &[&self.with, &self.without])?;
        let without = velocities.swap_remove(1);
        Ok((velocities.swap_remove(0), without))
    }
}
