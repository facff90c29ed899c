#![expect(unsafe_code, reason = "functions of extra.cpp")]

use std::ffi::{CStr, c_char, c_int};

use crate::{Result, TrellisError};

unsafe extern "C" {
    fn bozzetto_last_error() -> *const c_char;
    fn bozzetto_cuda_memory(device: c_int, out: *mut u64) -> c_int;
    fn bozzetto_use_expandable_segments() -> c_int;
    fn bozzetto_cuda_empty_cache() -> c_int;
    fn bozzetto_cuda_reset_peak(device: c_int) -> c_int;
    fn bozzetto_random_state(out: *mut u8, room: usize, length: *mut usize) -> c_int;
    fn bozzetto_set_random_state(bytes: *const u8, length: usize) -> c_int;
}

/// Memory of a graphics card, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CudaMemory {
    /// Nobody's, as the driver says.
    pub free: u64,
    /// All there is.
    pub total: u64,
    /// In tensors now.
    pub allocated: u64,
    /// In tensors at most, since [`reset_peak_cuda_memory`].
    pub peak: u64,
    /// Held by libtorch, in tensors or for later ones.
    pub reserved: u64,
    /// The same at most, since [`reset_peak_cuda_memory`].
    pub peak_reserved: u64,
}

impl CudaMemory {
    /// What another tensor could take: free memory, and what libtorch holds for later.
    pub fn available(&self) -> u64 {
        self.free + self.reserved.saturating_sub(self.allocated)
    }
}

/// How full a graphics card is.
pub fn cuda_memory(device: usize) -> Result<CudaMemory> {
    let mut out = [0; 6];
    // SAFETY: there is room for the six numbers that it writes.
    checked(unsafe { bozzetto_cuda_memory(device as c_int, out.as_mut_ptr()) })?;
    let [free, total, allocated, peak, reserved, peak_reserved] = out;
    Ok(CudaMemory {
        free,
        total,
        allocated,
        peak,
        reserved,
        peak_reserved,
    })
}

/// Has libtorch grow what it holds of a graphics card page by page, so that holes between tensors of different sizes are not
/// lost. `PYTORCH_ALLOC_CONF` comes before it. Call it before the first tensor on a card.
///
/// Decoders gain most: each level's tensors are larger than the last one's, and fit into none of their places.
pub(super) fn use_expandable_segments() -> Result<()> {
    // SAFETY: takes nothing; libtorch guards its settings.
    checked(unsafe { bozzetto_use_expandable_segments() })
}

/// Gives memory that libtorch holds for later tensors back to the card, for other programs.
pub fn empty_cuda_cache() -> Result<()> {
    // SAFETY: takes nothing; memory of living tensors stays.
    checked(unsafe { bozzetto_cuda_empty_cache() })
}

/// Starts counting [`CudaMemory::peak`] and [`CudaMemory::peak_reserved`] anew.
pub fn reset_peak_cuda_memory(device: usize) -> Result<()> {
    // SAFETY: takes a number.
    checked(unsafe { bozzetto_cuda_reset_peak(device as c_int) })
}

/// Where the processor's random generator stands (`torch.get_rng_state`). [`tch::manual_seed`] starts it, as
/// `torch.manual_seed` does, and it gives the same numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomState(Vec<u8>);

impl RandomState {
    /// Where the generator stands now.
    pub fn current() -> Result<Self> {
        let mut length = 0;
        // SAFETY: with no room it writes the length alone.
        checked(unsafe { bozzetto_random_state(std::ptr::null_mut(), 0, &raw mut length) })?;
        let mut bytes = vec![0; length];
        // SAFETY: the vector has the room that is told.
        checked(unsafe { bozzetto_random_state(bytes.as_mut_ptr(), bytes.len(), &raw mut length) })?;
        Ok(Self(bytes))
    }

    /// Takes the generator back there.
    pub fn restore(&self) -> Result<()> {
        // SAFETY: the bytes are read before it returns; libtorch checks them.
        checked(unsafe { bozzetto_set_random_state(self.0.as_ptr(), self.0.len()) })
    }
}

fn checked(status: c_int) -> Result<()> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: the message is this thread's, ends with a zero and is copied at once.
    let message = unsafe { CStr::from_ptr(bozzetto_last_error()) };
    Err(TrellisError::from(tch::TchError::Torch(
        message.to_string_lossy().into_owned(),
    )))
}

#[cfg(test)]
mod tests {
    use tch::Cuda;

    use super::*;

    #[test]
    fn a_state_of_another_length_is_refused() {
        assert!(RandomState(vec![1, 2, 3]).restore().is_err());
    }

    #[test]
    fn segments_may_grow_whether_there_is_a_card_or_not() {
        assert_eq!(use_expandable_segments().map_err(|error| error.to_string()), Ok(()));
    }

    #[test]
    fn without_a_card_its_memory_is_an_error() {
        if !Cuda::is_available() {
            assert!(cuda_memory(0).is_err());
            assert!(empty_cuda_cache().is_err());
        }
    }
}
