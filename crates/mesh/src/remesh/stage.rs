use std::sync::atomic::{AtomicUsize, Ordering};

use crate::control::Meter;
use crate::{Control, MeshError, Step};

/// Units of the whole step's progress.
const TOTAL: usize = 1000;

/// Progress of the whole step, of which the stages take their shares.
pub(super) struct Course<'a> {
    meter: Meter<'a>,
    control: &'a Control<'a>,
}

impl<'a> Course<'a> {
    pub(super) fn new(control: &'a Control<'a>) -> Self {
        Self {
            meter: Meter::new(control, Step::Remesh, TOTAL),
            control,
        }
    }

    /// A stage that takes `per_mille` of the whole and counts to `count`.
    pub(super) fn stage(&'a self, per_mille: usize, count: usize) -> Stage<'a> {
        Stage {
            course: self,
            per_mille,
            count: count.max(1),
            done: AtomicUsize::new(0),
        }
    }
}

/// A part of the step.
pub(super) struct Stage<'a> {
    course: &'a Course<'a>,
    per_mille: usize,
    count: usize,
    done: AtomicUsize,
}

impl Stage<'_> {
    /// Adds units of this stage; an error when the caller asked to stop.
    pub(super) fn add(&self, units: usize) -> Result<(), MeshError> {
        let before = self.done.fetch_add(units, Ordering::Relaxed);
        let share = |done: usize| done.min(self.count) * self.per_mille / self.count;
        self.course.meter.add(share(before + units) - share(before))
    }

    pub(super) fn control(&self) -> &Control<'_> {
        self.course.control
    }
}
