use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bozzetto_engine::{EngineError, RunContext};

/// Units a stage's progress is told in.
const UNITS: u64 = 1000;

/// Progress of one stage: monotonic, told from any thread, and the place where loops learn of a cancel.
pub(crate) struct Progress<'a> {
    pub context: &'a RunContext<'a>,
    stage: &'static str,
    shown: Mutex<u64>,
}

impl<'a> Progress<'a> {
    pub fn new(context: &'a RunContext<'a>, stage: &'static str) -> Self {
        Self {
            context,
            stage,
            shown: Mutex::new(0),
        }
    }

    /// A share of the stage, from one thousandth to another, that is worked off in so many items.
    pub fn part(&self, from: u64, to: u64, num_items: usize) -> Part<'_, 'a> {
        Part {
            progress: self,
            from,
            to,
            num_items: num_items.max(1) as u64,
            done: AtomicU64::new(0),
        }
    }

    pub fn check(&self) -> Result<(), EngineError> {
        self.context.cancel.check()
    }

    fn show(&self, units: u64) -> Result<(), EngineError> {
        // The lock is held while telling, so that two threads cannot tell their numbers in the wrong order.
        if let Ok(mut shown) = self.shown.lock()
            && units > *shown
        {
            *shown = units;
            return self.context.progress(self.stage, units, UNITS);
        }
        self.check()
    }
}

/// A share of a stage's work; see [`Progress::part`].
pub(crate) struct Part<'p, 'a> {
    progress: &'p Progress<'a>,
    from: u64,
    to: u64,
    num_items: u64,
    done: AtomicU64,
}

impl Part<'_, '_> {
    /// Counts items as done; fails when the run was cancelled.
    pub fn advance(&self, num_items: usize) -> Result<(), EngineError> {
        let before = self.done.fetch_add(num_items as u64, Ordering::Relaxed);
        let units = |done: u64| self.from + (self.to - self.from) * done.min(self.num_items) / self.num_items;
        let after = units(before + num_items as u64);
        if after > units(before) {
            self.progress.show(after)
        } else {
            self.check()
        }
    }

    /// Fails when the run was cancelled.
    pub fn check(&self) -> Result<(), EngineError> {
        self.progress.check()
    }
}
