#![cfg_attr(
    windows,
    expect(unsafe_code, reason = "descriptors of the C library have no safe wrapper")
)]

use std::fs::File;
use std::io;

/// A private copy of standard output, for this process alone: children do not inherit it. Descriptor 1 itself is
/// pointed at standard error, so that whatever a library prints goes where logs go.
#[cfg(unix)]
pub(super) fn take_stdout() -> io::Result<File> {
    use std::os::fd::AsFd as _;

    let copy = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(copy.into())
}

/// A private copy of standard output, for this process alone: children do not inherit it. Standard output itself is
/// pointed at standard error, so that whatever a library prints goes where logs go.
#[cfg(windows)]
pub(super) fn take_stdout() -> io::Result<File> {
    use std::os::windows::io::{AsHandle as _, AsRawHandle as _};

    use windows_sys::Win32::System::Console::{STD_OUTPUT_HANDLE, SetStdHandle};

    unsafe extern "C" {
        /// The C library's `dup2`, which its `printf` sees; the system's own handle is a thing apart.
        fn _dup2(from: i32, to: i32) -> i32;
    }

    let copy = io::stdout().as_handle().try_clone_to_owned()?;
    // SAFETY: takes two numbers. Where there is no such descriptor it fails, and then nothing can print to it.
    unsafe { _dup2(2, 1) };
    // SAFETY: standard error's handle is never closed.
    if unsafe { SetStdHandle(STD_OUTPUT_HANDLE, io::stderr().as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(copy.into())
}
