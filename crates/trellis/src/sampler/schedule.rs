use serde::{Deserialize, Serialize};

use super::Guidance;

/// How a stage is sampled, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplerParams {
    /// Steps from noise to sample.
    pub steps: usize,
    /// More than 1 takes larger steps at first and smaller ones towards the end.
    pub rescale_t: f64,
    /// How strongly the picture is followed.
    #[serde(flatten)]
    pub guidance: Guidance,
}

impl SamplerParams {
    /// Times a model is asked, which is what a stage's time goes into.
    pub fn num_evaluations(&self) -> usize {
        let times = schedule(self.steps, self.rescale_t);
        let twice = times[..self.steps]
            .iter()
            .filter(|&&t| self.guidance.needs_both(t))
            .count();
        self.steps + twice
    }
}

/// Noise levels from 1 to 0, one more than steps, in f64: in f32, a level could come to lie on the other side of the guidance
/// interval's edge.
pub fn schedule(steps: usize, rescale_t: f64) -> Vec<f64> {
    // The steps of numpy's linspace, to the last bit.
    let step = -1.0 / steps.max(1) as f64;
    let even = |index: usize| if index == steps { 0.0 } else { index as f64 * step + 1.0 };
    let rescaled = |t: f64| rescale_t * t / (1.0 + (rescale_t - 1.0) * t);
    (0..=steps).map(|index| rescaled(even(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(rescale_t: f64, strength: f64, interval: (f64, f64)) -> SamplerParams {
        let guidance = Guidance {
            strength,
            rescale: 0.5,
            interval,
        };
        SamplerParams {
            steps: 12,
            rescale_t,
            guidance,
        }
    }

    #[test]
    fn released_settings_ask_the_model_as_often_as_upstream_does() {
        assert_eq!(params(5.0, 7.5, (0.6, 1.0)).num_evaluations(), 22);
        // The ninth noise level is 0.6 to the last bit: guidance still acts on it.
        assert_eq!(params(3.0, 7.5, (0.6, 1.0)).num_evaluations(), 21);
        assert_eq!(params(3.0, 1.0, (0.6, 0.9)).num_evaluations(), 12);
        assert_eq!(params(3.0, 0.0, (0.0, 1.0)).num_evaluations(), 12);
    }
}
