#![expect(unsafe_code, reason = "starts a kernel on tensors' memory")]

use std::ffi::c_void;

use tch::{Device, Kind, Tensor};

use super::{Recipe, kernel};
use crate::{Result, TrellisError};

/// What [`token_rows`] does with rows before they come out.
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    Nothing,
    /// Layer norm; factors and shifts of channels, `[C]` bf16. Where they come from the timestep, results are rounded before
    /// they are weighed and before they are shifted, as upstream's are.
    Norm {
        weight: &'a Tensor,
        shift: &'a Tensor,
        epsilon: f64,
        is_modulated: bool,
    },
    /// Its approximation by tanh.
    Gelu,
}

/// Where rows go.
#[derive(Clone, Copy)]
pub(crate) enum Out<'a> {
    /// They are added to, and that is all.
    Nothing,
    /// `[.., C]` bf16; perhaps the rows themselves.
    Full(&'a Tensor),
    /// `[.., C]` in 8 bits (`Float8e4m3fn`), and what each row is to be multiplied with, `[rows, 1]` f32.
    Eight(&'a Tensor, &'a Tensor),
}

/// What is added to rows: as many, or one for all, and factors of its channels, `[C]`.
pub(crate) type Addend<'a> = (&'a Tensor, Option<&'a Tensor>);

/// Rows up to this take one warp.
const MOST_CHANNELS_OF_WARP: i64 = 2048;
const MOST_CHANNELS: i64 = 8192;
const WARPS_PER_BLOCK: i64 = 8;

