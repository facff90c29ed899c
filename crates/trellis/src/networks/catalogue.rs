use crate::weights::Download;

/// The repository that the pipeline is in.
pub const TRELLIS2: &str = "microsoft/TRELLIS.2-4B";
/// DINOv3 for anyone. Its maker's own repository asks for permission first.
const DINO_FOR_ALL: &str = "timm/vit_large_patch16_dinov3.lvd1689m";
/// BiRefNet for any use.
const BIREFNET_FOR_ALL: &str = "ZhengPeng7/BiRefNet";

/// A network of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// Cuts the object out.
    BiRefNet,
    /// Looks at the picture.
    Dino,
    /// Noise to the structure's latent.
    StructureFlow,
    /// The structure's latent to voxels.
    StructureDecoder,
    /// Noise to the shape's latent, on 32³ voxels.
    ShapeFlow512,
    /// The same on 64³ and more.
    ShapeFlow1024,
    /// Noise to the material's latent, on 32³ voxels.
    MaterialFlow512,
    /// The same on 64³ and more.
    MaterialFlow1024,
    /// The shape's latent to a surface.
    ShapeDecoder,
    /// The material's latent to materials.
    MaterialDecoder,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::BiRefNet,
        Self::Dino,
        Self::StructureFlow,
        Self::StructureDecoder,
        Self::ShapeFlow512,
        Self::ShapeFlow1024,
        Self::MaterialFlow512,
        Self::MaterialFlow1024,
        Self::ShapeDecoder,
        Self::MaterialDecoder,
    ];

    /// What it is, as an artist would call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::BiRefNet => "BiRefNet, which cuts objects out,",
            Self::Dino => "DINOv3, which looks at pictures,",
            Self::StructureFlow => "The structure model of TRELLIS.2",
            Self::StructureDecoder => "The structure decoder of TRELLIS.2",
            Self::ShapeFlow512 => "The shape model of TRELLIS.2 for 512",
            Self::ShapeFlow1024 => "The shape model of TRELLIS.2 for 1024 and more",
            Self::MaterialFlow512 => "The material model of TRELLIS.2 for 512",
            Self::MaterialFlow1024 => "The material model of TRELLIS.2 for 1024 and more",
            Self::ShapeDecoder => "The shape decoder of TRELLIS.2",
            Self::MaterialDecoder => "The material decoder of TRELLIS.2",
        }
    }

    /// Whether it is a flow, which 8-bit linear layers are for.
    pub fn is_flow(self) -> bool {
        matches!(
            self,
            Self::StructureFlow
                | Self::ShapeFlow512
                | Self::ShapeFlow1024
                | Self::MaterialFlow512
                | Self::MaterialFlow1024
        )
    }

    /// Its name in `pipeline.json`; none for those that are no part of the pipeline.
    pub fn pipeline_key(self) -> Option<&'static str> {
        match self {
            Self::BiRefNet | Self::Dino => None,
            Self::StructureFlow => Some("sparse_structure_flow_model"),
            Self::StructureDecoder => Some("sparse_structure_decoder"),
            Self::ShapeFlow512 => Some("shape_slat_flow_model_512"),
            Self::ShapeFlow1024 => Some("shape_slat_flow_model_1024"),
            Self::MaterialFlow512 => Some("tex_slat_flow_model_512"),
            Self::MaterialFlow1024 => Some("tex_slat_flow_model_1024"),
            Self::ShapeDecoder => Some("shape_slat_decoder"),
            Self::MaterialDecoder => Some("tex_slat_decoder"),
        }
    }

    /// Size of the released file.
    pub fn num_bytes(self) -> u64 {
        match self {
            Self::BiRefNet => 444_000_000,
            Self::Dino => 1_212_000_000,
            Self::StructureFlow => 2_584_426_920,
            Self::StructureDecoder => 147_591_972,
            Self::ShapeFlow512 | Self::ShapeFlow1024 => 2_584_574_424,
            Self::MaterialFlow512 | Self::MaterialFlow1024 => 2_584_672_728,
            Self::ShapeDecoder => 948_490_494,
            Self::MaterialDecoder => 948_458_812,
        }
    }

    /// Where a network comes from that is no part of the pipeline: what anyone may fetch first, then what the pipeline's
    /// description names.
    pub(super) fn repositories(self, named: &str) -> Vec<String> {
        let for_all = match self {
            Self::BiRefNet => BIREFNET_FOR_ALL,
            _ => DINO_FOR_ALL,
        };
        let mut repositories = vec![for_all.to_owned()];
        if named != for_all && named.split('/').count() == 2 {
            repositories.push(named.to_owned());
        }
        repositories
    }

    /// The file `suffix` (`.json` or `.safetensors`) of `stem`, in a repository.
    pub(super) fn download(self, repository: &str, file: String) -> Download {
        Download {
            what: self.label().to_owned(),
            repository: repository.to_owned(),
            num_bytes: if file.ends_with(".safetensors") {
                self.num_bytes()
            } else {
                0
            },
            file,
        }
    }
}
