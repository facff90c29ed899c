//! Our own CUDA kernels, for what libtorch has no fast operation for.
//!
//! They are compiled for the card that is there when they are first needed, in a second or less, by the compiler library
//! that comes with libtorch (NVRTC). Where that cannot be (no card, an old one, no compiler), or where sizes do not suit
//! a kernel, its function says so and the caller uses libtorch's operations instead: what comes out is the
//! same but for rounding.
//!
//! Kernels run on the default stream, as libtorch's do.

mod compiler;
mod conv;
mod driver;
mod norm;
mod query_key;
mod token_rows;

pub(crate) use conv::{Added, BLOCK_ROWS, BlockedRows, convolve, suits};
pub(crate) use norm::{NormKernel, layer_norm};
pub(crate) use query_key::query_key;
pub(crate) use token_rows::{Out, Step, token_rows};

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{LazyLock, Mutex, PoisonError};

use compiler::Compiler;
use driver::{Driver, Kernel};
use tch::{Device, Kind, Tensor};

/// What a kernel is compiled from: name, source and `NAME=value` definitions.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Recipe {
    name: &'static str,
    source: &'static str,
    definitions: Vec<(&'static str, i64)>,
    /// Beyond what the source itself declares.
    shared_bytes: u32,
}

/// Kernels by card and recipe; none for those that cannot be made.
type MadeKernels = HashMap<(i32, Recipe), Option<Kernel>>;

/// Both libraries, or why there are none. Looked for once.
static TOOLS: LazyLock<Option<(Driver, Compiler)>> = LazyLock::new(|| {
    let tools = Driver::open().and_then(|driver| Ok((driver, Compiler::open()?)));
    tools
        .inspect_err(|reason| tracing::info!("libtorch's own operations are used: {reason}"))
        .ok()
});

/// The kernel for the card that tensors lie on, which has to be the current one of this thread: it is, once libtorch has worked
/// on it. Kernels that cannot be made are remembered too.
fn kernel(recipe: &Recipe, device: Device) -> Option<(&'static Driver, Kernel)> {
    static MADE: LazyLock<Mutex<MadeKernels>> = LazyLock::new(Mutex::default);
    let (driver, compiler) = TOOLS.as_ref()?;
    let device = driver
        .current_device()
        .ok()
        .filter(|&current| device == Device::Cuda(current as usize))?;
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.entry((device, recipe.clone())).or_insert_with(|| {
        make(driver, compiler, device, recipe)
            .inspect_err(|reason| tracing::warn!("{} is done without its kernel: {reason}", recipe.name))
            .ok()
    });
    made.map(|kernel| (driver, kernel))
}

/// Oldest cards with `cp.async` and the products that kernels use.
const LEAST_CAPABILITY: i32 = 80;

fn make(driver: &Driver, compiler: &Compiler, device: i32, recipe: &Recipe) -> Result<Kernel, String> {
    let capability = driver.capability(device)?;
    if capability < LEAST_CAPABILITY {
        return Err(format!(
            "the card's compute capability is {capability}, and {LEAST_CAPABILITY} is needed"
        ));
    }
    let mut options = vec![format!("--gpu-architecture=sm_{capability}"), "--std=c++17".to_owned()];
    options.extend(
        recipe
            .definitions
            .iter()
            .map(|(name, value)| format!("-D{name}={value}")),
    );
    let program = compiler.compile(recipe.name, recipe.source, &options)?;
    let name = CString::new(recipe.name).map_err(|error| error.to_string())?;
    driver.load(&program, &name, recipe.shared_bytes)
}

/// Whether a kernel may read this tensor: on a card, half precision, in rows without gaps.
fn is_half_on_card(tensor: &Tensor) -> bool {
    matches!(tensor.device(), Device::Cuda(_)) && tensor.kind() == Kind::Half && tensor.is_contiguous()
}
