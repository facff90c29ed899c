//! Strategies and checks that the readers' tests share.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::FormatError;

/// Random bytes, cut-off beginnings of a valid file, and a valid file with some bytes changed, removed or repeated.
pub(crate) fn mutated(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = valid.len();
    let (for_cut, for_edit, for_splice) = (valid.clone(), valid.clone(), valid);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        2 => (0..=length).prop_map(move |end| for_cut[..end].to_vec()),
        4 => prop::collection::vec((0..length, any::<u8>()), 1..12).prop_map(move |edits| {
            let mut bytes = for_edit.clone();
            for (index, value) in edits {
                bytes[index] = value;
            }
            bytes
        }),
        2 => (0..length, 0..length, 0..length).prop_map(move |(start, end, at)| {
            let (start, end) = (start.min(end), start.max(end));
            [&for_splice[..at], &for_splice[start..end], &for_splice[at..]].concat()
        }),
    ]
}

/// Decodes and, where that fails, checks that the error reads as a sentence. A panic fails the test by itself.
pub(crate) fn never_panics<T: Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, FormatError>,
) -> Result<(), TestCaseError> {
    if let Err(error) = decode(bytes) {
        let sentence = error.to_string();
        prop_assert!(
            sentence.ends_with('.') && sentence.starts_with("The file "),
            "{sentence}"
        );
    }
    Ok(())
}
