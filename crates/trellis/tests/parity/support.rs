//! What several of these tests need.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::{Kind, Tensor};

pub fn assert_same(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    assert!(
        found.to_kind(Kind::Int64).equal(&expected.to_kind(Kind::Int64)),
        "{what}"
    );
}

/// Names and shapes of a released checkpoint's tensors, from a list in the folder of test data; `None`, and a word, where that folder is not there.
#[expect(clippy::print_stdout, reason = "what a test leaves out, it says")]
pub fn checkpoint_keys(list: &str) -> Option<BTreeMap<String, Vec<i64>>> {
    let Some(folder) = std::env::var_os("BOZZETTO_TEST_DATA") else {
        println!("BOZZETTO_TEST_DATA is not set: the lists of released checkpoints' keys are left out.");
        return None;
    };
    let path = PathBuf::from(folder).join(format!("checkpoint_keys/{list}.keys.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let line = |line: &str| {
        let mut columns = line.split('\t');
        let (key, _kind, shape) = (columns.next()?, columns.next()?, columns.next()?);
        Some((key.to_owned(), serde_json::from_str(shape).ok()?))
    };
    Some(
        text.lines()
            .map(|text| line(text).unwrap_or_else(|| panic!("'{text}' is no key")))
            .collect(),
    )
}
