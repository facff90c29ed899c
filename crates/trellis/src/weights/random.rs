use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::Kind;

use super::TensorSpec;
use crate::{Result, TrellisError};

/// Files of weights drawn at random, for tests and benchmarks. What comes out depends on the seed alone.
///
/// Weights keep the size of what goes through them about as it is; norms are about one. Upstream starts many layers at zero,
/// which would leave most of a network idle.
pub struct RandomWeights {
    state: u64,
    adjustments: Vec<(String, Adjustment)>,
}

/// Another distribution for some tensors.
#[derive(Clone, Debug)]
pub enum Adjustment {
    /// The usual numbers times this.
    Scaled(f32),
    /// These numbers, over and over.
    Repeated(Vec<f32>),
}

impl RandomWeights {
    /// Numbers that depend on `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed,
            adjustments: Vec::new(),
        }
    }

    /// Numbers of their own for each name.
    pub fn of_name(name: &str) -> Self {
        let seed = name
            .bytes()
            .fold(0_u64, |seed, byte| seed.wrapping_mul(131).wrapping_add(byte.into()));
        Self::new(seed)
    }

    /// Draws tensors whose name ends with `ending` in another way. The last one that fits counts.
    #[must_use]
    pub fn with(mut self, ending: &str, adjustment: Adjustment) -> Self {
        self.adjustments.push((ending.to_owned(), adjustment));
        self
    }

    /// Writes a safetensors file of such tensors (see [`super::record`]), floating-point ones as `kind`: F32, F16 or BF16.
    /// The file appears when it is whole.
    pub fn write(&mut self, path: &Path, specs: &BTreeMap<String, TensorSpec>, kind: Kind) -> Result<()> {
        let dtype = match kind {
            Kind::Float => Dtype::F32,
            Kind::Half => Dtype::F16,
            Kind::BFloat16 => Dtype::BF16,
            _ => return Err(TrellisError::Invalid(format!("Weights are not stored as {kind:?}"))),
        };
        let tensors = specs.iter().map(|(name, spec)| {
            let values = self.values(name, &spec.shape);
            (name, spec, as_bytes(&values, dtype))
        });
        let tensors: Vec<_> = tensors.collect();
        let views = tensors.iter().map(|(name, spec, bytes)| {
            let shape = spec.shape.iter().map(|&length| length as usize).collect();
            TensorView::new(dtype, shape, bytes).map(|view| (name.as_str(), view))
        });
        let file = views
            .collect::<Result<Vec<_>, _>>()
            .and_then(|views| safetensors::serialize(views, None));
        let file = file.map_err(|error| TrellisError::Invalid(error.to_string()))?;
        write_whole(path, &file)
    }

    /// Those of a tensor of this name, in the order in which it is stored.
    pub(crate) fn values(&mut self, name: &str, shape: &[i64]) -> Vec<f32> {
        let count = shape.iter().product::<i64>() as usize;
        let adjustment = self.adjustments.iter().rev().find(|(ending, _)| name.ends_with(ending));
        let scale = match adjustment.map(|(_, adjustment)| adjustment.clone()) {
            Some(Adjustment::Repeated(values)) => return values.into_iter().cycle().take(count).collect(),
            Some(Adjustment::Scaled(scale)) => scale,
            None => 1.0,
        };
        let is_factor = ["gamma", "lambda1", "running_var"]
            .iter()
            .any(|ending| name.ends_with(ending))
            || (shape.len() == 1 && name.ends_with("weight"));
        let (center, spread) = match shape {
            _ if is_factor => (1.0, 0.1),
            [] | [_] => (0.0, 0.1),
            // All but the first axis are summed over.
            [_, inputs @ ..] => (0.0, 1.0 / (inputs.iter().product::<i64>() as f32).sqrt()),
        };
        self.normals(count, center, scale * spread)
    }

    fn normals(&mut self, count: usize, center: f32, spread: f32) -> Vec<f32> {
        let first = self.state;
        self.state = first.wrapping_add(STEP.wrapping_mul(count as u64));
        let mut values = vec![0.0; count];
        in_parallel(&mut values, 1, |start, values| {
            let mut state = first.wrapping_add(STEP.wrapping_mul(start as u64));
            for value in values {
                state = state.wrapping_add(STEP);
                *value = center + spread * normal(state);
            }
        });
        values
    }
}

