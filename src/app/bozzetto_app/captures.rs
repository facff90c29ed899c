use std::path::PathBuf;

use super::super::Command;
use super::super::capture::{Capture, CaptureEvent, target_of};
use super::super::desktop::{Answer, SaveDialog};
use super::super::export::file_name_for;
use super::super::state::{CaptureSettings, CaptureStatus, Modal, NoticeLevel, Problem};
use super::super::viewport_host::ViewportHost;
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
                self.state.capture.status = CaptureStatus::Idle;
            }
            CaptureEvent::TargetChosen(Answer::Unavailable(problem)) => {
                self.state.capture.status = CaptureStatus::Idle;
                let path = self.folders.data.join("exports").join(self.capture_name());
                let action = Command::CaptureTo(path);
                self.say_with_action(NoticeLevel::Warning, &problem, "Save to the program's folder", action);
            }
            CaptureEvent::Progress(drawn) => {
                if let CaptureStatus::Drawing { done, .. } = &mut self.state.capture.status {
                    *done = drawn;
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

    /// Draws what is on the stage now into a file.
    fn capture_to(&mut self, path: PathBuf) {
        let (path, format) = target_of(path, self.state.capture.settings.format);
        let settings = CaptureSettings {
            format,
            ..self.state.capture.settings
        };
        self.state.capture.folder = path.parent().map(PathBuf::from);
        self.remember();
        let viewport = &self.state.viewport;
        let mut look = viewport.render_settings(viewport.mode);
        look.prefers_raw_mesh = self.prefers_raw_mesh();
        let capture = Capture {
            content: self.marked_request(),
            look,
            orbit: viewport.orbit,
            stage_aspect: self.viewport.as_ref().map_or(1.0, ViewportHost::aspect),
            settings,
        };
        if let Some(captures) = &mut self.captures {
            self.state.capture.status = CaptureStatus::Drawing {
                path: path.clone(),
                done: 0,
                total: settings.total(),
            };
            captures.draw(path, capture);
        }
    }
}
