/// How much memory a step may take beside its inputs and its result. Rows are worked on in chunks that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScratchMemory {
    bytes: usize,
}

impl ScratchMemory {
    /// So many bytes. A chunk has one row at least, whatever that takes.
    pub const fn bytes(bytes: usize) -> Self {
        Self { bytes }
    }

    /// Start and length of each chunk of `num_rows` rows that take `row_bytes` each.
    ///
    /// Chunks are all but equally long: a short one at the end would use the device badly.
    pub(crate) fn chunks(self, num_rows: i64, row_bytes: usize) -> impl Iterator<Item = (i64, i64)> {
        let most_rows = (self.bytes / row_bytes.max(1)).clamp(1, i64::MAX as usize) as i64;
        let num_chunks = (num_rows as u64).div_ceil(most_rows as u64) as i64;
        let bound = move |chunk: i64| (i128::from(num_rows) * i128::from(chunk) / i128::from(num_chunks)) as i64;
        (0..num_chunks).map(move |chunk| (bound(chunk), bound(chunk + 1) - bound(chunk)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_rows_and_fit() {
        for (num_rows, row_bytes, bytes) in [
            (10, 4, 12),
            (1, 100, 1),
            (7, 1, 7),
            (0, 4, 8),
            (9, 0, 3),
            (1000, 3, 100),
        ] {
            let mut next = 0;
            for (start, length) in ScratchMemory::bytes(bytes).chunks(num_rows, row_bytes) {
                assert_eq!(start, next);
                assert!(
                    length == 1 || length as usize * row_bytes <= bytes,
                    "{length} rows of {row_bytes}"
                );
                assert!(length > 0);
                next += length;
            }
            assert_eq!(next, num_rows);
        }
    }
}
