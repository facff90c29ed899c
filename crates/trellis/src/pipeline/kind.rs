use crate::networks::Network;

/// How the pipeline runs, by upstream's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PipelineKind {
    /// 512 voxels along an edge.
    Direct512,
    /// 1024, from a structure of 64³ voxels.
    Direct1024,
    /// 1024, by way of a shape at 512.
    Cascade1024,
    /// Up to 1536, by way of a shape at 512.
    Cascade1536,
}

/// Which of the two models for shape, or for material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowSize {
    /// For latents of 32³ voxels, looking at a picture of 512 pixels.
    Flow512,
    /// For finer ones, looking at 1024 pixels.
    Flow1024,
}

impl PipelineKind {
    /// All of them, cheapest first.
    pub const ALL: [Self; 4] = [Self::Direct512, Self::Direct1024, Self::Cascade1024, Self::Cascade1536];

    /// Upstream's name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Direct512 => "512",
            Self::Direct1024 => "1024",
            Self::Cascade1024 => "1024_cascade",
            Self::Cascade1536 => "1536_cascade",
        }
    }

    /// The kind of this name.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Voxels along an edge of the structure.
    pub fn structure_resolution(self) -> i64 {
        if self == Self::Direct1024 { 64 } else { 32 }
    }

    /// Voxels along an edge of the result, at most.
    pub fn resolution(self) -> u32 {
        match self {
            Self::Direct512 => 512,
            Self::Direct1024 | Self::Cascade1024 => 1024,
            Self::Cascade1536 => 1536,
        }
    }

    /// Whether there is a coarse shape first.
    pub fn is_cascade(self) -> bool {
        matches!(self, Self::Cascade1024 | Self::Cascade1536)
    }

    /// The models that make the final latents.
    pub fn size(self) -> FlowSize {
        if self == Self::Direct512 {
            FlowSize::Flow512
        } else {
            FlowSize::Flow1024
        }
    }

    /// Every network that it takes, but the one that cuts objects out.
    pub fn networks(self) -> Vec<Network> {
        let mut networks = vec![Network::Dino, Network::StructureFlow, Network::StructureDecoder];
        if self.is_cascade() {
            networks.push(Network::ShapeFlow512);
        }
        networks.extend([self.size().shape_flow(), self.size().material_flow()]);
        networks.extend([Network::ShapeDecoder, Network::MaterialDecoder]);
        networks
    }
}

impl FlowSize {
    /// Pixels along an edge of the picture that it looks at.
    pub fn picture_px(self) -> u32 {
        match self {
            Self::Flow512 => 512,
            Self::Flow1024 => 1024,
        }
    }

    /// Its model for shape.
    pub fn shape_flow(self) -> Network {
        match self {
            Self::Flow512 => Network::ShapeFlow512,
            Self::Flow1024 => Network::ShapeFlow1024,
        }
    }

    /// Its model for material.
    pub fn material_flow(self) -> Network {
        match self {
            Self::Flow512 => Network::MaterialFlow512,
            Self::Flow1024 => Network::MaterialFlow1024,
        }
    }
}