/// Adds to rows `x`, `[.., C]` bf16, in place; gives them out after a step. False, and nothing is done, where tensors do not suit
/// the kernel.
pub(crate) fn token_rows(x: &Tensor, addend: Option<Addend<'_>>, step: Step<'_>, out: Out<'_>) -> Result<bool> {
    let channels = x.size().last().copied().unwrap_or_default();
    let num_numbers = x.numel() as i64;
    let is_bf16 =
        |tensor: &Tensor| tensor.kind() == Kind::BFloat16 && tensor.is_contiguous() && tensor.device() == x.device();
    let is_of_channels = |tensor: &Tensor| is_bf16(tensor) && tensor.size() == [channels];
    let num_warps = if channels > MOST_CHANNELS_OF_WARP { 4 } else { 1 };
    let suits = matches!(x.device(), Device::Cuda(_))
        && is_bf16(x)
        && channels % (128 * num_warps) == 0
        && (1..=MOST_CHANNELS).contains(&channels)
        && addend.is_none_or(|(added, gate)| {
            let is_all_or_one = [num_numbers, channels].contains(&(added.numel() as i64));
            is_bf16(added) && is_all_or_one && gate.is_none_or(is_of_channels)
        })
        && match step {
            Step::Norm { weight, shift, .. } => is_of_channels(weight) && is_of_channels(shift),
            Step::Nothing | Step::Gelu => true,
        }
        && match out {
            Out::Nothing => true,
            Out::Full(out) => is_bf16(out) && out.numel() == x.numel(),
            Out::Eight(out, scales) => {
                let is_whole = |tensor: &Tensor, kind, count| {
                    tensor.kind() == kind && tensor.is_contiguous() && tensor.numel() as i64 == count
                };
                is_whole(out, Kind::Float8e4m3fn, num_numbers) && is_whole(scales, Kind::Float, num_numbers / channels)
            }
        };
    if !suits {
        return Ok(false);
    }
    let num_rows = num_numbers / channels;
    let (step_number, is_modulated) = match step {
        Step::Nothing => (0, false),
        Step::Norm { is_modulated, .. } => (1, is_modulated),
        Step::Gelu => (2, false),
    };
    let recipe = Recipe {
        name: "token_rows",
        source: concat!(include_str!("bf16.cu"), include_str!("token_rows.cu")),
        definitions: vec![
            ("CHANNELS", channels),
            ("WARPS", num_warps),
            ("STEP", step_number),
            ("MODULATED", i64::from(is_modulated)),
            ("EIGHT", i64::from(matches!(out, Out::Eight(..)))),
        ],
        shared_bytes: 0,
    };
    let num_blocks = u32::try_from((num_rows * num_warps + WARPS_PER_BLOCK - 1) / WARPS_PER_BLOCK);
    let (Ok(num_blocks), Some((driver, kernel))) = (num_blocks, kernel(&recipe, x.device())) else {
        return Ok(false);
    };
    if num_blocks == 0 {
        return Ok(true);
    }
    let pointer = |tensor: Option<&Tensor>| tensor.map_or(std::ptr::null_mut(), Tensor::data_ptr);
    let (weight, shift, epsilon) = match step {
        Step::Norm {
            weight, shift, epsilon, ..
        } => (Some(weight), Some(shift), epsilon),
        Step::Nothing | Step::Gelu => (None, None, 0.0),
    };
    let (out, scales) = match out {
        Out::Nothing => (None, None),
        Out::Full(out) => (Some(out), None),
        Out::Eight(out, scales) => (Some(out), Some(scales)),
    };
    let (added, gate) = addend.map_or((None, None), |(added, gate)| (Some(added), gate));
    let mut stride = added.map_or(0, |added| if added.numel() == x.numel() { channels } else { 0 });
    let mut pointers = [Some(x), added, gate, weight, shift, out, scales].map(pointer);
    let (mut num_rows, mut epsilon) = (num_rows, epsilon as f32);
    let mut arguments: Vec<*mut c_void> = pointers
        .iter_mut()
        .map(|pointer| std::ptr::from_mut(pointer).cast())
        .collect();
    arguments.insert(2, std::ptr::from_mut(&mut stride).cast());
    arguments.extend([
        std::ptr::from_mut(&mut num_rows).cast::<c_void>(),
        std::ptr::from_mut(&mut epsilon).cast(),
    ]);
    // SAFETY: arguments are the kernel's in number, order and type, and shapes were checked.
    unsafe { driver.launch(kernel, num_blocks, WARPS_PER_BLOCK as u32 * 32, 0, &mut arguments) }
        .map_err(TrellisError::DeviceLost)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torch::load_cuda;

    const FLOAT: Kind = Kind::Float;

    /// Rounded to bf16.
    fn rounded(x: &Tensor) -> Tensor {
        x.to_kind(Kind::BFloat16).to_kind(FLOAT)
    }

    fn norm(x: &Tensor, weight: &Tensor, shift: &Tensor) -> Tensor {
        let normed = rounded(&x.layer_norm::<&Tensor>([x.size()[1]], None, None, 1e-6, true));
        rounded(&(rounded(&(normed * weight.to_kind(FLOAT))) + shift.to_kind(FLOAT)))
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
        f64::try_from((a.to_kind(FLOAT) - b.to_kind(FLOAT)).abs().max()).expect("a number")
    }

    #[test]
    fn a_card_adds_and_normalizes_as_upstream_rounds() {
        let device = load_cuda();
        let random = |size: &[i64]| Tensor::randn(size, (FLOAT, device)).to_kind(Kind::BFloat16);
        for channels in [256, 1536, 8192] {
            let (x, added) = (random(&[13, channels]), random(&[13, channels]));
            let [gate, weight, shift] = [(); 3].map(|()| random(&[channels]));
            let step = Step::Norm {
                weight: &weight,
                shift: &shift,
                epsilon: 1e-6,
                is_modulated: true,
            };
            let (sum, out) = (x.copy(), x.empty_like());
            let is_done = token_rows(&sum, Some((&added, Some(&gate))), step, Out::Full(&out)).expect("no fault");
            assert_eq!(is_done, device.is_cuda(), "a processor has libtorch's operations alone");
            if !is_done {
                return;
            }
            let gated = rounded(&(added.to_kind(FLOAT) * gate.to_kind(FLOAT)));
            let expected_sum = rounded(&(x.to_kind(FLOAT) + gated));
            assert!(sum.to_kind(FLOAT).equal(&expected_sum), "the same roundings");
            let expected = norm(&expected_sum, &weight, &shift);
            let is_off = (out.to_kind(FLOAT) - &expected)
                .abs()
                .gt_tensor(&(expected.abs() * 0.02 + 0.02));
            assert!(!bool::try_from(is_off.any()).expect("a flag"), "{channels}");
            // Nearly all numbers are the very same: sums in another order seldom tip a rounding.
            let num_other = out.to_kind(FLOAT).ne_tensor(&expected).to_kind(FLOAT).mean(FLOAT);
            assert!(f64::try_from(num_other).expect("a number") < 0.01, "{channels}");

            let one = random(&[1, channels]);
            let sum = x.copy();
            assert!(token_rows(&sum, Some((&one, None)), Step::Nothing, Out::Nothing).expect("no fault"));
            assert!(sum.equal(&(&x + &one)), "one row for all");
        }
    }

    #[test]
    fn a_card_makes_eight_bits_of_rows() {
        let device = load_cuda();
        let x = Tensor::randn([9, 8192], (FLOAT, device)).to_kind(Kind::BFloat16);
        let values = Tensor::empty([9, 8192], (Kind::Float8e4m3fn, device));
        let factors = Tensor::empty([9, 1], (FLOAT, device));
        for (step, expected) in [
            (Step::Nothing, x.to_kind(FLOAT)),
            (Step::Gelu, x.to_kind(FLOAT).gelu("tanh")),
        ] {
            if !token_rows(&x, None, step, Out::Eight(&values, &factors)).expect("no fault") {
                println!("There is no graphics card: what it does is left out.");
                return;
            }
            let found = values.to_kind(FLOAT) * &factors;
            let largest = f64::try_from(expected.abs().max()).expect("a number");
            // The last of four bits, or the smallest step that there is.
            assert!(largest_difference(&found, &expected) < largest / 16.0);
            let relative = (&found - &expected).norm() / expected.norm();
            assert!(f64::try_from(relative).expect("a number") < 0.04);
            assert!((f64::try_from(values.to_kind(FLOAT).abs().max()).expect("a number") - 448.0).abs() < 1.0);
        }
    }
}
