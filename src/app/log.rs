//! What is logged is what is shown: one `tracing` layer hands every event to the windows there are, which make log lines
//! of them, and notices of those that were meant for the artist.
//!
//! [`say`] is how the window itself speaks. Its events carry the window's number, so that of several windows in one process
//! each shows its own notices only.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::SystemTime;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Registry, fmt, util::SubscriberInitExt as _};

use super::state::{NoticeLevel, Problem};

/// An event as a window receives it.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// How much it matters.
    pub level: NoticeLevel,
    /// What happened.
    pub text: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Number of the window that said it to the artist; `None` for everybody else's log lines.
    pub window: Option<u64>,
    /// Number of the notice, for the window that said it.
    pub notice: Option<u64>,
    /// When it happened.
    pub at: SystemTime,
}

struct Listener {
    sender: Sender<LogRecord>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

static LISTENERS: LazyLock<Mutex<Vec<Listener>>> = LazyLock::new(Mutex::default);
static NEXT_WINDOW: AtomicU64 = AtomicU64::new(1);
static NEXT_NOTICE: AtomicU64 = AtomicU64::new(1);

/// What the terminal is told unless `RUST_LOG` asks for more: libraries complain of drivers and desktop parts that are not
/// there although others are, and what ends the program is said in one sentence of our own.
const QUIET_FILTER: &str = "warn,eframe=off,egui_wgpu=error,rfd=off,wgpu_hal=off,winit=error";

/// Starts logging for the process: to windows, and to standard error as `RUST_LOG` says. Later calls do nothing.
pub fn install() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET_FILTER));
        let to_terminal = fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .without_time()
            .with_filter(filter);
        // The terminal hears first: waking a window may log, which would undo what the terminal's filter said of the event
        // under way.
        //
        // Somebody else may have set up logging for the process; then the windows show what they say themselves only
        // as long as that other layer lets them, which is nobody's fault to report.
        let _ = Registry::default().with(to_terminal).with(WindowLayer).try_init();
    });
}

/// A window's ear.
pub struct LogFeed {
    receiver: Receiver<LogRecord>,
    window: u64,
}

impl LogFeed {
    /// Starts to listen. `wake` asks the window for a frame.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, receiver) = bounded(1024);
        LISTENERS.lock().push(Listener { sender, wake });
        Self {
            receiver,
            window: NEXT_WINDOW.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Events since the last call that are this window's or nobody's.
    pub fn drain(&self) -> Vec<LogRecord> {
        self.receiver
            .try_iter()
            .filter(|record| record.window.is_none_or(|window| window == self.window))
            .collect()
    }

    /// Tells the artist something. Returns the number of the notice.
    pub fn say(&self, level: NoticeLevel, problem: &Problem) -> u64 {
        let notice = NEXT_NOTICE.fetch_add(1, Ordering::Relaxed);
        let window = self.window;
        let hint = problem.hint.as_deref().unwrap_or_default();
        let text = &problem.sentence;
        match level {
            NoticeLevel::Error => tracing::error!(window, notice, hint, "{text}"),
            NoticeLevel::Warning => tracing::warn!(window, notice, hint, "{text}"),
            NoticeLevel::Success => tracing::info!(window, notice, hint, success = true, "{text}"),
            NoticeLevel::Info => tracing::info!(window, notice, hint, "{text}"),
            NoticeLevel::Debug => tracing::debug!(window, notice, hint, "{text}"),
        }
        notice
    }
}

struct WindowLayer;

impl<S: Subscriber> Layer<S> for WindowLayer {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        let most = if metadata.target().starts_with("bozzetto") {
            Level::DEBUG
        } else {
            Level::WARN
        };
        // Levels compare by how much they let through: `ERROR < DEBUG`.
        *metadata.level() <= most
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let record = LogRecord {
            level: match *event.metadata().level() {
                Level::ERROR => NoticeLevel::Error,
                Level::WARN => NoticeLevel::Warning,
                Level::INFO if fields.success => NoticeLevel::Success,
                Level::INFO => NoticeLevel::Info,
                Level::DEBUG | Level::TRACE => NoticeLevel::Debug,
            },
            text: fields.message + &fields.others,
            hint: fields.hint,
            window: fields.window,
            notice: fields.notice,
            at: SystemTime::now(),
        };
        let mut listeners = LISTENERS.lock();
        // A window that is gone, or so far behind that a thousand lines wait, misses the line: logging never blocks.
        listeners.retain(|listener| match listener.sender.try_send(record.clone()) {
            Ok(()) => {
                if record.level > NoticeLevel::Debug {
                    (listener.wake)();
                }
                true
            }
            Err(error) => error.is_full(),
        });
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: String,
    hint: Option<String>,
    window: Option<u64>,
    notice: Option<u64>,
    success: bool,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "window" => self.window = Some(value),
            "notice" => self.notice = Some(value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "success" {
            self.success = value;
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "hint" => self.hint = (!value.is_empty()).then(|| value.to_owned()),
            "message" => value.clone_into(&mut self.message),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            // The bridge from the `log` crate adds these to each line.
            name if name.starts_with("log.") => {}
            // Writing to a string cannot fail.
            name => {
                let _ = write!(self.others, " {name}={value:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_reaches_its_own_window_with_its_hint_and_a_log_line_reaches_all() {
        install();
        let ears = [LogFeed::new(Arc::new(|| {})), LogFeed::new(Arc::new(|| {}))];
        let problem = Problem::with_hint("The disk is full.", "Free some space.");
        let notice = ears[0].say(NoticeLevel::Error, &problem);
        tracing::info!(target: "bozzetto::test", faces = 12, "A line for everybody.");

        let [own, other] = ears.map(|ear| ear.drain());
        let own_notice = own.iter().find(|record| record.notice == Some(notice)).expect("heard");
        assert_eq!(own_notice.level, NoticeLevel::Error);
        assert_eq!(own_notice.text, "The disk is full.");
        assert_eq!(own_notice.hint.as_deref(), Some("Free some space."));
        assert!(other.iter().all(|record| record.notice != Some(notice)));
        for heard in [&own, &other] {
            assert!(
                heard
                    .iter()
                    .any(|record| record.text == "A line for everybody. faces=12"),
                "{heard:?}"
            );
        }
    }
}
