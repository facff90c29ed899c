//! Files as memory: arrays on the worker border are read without a copy of the whole file.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

use super::FormatError;

/// The bytes of a file that was written whole and is never changed in place.
#[derive(Debug)]
pub(super) struct Mapped(memmap2::Mmap);

impl Mapped {
    pub(super) fn open(path: &Path) -> Result<Self, FormatError> {
        map(path).map(Self).map_err(|source| FormatError::Read {
            path: path.to_owned(),
            source,
        })
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[expect(
    unsafe_code,
    reason = "mapping a file is unsafe because others may change it; see SAFETY"
)]
fn map(path: &Path) -> io::Result<memmap2::Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    // SAFETY: only files of our own making are mapped: artifacts in a job's private folder and saved generations. They
    // are written under another name and renamed when whole (`files::write_atomic`), and no part of the program ever
    // writes to or shortens one under its final name. The map lives only while one is read into vectors.
    unsafe { memmap2::Mmap::map(&file) }
}
