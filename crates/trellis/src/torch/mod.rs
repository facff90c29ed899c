//! libtorch itself: loading its half for graphics cards, memory, and the random numbers of `torch.manual_seed`.

mod cuda;
mod extra;

pub use cuda::load_cuda;
pub use extra::{CudaMemory, RandomState, cuda_memory, empty_cuda_cache, reset_peak_cuda_memory};
