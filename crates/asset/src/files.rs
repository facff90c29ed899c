//! Files as the program writes them: whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::formats::FormatError;

/// Writes a file under a temporary name in the same folder and renames it when it is whole, so that no reader ever
/// sees half a file and an error leaves what was there before. Missing parent folders are made.
///
/// # Errors
/// [`FormatError::Write`] with the path; the temporary file is gone then.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FormatError> {
    write_renamed(path, write).map_err(|source| FormatError::Write {
        path: path.to_owned(),
        source,
    })
}

fn write_renamed(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let folder = parent_of(path);
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".part");
    // A temporary file is private by default; the finished one is an ordinary file of the artist's.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(folder)?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary.as_file().try_clone()?);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes bytes that are already whole, the same way as [`write_atomic`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), FormatError> {
    write_atomic(path, |writer| writer.write_all(bytes))
}

/// SHA-256 of a file, lower-case hexadecimal, read in pieces.
pub fn sha256_of_file(path: &Path) -> Result<String, FormatError> {
    let hash = || -> io::Result<String> {
        let mut hasher = Sha256::new();
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count = io::Read::read(&mut file, &mut buffer)?;
            if count == 0 {
                return Ok(hexadecimal(&hasher.finalize()));
            }
            hasher.update(&buffer[..count]);
        }
    };
    hash().map_err(|source| FormatError::Read {
        path: path.to_owned(),
        source,
    })
}

/// SHA-256 of bytes, lower-case hexadecimal.
pub fn sha256_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The folder a path lies in; the current one for a bare name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A path beside `path` with another file name.
pub(crate) fn beside(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}
