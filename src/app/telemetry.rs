use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use super::mailbox::{Mailbox, Message};
use super::state::Telemetry;

const PERIOD: Duration = Duration::from_secs(1);
/// Memory is told in steps of this many bytes: every program on the computer makes it tremble.
const MEMORY_STEP: u64 = 16 << 20;

/// A second's reading; `None` once the card cannot be asked any more.
pub type Reading = Option<Telemetry>;

/// Reads the graphics card's memory and load once a second. Where there is no NVIDIA driver the thread ends at once and
/// nothing is said. Dropping it ends the thread.
///
/// Every piece of news is a frame of the window, and frames are load: so the load is told only while something works.
pub struct TelemetryThread {
    tells_load: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl TelemetryThread {
    /// Starts the thread.
    pub fn start(mailbox: Mailbox) -> Option<Self> {
        let (stop, stopped) = bounded::<()>(0);
        let tells_load = Arc::new(AtomicBool::new(false));
        let of_thread = Arc::clone(&tells_load);
        let thread = move || {
            let Ok(nvml) = Nvml::init() else { return };
            let post = |reading| mailbox.post(Message::Telemetry(reading));
            follow(|| read(&nvml).ok(), &of_thread, post, &stopped, PERIOD);
        };
        Builder::new().name("telemetry".to_owned()).spawn(thread).ok()?;
        Some(Self {
            tells_load,
            _stop: stop,
        })
    }

    /// Says whether something works, so that the load is of interest.
    pub fn tell_load(&self, tells_load: bool) {
        self.tells_load.store(tells_load, Ordering::Relaxed);
    }
}

/// Posts readings that differ from the last one, until nobody takes them or it is stopped.
fn follow(
    read: impl Fn() -> Reading,
    tells_load: &AtomicBool,
    post: impl Fn(Reading) -> bool,
    stopped: &Receiver<()>,
    period: Duration,
) {
    let mut last = None;
    loop {
        let reading = read().map(|reading| Telemetry {
            memory_used: reading
                .memory_used
                .next_multiple_of(MEMORY_STEP)
                .min(reading.memory_total),
            load_percent: reading.load_percent.filter(|_| tells_load.load(Ordering::Relaxed)),
            ..reading
        });
        if reading != last {
            last.clone_from(&reading);
            if !post(reading) {
                return;
            }
        }
        if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// The load of the card with the most memory in use: that is the one that works for us.
fn read(nvml: &Nvml) -> Result<Telemetry, NvmlError> {
    let readings: Vec<_> = (0..nvml.device_count()?)
        .map(|index| {
            let device = nvml.device_by_index(index)?;
            let memory = device.memory_info()?;
            Ok(Telemetry {
                gpu_name: device.name()?,
                memory_used: memory.used,
                memory_total: memory.total,
                load_percent: Some(device.utilization_rates()?.gpu),
            })
        })
        .collect::<Result<_, NvmlError>>()?;
    readings
        .into_iter()
        .max_by_key(|reading| reading.memory_used)
        .ok_or(NvmlError::NotFound)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// What is told in ten periods of a card whose load changes all the time and whose memory trembles.
    fn told(tells_load: bool) -> Vec<Telemetry> {
        let (stop, stopped) = bounded::<()>(0);
        let stop = Cell::new(Some(stop));
        let num_readings = Cell::new(0);
        let read = || {
            num_readings.set(num_readings.get() + 1);
            if num_readings.get() == 10 {
                stop.take();
            }
            Some(Telemetry {
                gpu_name: "Card".to_owned(),
                memory_used: (1 << 30) + 4096 * u64::from(num_readings.get()),
                memory_total: 8 << 30,
                load_percent: Some(num_readings.get()),
            })
        };
        let told = RefCell::new(Vec::new());
        let post = |reading| {
            told.borrow_mut().extend(reading);
            true
        };
        follow(
            read,
            &AtomicBool::new(tells_load),
            post,
            &stopped,
            Duration::from_millis(1),
        );
        told.into_inner()
    }

    #[test]
    fn a_window_with_nothing_to_do_is_not_woken_by_the_load() {
        let idle = told(false);
        assert_eq!(idle.len(), 1, "{idle:?}");
        assert_eq!(idle[0].load_percent, None);
        assert_eq!(idle[0].memory_used % MEMORY_STEP, 0);
        let working = told(true);
        assert_eq!(working.len(), 10, "{working:?}");
        assert_eq!(working[9].load_percent, Some(10));
    }
}
