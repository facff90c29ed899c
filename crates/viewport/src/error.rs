use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What can go wrong between us and the graphics card.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GpuError {
    /// No adapter at all, not even a software one.
    #[error(
        "No graphics driver with Vulkan, Direct3D 12 or Metal was found: install one (on Debian and Ubuntu the package \
         mesa-vulkan-drivers works on every computer)."
    )]
    NoAdapter,
    /// The adapter is there but gives no device.
    #[error("The graphics driver of {adapter} refused to start: {reason}")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// Content that this device can't hold in one piece.
    #[error("{what} needs {needed} {unit}, but this graphics card takes {limit} at most.")]
    TooLarge {
        /// What is too large, in the artist's words.
        what: &'static str,
        /// How much it needs.
        needed: u64,
        /// How much the device takes.
        limit: u64,
        /// Unit of both.
        unit: &'static str,
    },
    /// Content whose arrays disagree.
    #[error("{what} can't be drawn: {reason}.")]
    BadContent {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The graphics memory is full.
    #[error(
        "The graphics memory is full: close other programs that use it, or lower the number of faces, splats or texels."
    )]
    OutOfMemory,
    /// The device is gone: driver reset, sleep, unplugged card.
    #[error("The graphics card was lost ({reason}).")]
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// A call that the driver or wgpu rejected: a bug of ours.
    #[error("The graphics driver rejected a drawing call: {reason}")]
    Rejected {
        /// wgpu's words.
        reason: String,
    },
    /// A drawn picture could not be read back.
    #[error("The drawn picture could not be read back from the graphics card: {reason}")]
    ReadBack {
        /// What the driver said.
        reason: String,
    },
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory,
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                Self::Rejected { reason: description }
            }
        }
    }
}

/// Remembers the first fault of a device until it is asked for; every later one only goes to the log.
///
/// Clones watch the same device.
#[derive(Clone, Default)]
pub struct DeviceWatch(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    first_fault: Option<GpuError>,
    is_lost: bool,
    on_loss: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl DeviceWatch {
    /// Starts to listen: without this wgpu panics on the first fault that no scope catches. Takes over the device's
    /// handlers for uncaught errors and loss.
    pub fn on(device: &wgpu::Device) -> Self {
        let watch = Self::default();
        let uncaptured = watch.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            uncaptured.note(GpuError::from(error));
        }));
        let lost = watch.clone();
        device.set_device_lost_callback(move |reason, message| {
            // A device that the program itself has let go of is not missed.
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.lose(if message.is_empty() {
                    "no reason given".to_owned()
                } else {
                    message
                });
            }
        });
        watch
    }

    /// Calls this when the device is lost, from whatever thread finds out.
    pub fn call_on_loss(&self, call: &Arc<dyn Fn() + Send + Sync>) {
        let is_lost = {
            let mut watched = self.watched();
            watched.on_loss = Some(Arc::clone(call));
            watched.is_lost
        };
        if is_lost {
            call();
        }
    }

    /// Takes the device away as a driver's reset does: for tests of what comes after.
    pub fn destroy(&self, device: &wgpu::Device) {
        device.destroy();
        self.lose("it was taken away for a test".to_owned());
    }

    /// The first fault not yet reported.
    pub fn take_fault(&self) -> Option<GpuError> {
        self.watched().first_fault.take()
    }

    /// Whether the device is gone for good: make a new one, a new renderer, new scenes and pictures.
    pub fn is_lost(&self) -> bool {
        self.watched().is_lost
    }

    fn note(&self, fault: GpuError) {
        let mut watched = self.watched();
        if watched.first_fault.is_none() {
            watched.first_fault = Some(fault);
        } else {
            tracing::debug!("one more graphics fault: {fault}");
        }
    }

    fn lose(&self, reason: String) {
        let on_loss = {
            let mut watched = self.watched();
            watched.is_lost = true;
            // Whatever failed before is only how the loss showed first.
            watched.first_fault = Some(GpuError::DeviceLost { reason });
            watched.on_loss.clone()
        };
        if let Some(call) = on_loss {
            call();
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs GPU calls so that out-of-memory and validation faults come back as errors.
pub(crate) fn caught<T>(device: &wgpu::Device, calls: impl FnOnce() -> T) -> Result<T, GpuError> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let value = calls();
    let rejected = pollster::block_on(validation.pop());
    let full = pollster::block_on(memory.pop());
    match full.or(rejected) {
        Some(error) => Err(error.into()),
        None => Ok(value),
    }
}
