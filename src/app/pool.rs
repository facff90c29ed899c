use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::platform;
use parking_lot::{Condvar, Mutex};

type Task = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    is_closed: bool,
}

/// Named threads that do small tasks in the order they come.
///
/// Dropping it forgets tasks that have not begun and lets those that have run out, without waiting: a window that closes
/// does not hang on a slow disk. What must not be lost is given to [`Pool::finish`].
pub struct Pool {
    shared: Arc<(Mutex<Queue>, Condvar)>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts `num_threads` threads. Fewer are there when the system refuses, and none at worst: tasks are then done at
    /// once by whoever asks.
    pub fn new(name: &str, num_threads: usize) -> Self {
        let shared = Arc::new((Mutex::new(Queue::default()), Condvar::new()));
        let threads = (0..num_threads)
            .filter_map(|_| {
                let shared = Arc::clone(&shared);
                Builder::new().name(name.to_owned()).spawn(move || work(&shared)).ok()
            })
            .collect();
        Self { shared, threads }
    }

    /// Queues a task. A task that panics is logged and ends nobody else.
    pub fn run(&self, task: impl FnOnce() + Send + 'static) {
        if self.threads.is_empty() {
            task();
            return;
        }
        let (queue, changed) = &*self.shared;
        queue.lock().tasks.push_back(Box::new(task));
        changed.notify_one();
    }

    /// Waits until everything queued so far is done, and ends the threads.
    pub fn finish(mut self) {
        let (queue, changed) = &*self.shared;
        queue.lock().is_closed = true;
        changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread cannot end by a panic: tasks are caught one by one.
            let _ = thread.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let (queue, changed) = &*self.shared;
        let mut queue = queue.lock();
        queue.is_closed = true;
        queue.tasks.clear();
        changed.notify_all();
    }
}

fn work(shared: &(Mutex<Queue>, Condvar)) {
    platform::yield_to_window();
    let (queue, changed) = shared;
    loop {
        let task = {
            let mut queue = queue.lock();
            loop {
                if let Some(task) = queue.tasks.pop_front() {
                    break task;
                }
                if queue.is_closed {
                    return;
                }
                changed.wait(&mut queue);
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(task)) {
            tracing::error!("A background task failed: {}.", panic_text(panic.as_ref()));
        }
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_in_order_and_a_panic_stops_nobody() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let pool = Pool::new("test", 1);
        for index in 0..5 {
            let seen = Arc::clone(&seen);
            pool.run(move || {
                assert!(index != 2, "on purpose");
                seen.lock().push(index);
            });
        }
        pool.finish();
        assert_eq!(*seen.lock(), [0, 1, 3, 4]);
    }
}
