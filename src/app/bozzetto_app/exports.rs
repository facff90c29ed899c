use std::path::PathBuf;

use super::super::Command;
use super::super::desktop::Answer;
use super::super::export::{ExportContent, ExportEvent, file_name_for, target_of};
use super::super::state::{ExportFormat, ExportStatus, NoticeLevel, Problem};
use super::BozzettoApp;

/// A file that waits for textures that are still being baked.
pub(super) struct PendingExport {
    path: PathBuf,
    format: ExportFormat,
}

impl BozzettoApp {
    /// Opens the dialog that asks where to export.
    pub(super) fn ask_for_target(&mut self, format: ExportFormat, parent: Option<&eframe::Frame>) {
        if self.state.export.is_busy() {
            return;
        }
        let obstacle = format.obstacle(self.state.result.as_ref());
        // The dialog may be open while the textures are baked.
        if let Some(obstacle) = obstacle.filter(|_| !self.can_wait_for_textures(format)) {
            self.say(NoticeLevel::Warning, &Problem::new(obstacle));
            return;
        }
        let name = self
            .state
            .result
            .as_ref()
            .map(|result| result.name.clone())
            .unwrap_or_default();
        let file_name = file_name_for(&name, format);
        let folder = self.state.export.folder.clone();
        let pending = self
            .desktop
            .choose_export(format, &file_name, folder.as_deref(), parent);
        self.state.export.status = ExportStatus::Choosing;
        self.state.export.format = format;
        self.remember();
        if let Some(exports) = &self.exports {
            exports.await_target(format, pending);
        }
    }

    fn can_wait_for_textures(&self, format: ExportFormat) -> bool {
        !format.holds_splats() && format != ExportFormat::Stl && self.is_finishing
    }

    pub(super) fn apply_export(&mut self, event: ExportEvent) {
        match event {
            ExportEvent::PicturesChosen(Answer::Chosen(paths)) => self.add_paths(paths),
            ExportEvent::PicturesChosen(Answer::Cancelled) => {}
            ExportEvent::TargetChosen { format, answer } => self.apply_target(format, answer),
            ExportEvent::Written { path, result } => self.apply_written(path, result),
            ExportEvent::PicturesChosen(Answer::Unavailable(problem)) | ExportEvent::NotShown(problem) => {
                self.say(NoticeLevel::Warning, &problem);
            }
        }
    }

    fn apply_target(&mut self, format: ExportFormat, answer: Answer<PathBuf>) {
        self.state.export.status = ExportStatus::Idle;
        match answer {
            Answer::Chosen(path) => {
                let (path, format) = target_of(path, format);
                self.export_to(path, format);
            }
            Answer::Cancelled => {}
            Answer::Unavailable(problem) => {
                let name = self
                    .state
                    .result
                    .as_ref()
                    .map(|result| result.name.clone())
                    .unwrap_or_default();
                let path = self.folders.data.join("exports").join(file_name_for(&name, format));
                let action = Command::ExportTo { format, path };
                self.say_with_action(NoticeLevel::Warning, &problem, "Export to the program's folder", action);
            }
        }
    }

    /// Writes the result, as soon as its textures follow the settings.
    pub(super) fn export_to(&mut self, path: PathBuf, format: ExportFormat) {
        self.state.export.folder = path.parent().map(PathBuf::from);
        self.state.export.format = format;
        self.remember();
        if self.can_wait_for_textures(format) {
            self.state.export.status = ExportStatus::Waiting { path: path.clone() };
            self.pending_export = Some(PendingExport { path, format });
            return;
        }
        let content = self
            .state
            .result
            .as_ref()
            .and_then(|result| ExportContent::of(result, format));
        let (Some(content), Some(exports)) = (content, &self.exports) else {
            let obstacle = format
                .obstacle(self.state.result.as_ref())
                .unwrap_or("There is nothing to export.");
            self.state.export.status = ExportStatus::Failed(Problem::new(obstacle));
            self.say(NoticeLevel::Warning, &Problem::new(obstacle));
            return;
        };
        exports.write(path.clone(), format, self.state.export.texture_format, content);
        self.state.export.status = ExportStatus::Writing { path };
    }

    pub(super) fn write_pending_export(&mut self) {
        if !self.is_finishing
            && let Some(pending) = self.pending_export.take()
        {
            self.export_to(pending.path, pending.format);
        }
    }

    fn apply_written(&mut self, path: PathBuf, result: Result<u64, Problem>) {
        match result {
            Ok(num_bytes) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let sentence = format!("{name} was exported ({}).", crate::ui::format::bytes(num_bytes));
                let action = Command::ShowInFolder(path.clone());
                self.say_with_action(NoticeLevel::Success, &Problem::new(sentence), "Show in folder", action);
                self.state.export.status = ExportStatus::Done { path, num_bytes };
            }
            Err(problem) => {
                self.say(NoticeLevel::Error, &problem);
                self.state.export.status = ExportStatus::Failed(problem);
            }
        }
    }

    pub(super) fn show_in_folder(&mut self, path: PathBuf) {
        if let Some(exports) = &self.exports {
            exports.show(std::sync::Arc::clone(&self.desktop), path);
        }
    }
}
