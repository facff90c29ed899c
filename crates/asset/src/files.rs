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

/// [`write_atomic`] for writers with errors of their own, which come back as they are.
pub fn write_atomic_or<E: From<FormatError>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut own_error = None;
    let written = write_atomic(path, |writer| {
        write(writer).map_err(|error| {
            own_error = Some(error);
            io::Error::other("the writer gave up")
        })
    });
    match own_error {
        Some(error) => Err(error),
        None => Ok(written?),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_appears_whole_in_a_folder_that_was_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("a.txt");
        write_bytes(&path, b"first").unwrap();
        write_bytes(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(names_in(&folder.path().join("new")), ["a.txt"]);
    }

    #[test]
    fn an_error_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_bytes(&path, b"old").unwrap();
        let result = write_atomic(&path, |writer| {
            writer.write_all(&vec![7; 4 << 20])?;
            Err(io::Error::other("the disk is full"))
        });
        let error = result.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("a.txt could not be written: the disk is full"),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_writer_s_own_error_comes_back_as_it_is() {
        #[derive(Debug, PartialEq)]
        enum Refusal {
            Own(u32),
            File,
        }
        impl From<FormatError> for Refusal {
            fn from(_: FormatError) -> Self {
                Self::File
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let own = write_atomic_or(&path, |_| Err(Refusal::Own(7)));
        assert_eq!((own, names_in(folder.path()).len()), (Err(Refusal::Own(7)), 0));
        assert_eq!(write_atomic_or::<Refusal>(&path, |_| Ok(())), Ok(()));
        let below = write_atomic_or(&path.join("below.txt"), |_| Ok(()));
        assert_eq!(below, Err(Refusal::File));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write_bytes(&file, b"").unwrap();
        let error = write_bytes(&file.join("below.txt"), b"").unwrap_err();
        assert_eq!(error.path(), file.join("below.txt"));
    }

    #[cfg(unix)]
    #[test]
    fn files_are_as_readable_as_the_artists_other_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let [ours, usual] = ["ours", "usual"].map(|name| folder.path().join(name));
        write_bytes(&ours, b"").unwrap();
        std::fs::write(&usual, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }

    #[test]
    fn hashes_are_sha_256() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        write_bytes(&path, b"abc").unwrap();
        assert_eq!(sha256_of_bytes(b"abc"), expected);
        assert_eq!(sha256_of_file(&path).unwrap(), expected);
        assert!(matches!(sha256_of_file(folder.path()), Err(FormatError::Read { .. })));
    }
}
