use bozzetto_engine::EngineError;
use tch::Tensor;

use super::HostTensor;
use super::conditioned::Conditioned;
use super::host::noise;
use crate::flow::StructureFlow;
use crate::networks::{Network, Networks};
use crate::sampler::{SamplerParams, Spread, sample};
use crate::structure::{StructureDecoder, occupied_coords};
use crate::torch::RandomState;
use crate::{Result, TrellisError};

/// Where there is something, and where the random numbers stand after it was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// Logits of occupancy, `[1, 1, r, r, r]`.
    logits: HostTensor,
    /// For the next stage.
    pub random: RandomState,
}

impl Structure {
    /// The voxels in which there is something, `[N, 4]` (batch, x, y, z), of a cube with `resolution` along an edge.
    ///
    /// # Errors
    /// [`EngineError::NoResult`] when there are none.
    pub fn coords(&self, resolution: i64) -> Result<HostTensor<i32>> {
        let coords = HostTensor::of(&occupied_coords(&self.logits.on(tch::Device::Cpu)?, resolution)?)?;
        if !coords.is_empty() {
            return Ok(coords);
        }
        Err(TrellisError::Engine(EngineError::NoResult {
            reason: "The model found no shape in the picture".to_owned(),
            advice: "Try another seed, or a picture that shows the whole object on a plain background.".to_owned(),
        }))
    }

    /// A structure of one's own: `[N, 3]` voxels of a cube with `resolution` along an edge.
    pub fn of_coords(coords: &[[i32; 3]], resolution: i64, random: RandomState) -> Result<Self> {
        let r = resolution.max(1) as usize;
        let mut data = vec![-1.0; r * r * r];
        for &[x, y, z] in coords {
            let place = |value: i32| usize::try_from(value).ok().filter(|&value| value < r);
            let (Some(x), Some(y), Some(z)) = (place(x), place(y), place(z)) else {
                return Err(TrellisError::Invalid(
                    "A voxel of a structure lies outside of its cube".to_owned(),
                ));
            };
            data[(x * r + y) * r + z] = 1.0;
        }
        let shape = vec![1, 1, resolution, resolution, resolution];
        Ok(Self {
            logits: HostTensor { data, shape },
            random,
        })
    }

    /// What it takes of memory.
    pub fn num_bytes(&self) -> u64 {
        self.logits.num_bytes()
    }
}

/// Where the structure's sampling stands.
pub struct StructureStep<'a> {
    /// Steps done, from 1.
    pub done: usize,
    /// All steps.
    pub total: usize,
    estimate: &'a Tensor,
    decoder: &'a StructureDecoder,
}

impl StructureStep<'_> {
    /// The voxels that the sample is believed to have in the end, as of [`Structure::coords`]. Takes a moment.
    pub fn coords(&self, resolution: i64) -> Result<HostTensor<i32>> {
        HostTensor::of(&occupied_coords(&self.decoder.forward(self.estimate)?, resolution)?)
    }
}

/// Samples the structure under a picture's features at 512 pixels.
pub fn structure(
    networks: &mut Networks,
    features: &HostTensor,
    params: &SamplerParams,
    random: &RandomState,
    after_step: &mut dyn FnMut(&StructureStep<'_>) -> Result<()>,
) -> Result<Structure> {
    networks.load(&[Network::StructureFlow, Network::StructureDecoder])?;
    let flow = networks.get::<StructureFlow>(Network::StructureFlow)?;
    let decoder = networks.get::<StructureDecoder>(Network::StructureDecoder)?;
    random.restore()?;
    let noise = noise(&flow.noise_shape(), networks.device())?;
    let random = RandomState::current()?;
    let num_tokens = noise.numel() / flow.noise_shape()[1] as usize;
    let forward = |x: &Tensor, t: f64, conditions: &[&_]| flow.forward(x, t, conditions);
    let model = Conditioned::new(flow.transformer(), features, num_tokens, networks.device(), forward)?;
    let latent = sample(&model, noise, params, Spread::Dense, |step| {
        after_step(&StructureStep {
            done: step.done,
            total: step.total,
            estimate: step.estimate,
            decoder,
        })
    })?;
    Ok(Structure {
        logits: HostTensor::of(&decoder.forward(&latent)?)?,
        random,
    })
}
