//! Pipes to a worker. They end when the worker's job object does, see `process_tree_windows.rs`: nothing that the worker
//! started outlives it, so plain reads and writes always come back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::windows::io::OwnedHandle;

/// The twin of the Unix one, with nothing to do.
pub(super) struct Stop;

impl Stop {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix one can fail")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }
}

/// One end of a worker's pipe.
pub(super) struct Pipe(File);

impl Pipe {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix one can fail")]
    pub(super) fn new(end: impl Into<OwnedHandle>, _stop: &Stop) -> io::Result<Self> {
        Ok(Self(File::from(end.into())))
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
