use std::fmt;

use tch::Device;

use crate::torch::{cuda_memory, reset_peak_cuda_memory};

/// How much of the graphics card was taken at once at most, in bytes. It is displayed as part of a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PeakMemory {
    /// By tensors.
    pub in_use: u64,
    /// By libtorch, in tensors or for later ones.
    pub held: u64,
}

impl PeakMemory {
    /// Since [`Self::start`]; `None` where no card is used.
    pub fn now(device: Device) -> Option<Self> {
        let Device::Cuda(index) = device else { return None };
        let memory = cuda_memory(index).ok()?;
        Some(Self {
            in_use: memory.peak,
            held: memory.peak_reserved,
        })
    }

    /// Begins to count anew.
    pub fn start(device: Device) {
        if let Device::Cuda(index) = device
            && let Err(error) = reset_peak_cuda_memory(index)
        {
            tracing::warn!("the graphics card's memory is not counted: {error}");
        }
    }

    /// The larger of each.
    pub fn max(self, other: Self) -> Self {
        Self {
            in_use: self.in_use.max(other.in_use),
            held: self.held.max(other.held),
        }
    }
}

impl fmt::Display for PeakMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gibibytes = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let (in_use, held) = (gibibytes(self.in_use), gibibytes(self.held));
        write!(
            f,
            "at most {in_use:.2} GiB of the graphics card were in use at once, and {held:.2} GiB were held"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_of_two_stages_is_the_most_of_each() {
        let [shape, decode] =
            [(3 << 30, 4 << 30), (2 << 30, 5 << 30)].map(|(in_use, held)| PeakMemory { in_use, held });
        let most = shape.max(decode);
        assert_eq!((most.in_use, most.held), (3 << 30, 5 << 30));
        let sentence = "at most 3.00 GiB of the graphics card were in use at once, and 5.00 GiB were held";
        assert_eq!(most.to_string(), sentence);
    }

    #[test]
    fn the_processor_has_none() {
        PeakMemory::start(Device::Cpu);
        assert_eq!(PeakMemory::now(Device::Cpu), None);
    }
}
