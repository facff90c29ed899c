#![expect(unsafe_code, reason = "starts a kernel on tensors' memory")]

use std::ffi::c_void;

use tch::{Device, Kind, Tensor};

use super::{Recipe, kernel};
use crate::{Result, TrellisError};

const VECTORS_PER_BLOCK: i64 = 8;
/// Longer vectors would not fit a warp's registers.
const LONGEST_HEAD: i64 = 512;

/// Brings vectors of queries and keys to one length, weighs and turns them, in place.
///
/// `x`: `[rows, vectors, head_dim]` bf16, of which the first `gamma.size()[0]` vectors of every row are changed. `gamma`:
/// `[vectors, head_dim]` f32, with the length that they get. `phases`: `[places, head_dim / 2, 2]` f32, cosine and sine for
/// rows that repeat, or none. False, and nothing is done, where tensors do not suit the kernel.
pub(crate) fn query_key(x: &Tensor, gamma: &Tensor, phases: Option<&Tensor>) -> Result<bool> {
    let (&[num_rows, num_vectors, head_dim], &[num_heads, gamma_dim]) = (x.size().as_slice(), gamma.size().as_slice())
    else {
        return Ok(false);
    };
    let is_f32 =
        |tensor: &Tensor| tensor.kind() == Kind::Float && tensor.is_contiguous() && tensor.device() == x.device();
    let num_places = phases.map_or(1, |phases| phases.size()[0]);
    let suits = matches!(x.device(), Device::Cuda(_))
        && x.kind() == Kind::BFloat16
        && x.is_contiguous()
        && is_f32(gamma)
        && gamma_dim == head_dim
        && num_heads <= num_vectors
        && head_dim % 64 == 0
        && (64..=LONGEST_HEAD).contains(&head_dim)
        && num_places > 0
        && phases.is_none_or(|phases| is_f32(phases) && phases.size() == [num_places, head_dim / 2, 2]);
    if !suits {
        return Ok(false);
    }
    let recipe = Recipe {
        name: "query_key",
        source: concat!(include_str!("bf16.cu"), include_str!("query_key.cu")),
        definitions: vec![("HEAD_DIM", head_dim)],
        shared_bytes: 0,
    };
    let num_blocks = u32::try_from((num_rows * num_heads + VECTORS_PER_BLOCK - 1) / VECTORS_PER_BLOCK);
    let (Ok(num_blocks), Some((driver, kernel))) = (num_blocks, kernel(&recipe, x.device())) else {
        return Ok(false);
    };
    if num_blocks == 0 {
        return Ok(true);
    }
    let phases = phases.map_or(std::ptr::null_mut(), Tensor::data_ptr);
    let mut pointers = [x.data_ptr(), gamma.data_ptr(), phases];
    let mut numbers = [num_rows, num_heads, num_vectors * head_dim, num_places];
    let pointers = pointers
        .iter_mut()
        .map(|pointer| std::ptr::from_mut(pointer).cast::<c_void>());
    let numbers = numbers.iter_mut().map(|number| std::ptr::from_mut(number).cast());
    let mut arguments: Vec<*mut c_void> = pointers.chain(numbers).collect();
    // SAFETY: arguments are the kernel's in number, order and type, and shapes were checked.
    unsafe { driver.launch(kernel, num_blocks, VECTORS_PER_BLOCK as u32 * 32, 0, &mut arguments) }
        .map_err(TrellisError::DeviceLost)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::relative_error;
    use crate::torch::load_cuda;

    /// What the kernel does, with libtorch's operations.
    fn expected(x: &Tensor, gamma: &Tensor, phases: &Tensor) -> Tensor {
        let heads = x.narrow(1, 0, gamma.size()[0]).to_kind(Kind::Float);
        let normed = &heads / heads.norm_scalaropt_dim(2.0, [-1], true) * gamma;
        let pairs = normed.reshape([x.size()[0], gamma.size()[0], -1, 2]).view_as_complex();
        let repeated = phases
            .view_as_complex()
            .repeat([x.size()[0] / phases.size()[0], 1])
            .unsqueeze(1);
        (pairs * repeated).view_as_real().flatten(2, 3)
    }

    #[test]
    fn a_card_gives_the_processors_numbers() {
        let device = load_cuda();
        let float = (Kind::Float, device);
        let x = Tensor::randn([6, 9, 128], float).to_kind(Kind::BFloat16);
        let gamma = Tensor::randn([6, 128], float) * 128.0_f64.sqrt();
        let angles = Tensor::randn([3, 64], float);
        let phases = Tensor::stack(&[angles.cos(), angles.sin()], -1);
        let changed = x.copy();
        let is_done = query_key(&changed, &gamma, Some(&phases)).expect("no fault");
        assert_eq!(is_done, device.is_cuda(), "a processor has libtorch's operations alone");
        if is_done {
            let error = relative_error(
                &changed.narrow(1, 0, 6).to_kind(Kind::Float),
                &expected(&x, &gamma, &phases),
            );
            assert!(error < 5e-3, "{error:e}: bf16 rounds by 2e-3 at most, and twice");
            assert!(
                changed.narrow(1, 6, 3).equal(&x.narrow(1, 6, 3)),
                "values stay as they are"
            );
        }
    }
}
