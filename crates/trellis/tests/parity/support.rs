//! Fixtures of `tests/fixtures`, and how close is close.

use std::path::PathBuf;

use bozzetto_trellis::weights::{Checkpoint, Weights};
use bozzetto_trellis::{Result, TrellisError};
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

/// A fixture: what upstream computed, and the weights it computed with.
pub struct Fixture {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Fixture {
    pub fn open(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, bytes }
    }

    fn file(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).expect("a fixture")
    }

    pub fn keys(&self) -> Vec<String> {
        self.file().names().into_iter().map(str::to_owned).collect()
    }

    pub fn tensor(&self, key: &str) -> Tensor {
        let file = self.file();
        let view = file.tensor(key).unwrap_or_else(|error| panic!("{key}: {error}"));
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
            Dtype::F16 => Kind::Half,
            Dtype::I64 => Kind::Int64,
            Dtype::I32 => Kind::Int,
            Dtype::U8 => Kind::Uint8,
            Dtype::BOOL => Kind::Bool,
            other => panic!("{key} holds {other:?}"),
        };
        let shape: Vec<i64> = view.shape().iter().map(|&length| length as i64).collect();
        Tensor::from_data_size(view.data(), &shape, kind)
    }

    /// Builds a model from the weights in the fixture, all of which it has to use.
    pub fn load<T>(&self, build: impl FnOnce(&Weights<'_>) -> Result<T>) -> Result<T> {
        self.load_from("weights", build)
    }

    /// The same of one of several sets of weights.
    pub fn load_from<T>(&self, set: &str, build: impl FnOnce(&Weights<'_>) -> Result<T>) -> Result<T> {
        let checkpoint = Checkpoint::open(&self.path).map_err(TrellisError::from)?;
        checkpoint.load(Device::Cpu, |weights| {
            for key in self.keys().iter().filter(|key| key.split('.').next() != Some(set)) {
                weights.skip(key);
            }
            build(&weights.at(set))
        })
    }
}

impl Fixture {
    /// Builds a part of a model.
    pub fn part<T>(&self, build: impl FnOnce(&Weights<'_>) -> Result<T>) -> T {
        let checkpoint = Checkpoint::open(&self.path).expect("a fixture");
        let part = checkpoint.load(Device::Cpu, |weights| {
            for key in self.keys() {
                weights.skip(&key);
            }
            build(&weights.at("weights"))
        });
        part.expect("a part")
    }
}

/// The largest difference, relative to the largest number expected.
pub fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let scale = f64::try_from(expected.abs().max()).expect("a number");
    f64::try_from((found - expected).abs().max()).expect("a number") / scale
}

/// Two f32 computations of the same thing differ by rounding alone.
pub fn assert_close(found: &Tensor, expected: &Tensor, what: &str) {
    let error = relative_error(found, expected);
    assert!(error < 1e-5, "{what}: {error:e}");
}

pub fn assert_same(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    assert!(
        found.to_kind(Kind::Int64).equal(&expected.to_kind(Kind::Int64)),
        "{what}"
    );
}
