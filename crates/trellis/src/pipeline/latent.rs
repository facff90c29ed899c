use tch::Tensor;

use super::conditioned::Conditioned;
use super::host::noise;
use super::{FlowSize, HostTensor, OnProgress};
use crate::flow::SlatFlow;
use crate::networks::{Network, Networks, Normalization};
use crate::sampler::{SamplerParams, Spread, sample};
use crate::torch::RandomState;
use crate::{Result, TrellisError};

/// A structured latent: features at voxels.
#[derive(Clone, Debug, PartialEq)]
pub struct Latent {
    /// `[N, 4]` (batch, x, y, z).
    pub coords: HostTensor<i32>,
    /// `[N, channels]`, as decoders take them.
    pub features: HostTensor,
    /// Where the random numbers stand after it was drawn.
    pub random: RandomState,
}

impl Latent {
    /// How many voxels there are.
    pub fn num_tokens(&self) -> usize {
        self.coords.len()
    }

    /// What it takes of memory.
    pub fn num_bytes(&self) -> u64 {
        self.coords.num_bytes() + self.features.num_bytes()
    }
}

/// Samples the shape at voxels `coords` `[N, 4]`.
pub fn shape(
    networks: &mut Networks,
    size: FlowSize,
    features: &HostTensor,
    coords: &HostTensor<i32>,
    params: &SamplerParams,
    random: &RandomState,
    after_step: OnProgress<'_>,
) -> Result<Latent> {
    let flow = size.shape_flow();
    let normalization = networks.description().shape_slat_normalization.clone();
    sampled(
        networks,
        flow,
        features,
        coords,
        None,
        &normalization,
        params,
        random,
        after_step,
    )
}

/// Samples the material of a shape.
pub fn material(
    networks: &mut Networks,
    size: FlowSize,
    features: &HostTensor,
    shape: &Latent,
    params: &SamplerParams,
    random: &RandomState,
    after_step: OnProgress<'_>,
) -> Result<Latent> {
    let flow = size.material_flow();
    let of_shape = Statistics::new(&networks.description().shape_slat_normalization, networks.device())?;
    let beside = of_shape.normalized(&shape.features.on(networks.device())?)?;
    let normalization = networks.description().tex_slat_normalization.clone();
    let coords = &shape.coords;
    sampled(
        networks,
        flow,
        features,
        coords,
        Some(&beside),
        &normalization,
        params,
        random,
        after_step,
    )
}

#[expect(clippy::too_many_arguments, reason = "what the two stages have in common")]
fn sampled(
    networks: &mut Networks,
    network: Network,
    features: &HostTensor,
    coords: &HostTensor<i32>,
    beside: Option<&Tensor>,
    normalization: &Normalization,
    params: &SamplerParams,
    random: &RandomState,
    after_step: OnProgress<'_>,
) -> Result<Latent> {
    networks.load(&[network])?;
    let device = networks.device();
    let flow = networks.get::<SlatFlow>(network)?;
    let num_tokens = coords.len() as i64;
    let channels_beside = beside.map_or(0, |beside| beside.size()[1]);
    let channels = flow.in_channels() - channels_beside;
    if channels <= 0 {
        let reason = format!("{network:?} has room for no noise beside {channels_beside} channels");
        return Err(TrellisError::Invalid(reason));
    }
    random.restore()?;
    let noise = noise(&[num_tokens, channels], device)?;
    let random = RandomState::current()?;
    let places = coords.on(device)?.f_narrow(1, 1, 3)?;
    let tokens = flow.tokens(&places, beside)?;
    let forward = |x: &Tensor, t: f64, conditions: &[&_]| flow.forward(x, &tokens, t, conditions);
    let model = Conditioned::new(flow.transformer(), features, coords.len(), device, forward)?;
    let latent = sample(&model, noise, params, Spread::Sparse, |step| {
        after_step(step.done, step.total)
    })?;
    let latent = Statistics::new(normalization, device)?.restored(&latent)?;
    Ok(Latent {
        coords: coords.clone(),
        features: HostTensor::of(&latent)?,
        random,
    })
}

/// A [`Normalization`] on the device.
struct Statistics {
    mean: Tensor, // [channels]
    deviation: Tensor,
}

impl Statistics {
    fn new(normalization: &Normalization, device: tch::Device) -> Result<Self> {
        let on_device = |values: &[f32]| Tensor::f_from_slice(values)?.f_to_device(device);
        Ok(Self {
            mean: on_device(&normalization.mean)?,
            deviation: on_device(&normalization.std)?,
        })
    }

    /// From decoders to networks.
    fn normalized(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_sub(&self.mean)?.f_div_(&self.deviation)?)
    }

    /// From networks to decoders.
    fn restored(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_mul(&self.deviation)?.f_add_(&self.mean)?)
    }
}
