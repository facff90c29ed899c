use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::EngineError;

const CANCELLED: u8 = 1;
const AT_ONCE: u8 = 2;

/// Asks a run to stop, in its own time or at once; clones share it.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicU8>);

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop. Cannot be taken back.
    pub fn cancel(&self) {
        self.0.fetch_max(CANCELLED, Ordering::Relaxed);
    }

    /// Asks the run to stop whatever becomes of the engine: its process is asked to exit and soon killed, and what it
    /// has loaded and kept is lost.
    pub fn cancel_at_once(&self) {
        self.0.fetch_max(AT_ONCE, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop, in either way.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= CANCELLED
    }

    /// Whether it was asked to stop at once.
    pub fn is_cancelled_at_once(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= AT_ONCE
    }

    /// `Err(EngineError::Cancelled)` once the run was asked to stop: call it in every long loop with `?`.
    pub fn check(&self) -> Result<(), EngineError> {
        if self.is_cancelled() {
            Err(EngineError::Cancelled)
        } else {
            Ok(())
        }
    }
}
