use std::ops::RangeInclusive;
use std::sync::Arc;

use bozzetto_engine::{Event, Preview, RunContext};
use tch::Device;

use super::structure_of_coords;
use crate::pipeline::HostTensor;
use crate::sparse::ScratchMemory;
use crate::torch::cuda_memory;
use crate::{Result, TrellisError};

/// Room for chunks: at least so much, and more does not make them faster.
const SCRATCH_BYTES: RangeInclusive<u64> = (64 << 20)..=(2 << 30);
/// The same where the processor computes: its caches are small.
const SCRATCH_BYTES_OF_PROCESSOR: u64 = 256 << 20;

/// What a stage tells while it computes.
pub(super) struct Reporter<'a> {
    pub context: &'a RunContext<'a>,
    pub device: Device,
    pub chunk_divisor: usize,
}

impl Reporter<'_> {
    /// Tells progress and memory, and stops the stage when the run was cancelled.
    pub fn progress(&self, stage: &str, done: u64, total: u64) -> Result<()> {
        self.context.progress(stage, done, total).map_err(TrellisError::from)?;
        if let Device::Cuda(index) = self.device {
            let memory = cuda_memory(index)?;
            (self.context.emit)(Event::Memory {
                used: memory.total - memory.free,
                total: memory.total,
            });
        }
        Ok(())
    }

    pub fn preview_structure(&self, coords: &HostTensor<i32>, resolution: i64) {
        let structure = structure_of_coords(coords, resolution as u32);
        (self.context.emit)(Event::Preview(Preview::Structure(Arc::new(structure))));
    }

    /// Room for chunks: a part of what is free now.
    pub fn scratch(&self, device: Device) -> ScratchMemory {
        let bytes = match device {
            Device::Cuda(index) => cuda_memory(index).map_or(*SCRATCH_BYTES.start(), |memory| memory.available() / 4),
            _ => SCRATCH_BYTES_OF_PROCESSOR,
        };
        let bytes = bytes.clamp(*SCRATCH_BYTES.start(), *SCRATCH_BYTES.end());
        ScratchMemory::bytes(bytes as usize / self.chunk_divisor)
    }
}
