use std::any::Any;
use std::path::PathBuf;

use bozzetto_engine::CancelToken;
use serde::de::DeserializeOwned;
use tch::{Device, Kind};

use super::description::read_json;
use super::{Network, PipelineDescription};
use crate::birefnet::{BiRefNet, BiRefNetConfig};
use crate::decoder::{MaterialDecoder, ShapeDecoder};
use crate::dino::{DinoConfig, DinoLayout, DinoModel};
use crate::flow::{SlatFlow, StructureFlow};
use crate::layers::Precision;
use crate::structure::StructureDecoder;
use crate::torch::empty_cuda_cache;
use crate::weights::{Checkpoint, Library};
use crate::{Result, TrellisError};

/// The networks that are on the device.
///
/// One stage's at a time, unless all are to stay.
pub struct Networks {
    library: Library,
    description: PipelineDescription,
    device: Device,
    loaded: Vec<(Network, Box<dyn Any + Send>)>,
    keeps_all: bool,
    flows_are_eight_bit: bool,
    cancel: CancelToken,
}

impl Networks {
    /// Reads the pipeline's description, and no network yet.
    pub fn new(library: Library, device: Device) -> Result<Self> {
        Ok(Self {
            description: PipelineDescription::find(&library)?,
            library,
            device,
            loaded: Vec::new(),
            keeps_all: false,
            flows_are_eight_bit: false,
            cancel: CancelToken::new(),
        })
    }

    /// What the pipeline's description says.
    pub fn description(&self) -> &PipelineDescription {
        &self.description
    }

    /// Where networks compute.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether networks stay on the device when their stage is over.
    pub fn keep_all(&mut self, keeps_all: bool) {
        self.keeps_all = keeps_all;
    }

    /// Whether flows have linear layers in 8 bits. Those that were loaded otherwise leave the device.
    pub fn use_eight_bit_flows(&mut self, flows_are_eight_bit: bool) {
        if self.flows_are_eight_bit != flows_are_eight_bit {
            self.flows_are_eight_bit = flows_are_eight_bit;
            self.loaded.retain(|(network, _)| !network.is_flow());
            self.give_memory_back();
        }
    }

    /// Whether flows have linear layers in 8 bits.
    pub fn flows_are_eight_bit(&self) -> bool {
        self.flows_are_eight_bit
    }

    /// Stops loading when the run that it is for is cancelled.
    pub fn listen_to(&mut self, cancel: &CancelToken) {
        self.cancel = cancel.clone();
    }

    /// A network's file.
    pub fn path(&self, network: Network) -> Result<PathBuf> {
        self.description.weights_of(network, &self.library)
    }

    /// A network's description, in the form that its model takes.
    pub fn config<T: DeserializeOwned>(&self, network: Network) -> Result<T> {
        self.description.config_of(network, &self.library)
    }

    /// Fails with [`crate::weights::WeightsError::Missing`] for the first network that is not installed.
    pub fn check(&self, networks: &[Network]) -> Result<()> {
        networks.iter().try_for_each(|&network| self.path(network).map(drop))
    }

    /// Loads what a stage needs. What it does not need makes room, unless all are to stay.
    pub fn load(&mut self, wanted: &[Network]) -> Result<()> {
        if !self.keeps_all {
            let num_before = self.loaded.len();
            self.loaded.retain(|(network, _)| wanted.contains(network));
            if self.loaded.len() < num_before {
                self.give_memory_back();
            }
        }
        for &network in wanted {
            if !self.is_loaded(network) {
                let loaded = self.read(network)?;
                self.loaded.push((network, loaded));
            }
        }
        Ok(())
    }

    /// Takes all networks off the device.
    pub fn unload(&mut self) {
        self.loaded.clear();
        self.give_memory_back();
    }

    /// Gives memory that is not in use back to the device.
    pub fn give_memory_back(&self) {
        if self.device.is_cuda()
            && let Err(error) = empty_cuda_cache()
        {
            tracing::warn!("memory of the graphics card is not given back: {error}");
        }
    }

    /// A network that [`Self::load`] loaded.
    pub fn get<T: 'static>(&self, network: Network) -> Result<&T> {
        let loaded = self.loaded.iter().find(|(other, _)| *other == network);
        loaded
            .and_then(|(_, model)| model.downcast_ref())
            .ok_or_else(|| TrellisError::Invalid(format!("{network:?} was asked for before it was loaded")))
    }

    fn is_loaded(&self, network: Network) -> bool {
        self.loaded.iter().any(|(other, _)| *other == network)
    }

    fn read(&self, network: Network) -> Result<Box<dyn Any + Send>> {
        let file = Checkpoint::open(&self.path(network)?)?.cancelled_by(self.cancel.clone());
        tracing::info!("loading {}", file.path().display());
        let (description, library) = (&self.description, &self.library);
        // As upstream has it: the flows in bf16 and the decoders in f16. Processors know f32 best.
        let is_cuda = self.device.is_cuda();
        let flow_precision = Precision {
            kind: if is_cuda { Kind::BFloat16 } else { Kind::Float },
            has_eight_bit_linears: self.flows_are_eight_bit,
        };
        let decoder_kind = if is_cuda { Kind::Half } else { Kind::Float };
        Ok(match network {
            Network::BiRefNet => {
                let config = BiRefNetConfig::of(&file)?;
                Box::new(file.load(self.device, |weights| BiRefNet::new(weights, &config, Kind::Float))?)
            }
            Network::Dino => {
                let layout = DinoLayout::of(&file);
                let config = dino_config(&file)?;
                Box::new(file.load(self.device, |weights| DinoModel::new(weights, &config, layout))?)
            }
            Network::StructureFlow => {
                let config = description.config_of(network, library)?;
                Box::new(file.load(self.device, |weights| {
                    StructureFlow::new(weights, &config, flow_precision)
                })?)
            }
            Network::StructureDecoder => {
                let config = description.config_of(network, library)?;
                Box::new(file.load(self.device, |weights| {
                    StructureDecoder::new(weights, &config, decoder_kind)
                })?)
            }
            Network::ShapeFlow512 | Network::ShapeFlow1024 | Network::MaterialFlow512 | Network::MaterialFlow1024 => {
                let config = description.config_of(network, library)?;
                Box::new(file.load(self.device, |weights| SlatFlow::new(weights, &config, flow_precision))?)
            }
            Network::ShapeDecoder => {
                let config = description.config_of(network, library)?;
                Box::new(file.load(self.device, |weights| ShapeDecoder::new(weights, &config, decoder_kind))?)
            }
            Network::MaterialDecoder => {
                let config = description.config_of(network, library)?;
                Box::new(file.load(self.device, |weights| {
                    MaterialDecoder::new(weights, &config, decoder_kind)
                })?)
            }
        })
    }
}

/// Sizes from the description beside the weights, where it is one of the library transformers; else those of ViT-L/16.
fn dino_config(file: &Checkpoint) -> Result<DinoConfig> {
    let path = file.path().with_file_name("config.json");
    if path.is_file() {
        read_json(&path)
    } else {
        Ok(DinoConfig::default())
    }
}
