use crate::weights::{Checkpoint, WeightsError};

/// Far beyond any network of this kind.
const MOST_BLOCKS: usize = 1000;

/// Widths and depths of a BiRefNet over a Swin transformer. They are read off the weights: the files' own descriptions name
/// the backbone alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BiRefNetConfig {
    /// Channels of the backbone's first stage; each further stage has twice as many.
    pub embedding: i64,
    /// Blocks of each of the four stages.
    pub depths: [usize; 4],
    /// Attention heads of each stage.
    pub num_heads: [i64; 4],
    /// Side of the attention's windows, in tokens.
    pub window: i64,
    /// Channels inside a block of the decoder.
    pub inner: i64,
    /// Channels of each branch of the pyramid pooling in it.
    pub branch: i64,
    /// Channels inside the convolutions that look at the picture itself.
    pub picture: i64,
    /// Channels of the maps that say where outlines are.
    pub outline: i64,
}

impl BiRefNetConfig {
    /// That of `ZhengPeng7/BiRefNet` and `briaai/RMBG-2.0`, over Swin-L.
    pub fn released() -> Self {
        Self {
            embedding: 192,
            depths: [2, 2, 18, 2],
            num_heads: [6, 12, 24, 48],
            window: 12,
            inner: 64,
            branch: 256,
            picture: 64,
            outline: 16,
        }
    }

    /// The narrowest that still has every part: for tests, and for [`crate::random_set`].
    pub fn tiny() -> Self {
        Self {
            embedding: 8,
            depths: [2, 2, 4, 2],
            num_heads: [1, 2, 4, 8],
            window: 3,
            inner: 4,
            branch: 12,
            picture: 2,
            outline: 4,
        }
    }

    /// Reads widths and depths off a file's shapes. Whether everything else fits is seen when it is loaded.
    ///
    /// # Errors
    /// [`WeightsError::MissingKey`] when the file holds something else.
    pub fn of(checkpoint: &Checkpoint) -> Result<Self, WeightsError> {
        let length = |key: &str, axis: usize| {
            let shape = checkpoint.shape(key);
            shape
                .and_then(|shape| shape.get(axis).copied())
                .ok_or_else(|| WeightsError::MissingKey {
                    path: checkpoint.path().to_owned(),
                    key: key.to_owned(),
                })
        };
        let table = |stage: usize, axis| {
            let key = format!("bb.layers.{stage}.blocks.0.attn.relative_position_bias_table");
            length(&key, axis)
        };
        let depth = |stage: usize| {
            let has = |block: &usize| checkpoint.has(&format!("bb.layers.{stage}.blocks.{block}.norm1.weight"));
            (0..=MOST_BLOCKS).take_while(has).count()
        };
        // The table has an entry for each of (2 w - 1)^2 offsets.
        let window = (table(0, 0)?.max(1).isqrt() + 1) / 2;
        Ok(Self {
            embedding: length("bb.patch_embed.proj.weight", 0)?,
            depths: std::array::from_fn(depth),
            num_heads: [table(0, 1)?, table(1, 1)?, table(2, 1)?, table(3, 1)?],
            window,
            inner: length("decoder.decoder_block4.conv_in.weight", 0)?,
            branch: length(
                "decoder.decoder_block4.dec_att.aspp1.atrous_conv.regular_conv.weight",
                0,
            )?,
            picture: length("decoder.ipt_blk5.conv1.weight", 0)?,
            outline: length("decoder.gdt_convs_4.0.weight", 0)?,
        })
    }

    /// Channels of a stage's output, which comes from two scales of the picture.
    pub(super) fn stage_channels(&self, stage: usize) -> i64 {
        self.embedding << (stage + 1)
    }
}
