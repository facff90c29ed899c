use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use super::mailbox::{Mailbox, Message};
use super::state::Telemetry;

const PERIOD: Duration = Duration::from_secs(1);

/// A second's reading; `None` once the card cannot be asked any more.
pub type Reading = Option<Telemetry>;

/// Reads the graphics card's load once a second. Where there is no NVIDIA driver the thread ends at once and nothing is
/// said. Dropping it ends the thread.
pub struct TelemetryThread {
    _stop: Sender<()>,
}

impl TelemetryThread {
    /// Starts the thread.
    pub fn start(mailbox: Mailbox) -> Option<Self> {
        let (stop, stopped) = bounded::<()>(0);
        let thread = move || {
            let Ok(nvml) = Nvml::init() else { return };
            let mut last = None;
            loop {
                let reading = read(&nvml).ok();
                if reading != last {
                    last.clone_from(&reading);
                    if !mailbox.post(Message::Telemetry(reading)) {
                        return;
                    }
                }
                if stopped.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        Builder::new().name("telemetry".to_owned()).spawn(thread).ok()?;
        Some(Self { _stop: stop })
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
                load_percent: device.utilization_rates()?.gpu,
            })
        })
        .collect::<Result<_, NvmlError>>()?;
    readings
        .into_iter()
        .max_by_key(|reading| reading.memory_used)
        .ok_or(NvmlError::NotFound)
}
