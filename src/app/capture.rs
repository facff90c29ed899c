//! Pictures of the stage as files: a thread with a graphics device of its own draws them, so that the window stays free.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bozzetto_asset::files;
use bozzetto_asset::formats::FormatError;
use bozzetto_viewport::{
    AnimationFormat, Background, Bounds, GpuError, Offscreen, OrbitCamera, RenderSettings, ScenePool, Still,
    StillError, Turntable, TurntableError,
};

use super::desktop::{Answer, Pending};
use super::export::with_extension;
use super::mailbox::{Mailbox, Message};
use super::pool::{Pool, panic_text};
use super::stage::{StageRequest, upload};
use super::state::{CaptureFormat, CaptureSettings, Problem};

/// What became of a picture of the stage.
pub enum CaptureEvent {
    /// The dialog was answered.
    TargetChosen(Answer<PathBuf>),
    /// So many parts of all are drawn: frames of an animation, tiles of a still.
    Progress {
        /// Done.
        done: u32,
        /// All of them.
        total: u32,
    },
    /// It was written.
    Written {
        /// Where it is.
        path: PathBuf,
        /// Its size in bytes.
        num_bytes: u64,
    },
    /// The artist did not want it any more.
    Cancelled,
    /// It could not be made.
    Failed(Problem),
}

/// What is drawn, and how.
pub struct Capture {
    /// What is on the stage.
    pub content: StageRequest,
    /// How it is looked at.
    pub look: RenderSettings,
    /// The artist's eye.
    pub orbit: OrbitCamera,
    /// Width over height of the stage it was steered in.
    pub stage_aspect: f32,
    /// Box about the content: what an animation turns about.
    pub bounds: Bounds,
    /// Size, format and turn.
    pub settings: CaptureSettings,
}

