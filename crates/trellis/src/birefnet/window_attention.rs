use tch::{Device, Kind, Tensor};

use crate::Result;
use crate::layers::Linear;
use crate::weights::Weights;

/// Tokens in windows: `[B, nH, w, nW, w, C]` before they are flattened, after the picture was rolled by the shift.
pub(super) struct Windows {
    /// `[B nH nW, w w, C]`
    tokens: Tensor,
    size: [i64; 4],
    window: i64,
    shift: i64,
}

impl Windows {
    /// `x`: `[B, H, W, C]`, height and width multiples of `window`.
    pub fn new(x: &Tensor, window: i64, shift: i64) -> Result<Self> {
        let (batch, height, width, channels) = x.size4()?;
        let x = if shift > 0 {
            x.f_roll([-shift, -shift], [1, 2])?
        } else {
            x.shallow_clone()
        };
        let x = x.f_view([batch, height / window, window, width / window, window, channels])?;
        Ok(Self {
            tokens: x
                .f_permute([0, 1, 3, 2, 4, 5])?
                .f_reshape([-1, window * window, channels])?,
            size: [batch, height, width, channels],
            window,
            shift,
        })
    }

    /// Puts tokens, `[B nH nW, w w, C]`, back to where they were: `[B, H, W, C]`.
    fn restored(&self, tokens: &Tensor) -> Result<Tensor> {
        let [batch, height, width, channels] = self.size;
        let window = self.window;
        let x = tokens.f_view([batch, height / window, width / window, window, window, channels])?;
        let x = x
            .f_permute([0, 1, 3, 2, 4, 5])?
            .f_reshape([batch, height, width, channels])?;
        if self.shift > 0 {
            Ok(x.f_roll([self.shift, self.shift], [1, 2])?)
        } else {
            Ok(x)
        }
    }

    /// Rolled windows hold pieces that were not beside each other: minus infinity between tokens of different pieces,
    /// `[nH nW, 1, w w, w w]`. `None` where there are none.
    fn mask(&self, kind: Kind, device: Device) -> Result<Option<Tensor>> {
        if self.shift == 0 {
            return Ok(None);
        }
        let [_, height, width, _] = self.size;
        let piece = |length: i64| -> Result<Tensor> {
            let place = Tensor::f_arange(length, (Kind::Int64, device))?;
            let is_after = |start: i64| place.f_ge(start)?.f_to_kind(Kind::Int64);
            Ok(is_after(length - self.window)?.f_add_(&is_after(length - self.shift)?)?)
        };
        let pieces = piece(height)?.f_mul_scalar(3)?.f_unsqueeze(1)?.f_add(&piece(width)?)?;
        let pieces = Self::new(&pieces.f_view([1, height, width, 1])?, self.window, 0)?
            .tokens
            .f_squeeze_dim(2)?;
        let differs = pieces
            .f_unsqueeze(1)?
            .f_ne_tensor(&pieces.f_unsqueeze(2)?)?
            .f_unsqueeze(1)?;
        let zeros = Tensor::f_zeros(differs.size(), (kind, device))?;
        Ok(Some(zeros.f_masked_fill(&differs, f64::NEG_INFINITY)?))
    }
}

/// Attention among the tokens of a window, with a bias for how they lie to each other.
pub(super) struct WindowAttention {
    qkv: Linear,
    out: Linear,
    /// `[1, heads, w w, w w]`
    bias: Tensor,
    num_heads: i64,
}

impl WindowAttention {
    /// Windows are attended to in groups, so that masks and scores take this many numbers at most.
    const MOST_SCORES: i64 = 1 << 25;

    pub fn new(weights: &Weights<'_>, channels: i64, num_heads: i64, window: i64, kind: Kind) -> Result<Self> {
        let side = 2 * window - 1;
        let table = weights.tensor("relative_position_bias_table", &[side * side, num_heads], kind)?;
        // It follows from the window's size.
        weights.skip("relative_position_index");
        let num_tokens = window * window;
        let index = relative_places(window, table.device())?;
        let bias = table
            .f_index_select(0, &index)?
            .f_view([num_tokens, num_tokens, num_heads])?;
        Ok(Self {
            qkv: Linear::new(&weights.at("qkv"), channels, 3 * channels, kind)?,
            out: Linear::new(&weights.at("proj"), channels, channels, kind)?,
            bias: bias.f_permute([2, 0, 1])?.f_unsqueeze(0)?.f_contiguous()?,
            num_heads,
        })
    }

    /// Returns `[B, H, W, C]`.
    pub fn forward(&self, windows: &Windows) -> Result<Tensor> {
        let (num_windows, num_tokens, channels) = windows.tokens.size3()?;
        let qkv = self.qkv.forward(&windows.tokens)?;
        let qkv = qkv.f_view([num_windows, num_tokens, 3, self.num_heads, channels / self.num_heads])?;
        let qkv = qkv.f_permute([2, 0, 3, 1, 4])?;
        let mask = windows.mask(qkv.kind(), qkv.device())?;
        // The mask is that of one picture; a batch has one after the other.
        let in_picture = mask.as_ref().map_or(num_windows, |mask| mask.size()[0]);
        let group = (Self::MOST_SCORES / (self.num_heads * num_tokens * num_tokens)).clamp(1, in_picture);
        let attended = Tensor::f_empty([num_windows, num_tokens, channels], (qkv.kind(), qkv.device()))?;
        for picture in (0..num_windows).step_by(in_picture.max(1) as usize) {
            for first in (0..in_picture).step_by(group as usize) {
                let count = group.min(in_picture - first);
                let part = |index: i64| -> Result<Tensor> {
                    Ok(qkv
                        .f_select(0, index)?
                        .f_narrow(0, picture + first, count)?
                        .f_contiguous()?)
                };
                let bias = match &mask {
                    Some(mask) => self.bias.f_add(&mask.f_narrow(0, first, count)?)?,
                    None => self.bias.shallow_clone(),
                };
                let out = Tensor::f_scaled_dot_product_attention(
                    &part(0)?,
                    &part(1)?,
                    &part(2)?,
                    Some(&bias.f_expand([count, -1, -1, -1], false)?),
                    0.0,
                    false,
                    None,
                    false,
                )?;
                let out = out.f_transpose(1, 2)?.f_reshape([count, num_tokens, channels])?;
                attended.f_narrow(0, picture + first, count)?.f_copy_(&out)?;
            }
        }
        windows.restored(&self.out.forward(&attended)?)
    }
}

/// For each pair of a window's tokens, the row of the table that holds their bias. `[w^4]` int64
fn relative_places(window: i64, device: Device) -> Result<Tensor> {
    let side = 2 * window - 1;
    let mut places = Vec::new();
    for query in 0..window * window {
        for key in 0..window * window {
            let down = query / window - key / window + window - 1;
            let across = query % window - key % window + window - 1;
            places.push(down * side + across);
        }
    }
    Ok(Tensor::f_from_slice(&places)?.f_to_device(device)?)
}
