use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use tch::{Device, Kind, Tensor};

use super::{Checkpoint, RandomWeights, TensorSpec};
use crate::Result;

/// A model's weights below a prefix. Models are built from it, see [`Checkpoint::load`] and [`super::record`].
#[derive(Clone)]
pub struct Weights<'a> {
    source: Source<'a>,
    /// Empty, or ends with a dot.
    prefix: String,
    device: Device,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    File {
        file: &'a Checkpoint,
        used: &'a RefCell<BTreeSet<String>>,
    },
    Record(&'a RefCell<BTreeMap<String, TensorSpec>>),
    Drawn,
}

impl<'a> Weights<'a> {
    pub(super) fn of_file(file: &'a Checkpoint, used: &'a RefCell<BTreeSet<String>>, device: Device) -> Self {
        Self {
            source: Source::File { file, used },
            prefix: String::new(),
            device,
        }
    }

    pub(super) fn of_record(asked: &'a RefCell<BTreeMap<String, TensorSpec>>) -> Self {
        Self {
            source: Source::Record(asked),
            prefix: String::new(),
            device: Device::Cpu,
        }
    }

    /// Numbers at random instead of a file's, for tests and for benchmarks of models of any size. They depend on the tensor's name
    /// and shape alone, see [`RandomWeights`].
    pub fn drawn(device: Device) -> Self {
        Self {
            source: Source::Drawn,
            prefix: String::new(),
            device,
        }
    }

    /// The weights of a part: `weights.at("blocks").at(3)` asks for names that begin with `blocks.3.`.
    #[must_use]
    pub fn at(&self, part: impl Display) -> Self {
        Self {
            prefix: format!("{}{part}.", self.prefix),
            ..self.clone()
        }
    }

    /// Where tensors go.
    pub fn device(&self) -> Device {
        self.device
    }

    /// A tensor of this shape on the device, in a floating-point `kind` whatever of F32, F16 and BF16 the file holds.
    pub fn tensor(&self, name: &str, shape: &[i64], kind: Kind) -> Result<Tensor> {
        let key = format!("{}{name}", self.prefix);
        match self.source {
            Source::File { file, used } => {
                let tensor = file.tensor_of_shape(&key, shape, self.device, kind)?;
                used.borrow_mut().insert(key);
                Ok(tensor)
            }
            Source::Drawn => drawn(&key, shape, kind, self.device),
            Source::Record(asked) => {
                let shape = shape.to_owned();
                // One number seen everywhere: a tensor of any shape that takes no memory.
                let tensor = Tensor::f_zeros([], (kind, Device::Cpu))?.f_expand(&shape, false)?;
                asked.borrow_mut().insert(key, TensorSpec { shape, kind });
                Ok(tensor)
            }
        }
    }

    /// A tensor of 64-bit whole numbers, such as an index, of this shape on the device.
    pub fn indices(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        self.tensor(name, shape, Kind::Int64)
    }

    /// Says that a file may hold this tensor and the model does not need it.
    pub fn skip(&self, name: &str) {
        if let Source::File { used, .. } = self.source {
            used.borrow_mut().insert(format!("{}{name}", self.prefix));
        }
    }
}

fn drawn(key: &str, shape: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
    if kind == Kind::Int64 {
        return Ok(Tensor::f_zeros(shape, (kind, device))?);
    }
    let values = RandomWeights::of_name(key).values(key, shape);
    let tensor = Tensor::f_from_slice(&values)?.f_view(shape)?;
    Ok(tensor.f_to_device_(device, kind, false, false)?)
}
