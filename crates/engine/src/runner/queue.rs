use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::event::{JobId, RunnerEventKind};
use super::outbox::Outbox;
use crate::{CancelToken, InProcessEngine, Job};

/// What the inference thread does next.
pub(super) enum Task {
    Run(JobId, Job, CancelToken),
    Release,
    /// Engines in place of all but the first.
    Replace(Vec<InProcessEngine>),
}

/// The jobs that wait and the one that runs. All methods but [`Queue::next`] return at once.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    pub(super) outbox: Outbox,
}

#[derive(Default)]
struct State {
    last_id: u64,
    waiting: VecDeque<(JobId, Job)>,
    running: Option<(JobId, CancelToken)>,
    wants_release: bool,
    others: Option<Vec<InProcessEngine>>,
    is_closed: bool,
}

impl Queue {
    pub(super) fn submit(&self, job: Job) -> JobId {
        let mut state = self.state.lock();
        state.last_id += 1;
        let id = JobId(state.last_id);
        // Told before the thread can see the job, so that nothing comes before it.
        self.outbox.push(id, RunnerEventKind::Queued);
        state.waiting.push_back((id, job));
        self.changed.notify_one();
        id
    }

    /// Takes the jobs that are meant off the queue; the one that runs is stopped by `stop`.
    pub(super) fn cancel(&self, is_meant: impl Fn(JobId) -> bool, stop: fn(&CancelToken)) {
        let mut state = self.state.lock();
        let (cancelled, kept) = state.waiting.drain(..).partition(|(id, _)| is_meant(*id));
        state.waiting = kept;
        for (id, _) in cancelled {
            self.outbox.push(id, RunnerEventKind::Cancelled);
        }
        if let Some((_, cancel)) = state.running.as_ref().filter(|(id, _)| is_meant(*id)) {
            stop(cancel);
        }
    }

    pub(super) fn move_queued(&self, job: JobId, place: usize) {
        let waiting = &mut self.state.lock().waiting;
        let found = waiting.iter().position(|(id, _)| *id == job);
        if let Some(entry) = found.and_then(|found| waiting.remove(found)) {
            waiting.insert(place.min(waiting.len()), entry);
        }
    }

    pub(super) fn queued(&self) -> Vec<JobId> {
        self.state.lock().waiting.iter().map(|(id, _)| *id).collect()
    }

    pub(super) fn running(&self) -> Option<JobId> {
        self.state.lock().running.as_ref().map(|(id, _)| *id)
    }

    pub(super) fn release(&self) {
        self.state.lock().wants_release = true;
        self.changed.notify_one();
    }

    pub(super) fn replace(&self, others: Vec<InProcessEngine>) {
        let older = self.state.lock().others.replace(others);
        self.changed.notify_one();
        // Ends processes, outside of the lock.
        drop(older);
    }

    /// Cancels everything and sends the inference thread home.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.waiting.clear();
        if let Some((_, cancel)) = &state.running {
            // The engines' processes end anyway.
            cancel.cancel_at_once();
        }
        self.changed.notify_one();
        drop(state);
        self.outbox.close();
    }

    /// Ends the running job and waits for the next thing to do; `None` once closed.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = self.state.lock();
        state.running = None;
        loop {
            if state.is_closed {
                return None;
            }
            if std::mem::take(&mut state.wants_release) {
                return Some(Task::Release);
            }
            if let Some(others) = state.others.take() {
                return Some(Task::Replace(others));
            }
            if let Some((id, job)) = state.waiting.pop_front() {
                let cancel = CancelToken::new();
                state.running = Some((id, cancel.clone()));
                return Some(Task::Run(id, job, cancel));
            }
            self.changed.wait(&mut state);
        }
    }
}
