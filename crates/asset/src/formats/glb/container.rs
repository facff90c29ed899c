//! The GLB container: a header and two chunks.

use crate::formats::FormatError;

const MAGIC: &[u8; 4] = b"glTF";
const HEADER_BYTES: usize = 12;
const CHUNK_HEADER_BYTES: usize = 8;
const JSON_CHUNK: &[u8; 4] = b"JSON";
const BINARY_CHUNK: &[u8; 4] = b"BIN\0";

/// The two chunks of a GLB; `binary` is empty when there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks<'a> {
    pub(super) json: &'a [u8],
    pub(super) binary: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(super) fn split(bytes: &'a [u8]) -> Result<Self, FormatError> {
        if !bytes.starts_with(MAGIC) {
            return Err(FormatError::not_recognized("GLB", "it does not begin with 'glTF'"));
        }
        let header = bytes
            .get(..HEADER_BYTES)
            .ok_or_else(|| FormatError::truncated("header", HEADER_BYTES as u64, bytes.len()))?;
        let version = word(header, 4);
        if version != 2 {
            return Err(FormatError::unsupported(format!(
                "glTF version {version} (save it as version 2)"
            )));
        }
        let length = word(header, 8) as usize;
        let whole = bytes
            .get(..length)
            .ok_or_else(|| FormatError::truncated("whole", length as u64, bytes.len()))?;
        let mut rest = whole.get(HEADER_BYTES..).unwrap_or_default();
        let (json_kind, json) = next_chunk(&mut rest)?;
        if json_kind != JSON_CHUNK {
            return Err(FormatError::damaged(
                "its first chunk is not the description of the scene",
            ));
        }
        let mut binary: &[u8] = &[];
        while !rest.is_empty() {
            let (kind, chunk) = next_chunk(&mut rest)?;
            // Chunks of other kinds are to be skipped.
            if kind == BINARY_CHUNK {
                binary = chunk;
                break;
            }
        }
        Ok(Self { json, binary })
    }

    /// Bytes of the file with these chunks.
    pub(super) fn num_bytes(self) -> usize {
        let chunks = self.json.len().next_multiple_of(4) + self.binary.len().next_multiple_of(4);
        HEADER_BYTES + 2 * CHUNK_HEADER_BYTES + chunks
    }

    /// The file with these chunks, padded to four bytes as the format asks: spaces after text, zeros after data.
    pub(super) fn join(self) -> Result<Vec<u8>, FormatError> {
        let total = self.num_bytes();
        let length = u32::try_from(total)
            .map_err(|_| FormatError::unwritable(format!("it would take {total} bytes, and a GLB ends at 4 GiB")))?;
        let mut bytes = Vec::with_capacity(total);
        bytes.extend(MAGIC);
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        for (kind, chunk, filler) in [(JSON_CHUNK, self.json, b' '), (BINARY_CHUNK, self.binary, 0)] {
            let padded = chunk.len().next_multiple_of(4);
            bytes.extend((padded as u32).to_le_bytes());
            bytes.extend(kind);
            bytes.extend(chunk);
            bytes.resize(bytes.len() + padded - chunk.len(), filler);
        }
        Ok(bytes)
    }
}

fn next_chunk<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), FormatError> {
    let Some((header, body)) = rest.split_at_checked(CHUNK_HEADER_BYTES) else {
        return Err(FormatError::truncated(
            "chunk header",
            CHUNK_HEADER_BYTES as u64,
            rest.len(),
        ));
    };
    let length = word(header, 0) as usize;
    let Some((chunk, after)) = body.split_at_checked(length) else {
        return Err(FormatError::truncated("chunk", length as u64, body.len()));
    };
    *rest = after;
    Ok((&header[4..8], chunk))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}
