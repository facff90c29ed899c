use serde::{Deserialize, Serialize};

use crate::weights::Checkpoint;
use crate::{Result, TrellisError};

/// Whose names a file of weights uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DinoLayout {
    /// `facebook/dinov3-*` on the hub: queries, keys and values apart, with biases for queries and values.
    Transformers,
    /// `timm/vit_*_dinov3.*`: together, without biases.
    Timm,
}

impl DinoLayout {
    /// The layout of a file.
    pub fn of(file: &Checkpoint) -> Self {
        if file.has("cls_token") {
            Self::Timm
        } else {
            Self::Transformers
        }
    }
}

/// Sizes of the model, in the words of the library transformers. Defaults are those of ViT-L/16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DinoConfig {
    /// Channels of a token.
    pub hidden_size: i64,
    /// Layers.
    pub num_hidden_layers: i64,
    /// Heads of the attention.
    pub num_attention_heads: i64,
    /// Width of the feed-forward networks.
    pub intermediate_size: i64,
    /// Pixels along a patch's edge.
    pub patch_size: i64,
    /// Tokens that belong to no patch, beside the class token.
    pub num_register_tokens: i64,
    /// How much slower the slowest pair of channels turns.
    pub rope_theta: f64,
    /// Added to variances in norms.
    pub layer_norm_eps: f64,
}

impl Default for DinoConfig {
    fn default() -> Self {
        Self {
            hidden_size: 1024,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            intermediate_size: 4096,
            patch_size: 16,
            num_register_tokens: 4,
            rope_theta: 100.0,
            layer_norm_eps: 1e-5,
        }
    }
}

impl DinoConfig {
    pub(super) fn check(&self) -> Result<()> {
        let sizes = [
            self.hidden_size,
            self.num_attention_heads,
            self.intermediate_size,
            self.patch_size,
        ];
        let are_sound = sizes.iter().all(|&size| size > 0)
            && (0..=1000).contains(&self.num_hidden_layers)
            && self.num_register_tokens >= 0
            && self.hidden_size % (4 * self.num_attention_heads) == 0;
        if are_sound {
            return Ok(());
        }
        Err(TrellisError::Invalid(
            "DINOv3's description has sizes that do not fit together".to_owned(),
        ))
    }
}