/// Of `SplitMix64` (Steele, Lea, Flood, 2014), whose numbers follow from where it stands: any of them can be had at once.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Nearly normal: the sum of four even numbers.
fn normal(state: u64) -> f32 {
    let bits = mixed(state);
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
    (sum as f32 / 65_535.0 - 2.0) * 3.0_f32.sqrt()
}

/// Fills pieces of `out`, whose lengths are multiples of `unit`, side by side; each is told how many elements come before it.
fn in_parallel<T: Send>(out: &mut [T], unit: usize, fill: impl Fn(usize, &mut [T]) + Sync) {
    const SMALLEST_PIECE: usize = 1 << 16;
    let num_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let length = out
        .len()
        .div_ceil(num_threads)
        .max(SMALLEST_PIECE)
        .next_multiple_of(unit);
    std::thread::scope(|scope| {
        for (index, piece) in out.chunks_mut(length).enumerate() {
            let fill = &fill;
            scope.spawn(move || fill(index * length, piece));
        }
    });
}

fn as_bytes(values: &[f32], dtype: Dtype) -> Vec<u8> {
    let two = |convert: fn(f32) -> u16| {
        let mut bytes = vec![0; 2 * values.len()];
        in_parallel(&mut bytes, 2, |start, bytes| {
            for (bytes, &value) in bytes.chunks_exact_mut(2).zip(&values[start / 2..]) {
                bytes.copy_from_slice(&convert(value).to_le_bytes());
            }
        });
        bytes
    };
    match dtype {
        Dtype::F16 => two(|value| half::f16::from_f32(value).to_bits()),
        Dtype::BF16 => two(|value| half::bf16::from_f32(value).to_bits()),
        _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

/// Writes a file under a temporary name, then gives it its own. Its folder is made where it is missing.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        TrellisError::Engine(bozzetto_engine::EngineError::Io {
            operation: "write".to_owned(),
            path: path.to_owned(),
            reason: error.to_string(),
        })
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tch::{Device, Tensor};

    use super::*;
    use crate::weights::{Checkpoint, record};

    #[test]
    fn a_model_can_be_loaded_from_what_is_drawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("below/model.safetensors");
        let build = |weights: &crate::weights::Weights<'_>| {
            Ok([
                weights.tensor("a.weight", &[64, 3, 100], Kind::Float)?,
                weights.tensor("norm.weight", &[1000], Kind::Float)?,
                weights.tensor("b.bias", &[4], Kind::Float)?,
            ])
        };
        let specs = record(build).expect("names");
        let mut random = RandomWeights::new(1).with("b.bias", Adjustment::Repeated(vec![2.0, -1.0]));
        random.write(&path, &specs, Kind::BFloat16).expect("written");
        let checkpoint = Checkpoint::open(&path).expect("a file");
        let [weight, norm, bias] = checkpoint.load(Device::Cpu, build).expect("tensors");
        let deviation = |tensor: &Tensor| f64::try_from(tensor.std(true)).expect("a number");
        assert!(
            (deviation(&weight) * 300_f64.sqrt() - 1.0).abs() < 0.05,
            "{}",
            deviation(&weight)
        );
        assert!((deviation(&norm) - 0.1).abs() < 0.02);
        assert!((f64::try_from(norm.mean(Kind::Float)).expect("a number") - 1.0).abs() < 0.02);
        assert_eq!(Vec::<f32>::try_from(bias).expect("numbers"), [2.0, -1.0, 2.0, -1.0]);
        assert!(random.write(&path, &specs, Kind::Int).is_err());
    }
}
