use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Asks the window for a frame, from any thread, until the window closes.
///
/// Threads that outlive the window for a moment must not hold its context: whoever drops the last one also drops the
/// graphics device, and graphics drivers crash when that happens while the program is already on its way out.
pub struct Waker {
    window: Mutex<Option<Window>>,
}

/// The window that is woken, and how long a wish may wait.
#[derive(Clone)]
struct Window {
    ctx: egui::Context,
    pause: Duration,
}

impl Waker {
    /// Wakes this context, at once.
    pub fn new(ctx: egui::Context) -> Arc<Self> {
        let pause = Duration::ZERO;
        Arc::new(Self {
            window: Mutex::new(Some(Window { ctx, pause })),
        })
    }

    /// Several wishes within the pause give one frame from now on.
    pub fn set_pause(&self, pause: Duration) {
        if let Some(window) = self.window.lock().as_mut() {
            window.pause = pause;
        }
    }

    /// Asks for a frame. Nothing happens once the window has closed.
    pub fn wake(&self) {
        // Not under the lock: what the host does then is its own affair.
        let window = self.window.lock().clone();
        if let Some(Window { ctx, pause }) = window {
            ctx.request_repaint_after(pause);
        }
    }

    /// Wakes another window from now on.
    pub fn open(&self, ctx: egui::Context) {
        let pause = Duration::ZERO;
        *self.window.lock() = Some(Window { ctx, pause });
    }

    /// Lets go of the context.
    pub fn close(&self) {
        self.window.lock().take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_waker_holds_nothing_and_wakes_nobody() {
        let ctx = egui::Context::default();
        let woken = Arc::new(Mutex::new(0));
        let count = Arc::clone(&woken);
        ctx.set_request_repaint_callback(move |_| *count.lock() += 1);
        let waker = Waker::new(ctx);
        waker.wake();
        assert_eq!(*woken.lock(), 1);
        waker.close();
        waker.set_pause(Duration::from_secs(1));
        waker.wake();
        assert_eq!(*woken.lock(), 1);
        assert_eq!(Arc::strong_count(&woken), 1, "the context is gone");
    }

    #[test]
    fn news_waits_as_long_as_it_is_told_to() {
        let ctx = egui::Context::default();
        let delays = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&delays);
        ctx.set_request_repaint_callback(move |wish| heard.lock().push(wish.delay));
        let waker = Waker::new(ctx.clone());
        let pause = Duration::from_millis(50);
        waker.set_pause(pause);
        waker.wake();
        waker.open(ctx);
        waker.wake();
        assert_eq!(*delays.lock(), [pause, Duration::ZERO]);
    }
}
