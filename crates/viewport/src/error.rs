use std::sync::{Arc, Mutex, PoisonError};

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
    #[error("The graphics card was lost ({reason}): the viewport must be started again; your results are kept.")]
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
#[derive(Clone, Default)]
pub(crate) struct FaultWatch {
    first: Arc<Mutex<Option<GpuError>>>,
    lost: Arc<Mutex<Option<String>>>,
}

impl FaultWatch {
    /// Starts to listen: without this wgpu panics on the first fault that no scope catches.
    pub fn on(device: &wgpu::Device) -> Self {
        let watch = Self::default();
        let uncaptured = watch.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            uncaptured.note(GpuError::from(error));
        }));
        let lost = watch.clone();
        device.set_device_lost_callback(move |reason, message| {
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

    fn note(&self, fault: GpuError) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            *first = Some(fault);
        } else {
            tracing::debug!("one more graphics fault: {fault}");
        }
    }

    fn lose(&self, reason: String) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.clone());
        self.note(GpuError::DeviceLost { reason });
    }

    /// The first fault not yet reported.
    pub fn take(&self) -> Option<GpuError> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the device is gone for good.
    pub fn is_lost(&self) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some()
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
