use std::cell::RefCell;
use std::collections::BTreeMap;

use tch::Kind;

use super::Weights;
use crate::Result;

/// What a model asks of one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its shape.
    pub shape: Vec<i64>,
    /// The kind of numbers the model computes with; a file may hold another.
    pub kind: Kind,
}

/// Builds a model without a file and gives the names, shapes and kinds of all tensors it asks for. The tensors take no memory
/// and hold zeros.
pub fn record<T>(build: impl FnOnce(&Weights<'_>) -> Result<T>) -> Result<BTreeMap<String, TensorSpec>> {
    let asked = RefCell::new(BTreeMap::new());
    build(&Weights::of_record(&asked))?;
    Ok(asked.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_listed_and_takes_no_memory() {
        let specs = record(|weights| {
            let block = weights.at("blocks").at(7);
            // 4 TiB, if they were there.
            let weight = block.tensor("weight", &[1 << 20, 1 << 20], Kind::Float)?;
            assert_eq!(weight.size(), [1 << 20, 1 << 20]);
            let _ = weights.indices("index", &[2])?;
            weights.skip("norm");
            Ok(())
        });
        let specs = specs.expect("no file is needed");
        let weight = TensorSpec {
            shape: vec![1 << 20, 1 << 20],
            kind: Kind::Float,
        };
        assert_eq!(specs.get("blocks.7.weight"), Some(&weight));
        assert_eq!(specs.keys().collect::<Vec<_>>(), ["blocks.7.weight", "index"]);
    }
}
