use tch::{Kind, Tensor};

use super::{Linear, MultiHeadRmsNorm, Precision, Rotation, TokenRows};
use crate::Result;
use crate::kernels::query_key;
use crate::weights::Weights;

/// Attention without a mask, whose scores are never written to memory: `[batch, tokens, heads, head_dim]` each, to
/// `[batch, tokens, heads * head_dim]`.
pub fn attend(query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor> {
    let heads_first = |x: &Tensor| x.f_transpose(1, 2);
    let (query, key, value) = (heads_first(query)?, heads_first(key)?, heads_first(value)?);
    let attended =
        Tensor::f_scaled_dot_product_attention::<Tensor>(&query, &key, &value, None, 0.0, false, None, false)?;
    Ok(attended.f_transpose(1, 2)?.f_flatten(2, 3)?)
}

/// Attention among tokens, with queries and keys of equal length that know where they are.
/// Upstream: `modules/attention/modules.py`, `MultiHeadAttention` of type `self`.
pub struct SelfAttention {
    to_qkv: Linear,
    query_norm: Option<MultiHeadRmsNorm>,
    key_norm: Option<MultiHeadRmsNorm>,
    /// Factors of queries and keys together, `[2 * heads, head_dim]`, for the kernel that does both.
    factors: Option<Tensor>,
    to_out: Linear,
    num_heads: i64,
}

impl SelfAttention {
    /// `weights` has `to_qkv`, `to_out`, and `q_rms_norm` and `k_rms_norm` where they are used.
    pub fn new(
        weights: &Weights<'_>,
        channels: i64,
        num_heads: i64,
        has_norms: bool,
        precision: impl Into<Precision>,
    ) -> Result<Self> {
        let precision = precision.into();
        let norm = |name| {
            let norm = || MultiHeadRmsNorm::new(&weights.at(name), num_heads, channels / num_heads);
            has_norms.then(norm).transpose()
        };
        let (query_norm, key_norm) = (norm("q_rms_norm")?, norm("k_rms_norm")?);
        let factors = match (&query_norm, &key_norm) {
            (Some(query), Some(key)) => Some(Tensor::f_cat(&[query.factors(), key.factors()], 0)?),
            _ => None,
        };
        Ok(Self {
            to_qkv: Linear::new(&weights.at("to_qkv"), channels, 3 * channels, precision)?,
            query_norm,
            key_norm,
            factors,
            to_out: Linear::new(&weights.at("to_out"), channels, channels, precision)?,
            num_heads,
        })
    }

    /// Whether it takes rows in 8 bits.
    pub fn is_eight_bit(&self) -> bool {
        self.to_qkv.is_eight_bit()
    }

    /// `[batch, tokens, channels]` to the same.
    pub fn forward(&self, rows: &TokenRows, rotation: Option<&Rotation>) -> Result<Tensor> {
        let qkv = self.to_qkv.forward_rows(rows)?;
        let (batch, num_tokens, channels) = qkv.size3()?;
        let head_dim = channels / 3 / self.num_heads;
        let vectors = qkv.f_view([batch * num_tokens, 3 * self.num_heads, head_dim])?;
        let qkv = qkv.f_view([batch, num_tokens, 3, self.num_heads, head_dim])?;
        let (query, key) = if self.prepared_by_kernel(&vectors, rotation)? {
            (qkv.f_select(2, 0)?, qkv.f_select(2, 1)?)
        } else {
            let prepared = |place, norm: &Option<MultiHeadRmsNorm>| -> Result<Tensor> {
                let x = qkv.f_select(2, place)?;
                let kind = x.f_kind()?;
                // Upstream rounds after the norm too.
                let x = norm.as_ref().map_or(Ok(x.shallow_clone()), |norm| norm.forward(&x))?;
                let x = x.f_to_kind(kind)?;
                match rotation {
                    Some(rotation) => Ok(rotation.forward(&x.f_to_kind(Kind::Float)?)?.f_to_kind(kind)?),
                    None => Ok(x),
                }
            };
            (prepared(0, &self.query_norm)?, prepared(1, &self.key_norm)?)
        };
        self.to_out.forward(&attend(&query, &key, &qkv.f_select(2, 2)?)?)
    }

    /// Normalizes and turns queries and keys among `vectors` `[rows, 3 * heads, head_dim]` in place, where there is a kernel.
    fn prepared_by_kernel(&self, vectors: &Tensor, rotation: Option<&Rotation>) -> Result<bool> {
        let Some(factors) = &self.factors else { return Ok(false) };
        let pairs = rotation.map(Rotation::pairs).transpose()?;
        query_key(vectors, factors, pairs.as_ref())
    }
}

/// What a [`CrossAttention`] looks at, prepared once for all steps.
pub enum Condition {
    /// Keys and values of condition tokens, `[1, condition tokens, heads, head_dim]` each.
    Tokens(Tensor, Tensor),
    /// What comes out when all condition tokens are zero, `[1, 1, channels]`: keys are then all the same, so that every
    /// query gets the one value, whatever it asks.
    Nothing(Tensor),
}

/// Attention of tokens to those of a condition.
/// Upstream: `modules/attention/modules.py`, `MultiHeadAttention` of type `cross`.
pub struct CrossAttention {
    to_q: Linear,
    to_kv: Linear,
    query_norm: Option<MultiHeadRmsNorm>,
    key_norm: Option<MultiHeadRmsNorm>,
    to_out: Linear,
    num_heads: i64,
}

impl CrossAttention {
    /// `weights` has `to_q`, `to_kv`, `to_out`, and `q_rms_norm` and `k_rms_norm` where they are used.
    pub fn new(
        weights: &Weights<'_>,
        channels: i64,
        condition_channels: i64,
        num_heads: i64,
        has_norms: bool,
        precision: impl Into<Precision>,
    ) -> Result<Self> {
        let precision = precision.into();
        let norm = |name| {
            let norm = || MultiHeadRmsNorm::new(&weights.at(name), num_heads, channels / num_heads);
            has_norms.then(norm).transpose()
        };
        Ok(Self {
            to_q: Linear::new(&weights.at("to_q"), channels, channels, precision)?,
            // Computed once a stage: nothing is won with fewer bits.
            to_kv: Linear::new(&weights.at("to_kv"), condition_channels, 2 * channels, precision.kind)?,
            query_norm: norm("q_rms_norm")?,
            key_norm: norm("k_rms_norm")?,
            to_out: Linear::new(&weights.at("to_out"), channels, channels, precision)?,
            num_heads,
        })
    }

    /// Condition tokens `[1, condition tokens, condition channels]`, in the kind of the weights.
    pub fn condition(&self, tokens: &Tensor) -> Result<Condition> {
        let both = self.to_kv.forward(tokens)?;
        let (batch, num_tokens, channels) = both.size3()?;
        let head_dim = channels / 2 / self.num_heads;
        let both = both.f_view([batch, num_tokens, 2, self.num_heads, head_dim])?;
        let key = normalized(&both.f_select(2, 0)?, self.key_norm.as_ref())?;
        let value = both.f_select(2, 1)?.f_contiguous()?;
        Ok(Condition::Tokens(key, value))
    }

    /// The condition whose tokens are all zero, as models are trained with to know what a picture adds.
    pub fn no_condition(&self) -> Result<Condition> {
        let value = self.to_kv.bias().map(|bias| bias.f_chunk(2, 0)).transpose()?;
        let value = value.and_then(|mut halves| halves.pop()).ok_or_else(|| {
            crate::TrellisError::Invalid("A cross-attention without a bias has no value to give".to_owned())
        })?;
        let value = value.f_unsqueeze(0)?.f_unsqueeze(0)?;
        Ok(Condition::Nothing(self.to_out.forward(&value)?))
    }

    /// `[batch, tokens, channels]` to the same, or to `[1, 1, channels]` where there is nothing to look at.
    pub fn forward(&self, rows: &TokenRows, condition: &Condition) -> Result<Tensor> {
        let (key, value) = match condition {
            Condition::Nothing(out) => return Ok(out.shallow_clone()),
            Condition::Tokens(key, value) => (key, value),
        };
        let query = self.to_q.forward_rows(rows)?;
        let (batch, num_tokens, channels) = query.size3()?;
        let query = query.f_view([batch, num_tokens, self.num_heads, channels / self.num_heads])?;
        let query = normalized(&query, self.query_norm.as_ref())?;
        self.to_out.forward(&attend(&query, key, value)?)
    }
}

/// Queries or keys `[batch, tokens, heads, head_dim]` after their norm, in their own kind; perhaps in the same place.
fn normalized(x: &Tensor, norm: Option<&MultiHeadRmsNorm>) -> Result<Tensor> {
    let x = x.f_contiguous()?;
    let Some(norm) = norm else { return Ok(x) };
    if query_key(&x.f_flatten(0, 1)?, norm.factors(), None)? {
        return Ok(x);
    }
    Ok(norm.forward(&x)?.f_to_kind(x.f_kind()?)?)
}
