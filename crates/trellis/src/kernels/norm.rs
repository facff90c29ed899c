#![expect(unsafe_code, reason = "starts a kernel on tensors' memory")]

use std::ffi::c_void;

use tch::{Kind, Tensor};

use super::{Recipe, is_half_on_card, kernel};
use crate::{Result, TrellisError};

/// What [`layer_norm`] does beside the norm itself.
#[derive(Clone, Copy)]
pub(crate) struct NormKernel<'a> {
    /// Scale and shift of each channel, `[C]` each.
    pub affine: Option<(&'a Tensor, &'a Tensor)>,
    /// Added to variances.
    pub epsilon: f64,
    /// Whether SiLU follows.
    pub has_silu: bool,
}

const ROWS_PER_BLOCK: i64 = 8;
/// Longer rows would not fit a warp's registers.
const MOST_CHANNELS: i64 = 2048;

/// Norm of rows, `[N, C]` f16, into `out`, `[N, C]` f16, or f32 without SiLU. It may be `x` itself. False, and nothing is
/// done, where tensors do not suit the kernel.
pub(crate) fn layer_norm(x: &Tensor, what: NormKernel<'_>, out: &Tensor) -> Result<bool> {
    let &[num_rows, channels] = x.size().as_slice() else {
        return Ok(false);
    };
    let is_f32 = out.kind() == Kind::Float && !what.has_silu && out.is_contiguous() && out.device() == x.device();
    let suits = is_half_on_card(x)
        && (is_half_on_card(out) || is_f32)
        && out.size() == x.size()
        && channels % 64 == 0
        && channels <= MOST_CHANNELS
        && what.affine.is_none_or(|(weight, bias)| {
            [weight, bias]
                .iter()
                .all(|tensor| is_half_on_card(tensor) && tensor.size() == [channels])
        });
    let recipe = Recipe {
        name: "layer_norm",
        source: include_str!("layer_norm.cu"),
        definitions: vec![("CHANNELS", channels)],
        shared_bytes: 0,
    };
    let num_blocks = u32::try_from((num_rows + ROWS_PER_BLOCK - 1) / ROWS_PER_BLOCK);
    let (Ok(num_blocks), Some((driver, kernel))) = (num_blocks, if suits { kernel(&recipe, x.device()) } else { None })
    else {
        return Ok(false);
    };
    if num_blocks == 0 {
        return Ok(true);
    }
    let null = std::ptr::null_mut();
    let (weight, bias) = what
        .affine
        .map_or((null, null), |(weight, bias)| (weight.data_ptr(), bias.data_ptr()));
    let (half, float) = if is_f32 {
        (null, out.data_ptr())
    } else {
        (out.data_ptr(), null)
    };
    let mut pointers = [x.data_ptr(), weight, bias, half, float];
    let (mut num_rows, mut epsilon, mut has_silu) = (num_rows, what.epsilon as f32, i32::from(what.has_silu));
    let mut arguments: Vec<*mut c_void> = pointers
        .iter_mut()
        .map(|pointer| std::ptr::from_mut(pointer).cast())
        .collect();
    arguments.extend([
        std::ptr::from_mut(&mut num_rows).cast::<c_void>(),
        std::ptr::from_mut(&mut epsilon).cast(),
        std::ptr::from_mut(&mut has_silu).cast(),
    ]);
    // SAFETY: arguments are the kernel's in number, order and type, and shapes were checked.
    unsafe { driver.launch(kernel, num_blocks, ROWS_PER_BLOCK as u32 * 32, 0, &mut arguments) }
        .map_err(TrellisError::DeviceLost)?;
    Ok(true)
}
