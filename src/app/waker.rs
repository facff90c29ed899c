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
    /// Wakes this context; several wishes within the pause give one frame.
    pub fn new(ctx: egui::Context, pause: Duration) -> Arc<Self> {
        Arc::new(Self {
            window: Mutex::new(Some(Window { ctx, pause })),
        })
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
    pub fn open(&self, ctx: egui::Context, pause: Duration) {
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
        let waker = Waker::new(ctx, Duration::ZERO);
        waker.wake();
        assert_eq!(*woken.lock(), 1);
        waker.close();
        waker.wake();
        assert_eq!(*woken.lock(), 1);
        assert_eq!(Arc::strong_count(&woken), 1, "the context is gone");
    }
}
