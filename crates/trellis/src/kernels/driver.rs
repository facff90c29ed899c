#![expect(unsafe_code, reason = "the CUDA driver's functions, and kernels on tensors' memory")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use libloading::Library;

/// A compiled function on a card. It stays loaded until the process ends.
#[derive(Clone, Copy)]
pub(super) struct Kernel(*mut c_void);

// SAFETY: a handle that any thread of the process may use.
unsafe impl Send for Kernel {}

type ModuleLoadData = unsafe extern "C" fn(*mut *mut c_void, *const c_void) -> c_int;
type ModuleGetFunction = unsafe extern "C" fn(*mut *mut c_void, *mut c_void, *const c_char) -> c_int;
type FuncSetAttribute = unsafe extern "C" fn(*mut c_void, c_int, c_int) -> c_int;
type CtxGetDevice = unsafe extern "C" fn(*mut c_int) -> c_int;
type DeviceGetAttribute = unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int;
type GetErrorString = unsafe extern "C" fn(c_int, *mut *const c_char) -> c_int;
type LaunchKernel = unsafe extern "C" fn(
    *mut c_void,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    *mut c_void,
    *mut *mut c_void,
    *mut *mut c_void,
) -> c_int;

/// The part of the CUDA driver's interface that kernels need. libtorch has made the card's context current before.
pub(super) struct Driver {
    module_load_data: ModuleLoadData,
    module_get_function: ModuleGetFunction,
    func_set_attribute: FuncSetAttribute,
    ctx_get_device: CtxGetDevice,
    device_get_attribute: DeviceGetAttribute,
    get_error_string: GetErrorString,
    launch_kernel: LaunchKernel,
}

#[cfg(windows)]
const LIBRARY: &str = "nvcuda.dll";
#[cfg(not(windows))]
const LIBRARY: &str = "libcuda.so.1";

/// `CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES`
const MAX_DYNAMIC_SHARED_BYTES: c_int = 8;
/// `CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `_MINOR`
const CAPABILITY: [c_int; 2] = [75, 76];

impl Driver {
    pub fn open() -> Result<Self, String> {
        let library = open(&[LIBRARY])?;
        // SAFETY: names and types are those of the driver's header, cuda.h; the library is never unloaded.
        unsafe {
            Ok(Self {
                module_load_data: function(library, "cuModuleLoadData")?,
                module_get_function: function(library, "cuModuleGetFunction")?,
                func_set_attribute: function(library, "cuFuncSetAttribute")?,
                ctx_get_device: function(library, "cuCtxGetDevice")?,
                device_get_attribute: function(library, "cuDeviceGetAttribute")?,
                get_error_string: function(library, "cuGetErrorString")?,
                launch_kernel: function(library, "cuLaunchKernel")?,
            })
        }
    }

    /// The card whose context is current in this thread.
    pub fn current_device(&self) -> Result<i32, String> {
        let mut device = 0;
        // SAFETY: writes one number.
        self.checked(unsafe { (self.ctx_get_device)(&raw mut device) })?;
        Ok(device)
    }

    /// Ten times the major number, plus the minor one.
    pub fn capability(&self, device: i32) -> Result<i32, String> {
        let mut numbers = [0; 2];
        for (number, attribute) in numbers.iter_mut().zip(CAPABILITY) {
            // SAFETY: writes one number.
            self.checked(unsafe { (self.device_get_attribute)(&raw mut *number, attribute, device) })?;
        }
        Ok(numbers[0] * 10 + numbers[1])
    }

    /// A function of a compiled program, which may use so many bytes of shared memory beside what it declares.
    pub fn load(&self, program: &[u8], name: &CStr, shared_bytes: u32) -> Result<Kernel, String> {
        let (mut module, mut kernel) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the program is the compiler's, whole, and copied before the call returns.
        self.checked(unsafe { (self.module_load_data)(&raw mut module, program.as_ptr().cast()) })?;
        // SAFETY: the module was just loaded and stays; the name ends with a zero.
        self.checked(unsafe { (self.module_get_function)(&raw mut kernel, module, name.as_ptr()) })?;
        // SAFETY: the function was just found.
        self.checked(unsafe { (self.func_set_attribute)(kernel, MAX_DYNAMIC_SHARED_BYTES, shared_bytes as c_int) })?;
        Ok(Kernel(kernel))
    }

    /// Starts a kernel on the default stream.
    ///
    /// # Safety
    /// `arguments` point to values of the kernel's parameters, in order; the memory that these name lies on the current
    /// context's card and is as large as the kernel takes it to be.
    pub unsafe fn launch(
        &self,
        kernel: Kernel,
        num_blocks: u32,
        num_threads: u32,
        shared_bytes: u32,
        arguments: &mut [*mut c_void],
    ) -> Result<(), String> {
        let stream = std::ptr::null_mut();
        let extra = std::ptr::null_mut();
        // SAFETY: the caller answers for the arguments, which are copied before the call returns.
        self.checked(unsafe {
            (self.launch_kernel)(
                kernel.0,
                num_blocks,
                1,
                1,
                num_threads,
                1,
                1,
                shared_bytes,
                stream,
                arguments.as_mut_ptr(),
                extra,
            )
        })
    }

    fn checked(&self, status: c_int) -> Result<(), String> {
        if status == 0 {
            return Ok(());
        }
        let mut text = std::ptr::null();
        // SAFETY: writes a pointer to a text that lives as long as the library, or null.
        unsafe { (self.get_error_string)(status, &raw mut text) };
        if text.is_null() {
            return Err(format!("the CUDA driver's error {status}"));
        }
        // SAFETY: the text ends with a zero.
        Err(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}

/// The first of several libraries that is there. It stays loaded.
pub(super) fn open(names: &[&str]) -> Result<&'static Library, String> {
    let mut reason = String::new();
    for name in names {
        // SAFETY: NVIDIA's libraries, whose initialisers prepare themselves and nothing else.
        match unsafe { Library::new(name) } {
            Ok(library) => return Ok(Box::leak(Box::new(library))),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

/// # Safety
/// `T` is the type of the function of that name.
pub(super) unsafe fn function<T: Copy + 'static>(library: &'static Library, name: &str) -> Result<T, String> {
    // SAFETY: the caller answers for the type.
    unsafe { library.get::<T>(name.as_bytes()) }
        .map(|found| *found)
        .map_err(|error| error.to_string())
}
