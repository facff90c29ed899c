use std::io;
use std::path::PathBuf;

use bozzetto_engine::EngineError;

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// It is in none of the places where weights lie.
    #[error("{what} is not installed: fetch {file} ({size}) from {page} into {place}.", size = gigabytes(*num_bytes), place = place.display())]
    Missing {
        /// What it is, as an artist would call it.
        what: String,
        /// Its path in its repository.
        file: String,
        /// Its size; 0 when that is not known.
        num_bytes: u64,
        /// The repository's address.
        page: String,
        /// Where it is looked for last.
        place: PathBuf,
    },
    /// It cannot be read.
    #[error("{path} cannot be read: {source}.", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is cut short, or no safetensors file.
    #[error("{path} is damaged: {reason}. Delete it and fetch it again.", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found out.
        reason: String,
    },
    /// A tensor is not there.
    #[error("{path} is not the model it should be: it has no tensor '{key}'.", path = path.display())]
    MissingKey {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        key: String,
    },
    /// There are tensors that the model has no use for.
    #[error("{path} is not the model it should be: it has {count} tensor(s) too many, such as '{key}'.", path = path.display())]
    SpareKeys {
        /// The file.
        path: PathBuf,
        /// The first of them by name.
        key: String,
        /// How many.
        count: usize,
    },
    /// A tensor has another shape.
    #[error("{path} is not the model it should be: tensor '{key}' is {found:?} instead of {expected:?}.", path = path.display())]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        key: String,
        /// The model's.
        expected: Vec<i64>,
        /// The file's.
        found: Vec<i64>,
    },
    /// A tensor holds another kind of numbers.
    #[error("{path} is not the model it should be: tensor '{key}' holds {found} instead of {expected}.", path = path.display())]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        key: String,
        /// What the model can take.
        expected: &'static str,
        /// The file's.
        found: String,
    },
    /// A model's description is not understood.
    #[error("{path} does not describe a model that is known: {reason}.", path = path.display())]
    BadDescription {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl From<WeightsError> for EngineError {
    fn from(error: WeightsError) -> Self {
        let reason = error.to_string().trim_end_matches('.').to_owned();
        match error {
            WeightsError::Missing {
                what,
                file,
                num_bytes,
                page,
                place,
            } => Self::MissingFile {
                what: format!("{what} ({file} from {page}, {})", gigabytes(num_bytes)),
                path: place,
            },
            WeightsError::Read { path, source } => Self::Io {
                operation: "read".to_owned(),
                path,
                reason: source.to_string(),
            },
            _ => Self::NoResult {
                reason,
                advice: "Fetch the file again: see the engine's page for where it comes from.".to_owned(),
            },
        }
    }
}

/// A size as download pages state it.
fn gigabytes(num_bytes: u64) -> String {
    match num_bytes {
        0 => "of unknown size".to_owned(),
        1..100_000_000 => format!("{:.0} MB", (num_bytes as f64 / 1e6).max(1.0)),
        _ => format!("{:.1} GB", num_bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_says_what_to_fetch_and_how_large_it_is() {
        let missing = || WeightsError::Missing {
            what: "The shape decoder of TRELLIS.2".to_owned(),
            file: "ckpts/shape_dec.safetensors".to_owned(),
            num_bytes: 948_490_494,
            page: "https://huggingface.co/microsoft/TRELLIS.2-4B".to_owned(),
            place: PathBuf::from("/weights/ckpts/shape_dec.safetensors"),
        };
        let sentence = missing().to_string();
        let told = EngineError::from(missing()).to_string();
        for text in [sentence, told] {
            for part in [
                "The shape decoder",
                "0.9 GB",
                "huggingface.co/microsoft",
                "/weights/ckpts",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }
}
