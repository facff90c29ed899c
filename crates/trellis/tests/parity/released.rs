//! What the released files of weights hold, from `tests/checkpoint_keys`.

use std::collections::BTreeMap;
use std::path::Path;

use bozzetto_trellis::Result;
use bozzetto_trellis::weights::TensorSpec;

/// Names and shapes.
pub type Keys = BTreeMap<String, Vec<i64>>;

/// Those of a list's tensors.
pub fn keys(list: &str) -> Keys {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/checkpoint_keys/{list}.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let patterns = text.lines().map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        let shape: Vec<i64> = serde_json::from_str(columns[2]).expect("a shape");
        (columns[0], shape)
    });
    patterns
        .flat_map(|(pattern, shape)| expanded(pattern).into_iter().map(move |key| (key, shape.clone())))
        .collect()
}

/// Checks that a model asks for exactly the tensors of a released file.
pub fn assert_asks_for(asked: Result<BTreeMap<String, TensorSpec>>, expected: &Keys) {
    let asked = asked.expect("no file is needed");
    let asked: Keys = asked.into_iter().map(|(key, spec)| (key, spec.shape)).collect();
    for (key, shape) in &asked {
        assert_eq!(expected.get(key), Some(shape), "{key}");
    }
    let missing: Vec<_> = expected.keys().filter(|key| !asked.contains_key(*key)).collect();
    assert!(missing.is_empty(), "nobody asks for {missing:?}");
}

/// All that `{0-2,5}` in a pattern stands for.
fn expanded(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return vec![pattern.to_owned()];
    };
    let (numbers, after) = rest.split_once('}').expect("a closing brace");
    let ranges = numbers.split(',').map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        from.parse::<u32>().expect("a number")..=to.parse().expect("a number")
    });
    let number_and_rest = |number| {
        expanded(after)
            .into_iter()
            .map(move |tail| format!("{before}{number}{tail}"))
    };
    ranges.flatten().flat_map(number_and_rest).collect()
}

#[test]
fn patterns_stand_for_all_their_numbers() {
    assert_eq!(expanded("a.{0-2,5}.b"), ["a.0.b", "a.1.b", "a.2.b", "a.5.b"]);
    assert_eq!(expanded("{1,2}.{8-9}"), ["1.8", "1.9", "2.8", "2.9"]);
    assert_eq!(keys("structure_flow").len(), 640);
}
