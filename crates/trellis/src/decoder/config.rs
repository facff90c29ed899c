use serde::{Deserialize, Serialize};

use crate::{Result, TrellisError};

/// Widths and depths of a decoder, as its description names them (`ckpts/*_dec_*.json`, `args`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoderConfig {
    /// Channels of each level, from the coarsest to the finest.
    #[serde(rename = "model_channels")]
    pub channels: Vec<i64>,
    /// Blocks of each level, the one that leads to the next level not counted.
    #[serde(rename = "num_blocks")]
    pub num_blocks: Vec<usize>,
    /// Channels of the latent.
    pub latent_channels: i64,
}

impl DecoderConfig {
    /// That of the released decoders, for shape and for material (`configs/scvae` of microsoft/TRELLIS.2).
    pub fn released() -> Self {
        Self {
            channels: vec![1024, 512, 256, 128, 64],
            num_blocks: vec![4, 16, 8, 4, 0],
            latent_channels: 32,
        }
    }

    /// The narrowest that still has every part: for tests, and for [`crate::random_set`].
    pub fn tiny() -> Self {
        Self {
            channels: vec![32, 16, 8, 8, 8],
            num_blocks: vec![1, 2, 1, 1, 0],
            latent_channels: 6,
        }
    }

    /// How many times finer the voxels are than the latent's, along an axis.
    pub fn upsampling(&self) -> i64 {
        1 << self.channels.len().saturating_sub(1)
    }

    /// # Errors
    /// Says what makes no sense.
    pub fn check(&self) -> Result<()> {
        let wrong = |reason: String| Err(TrellisError::Invalid(format!("This decoder cannot be built: {reason}")));
        if self.channels.is_empty() || self.channels.len() != self.num_blocks.len() || self.channels.len() > 8 {
            return wrong(format!(
                "it has {} widths and {} depths",
                self.channels.len(),
                self.num_blocks.len()
            ));
        }
        if self.latent_channels < 1 || self.channels.iter().any(|&width| width < 1) {
            return wrong("a width is zero".to_owned());
        }
        for pair in self.channels.windows(2) {
            if pair[0] % 8 != 0 || pair[1] % (pair[0] / 8) != 0 {
                return wrong(format!(
                    "{} channels do not become {} in eight children",
                    pair[0], pair[1]
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_description_is_understood() {
        let args = r#"{"resolution": 256, "model_channels": [1024, 512, 256, 128, 64], "latent_channels": 32,
            "num_blocks": [4, 16, 8, 4, 0], "block_type": ["SparseConvNeXtBlock3d"], "use_fp16": true}"#;
        let config: DecoderConfig = serde_json::from_str(args).expect("a description");
        assert_eq!(config, DecoderConfig::released());
        config.check().expect("it makes sense");
        assert_eq!(config.upsampling(), 16);
    }

    #[test]
    fn nonsense_is_refused() {
        let broken: [fn(&mut DecoderConfig); 4] = [
            |config| config.channels.clear(),
            |config| config.num_blocks.push(1),
            |config| config.channels[1] = 100,
            |config| config.latent_channels = 0,
        ];
        for break_it in broken {
            let mut config = DecoderConfig::released();
            break_it(&mut config);
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
