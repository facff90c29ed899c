use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{ParamSpec, ParamValue, ParamValues};

/// What a stage's output depends on, as a SHA-256 chain: equal keys mean equal outputs.
///
/// A stage's key takes in the key of the stage before it ([`StageKey::with_key`]), so that a changed parameter changes
/// the keys of its own stage and of all later ones, and of no earlier one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StageKey([u8; 32]);

impl StageKey {
    /// A key that depends on the stage's name alone.
    pub fn new(stage: &str) -> Self {
        Self([0; 32]).chained(b"stage", stage.as_bytes())
    }

    /// This key and some content, such as a picture's bytes or their hash.
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Self {
        self.chained(b"bytes", bytes)
    }

    /// This key and that of a stage whose output goes in.
    #[must_use]
    pub fn with_key(self, upstream: &Self) -> Self {
        self.chained(b"key", &upstream.0)
    }

    /// This key and every parameter among `specs` that belongs to `stage`, with its default where it is not set.
    /// Parameters of other stages do not count; neither does the order of `specs`.
    #[must_use]
    pub fn with_params(self, values: &ParamValues, stage: &str, specs: &[ParamSpec]) -> Self {
        let mut declared: Vec<_> = specs.iter().filter(|spec| spec.stage == stage).collect();
        declared.sort_by(|a, b| a.key.cmp(&b.key));
        declared.into_iter().fold(self, |key, spec| {
            let value = values.0.get(&spec.key).cloned().unwrap_or_else(|| spec.default_value());
            // The spec's own kind first, so that 1 and 1.0 are one value where a float is declared.
            let value = spec.validated(&value).unwrap_or(value);
            key.chained(b"param", spec.key.as_bytes()).with_value(&value)
        })
    }

    fn with_value(self, value: &ParamValue) -> Self {
        match value {
            ParamValue::Bool(value) => self.chained(b"bool", &[u8::from(*value)]),
            ParamValue::Int(value) => self.chained(b"int", &value.to_le_bytes()),
            ParamValue::Float(value) => self.chained(b"float", &value.to_le_bytes()),
            ParamValue::Choice(value) => self.chained(b"choice", value.as_bytes()),
        }
    }

    /// Lengths go in before the contents, so that no two different lists of parts run into the same bytes.
    fn chained(self, tag: &[u8], content: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        for part in [tag, content] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Debug for StageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StageKey(")?;
        for byte in &self.0[..6] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParamKind;

    fn spec(key: &str, stage: &str) -> ParamSpec {
        ParamSpec {
            key: key.into(),
            label: key.into(),
            stage: stage.into(),
            kind: ParamKind::Float {
                min: 0.0,
                max: 10.0,
                step: 1.0,
                default: 1.0,
            },
            unit: String::new(),
            help: String::new(),
            advanced: false,
        }
    }

    /// Keys of a chain of three stages.
    fn chain(values: &ParamValues, specs: &[ParamSpec]) -> [StageKey; 3] {
        let fit = StageKey::new("fit").with_params(values, "fit", specs);
        let carve = StageKey::new("carve")
            .with_key(&fit)
            .with_params(values, "carve", specs);
        let color = StageKey::new("color")
            .with_key(&carve)
            .with_params(values, "color", specs);
        [fit, carve, color]
    }

    fn set(key: &str, value: ParamValue) -> ParamValues {
        ParamValues([(key.to_owned(), value)].into())
    }

    #[test]
    fn a_changed_parameter_invalidates_its_stage_and_later_ones_only() {
        let specs = [
            spec("fit.a", "fit"),
            spec("carve.a", "carve"),
            spec("carve.b", "carve"),
            spec("color.a", "color"),
        ];
        let before = chain(&ParamValues::default(), &specs);
        for (key, num_kept) in [("fit.a", 0), ("carve.a", 1), ("carve.b", 1), ("color.a", 2)] {
            let after = chain(&set(key, ParamValue::Float(2.0)), &specs);
            for stage in 0..3 {
                assert_eq!(before[stage] == after[stage], stage < num_kept, "{key}, stage {stage}");
            }
        }
    }

    #[test]
    fn defaults_whole_numbers_and_order_do_not_matter() {
        let specs = [spec("a.x", "a"), spec("a.y", "a")];
        let reversed = [specs[1].clone(), specs[0].clone()];
        let bare = StageKey::new("a").with_params(&ParamValues::default(), "a", &specs);
        let spelled_out = set("a.x", ParamValue::Int(1));
        assert_eq!(bare, StageKey::new("a").with_params(&spelled_out, "a", &reversed));
    }

    #[test]
    fn values_cannot_trade_places_and_parts_cannot_run_together() {
        let specs = [spec("a.x", "a"), spec("a.y", "a")];
        let x = StageKey::new("a").with_params(&set("a.x", ParamValue::Float(2.0)), "a", &specs);
        let y = StageKey::new("a").with_params(&set("a.y", ParamValue::Float(2.0)), "a", &specs);
        assert_ne!(x, y);
        let key = StageKey::new("a");
        assert_ne!(
            key.with_bytes(b"ab").with_bytes(b"c"),
            key.with_bytes(b"a").with_bytes(b"bc")
        );
        assert_ne!(key.with_bytes(b""), key);
        assert_ne!(StageKey::new("a").with_bytes(b"b"), StageKey::new("ab"));
    }
}
