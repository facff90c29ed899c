#![expect(unsafe_code, reason = "functions of the compiler library")]

use std::ffi::{CString, c_char, c_int, c_void};

use super::driver::{function, open};

type CreateProgram = unsafe extern "C" fn(
    *mut *mut c_void,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> c_int;
type CompileProgram = unsafe extern "C" fn(*mut c_void, c_int, *const *const c_char) -> c_int;
type GetSize = unsafe extern "C" fn(*mut c_void, *mut usize) -> c_int;
type GetText = unsafe extern "C" fn(*mut c_void, *mut c_char) -> c_int;
type DestroyProgram = unsafe extern "C" fn(*mut *mut c_void) -> c_int;

/// NVRTC: from CUDA C++ to a program for one card. libtorch brings it along.
pub(super) struct Compiler {
    create_program: CreateProgram,
    compile_program: CompileProgram,
    get_program_size: GetSize,
    get_program: GetText,
    get_log_size: GetSize,
    get_log: GetText,
    destroy_program: DestroyProgram,
}

#[cfg(windows)]
const LIBRARIES: [&str; 2] = ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"];
#[cfg(not(windows))]
const LIBRARIES: [&str; 2] = ["libnvrtc.so.13", "libnvrtc.so.12"];
/// The compiler looks for it by name, but in the system's folders alone: it finds it where it is loaded already.
#[cfg(windows)]
const BUILT_INS: [&str; 2] = ["nvrtc-builtins64_130.dll", "nvrtc-builtins64_128.dll"];
#[cfg(not(windows))]
const BUILT_INS: [&str; 2] = ["libnvrtc-builtins.so.13.0", "libnvrtc-builtins.so.12.8"];

impl Compiler {
    pub fn open() -> Result<Self, String> {
        let library = open(&LIBRARIES)?;
        if let Err(reason) = open(&BUILT_INS) {
            tracing::debug!("the compiler for CUDA looks for its own part: {reason}");
        }
        // SAFETY: names and types are those of the header nvrtc.h; the library is never unloaded.
        unsafe {
            Ok(Self {
                create_program: function(library, "nvrtcCreateProgram")?,
                compile_program: function(library, "nvrtcCompileProgram")?,
                get_program_size: function(library, "nvrtcGetCUBINSize")?,
                get_program: function(library, "nvrtcGetCUBIN")?,
                get_log_size: function(library, "nvrtcGetProgramLogSize")?,
                get_log: function(library, "nvrtcGetProgramLog")?,
                destroy_program: function(library, "nvrtcDestroyProgram")?,
            })
        }
    }

    /// A program for the architecture that `options` name.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn compile(&self, name: &str, source: &str, options: &[String]) -> Result<Vec<u8>, String> {
        let texts = |texts: &[String]| -> Result<Vec<CString>, String> {
            let texts = texts.iter().map(|text| CString::new(text.as_str()));
            texts.collect::<Result<_, _>>().map_err(|error| error.to_string())
        };
        let source_and_name = texts(&[source.to_owned(), format!("{name}.cu")])?;
        let options = texts(options)?;
        let options: Vec<_> = options.iter().map(|option| option.as_ptr()).collect();
        let mut program = std::ptr::null_mut();
        let none = std::ptr::null();
        // SAFETY: texts end with a zero and live until the program is destroyed below.
        let status = unsafe {
            let (source, name) = (source_and_name[0].as_ptr(), source_and_name[1].as_ptr());
            (self.create_program)(&raw mut program, source, name, 0, none, none)
        };
        if status != 0 {
            return Err(format!("the compiler for CUDA gave error {status}"));
        }
        // SAFETY: the program was just made; there are as many options as is told.
        let status = unsafe { (self.compile_program)(program, options.len() as c_int, options.as_ptr()) };
        let result = if status == 0 {
            bytes(program, self.get_program_size, self.get_program)
        } else {
            let log = bytes(program, self.get_log_size, self.get_log)?;
            let log = String::from_utf8_lossy(&log);
            Err(format!(
                "the compiler for CUDA says: {}",
                log.trim_end_matches('\0').trim()
            ))
        };
        // SAFETY: nobody uses the program any more.
        unsafe { (self.destroy_program)(&raw mut program) };
        result
    }
}

/// A text or a program of the compiler's, by the function for its length and the one for itself.
fn bytes(program: *mut c_void, size: GetSize, get: GetText) -> Result<Vec<u8>, String> {
    let mut length = 0;
    // SAFETY: the program lives; it writes one number.
    let mut status = unsafe { size(program, &raw mut length) };
    let mut bytes = vec![0_u8; length];
    if status == 0 {
        // SAFETY: the program lives, and there is room for as many bytes as it said.
        status = unsafe { get(program, bytes.as_mut_ptr().cast()) };
    }
    if status == 0 {
        Ok(bytes)
    } else {
        Err(format!("the compiler for CUDA gave error {status}"))
    }
}
