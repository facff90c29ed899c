use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// On or off.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// One of a list, by its id.
    Choice(String),
}

impl std::fmt::Display for ParamValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Choice(value) => f.write_str(value),
        }
    }
}

/// What values a parameter takes, with its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ParamKind {
    /// On or off.
    Bool {
        /// Value when not set.
        default: bool,
    },
    /// A whole number in a range.
    Int {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Distance between neighbouring values.
        step: i64,
        /// Value when not set.
        default: i64,
    },
    /// A number in a range.
    Float {
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
        /// What a slider's notch is worth; finer values are accepted.
        step: f64,
        /// Value when not set.
        default: f64,
    },
    /// One of a list.
    Choice {
        /// Ids with the labels that the artist reads.
        options: Vec<(String, String)>,
        /// Id when not set.
        default: String,
    },
}

/// A parameter that an engine declares. Panels, `--set key=value`, presets and validation are all drawn from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParamSpec {
    /// Stage and name, as in `carve.resolution`.
    pub key: String,
    /// What the artist reads.
    pub label: String,
    /// Id of the first stage that depends on it: a change runs this stage again, and those after it.
    pub stage: String,
    /// Values and default.
    pub kind: ParamKind,
    /// Unit behind the number, as in `°`; empty when there is none.
    #[serde(default)]
    pub unit: String,
    /// One or two sentences for the tooltip: what more and less of it do.
    pub help: String,
    /// Shown only on request.
    #[serde(default)]
    pub advanced: bool,
}

/// Why a parameter was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ParamError {
    /// No such key.
    #[error("There is no parameter '{key}'.{}", nearest.as_ref().map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default())]
    Unknown {
        /// What was given.
        key: String,
        /// The most similar key there is.
        nearest: Option<String>,
    },
    /// Not a value of the right kind.
    #[error("'{key}' must be {expected}, not '{given}'.")]
    WrongKind {
        /// The parameter.
        key: String,
        /// What it takes.
        expected: String,
        /// What was given.
        given: String,
    },
    /// Outside the range.
    #[error("'{key}' must lie between {min} and {max}; {given} does not.")]
    OutOfRange {
        /// The parameter.
        key: String,
        /// What was given.
        given: String,
        /// Least value.
        min: String,
        /// Greatest value.
        max: String,
    },
}

impl ParamSpec {
    /// The value when nothing is set.
    pub fn default_value(&self) -> ParamValue {
        match &self.kind {
            ParamKind::Bool { default } => ParamValue::Bool(*default),
            ParamKind::Int { default, .. } => ParamValue::Int(*default),
            ParamKind::Float { default, .. } => ParamValue::Float(*default),
            ParamKind::Choice { default, .. } => ParamValue::Choice(default.clone()),
        }
    }

    /// Reads a value from text, as in `--set key=value`.
    pub fn parse(&self, text: &str) -> Result<ParamValue, ParamError> {
        let text = text.trim();
        let value = match &self.kind {
            ParamKind::Bool { .. } => match text {
                "true" | "on" | "yes" | "1" => Some(ParamValue::Bool(true)),
                "false" | "off" | "no" | "0" => Some(ParamValue::Bool(false)),
                _ => None,
            },
            ParamKind::Int { .. } => text.parse().ok().map(ParamValue::Int),
            ParamKind::Float { .. } => text.parse().ok().map(ParamValue::Float),
            ParamKind::Choice { .. } => Some(ParamValue::Choice(text.to_owned())),
        };
        self.validated(&value.ok_or_else(|| self.wrong_kind(text))?)
    }

    /// The value in this parameter's own kind (a whole number is fine for a float), or why it is refused.
    pub fn validated(&self, value: &ParamValue) -> Result<ParamValue, ParamError> {
        let in_range = |inside: bool, min: &dyn ToString, max: &dyn ToString, value: ParamValue| {
            if inside {
                return Ok(value);
            }
            Err(ParamError::OutOfRange {
                key: self.key.clone(),
                given: value.to_string(),
                min: min.to_string(),
                max: max.to_string(),
            })
        };
        match (&self.kind, value) {
            (ParamKind::Bool { .. }, ParamValue::Bool(_)) => Ok(value.clone()),
            (ParamKind::Int { min, max, .. }, &ParamValue::Int(given)) => {
                in_range((*min..=*max).contains(&given), min, max, ParamValue::Int(given))
            }
            (ParamKind::Int { min, max, .. }, &ParamValue::Float(given)) if given.fract() == 0.0 => in_range(
                given >= *min as f64 && given <= *max as f64,
                min,
                max,
                ParamValue::Int(given as i64),
            ),
            (ParamKind::Float { min, max, .. }, &ParamValue::Float(given)) => {
                in_range((*min..=*max).contains(&given), min, max, ParamValue::Float(given))
            }
            (ParamKind::Float { min, max, .. }, &ParamValue::Int(given)) => in_range(
                (*min..=*max).contains(&(given as f64)),
                min,
                max,
                ParamValue::Float(given as f64),
            ),
            (ParamKind::Choice { options, .. }, ParamValue::Choice(given))
                if options.iter().any(|(id, _)| id == given) =>
            {
                Ok(value.clone())
            }
            _ => Err(self.wrong_kind(&value.to_string())),
        }
    }

