#![cfg_attr(
    windows,
    expect(unsafe_code, reason = "descriptors of the C library have no safe wrapper")
)]

use std::fs::File;
use std::io;

use super::serve::{serve_streams, start_failure};
use crate::{Engine, EngineError};

/// A worker's private ends of the two pipes to the program it works for, out of reach of everything else in the
/// process and of every process it starts.
///
/// Take them before any library loads. What a library prints then goes where logs go, and what it reads (a question
/// to the user, a child process that drains its input) is empty instead of the next request.
pub struct WorkerStreams {
    requests: File,
    messages: File,
}

impl WorkerStreams {
    /// Takes standard input and output away from the rest of the process: output is pointed at standard error, input
    /// at nothing.
    ///
    /// # Errors
    /// [`EngineError::WorkerStart`] when there are no such streams.
    pub fn take() -> Result<Self, EngineError> {
        Ok(Self {
            messages: take_stdout().map_err(|error| start_failure(&error))?,
            requests: take_stdin().map_err(|error| start_failure(&error))?,
        })
    }

    /// The worker process' main loop: greets, runs jobs one after the other on this thread, and returns when asked to
    /// shut down or when the input closes.
    ///
    /// Panics of the engine fail the job and not the process. A process that is still busy one second after the input
    /// closed is ended from within, with the processes it started: the program it worked for is gone.
    ///
    /// # Errors
    /// [`EngineError::WorkerStart`] when no thread can be started.
    pub fn serve(self, engine: Box<dyn Engine>) -> Result<(), EngineError> {
        serve_streams(engine, self.requests, self.messages)
    }
}

/// A private copy of standard output, for this process alone: children do not inherit it. Descriptor 1 itself is
/// pointed at standard error.
#[cfg(unix)]
fn take_stdout() -> io::Result<File> {
    use std::os::fd::AsFd as _;

    let copy = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(copy.into())
}

/// A private copy of standard input. Descriptor 0 itself becomes empty.
#[cfg(unix)]
fn take_stdin() -> io::Result<File> {
    use std::os::fd::AsFd as _;

    let copy = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(copy.into())
}

#[cfg(windows)]
unsafe extern "C" {
    /// The C library's `dup2`, which its `printf` sees; the system's own handle is a thing apart.
    fn _dup2(from: i32, to: i32) -> i32;
    /// A descriptor of the C library for a handle, which then belongs to it.
    fn _open_osfhandle(handle: isize, flags: i32) -> i32;
}

/// A private copy of standard output, for this process alone: children do not inherit it. Standard output itself is
/// pointed at standard error.
#[cfg(windows)]
fn take_stdout() -> io::Result<File> {
    use std::os::windows::io::{AsHandle as _, AsRawHandle as _};

    use windows_sys::Win32::System::Console::{STD_OUTPUT_HANDLE, SetStdHandle};

    let copy = io::stdout().as_handle().try_clone_to_owned()?;
    // SAFETY: takes two numbers. Where there is no such descriptor it fails, and then nothing can print to it.
    unsafe { _dup2(2, 1) };
    // SAFETY: standard error's handle is never closed.
    if unsafe { SetStdHandle(STD_OUTPUT_HANDLE, io::stderr().as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(copy.into())
}

/// A private copy of standard input. Standard input itself becomes empty.
#[cfg(windows)]
fn take_stdin() -> io::Result<File> {
    use std::os::windows::io::{AsHandle as _, IntoRawHandle as _};

    use windows_sys::Win32::System::Console::{STD_INPUT_HANDLE, SetStdHandle};

    let copy = io::stdin().as_handle().try_clone_to_owned()?;
    let nothing = File::open("NUL")?.into_raw_handle();
    // SAFETY: the handle is open and belongs to nobody else; it stays open as long as the process.
    if unsafe { SetStdHandle(STD_INPUT_HANDLE, nothing) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above. Where the C library refuses, its descriptor 0 stays as it was.
    let descriptor = unsafe { _open_osfhandle(nothing as isize, 0) };
    if descriptor >= 0 {
        // SAFETY: takes two numbers, both of open descriptors.
        unsafe { _dup2(descriptor, 0) };
    }
    Ok(copy.into())
}
