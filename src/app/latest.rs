use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};

use parking_lot::{Condvar, Mutex};

use super::platform;
use super::pool::panic_text;

struct Slot<T> {
    request: Option<(u64, T)>,
    is_closed: bool,
}

struct Shared<T> {
    slot: Mutex<Slot<T>>,
    changed: Condvar,
    newest: AtomicU64,
}

/// Tells work in progress whether something newer has been asked for.
#[derive(Clone)]
pub struct Ticket {
    number: u64,
    newest: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Ticket {
    /// Whether a newer request has come: stop, nobody wants the answer.
    pub fn is_outdated(&self) -> bool {
        (self.newest)() != self.number
    }

    /// Number of the request this ticket belongs to.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// A named thread that answers the newest request only: those it had no time for are forgotten, and the one in work is
/// told through its [`Ticket`].
pub struct LatestWins<T> {
    shared: Arc<Shared<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> LatestWins<T> {
    /// Starts the thread. `work` may keep state of its own from request to request; `failed` is told when it panics.
    pub fn start(
        name: &str,
        mut work: impl FnMut(T, &Ticket) + Send + 'static,
        failed: impl Fn(&Ticket, String) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            slot: Mutex::new(Slot {
                request: None,
                is_closed: false,
            }),
            changed: Condvar::new(),
            newest: AtomicU64::new(0),
        });
        let of_thread = Arc::clone(&shared);
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            platform::yield_to_window();
            let for_tickets = Arc::clone(&of_thread);
            let newest: Arc<dyn Fn() -> u64 + Send + Sync> =
                Arc::new(move || for_tickets.newest.load(Ordering::Acquire));
            while let Some((number, request)) = of_thread.wait() {
                let ticket = Ticket {
                    number,
                    newest: Arc::clone(&newest),
                };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(request, &ticket))) {
                    failed(&ticket, panic_text(panic.as_ref()));
                }
            }
        })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Asks for something, and takes back whatever was asked before. Returns the number of the request.
    pub fn request(&self, request: T) -> u64 {
        let mut slot = self.shared.slot.lock();
        let number = self.shared.newest.fetch_add(1, Ordering::AcqRel) + 1;
        slot.request = Some((number, request));
        self.shared.changed.notify_one();
        number
    }

    /// Takes back whatever was asked.
    pub fn cancel(&self) {
        let mut slot = self.shared.slot.lock();
        self.shared.newest.fetch_add(1, Ordering::AcqRel);
        slot.request = None;
    }

    /// Number of the newest request: an answer with another number is late.
    pub fn newest(&self) -> u64 {
        self.shared.newest.load(Ordering::Acquire)
    }
}

impl<T> Shared<T> {
    fn wait(&self) -> Option<(u64, T)> {
        let mut slot = self.slot.lock();
        loop {
            if slot.is_closed {
                return None;
            }
            if let Some(request) = slot.request.take() {
                return Some(request);
            }
            self.changed.wait(&mut slot);
        }
    }
}

impl<T> Drop for LatestWins<T> {
    /// Tells the work in progress that nobody waits, and waits until the thread has let go of what it holds: graphics
    /// drivers crash when a device goes while the program is already on its way out.
    fn drop(&mut self) {
        {
            let mut slot = self.shared.slot.lock();
            slot.is_closed = true;
            slot.request = None;
            self.shared.newest.fetch_add(1, Ordering::AcqRel);
            self.shared.changed.notify_all();
        }
        if let Some(thread) = self.thread.take() {
            // It catches the panics of its work.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    #[test]
    fn a_newer_request_outdates_the_one_in_work_and_replaces_the_one_that_waits() {
        let (begun_sender, begun) = bounded(8);
        let (go, may_end) = bounded::<()>(8);
        let (done_sender, done) = bounded(8);
        let latest = LatestWins::start(
            "test",
            move |request: u32, ticket: &Ticket| {
                begun_sender.send(request).expect("the test listens");
                may_end.recv().expect("the test speaks");
                done_sender
                    .send((request, ticket.is_outdated()))
                    .expect("the test listens");
            },
            |_, _| {},
        )
        .expect("threads can be started");
        latest.request(1);
        assert_eq!(begun.recv(), Ok(1));
        latest.request(2);
        latest.request(3);
        go.send(()).expect("the thread listens");
        assert_eq!(done.recv(), Ok((1, true)));
        assert_eq!(begun.recv(), Ok(3), "2 was replaced before its turn");
        go.send(()).expect("the thread listens");
        assert_eq!(done.recv(), Ok((3, false)));
    }

    #[test]
    fn a_panic_is_told_and_the_next_request_is_answered() {
        let (sender, told) = bounded(8);
        let answers = sender.clone();
        let latest = LatestWins::start(
            "test",
            move |request: u32, _: &Ticket| {
                assert!(request != 1, "on purpose");
                answers.send(format!("done {request}")).expect("the test listens");
            },
            move |_, text| sender.send(text).expect("the test listens"),
        )
        .expect("threads can be started");
        latest.request(1);
        assert!(told.recv().expect("a report").contains("on purpose"));
        latest.request(2);
        assert_eq!(told.recv().as_deref(), Ok("done 2"));
    }
}