    fn wrong_kind(&self, given: &str) -> ParamError {
        let expected = match &self.kind {
            ParamKind::Bool { .. } => "true or false".to_owned(),
            ParamKind::Int { .. } => "a whole number".to_owned(),
            ParamKind::Float { .. } => "a number".to_owned(),
            ParamKind::Choice { options, .. } => {
                let ids: Vec<_> = options.iter().map(|(id, _)| id.as_str()).collect();
                format!("one of {}", ids.join(", "))
            }
        };
        ParamError::WrongKind {
            key: self.key.clone(),
            expected,
            given: given.to_owned(),
        }
    }
}

/// Parameter values by key, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParamValues(pub BTreeMap<String, ParamValue>);

impl ParamValues {
    /// Every declared parameter with its given or default value; refuses unknown keys and wrong values.
    pub fn validated(&self, specs: &[ParamSpec]) -> Result<Self, ParamError> {
        if let Some(key) = self.0.keys().find(|key| !specs.iter().any(|spec| spec.key == **key)) {
            return Err(ParamError::Unknown {
                key: key.clone(),
                nearest: nearest_key(key, specs),
            });
        }
        specs
            .iter()
            .map(|spec| {
                let value = self
                    .0
                    .get(&spec.key)
                    .map_or_else(|| Ok(spec.default_value()), |value| spec.validated(value));
                Ok((spec.key.clone(), value?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A number by key, whole or not.
    pub fn float(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            ParamValue::Float(value) => Some(*value),
            ParamValue::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// A whole number by key.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            ParamValue::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A switch by key.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.0.get(key)? {
            ParamValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A choice's id by key.
    pub fn choice(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            ParamValue::Choice(value) => Some(value),
            _ => None,
        }
    }
}

/// The declared key with the fewest edits from `key`, if it is similar at all.
fn nearest_key(key: &str, specs: &[ParamSpec]) -> Option<String> {
    specs
        .iter()
        .map(|spec| (edit_distance(key, &spec.key), &spec.key))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 2)
        .map(|(_, candidate)| candidate.clone())
}

/// Levenshtein distance in bytes; keys are short and ASCII.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, byte_a) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, byte_b) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(byte_a != byte_b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolution() -> ParamSpec {
        ParamSpec {
            key: "carve.resolution".into(),
            label: "Resolution".into(),
            stage: "carve".into(),
            kind: ParamKind::Int {
                min: 32,
                max: 512,
                step: 32,
                default: 192,
            },
            unit: String::new(),
            help: "More voxels show finer detail.".into(),
            advanced: false,
        }
    }

    #[test]
    fn defaults_are_filled_in_and_wrong_values_refused() {
        let specs = [resolution()];
        let filled = ParamValues::default().validated(&specs).expect("defaults are valid");
        assert_eq!(filled.int("carve.resolution"), Some(192));
        for (value, wanted) in [
            (ParamValue::Int(8), "between 32 and 512"),
            (ParamValue::Float(64.5), "a whole number"),
            (ParamValue::Float(f64::NAN), "a whole number"),
            (ParamValue::Choice("big".into()), "a whole number"),
        ] {
            let values = ParamValues([("carve.resolution".to_owned(), value)].into());
            let error = values.validated(&specs).expect_err("must be refused").to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn a_typing_error_names_the_nearest_key() {
        let values = ParamValues([("carve.resolutoin".to_owned(), ParamValue::Int(64))].into());
        let error = values.validated(&[resolution()]).expect_err("unknown key").to_string();
        assert!(error.contains("Did you mean 'carve.resolution'?"), "{error}");
    }

    #[test]
    fn text_is_read_as_the_declared_kind() {
        assert_eq!(resolution().parse(" 256 "), Ok(ParamValue::Int(256)));
        assert!(resolution().parse("lots").is_err());
    }
}
