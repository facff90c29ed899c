use crate::birefnet::BiRefNetConfig;
use crate::decoder::DecoderConfig;
use crate::dino::DinoConfig;
use crate::flow::FlowConfig;
use crate::structure::StructureDecoderConfig;

/// How large the networks of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Narrow: the whole engine runs in seconds on a processor. 2 MB.
    Tiny,
    /// As released: for times and memory. 16 GB.
    Released,
}

impl Size {
    /// Channels of a latent of shape or material.
    pub(super) fn latent_channels(self) -> i64 {
        self.decoder().latent_channels
    }

    /// Channels of a structure's latent.
    pub(super) fn structure_latent_channels(self) -> i64 {
        self.structure_decoder().latent_channels
    }

    pub(super) fn flow(self, resolution: i64, in_channels: i64, out_channels: i64) -> FlowConfig {
        let released = FlowConfig {
            resolution,
            ..FlowConfig::released(in_channels, out_channels)
        };
        match self {
            Self::Released => released,
            Self::Tiny => FlowConfig {
                model_channels: 24,
                cond_channels: self.dino().hidden_size,
                num_blocks: 2,
                num_heads: Some(2),
                mlp_ratio: 2.0,
                ..released
            },
        }
    }

    pub(super) fn structure_decoder(self) -> StructureDecoderConfig {
        match self {
            Self::Released => StructureDecoderConfig::released(),
            Self::Tiny => StructureDecoderConfig {
                channels: vec![16, 8, 8],
                num_res_blocks: 1,
                num_res_blocks_middle: 1,
                ..StructureDecoderConfig::released()
            },
        }
    }

    pub(super) fn decoder(self) -> DecoderConfig {
        match self {
            Self::Released => DecoderConfig::released(),
            Self::Tiny => DecoderConfig::tiny(),
        }
    }

    /// Children of each voxel, level by level: surfaces of objects have about four.
    pub(super) fn num_children(self) -> [usize; 4] {
        match self {
            Self::Released => [4; 4],
            Self::Tiny => [2, 2, 4, 4],
        }
    }

    pub(super) fn dino(self) -> DinoConfig {
        match self {
            Self::Released => DinoConfig::default(),
            Self::Tiny => DinoConfig {
                hidden_size: 16,
                num_hidden_layers: 2,
                num_attention_heads: 2,
                intermediate_size: 32,
                ..DinoConfig::default()
            },
        }
    }

    pub(super) fn birefnet(self) -> BiRefNetConfig {
        match self {
            Self::Released => BiRefNetConfig::released(),
            Self::Tiny => BiRefNetConfig::tiny(),
        }
    }
}
