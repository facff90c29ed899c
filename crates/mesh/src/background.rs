//! Runs a library call that cannot be cancelled promptly on a thread of its own, so that the caller can leave it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::{Control, MeshError, Step, StepProgress};

const POLL: Duration = Duration::from_millis(5);

/// What the running call sees of its caller.
#[derive(Default)]
pub(crate) struct Reporter {
    is_cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Reporter {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn report(&self, done: u64, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.fetch_max(done, Ordering::Relaxed);
    }
}

/// Runs `work` and passes its progress on. After a cancel the call returns at once and the thread ends when the work
/// next looks at its reporter. The inner error is a panic of the work.
pub(crate) fn in_background<T: Send + 'static>(
    step: Step,
    control: &Control<'_>,
    work: impl FnOnce(&Reporter) -> T + Send + 'static,
) -> Result<Result<T, &'static str>, MeshError> {
    control.check(step)?;
    (control.progress)(StepProgress {
        step,
        done: 0,
        total: 0,
    });
    let reporter = Arc::new(Reporter::default());
    let (sender, receiver) = sync_channel(1);
    let inside = Arc::clone(&reporter);
    let spawned = thread::Builder::new().name("mesh-step".to_owned()).spawn(move || {
        // Nobody listens any more after a cancel.
        let _ = sender.send(work(&inside));
    });
    if spawned.is_err() {
        return Ok(Err("no thread could be started"));
    }
    let mut reported = (0, 0);
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(result) => return Ok(Ok(result)),
            Err(RecvTimeoutError::Disconnected) => return Ok(Err("the library failed")),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if (control.is_cancelled)() {
            reporter.is_cancelled.store(true, Ordering::Relaxed);
            return Err(MeshError::Cancelled { step });
        }
        let now = (
            reporter.done.load(Ordering::Relaxed),
            reporter.total.load(Ordering::Relaxed),
        );
        if now != reported {
            reported = now;
            (control.progress)(StepProgress {
                step,
                done: now.0,
                total: now.1,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_leaves_work_that_never_looks() {
        let control = Control {
            is_cancelled: &|| true,
            progress: &|_| (),
        };
        let outcome = in_background(Step::Unwrap, &control, |_| thread::sleep(Duration::from_hours(1)));
        assert_eq!(outcome, Err(MeshError::Cancelled { step: Step::Unwrap }));
    }

    #[test]
    fn a_panic_is_an_answer() {
        let outcome = in_background(Step::Unwrap, &Control::silent(), |_| {
            assert!(std::hint::black_box(false), "on purpose");
        });
        assert!(outcome.unwrap().is_err());
    }
}