#[derive(Debug, thiserror::Error)]
enum CaptureError {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Turntable(#[from] TurntableError),
    #[error(transparent)]
    Still(#[from] StillError),
    #[error(transparent)]
    File(#[from] FormatError),
}

impl CaptureError {
    fn is_cancel(&self) -> bool {
        matches!(
            self,
            Self::Turntable(TurntableError::Cancelled) | Self::Still(StillError::Cancelled)
        )
    }
}

/// Draws pictures, one after the other.
pub struct Captures {
    pool: Pool,
    dialogs: Pool,
    mailbox: Mailbox,
    is_cancelled: Arc<AtomicBool>,
}

impl Captures {
    /// Starts the threads.
    pub fn new(mailbox: Mailbox) -> Self {
        Self {
            pool: Pool::new("pictures", 1),
            dialogs: Pool::new("picture dialog", 1),
            mailbox,
            is_cancelled: Arc::default(),
        }
    }

    /// Waits for the dialog's answer in the background.
    pub fn await_target(&self, pending: Pending<PathBuf>) {
        let mailbox = self.mailbox.clone();
        self.dialogs.run(move || {
            let answer = pollster::block_on(pending);
            mailbox.post(Message::Capture(CaptureEvent::TargetChosen(answer)));
        });
    }

    /// Draws into a file.
    pub fn draw(&mut self, path: PathBuf, capture: Capture) {
        let mailbox = self.mailbox.clone();
        self.is_cancelled = Arc::default();
        let is_cancelled = Arc::clone(&self.is_cancelled);
        self.pool.run(move || {
            let post = |event| mailbox.post(Message::Capture(event));
            let write = || {
                capture.write(&path, &mailbox, |done, total| {
                    post(CaptureEvent::Progress { done, total });
                    !is_cancelled.load(Ordering::Relaxed)
                })
            };
            // A driver that gives up in the middle must not leave the window waiting.
            let written = catch_unwind(AssertUnwindSafe(write));
            let reason = match written {
                Ok(Ok(num_bytes)) => {
                    post(CaptureEvent::Written { path, num_bytes });
                    return;
                }
                Ok(Err(error)) if error.is_cancel() => {
                    post(CaptureEvent::Cancelled);
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic_text(panic.as_ref()),
            };
            post(CaptureEvent::Failed(Problem::with_hint(
                format!("The picture could not be saved: {reason}"),
                "Try a smaller size, or another folder with space left.",
            )));
        });
    }

    /// Stops what is being drawn; no file is left.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Stops what is being drawn and waits until its graphics device is gone: drivers crash when that happens while the
    /// program is already on its way out.
    pub fn finish(self) {
        self.cancel();
        self.pool.finish();
    }
}

impl Capture {
    fn write(
        &self,
        path: &Path,
        mailbox: &Mailbox,
        mut proceeds: impl FnMut(u32, u32) -> bool,
    ) -> Result<u64, CaptureError> {
        let device = Offscreen::new()?;
        let nothing = StageRequest::default();
        let (mut patch, faults) = upload(
            device.device(),
            device.queue(),
            &self.content,
            &nothing,
            mailbox.wake(),
            &ScenePool::default(),
        );
        let scene = patch.scene_mut();
        if let Some(fault) = faults.into_iter().next() {
            return Err(fault.into());
        }
        let CaptureSettings { size_px, format, .. } = self.settings;
        let (orbit, settings) = (self.orbit_for(size_px), self.look_for(format));
        let Some(animation) = format.animation() else {
            let still = Still {
                camera: orbit.camera(size_px[0] as f32 / size_px[1] as f32),
                size_px,
                settings,
            };
            files::write_atomic_or(path, |file| -> Result<(), CaptureError> {
                Ok(still.write_png(&device, scene, file, proceeds)?)
            })?;
            return size_of_file(path);
        };
        let num_frames = self.settings.num_frames;
        let turntable = Turntable {
            orbit,
            num_frames,
            duration: self.settings.duration(),
            size_px,
            settings,
        };
        let mut bytes = Vec::new();
        turntable.write(animation, &device, scene, &mut bytes, |done| proceeds(done, num_frames))?;
        if !proceeds(num_frames, num_frames) {
            return Err(TurntableError::Cancelled.into());
        }
        files::write_bytes(path, &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// The artist's eye, farther away where the picture is so narrow that the sides would be cut off. What turns is seen
    /// from the artist's height, all of it all the way round.
    fn orbit_for(&self, size_px: [u32; 2]) -> OrbitCamera {
        let aspect = size_px[0] as f32 / size_px[1].max(1) as f32;
        if self.settings.format.animation().is_some() {
            let mut orbit = self.orbit;
            orbit.frame_turning_in(self.bounds, aspect);
            return orbit;
        }
        let narrower = self.stage_aspect.min(1.0) / aspect.min(1.0);
        OrbitCamera {
            distance: self.orbit.distance * narrower.max(1.0),
            ..self.orbit
        }
    }

    fn look_for(&self, format: CaptureFormat) -> RenderSettings {
        let look = self.look.clone();
        if !self.settings.is_transparent {
            return look;
        }
        RenderSettings {
            background: Background::Transparent,
            grid: false,
            axes: false,
            // A shadow is neither clear nor opaque, and a GIF knows nothing else.
            shadow: look.shadow && format.animation() != Some(AnimationFormat::Gif),
            ..look
        }
    }
}

fn size_of_file(path: &Path) -> Result<u64, CaptureError> {
    let metadata = std::fs::metadata(path).map_err(|source| FormatError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(metadata.len())
}

/// The path to write and its format: a known extension that the artist typed wins.
pub fn target_of(path: PathBuf, format: CaptureFormat) -> (PathBuf, CaptureFormat) {
    with_extension(path, format, &CaptureFormat::ALL, CaptureFormat::extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_picture_is_taken_from_farther_away() {
        let capture = Capture {
            content: StageRequest::default(),
            look: RenderSettings::default(),
            orbit: OrbitCamera::default(),
            stage_aspect: 1.4,
            bounds: Bounds::UNIT,
            settings: CaptureSettings::default(),
        };
        let distance = capture.orbit.distance;
        assert_eq!(capture.orbit_for([1920, 1080]).distance, distance);
        assert_eq!(capture.orbit_for([500, 1000]).distance, distance * 2.0);
    }

    #[test]
    fn the_typed_extension_decides_what_a_picture_is() {
        let target = |path: &str| target_of(PathBuf::from(path), CaptureFormat::Png);
        assert_eq!(target("/a/owl.gif"), (PathBuf::from("/a/owl.gif"), CaptureFormat::Gif));
        assert_eq!(target("/a/owl.2"), (PathBuf::from("/a/owl.2.png"), CaptureFormat::Png));
    }
}
