use tch::{Kind, Tensor};

use super::rotary::PatchRotation;
use super::{DinoConfig, DinoLayout};
use crate::Result;
use crate::layers::{LayerNorm, Linear};
use crate::weights::Weights;

/// Attention and a feed-forward network, each beside an identity and weighed channel by channel.
pub(super) struct Block {
    attention_norm: LayerNorm,
    qkv: Linear,
    projection: Linear,
    attention_scale: Tensor,
    feed_forward_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    feed_forward_scale: Tensor,
    num_heads: i64,
}

/// Names of a block's tensors.
struct Names {
    projection: &'static str,
    attention_scale: &'static str,
    widen: &'static str,
    narrow: &'static str,
    feed_forward_scale: &'static str,
}

impl Names {
    fn of(layout: DinoLayout) -> Self {
        match layout {
            DinoLayout::Transformers => Self {
                projection: "attention.o_proj",
                attention_scale: "layer_scale1.lambda1",
                widen: "mlp.up_proj",
                narrow: "mlp.down_proj",
                feed_forward_scale: "layer_scale2.lambda1",
            },
            DinoLayout::Timm => Self {
                projection: "attn.proj",
                attention_scale: "gamma_1",
                widen: "mlp.fc1",
                narrow: "mlp.fc2",
                feed_forward_scale: "gamma_2",
            },
        }
    }
}

impl Block {
    pub(super) fn new(weights: &Weights<'_>, config: &DinoConfig, layout: DinoLayout) -> Result<Self> {
        let (width, hidden) = (config.hidden_size, config.intermediate_size);
        let names = Names::of(layout);
        let norm = |name| LayerNorm::new(&weights.at(name), width, config.layer_norm_eps, Kind::Float);
        let linear = |name, inputs, outputs| Linear::new(&weights.at(name), inputs, outputs, Kind::Float);
        let scale = |name| weights.tensor(name, &[width], Kind::Float);
        Ok(Self {
            attention_norm: norm("norm1")?,
            qkv: qkv(weights, width, layout)?,
            projection: linear(names.projection, width, width)?,
            attention_scale: scale(names.attention_scale)?,
            feed_forward_norm: norm("norm2")?,
            widen: linear(names.widen, width, hidden)?,
            narrow: linear(names.narrow, hidden, width)?,
            feed_forward_scale: scale(names.feed_forward_scale)?,
            num_heads: config.num_attention_heads,
        })
    }

    /// Changes tokens `[batch, tokens, width]`.
    pub(super) fn forward(&self, x: &mut Tensor, rotation: &PatchRotation) -> Result<()> {
        let attended = self.attend(&self.attention_norm.forward(x)?, rotation)?;
        let _ = x.f_addcmul_(&attended, &self.attention_scale)?;
        let hidden = self
            .widen
            .forward(&self.feed_forward_norm.forward(x)?)?
            .f_gelu_("none")?;
        let _ = x.f_addcmul_(&self.narrow.forward(&hidden)?, &self.feed_forward_scale)?;
        Ok(())
    }

    fn attend(&self, x: &Tensor, rotation: &PatchRotation) -> Result<Tensor> {
        let (batch, num_tokens, width) = x.size3()?;
        let heads = [batch, num_tokens, 3, self.num_heads, width / self.num_heads];
        let qkv = self.qkv.forward(x)?.f_view(heads)?.f_permute([2, 0, 3, 1, 4])?;
        let (query, key) = (rotation.forward(&qkv.f_get(0)?)?, rotation.forward(&qkv.f_get(1)?)?);
        let value = qkv.f_get(2)?;
        let attended =
            Tensor::f_scaled_dot_product_attention::<Tensor>(&query, &key, &value, None, 0.0, false, None, false)?;
        self.projection.forward(&attended.f_transpose(1, 2)?.f_flatten(2, 3)?)
    }
}

/// The projection to queries, keys and values.
fn qkv(weights: &Weights<'_>, width: i64, layout: DinoLayout) -> Result<Linear> {
    match layout {
        DinoLayout::Timm => {
            let weight = weights.tensor("attn.qkv.weight", &[3 * width, width], Kind::Float)?;
            Ok(Linear::of(weight, None))
        }
        DinoLayout::Transformers => {
            let attention = weights.at("attention");
            let weight = |name: &str| attention.at(name).tensor("weight", &[width, width], Kind::Float);
            let bias = |name: &str| attention.at(name).tensor("bias", &[width], Kind::Float);
            let (query_bias, value_bias) = (bias("q_proj")?, bias("v_proj")?);
            let no_bias = query_bias.f_zeros_like()?;
            let weight = Tensor::f_cat(&[weight("q_proj")?, weight("k_proj")?, weight("v_proj")?], 0)?;
            Ok(Linear::of(
                weight,
                Some(Tensor::f_cat(&[query_bias, no_bias, value_bias], 0)?),
            ))
        }
    }
}
