use bozzetto_engine::EngineError;
use tch::TchError;

use crate::weights::WeightsError;

/// A result whose error is [`TrellisError`] where no other is named.
pub type Result<T, E = TrellisError> = std::result::Result<T, E>;

/// Why the models could not do their work.
#[derive(Debug, thiserror::Error)]
pub enum TrellisError {
    /// A file of weights is missing, damaged or another model's.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Memory ran out, on the device that is named.
    #[error("{device} ran out of memory.")]
    OutOfMemory {
        /// `The graphics card` or `The computer`.
        device: &'static str,
    },
    /// The graphics card gave up; this process cannot use it any more.
    #[error("The graphics card stopped working: {0}.")]
    DeviceLost(String),
    /// libtorch refused an operation.
    #[error("libtorch failed: {0}.")]
    Torch(String),
    /// Tensors that do not fit together, or a model's description that makes no sense.
    #[error("{0}.")]
    Invalid(String),
    /// Whatever the engine crate can say: a cancelled run, a bad picture, a job without a result.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl TrellisError {
    /// Whether smaller chunks or fewer tokens could help.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(
            self,
            Self::OutOfMemory { .. } | Self::Engine(EngineError::OutOfMemory { .. })
        )
    }

    /// The error in the worker protocol's words, for a run that was in `stage`.
    pub fn in_stage(self, stage: &str) -> EngineError {
        match self {
            Self::Engine(error) => error,
            Self::OutOfMemory { device } => EngineError::OutOfMemory {
                device: device.to_owned(),
                stage: stage.to_owned(),
            },
            Self::DeviceLost(reason) => EngineError::DeviceLost { reason },
            Self::Weights(error) => error.into(),
            other => EngineError::Internal {
                reason: other.to_string().trim_end_matches('.').to_owned(),
            },
        }
    }
}

impl From<TchError> for TrellisError {
    fn from(error: TchError) -> Self {
        let text = error.to_string();
        // libtorch adds where in its source it was; the first line says what.
        let first = text.lines().next().unwrap_or_default();
        let first = first.trim_start_matches("Internal torch error: ").trim_end_matches('.');
        let is_on_card = text.contains("CUDA");
        if text.contains("out of memory")
            || text.contains("can't allocate memory")
            || text.contains("not enough memory")
        {
            let device = if is_on_card {
                "The graphics card"
            } else {
                "The computer"
            };
            Self::OutOfMemory { device }
        } else if text.contains("CUDA error") {
            Self::DeviceLost(first.to_owned())
        } else {
            Self::Torch(first.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn memory_that_runs_out_is_told_from_other_failures() {
        let too_large = Tensor::f_zeros([1 << 46], (Kind::Float, Device::Cpu)).map_err(TrellisError::from);
        let error = too_large.expect_err("256 TiB");
        assert!(error.is_out_of_memory(), "{error}");
        assert!(
            matches!(error.in_stage("shape"), EngineError::OutOfMemory { device, stage } if device == "The computer" && stage == "shape")
        );
        let card = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB";
        let error = TrellisError::from(TchError::Torch(card.to_owned()));
        assert_eq!(error.to_string(), "The graphics card ran out of memory.");
    }

    #[test]
    fn shapes_that_do_not_fit_are_an_error_of_one_line() {
        let ones = |size: [i64; 2]| Tensor::ones(size, (Kind::Float, Device::Cpu));
        let error = ones([2, 3]).f_matmul(&ones([2, 3])).map_err(TrellisError::from);
        let text = error.expect_err("2x3 by 2x3").to_string();
        assert!(text.contains("cannot be multiplied") && !text.contains('\n'), "{text}");
    }
}
