use std::path::PathBuf;

use bozzetto_viewport::Bounds;

use super::super::Command;
use super::super::capture::{Capture, CaptureEvent, target_of};
use super::super::desktop::{Answer, SaveDialog};
use super::super::export::file_name_for;
use super::super::state::{CaptureStatus, Modal, NoticeLevel, Problem};
use super::super::viewport_host::{self, ViewportHost};
use super::BozzettoApp;

impl BozzettoApp {
    /// Commands about pictures of the stage.
    pub(super) fn capture(&mut self, command: Command, parent: Option<&eframe::Frame>) {
        match command {
            Command::SetCapture(settings) => {
                self.state.capture.settings = settings.clamped();
                self.remember();
            }
            Command::SaveCapture => self.ask_for_capture(parent),
            Command::CaptureTo(path) => self.capture_to(path),
            Command::CancelCapture => {
                if let Some(captures) = &self.captures {
                    captures.cancel();
                }
            }
            other => self.execute_rest(other),
        }
    }

    fn ask_for_capture(&mut self, parent: Option<&eframe::Frame>) {
        if self.state.capture.is_busy() {
            return;
        }
        if !self.state.viewport.has_content {
            let problem = Problem::with_hint("The stage is empty.", "Generate something or open a file first.");
            self.say(NoticeLevel::Warning, &problem);
            return;
        }
        let format = self.state.capture.settings.format;
        let file_name = self.capture_name();
        let dialog = SaveDialog {
            title: "Save a picture of the stage",
            kind: format.label(),
            extension: format.extension(),
            file_name: &file_name,
            folder: self.state.capture.folder.as_deref(),
        };
        let pending = self.desktop.choose_target(&dialog, parent);
        // What is seen now is what the artist names the file for, whatever comes on the stage meanwhile.
        self.pending_capture = Some(self.capture_of_stage());
        if let Some(captures) = &self.captures {
            captures.await_target(pending);
            self.state.capture.status = CaptureStatus::Choosing;
        }
    }

    fn capture_name(&self) -> String {
        let result = self.state.result.as_ref();
        let name = result.map(|result| result.name.as_str()).unwrap_or_default();
        file_name_for(name, self.state.capture.settings.format.extension())
    }

    pub(super) fn apply_capture(&mut self, event: CaptureEvent) {
        match event {
            CaptureEvent::TargetChosen(Answer::Chosen(path)) => self.capture_to(path),
            CaptureEvent::TargetChosen(Answer::Cancelled) | CaptureEvent::Cancelled => {
                self.pending_capture = None;
                self.state.capture.status = CaptureStatus::Idle;
            }
            CaptureEvent::TargetChosen(Answer::Unavailable(problem)) => {
                self.state.capture.status = CaptureStatus::Idle;
                let path = self.folders.data.join("exports").join(self.capture_name());
                let action = Command::CaptureTo(path);
                self.say_with_action(NoticeLevel::Warning, &problem, "Save to the program's folder", action);
            }
            CaptureEvent::Progress {
                done: drawn,
                total: all,
            } => {
                if let CaptureStatus::Drawing { done, total, .. } = &mut self.state.capture.status {
                    (*done, *total) = (drawn, all);
                }
            }
            CaptureEvent::Written { path, num_bytes } => {
                self.state.capture.status = CaptureStatus::Idle;
                if self.state.modal == Some(Modal::Capture) {
                    self.state.modal = None;
                }
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let sentence = format!("{name} was saved ({}).", crate::ui::format::bytes(num_bytes));
                let action = Command::ShowInFolder(path.clone());
                self.say_with_action(NoticeLevel::Success, &Problem::new(sentence), "Show in folder", action);
            }
            CaptureEvent::Failed(problem) => {
                self.say(NoticeLevel::Error, &problem);
                self.state.capture.status = CaptureStatus::Failed(problem);
            }
        }
    }

    /// Draws what was on the stage when the dialog opened into a file, or what is there now if there was none.
    fn capture_to(&mut self, path: PathBuf) {
        let capture = self.pending_capture.take();
        if matches!(self.state.capture.status, CaptureStatus::Drawing { .. }) || !self.state.viewport.has_content {
            return;
        }
        let mut capture = capture.unwrap_or_else(|| self.capture_of_stage());
        let (path, format) = target_of(path, capture.settings.format);
        capture.settings.format = format;
        self.state.capture.folder = path.parent().map(PathBuf::from);
        self.remember();
        if let Some(captures) = &mut self.captures {
            self.state.capture.status = CaptureStatus::Drawing {
                path: path.clone(),
                done: 0,
                total: 0,
            };
            captures.draw(path, capture);
        }
    }

    fn capture_of_stage(&self) -> Capture {
        let viewport = &self.state.viewport;
        let host = self.viewport.as_ref();
        let mut look = viewport.render_settings(viewport.mode);
        look.prefers_raw_mesh = self.prefers_raw_mesh();
        viewport_host::suit_theme(&mut look, self.ctx.global_style().visuals.dark_mode);
        Capture {
            content: self.marked_request(),
            look,
            orbit: viewport.orbit,
            stage_aspect: host.map_or(1.0, ViewportHost::aspect),
            bounds: host.and_then(ViewportHost::bounds).unwrap_or(Bounds::UNIT),
            settings: self.state.capture.settings,
        }
    }
}
