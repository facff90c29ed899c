use tch::{Kind, Tensor};

use super::block::Block;
use super::rotary::PatchRotation;
use super::{DinoConfig, DinoLayout};
use crate::layers::plain_layer_norm;
use crate::weights::Weights;
use crate::{Result, TrellisError};

const HEAD_EPSILON: f64 = 1e-5;
/// Of the pictures that it was trained with.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// The vision transformer, in f32.
pub struct DinoModel {
    patch_weight: Tensor, // [width, 3, patch, patch]
    patch_bias: Tensor,
    /// The class token and the registers, `[1, 1 + registers, width]`.
    prefix: Tensor,
    blocks: Vec<Block>,
    config: DinoConfig,
}

impl DinoModel {
    /// Builds the model from a file of either layout.
    pub fn new(weights: &Weights<'_>, config: &DinoConfig, layout: DinoLayout) -> Result<Self> {
        config.check()?;
        let (width, patch, registers) = (config.hidden_size, config.patch_size, config.num_register_tokens);
        let (root, patches, class, register, layers) = match layout {
            DinoLayout::Timm => (
                weights.clone(),
                weights.at("patch_embed.proj"),
                "cls_token",
                "reg_token",
                "blocks",
            ),
            DinoLayout::Transformers => {
                let root = weights.at("embeddings");
                let patches = root.at("patch_embeddings");
                (root, patches, "cls_token", "register_tokens", "layer")
            }
        };
        // The last norm of the model's own, and what stands for hidden patches in training.
        weights.skip("norm.weight");
        weights.skip("norm.bias");
        root.skip("mask_token");
        let class = root.tensor(class, &[1, 1, width], Kind::Float)?;
        let registers = root.tensor(register, &[1, registers, width], Kind::Float)?;
        let layer = |index| Block::new(&weights.at(layers).at(index), config, layout);
        Ok(Self {
            patch_weight: patches.tensor("weight", &[width, 3, patch, patch], Kind::Float)?,
            patch_bias: patches.tensor("bias", &[width], Kind::Float)?,
            prefix: Tensor::f_cat(&[class, registers], 1)?,
            blocks: (0..config.num_hidden_layers).map(layer).collect::<Result<_>>()?,
            config: config.clone(),
        })
    }

    /// A picture `[1, 3, height, width]` in sRGB from 0 to 1, f32, as the model sees it.
    pub fn normalized(picture: &Tensor) -> Result<Tensor> {
        let channels = |values: &[f32; 3]| {
            Tensor::f_from_slice(values)?
                .f_view([1, 3, 1, 1])?
                .f_to_device(picture.device())
        };
        Ok(picture.f_sub(&channels(&MEAN)?)?.f_div_(&channels(&DEVIATION)?)?)
    }

    /// A normalized picture `[1, 3, height, width]` to `[1, 1 + registers + patches, channels]`: the class token, the registers,
    /// and the patches row by row.
    ///
    /// # Errors
    /// [`TrellisError::Invalid`] for a picture that does not consist of whole patches.
    pub fn forward(&self, picture: &Tensor) -> Result<Tensor> {
        let patch = self.config.patch_size;
        let (batch, _, height, width) = picture.size4()?;
        if height % patch != 0 || width % patch != 0 || height == 0 || width == 0 {
            let reason = format!("A picture of {width} x {height} pixels does not consist of patches of {patch}");
            return Err(TrellisError::Invalid(reason));
        }
        let patches = picture.f_conv2d(
            &self.patch_weight,
            Some(&self.patch_bias),
            [patch; 2],
            [0; 2],
            [1; 2],
            1,
        )?;
        let patches = patches.f_flatten(2, 3)?.f_transpose(1, 2)?;
        let prefix = self.prefix.f_expand([batch, -1, -1], false)?;
        let mut x = Tensor::f_cat(&[prefix, patches], 1)?;
        let head_dim = self.config.hidden_size / self.config.num_attention_heads;
        let theta = self.config.rope_theta;
        let rotation = PatchRotation::new(height / patch, width / patch, head_dim, theta, picture.device())?;
        for block in &self.blocks {
            block.forward(&mut x, &rotation)?;
        }
        plain_layer_norm(&x, HEAD_EPSILON)
    }
}
