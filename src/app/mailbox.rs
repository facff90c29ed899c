use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::state::Problem;
use super::{capture, export, export_size, finish, import, library, pick, python, stage, telemetry};

/// What background threads tell the window. The window applies it in `logic`, also while it is hidden.
pub enum Message {
    /// Pictures and dropped files.
    Import(import::Imported),
    /// Finishing and the live preview of the face count.
    Finish(finish::FinishEvent),
    /// Dialogs answered, files written.
    Export(export::ExportEvent),
    /// How large the exported file will be.
    ExportSize(export_size::ExportSize),
    /// Pictures of the stage.
    Capture(capture::CaptureEvent),
    /// Saved results.
    Library(library::LibraryEvent),
    /// Engines in other programs.
    Python(python::PythonEvent),
    /// The point of the surface that the artist holds.
    Picked(pick::Picked),
    /// Content for the stage, uploaded and ready to be drawn.
    Stage(stage::StageContent),
    /// Why settings are not in their file.
    SettingsNotSaved(Problem),
    /// Load of the graphics card.
    Telemetry(telemetry::Reading),
}

/// The way from a background thread to the window. Clones lead to the same window.
#[derive(Clone)]
pub struct Mailbox {
    sender: Sender<Message>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Mailbox {
    /// A mailbox and its end in the window. `wake` asks the window for a frame.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> (Self, Receiver<Message>) {
        // The window empties it every frame; a thread that is faster than that waits.
        let (sender, receiver) = bounded(256);
        (Self { sender, wake }, receiver)
    }

    /// Hands a message over and wakes the window. `false` when the window is gone: the thread may end.
    pub fn post(&self, message: Message) -> bool {
        let is_delivered = self.sender.send(message).is_ok();
        (self.wake)();
        is_delivered
    }

    /// Asks the window for a frame.
    pub fn wake(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::clone(&self.wake)
    }
}
