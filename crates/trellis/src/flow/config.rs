use serde::{Deserialize, Serialize};

use crate::layers::BlockSizes;
use crate::{Result, TrellisError};

/// Arguments of a flow transformer, as the JSON file beside its weights names them. The defaults are upstream's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowConfig {
    /// Voxels along an edge of the cube; unused where voxels are sparse.
    pub resolution: i64,
    /// Channels of a token that go in.
    pub in_channels: i64,
    /// Channels of a token inside.
    pub model_channels: i64,
    /// Channels of a token of the condition.
    pub cond_channels: i64,
    /// Channels of a token that come out.
    pub out_channels: i64,
    /// Transformer blocks.
    pub num_blocks: i64,
    /// Heads of the attentions; else as many as have `num_head_channels` channels.
    #[serde(default)]
    pub num_heads: Option<i64>,
    /// Channels of a head, where `num_heads` is not given.
    #[serde(default = "default_head_channels")]
    pub num_head_channels: Option<i64>,
    /// Width of the feed-forward network, as a multiple of the token's.
    #[serde(default = "default_mlp_ratio")]
    pub mlp_ratio: f64,
    /// How tokens know where they are; `rope` is the only kind that is released.
    #[serde(default)]
    pub pe_mode: String,
    /// Turn of the fastest pair of channels a voxel, and how much slower the slowest is.
    #[serde(default = "default_rope_freq")]
    pub rope_freq: (f64, f64),
    /// Whether all blocks share the timestep's network; released ones do.
    #[serde(default)]
    pub share_mod: bool,
    /// Whether queries and keys of the self-attention are normalized.
    #[serde(default)]
    pub qk_rms_norm: bool,
    /// Whether those of the cross-attention are.
    #[serde(default)]
    pub qk_rms_norm_cross: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "a description may leave it out or say null")]
fn default_head_channels() -> Option<i64> {
    Some(64)
}

fn default_mlp_ratio() -> f64 {
    4.0
}

fn default_rope_freq() -> (f64, f64) {
    (1.0, 10_000.0)
}

impl FlowConfig {
    /// That of the released models (`configs/gen` of microsoft/TRELLIS.2), for these channels: 8 and 8 for the structure, 32 and
    /// 32 for the shape, 64 and 32 for the material.
    pub fn released(in_channels: i64, out_channels: i64) -> Self {
        Self {
            resolution: 16,
            in_channels,
            model_channels: 1536,
            cond_channels: 1024,
            out_channels,
            num_blocks: 30,
            num_heads: Some(12),
            num_head_channels: default_head_channels(),
            mlp_ratio: 5.3334,
            pe_mode: "rope".to_owned(),
            rope_freq: default_rope_freq(),
            share_mod: true,
            qk_rms_norm: true,
            qk_rms_norm_cross: true,
        }
    }

    /// Operations of one evaluation: linear layers, self-attention and cross-attention.
    pub fn operations(&self, num_tokens: f64, num_condition_tokens: f64) -> f64 {
        let (width, blocks) = (self.model_channels as f64, self.num_blocks as f64);
        let linear = 2.0 * num_tokens * width * width * (6.0 + 2.0 * self.mlp_ratio);
        let attention = 4.0 * num_tokens * (num_tokens + num_condition_tokens) * width;
        blocks * (linear + attention)
    }

    /// Sizes of the blocks.
    ///
    /// # Errors
    /// [`TrellisError::Invalid`] for sizes that do not fit together, and for kinds of models that were never released.
    pub fn block_sizes(&self) -> Result<BlockSizes> {
        let invalid = |reason: &str| Err(TrellisError::Invalid(reason.to_owned()));
        if self.pe_mode != "rope" || !self.share_mod {
            return invalid("The flow model knows positions or timesteps in a way that is not supported");
        }
        let by_channels = self.num_head_channels.filter(|&channels| channels > 0);
        let num_heads = self
            .num_heads
            .or(by_channels.map(|channels| self.model_channels / channels));
        let sizes = [
            self.model_channels,
            self.in_channels,
            self.out_channels,
            self.cond_channels,
            self.resolution,
        ];
        let num_heads = num_heads.unwrap_or_default();
        if sizes.iter().any(|&size| size <= 0) || !(0..=1000).contains(&self.num_blocks) || num_heads <= 0 {
            return invalid("The flow model's description has a size that is not positive");
        }
        let head_dim = self.model_channels / num_heads;
        if self.model_channels % num_heads != 0 || head_dim % 2 != 0 || head_dim < 6 {
            return invalid("The flow model's description has heads that do not share its channels evenly");
        }
        Ok(BlockSizes {
            channels: self.model_channels,
            condition_channels: self.cond_channels,
            num_heads,
            hidden: (self.model_channels as f64 * self.mlp_ratio) as i64,
            has_norms: self.qk_rms_norm,
            has_cross_norms: self.qk_rms_norm_cross,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released() -> serde_json::Value {
        serde_json::json!({
            "resolution": 16, "in_channels": 8, "out_channels": 8, "model_channels": 1536, "cond_channels": 1024,
            "num_blocks": 30, "num_heads": 12, "mlp_ratio": 5.3334, "pe_mode": "rope", "share_mod": true,
            "initialization": "scaled", "qk_rms_norm": true, "qk_rms_norm_cross": true, "dtype": "bfloat16"
        })
    }

    fn sizes_with(key: &str, value: serde_json::Value) -> Result<BlockSizes> {
        let mut json = released();
        json[key] = value;
        serde_json::from_value::<FlowConfig>(json)
            .expect("a description")
            .block_sizes()
    }

    #[test]
    fn the_released_description_is_understood() {
        let sizes = sizes_with("resolution", 16.into()).expect("released");
        assert_eq!((sizes.channels, sizes.num_heads, sizes.hidden), (1536, 12, 8192));
        let by_width = sizes_with("num_heads", serde_json::Value::Null).expect("upstream's default");
        assert_eq!(by_width.num_heads, 24);
    }

    #[test]
    fn descriptions_that_make_no_sense_are_refused() {
        for (key, value) in [
            ("num_heads", 7.into()),
            ("num_heads", 0.into()),
            ("model_channels", (-4).into()),
            ("num_blocks", (-1).into()),
            ("pe_mode", "ape".into()),
            ("share_mod", false.into()),
        ] {
            assert!(sizes_with(key, value).is_err(), "{key}");
        }
    }
}
