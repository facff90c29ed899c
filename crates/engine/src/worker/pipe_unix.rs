//! Pipes whose reading and writing can be stopped from outside.
//!
//! The end of a worker is not the end of its pipes: a process that it started may hold them open. A thread blocked in
//! a plain `read` would then never come back, so these wait for the pipe and for a stop signal at once.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};

/// Stops every pipe that was made with it when it is dropped.
pub(super) struct Stop {
    /// Never written to; its closing is the signal.
    _closes: PipeWriter,
    signal: Arc<PipeReader>,
}

impl Stop {
    pub(super) fn new() -> io::Result<Self> {
        let (signal, closes) = io::pipe()?;
        Ok(Self {
            _closes: closes,
            signal: Arc::new(signal),
        })
    }
}

/// One end of a worker's pipe.
pub(super) struct Pipe {
    file: File,
    stop: Arc<PipeReader>,
}

impl Pipe {
    pub(super) fn new(end: impl Into<OwnedFd>, stop: &Stop) -> io::Result<Self> {
        let file = File::from(end.into());
        // A write larger than the room in the pipe would block in spite of a poll. Our end alone becomes
        // non-blocking: the worker's has a file description of its own.
        rustix::io::ioctl_fionbio(&file, true)?;
        Ok(Self {
            file,
            stop: stop.signal.clone(),
        })
    }

    /// Waits until the pipe is ready (`true`) or stopped (`false`).
    fn wait_for(&self, readiness: PollFlags) -> io::Result<bool> {
        let mut fds = [
            PollFd::from_borrowed_fd(self.stop.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.file.as_fd(), readiness),
        ];
        match poll(&mut fds, None) {
            Ok(_) => Ok(fds[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.wait_for(PollFlags::IN)? {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
        Ok(0)
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        while self.wait_for(PollFlags::OUT)? {
            match self.file.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
