//! ZIP archives as packages of XML need them: a few deflated parts with plain names, nothing else.
//!
//! After APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. The same parts give the same bytes: every one is dated
//! to the first day that the format knows.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::FormatError;

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END_OF_ARCHIVE: u32 = 0x0605_4b50;
/// 2.0, the first version with deflate.
const VERSION: u16 = 20;
const DEFLATED: u16 = 8;
/// 1980-01-01.
const FIRST_DAY: u16 = 0x0021;

/// An archive of parts, each with its name in ASCII.
///
/// # Errors
/// Parts or an archive of 4 GiB and more.
pub(super) fn archive(parts: &[(&str, &[u8])]) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in parts {
        let deflated = deflate(content)?;
        // What both headers of a part have in common, from the version on.
        let mut facts = Vec::new();
        for short in [VERSION, 0, DEFLATED, 0, FIRST_DAY] {
            facts.extend(short.to_le_bytes());
        }
        let mut crc = Crc::new();
        crc.update(content);
        for word in [crc.sum(), length(deflated.len())?, length(content.len())?] {
            facts.extend(word.to_le_bytes());
        }
        // Of the name, and of an extra field that is not there.
        facts.extend((name.len() as u16).to_le_bytes());
        facts.extend([0; 2]);

        directory.extend(CENTRAL_HEADER.to_le_bytes());
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&facts);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(length(bytes.len())?.to_le_bytes());
        directory.extend(name.as_bytes());

        bytes.extend(LOCAL_HEADER.to_le_bytes());
        bytes.extend(&facts);
        bytes.extend(name.as_bytes());
        bytes.extend(&deflated);
    }
    let (start, size) = (length(bytes.len())?, length(directory.len())?);
    bytes.extend(directory);
    bytes.extend(END_OF_ARCHIVE.to_le_bytes());
    bytes.extend([0; 4]);
    for _ in 0..2 {
        bytes.extend((parts.len() as u16).to_le_bytes());
    }
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    Ok(bytes)
}

fn deflate(content: &[u8]) -> Result<Vec<u8>, FormatError> {
    let packed = || {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content)?;
        encoder.finish()
    };
    packed().map_err(|error: std::io::Error| FormatError::unwritable(format!("it could not be packed ({error})")))
}

fn length(length: usize) -> Result<u32, FormatError> {
    u32::try_from(length).map_err(|_| FormatError::unwritable("it would be larger than 4 GiB"))
}

/// The parts of an archive, found through its directory as readers do.
#[cfg(test)]
pub(super) fn parts(bytes: &[u8]) -> std::collections::BTreeMap<String, Vec<u8>> {
    use std::io::Read as _;

    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
    let end = bytes.len() - 22;
    assert_eq!(word(end), END_OF_ARCHIVE);
    let mut at = word(end + 16) as usize;
    assert_eq!(
        at + word(end + 12) as usize,
        end,
        "the directory ends where the archive's end begins"
    );
    let mut parts = std::collections::BTreeMap::new();
    for _ in 0..short(end + 10) {
        assert_eq!(word(at), CENTRAL_HEADER);
        let name = String::from_utf8(bytes[at + 46..at + 46 + short(at + 28)].to_vec()).expect("ASCII");
        let local = word(at + 42) as usize;
        assert_eq!(word(local), LOCAL_HEADER);
        assert_eq!(
            bytes[local + 4..local + 30],
            bytes[at + 6..at + 32],
            "both headers agree"
        );
        let data = local + 30 + short(local + 26) + short(local + 28);
        let mut content = Vec::new();
        let deflated = &bytes[data..data + word(at + 20) as usize];
        flate2::read::DeflateDecoder::new(deflated)
            .read_to_end(&mut content)
            .expect("deflated");
        assert_eq!(content.len(), word(at + 24) as usize);
        let mut crc = Crc::new();
        crc.update(&content);
        assert_eq!(crc.sum(), word(at + 16));
        parts.insert(name, content);
        at += 46 + short(at + 28) + short(at + 30) + short(at + 32);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_by_their_names() {
        let long = b"a part that repeats itself. ".repeat(1000);
        let bytes = archive(&[("a.txt", b"first"), ("folder/b.txt", &long), ("empty", b"")]).unwrap();
        assert!(bytes.len() < 1000, "{}", bytes.len());
        let parts = parts(&bytes);
        assert_eq!(parts.len(), 3);
        assert_eq!(parts["a.txt"], b"first");
        assert_eq!(parts["folder/b.txt"], long);
        assert_eq!(parts["empty"], b"");
    }
}
