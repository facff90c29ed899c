#![expect(unsafe_code, reason = "loading a library runs its initialisers")]

use std::sync::OnceLock;

use tch::{Cuda, Device};

use super::extra::use_expandable_segments;

/// libtorch's half for graphics cards, as the loader knows it. It lies beside the half that this crate is linked with.
#[cfg(windows)]
const LIBRARY: &str = "torch_cuda.dll";
#[cfg(not(windows))]
const LIBRARY: &str = "libtorch_cuda.so";

/// Loads libtorch's half for graphics cards when it is there, once, and gives the device to compute on: the first
/// graphics card, or else the processor. Call it before the first tensor.
///
/// The linker drops a library of which no symbol is used, and libtorch finds its devices by what registers itself when it is
/// loaded; so the programs link the processor's half alone and run without the other one.
pub fn load_cuda() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    *DEVICE.get_or_init(|| {
        if let Err(error) = load(LIBRARY) {
            tracing::info!("no graphics card is used: {error}");
            return Device::Cpu;
        }
        // Windows has no pages that libtorch could map.
        if cfg!(not(windows))
            && let Err(error) = use_expandable_segments()
        {
            tracing::warn!("more memory of the graphics card is held than needed: {error}");
        }
        if Cuda::is_available() {
            Device::Cuda(0)
        } else {
            Device::Cpu
        }
    })
}

/// Loads a library for good, with its symbols open to what is loaded later.
fn load(name: &str) -> Result<(), libloading::Error> {
    #[cfg(unix)]
    // SAFETY: its initialisers register kernels with the half that is there already, of the same release.
    let library = unsafe {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

        Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL)?
    };
    #[cfg(windows)]
    // SAFETY: as above.
    let library = unsafe { libloading::os::windows::Library::new(name)? };
    // Its kernels are called until the process ends.
    let _ = library.into_raw();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_library_the_processor_computes() {
        assert!(load("libthere_is_no_such_library.so").is_err());
        let device = load_cuda();
        assert_eq!(device, load_cuda(), "it is decided once");
        assert!(device == Device::Cpu || Cuda::is_available());
    }
}
