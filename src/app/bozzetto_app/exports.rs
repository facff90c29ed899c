use std::path::PathBuf;

use super::super::Command;
use super::super::desktop::{Answer, SaveDialog};
use super::super::export::{ExportContent, ExportEvent, file_name_for, target_of};
use super::super::export_size::ExportSize;
use super::super::state::{ExportFormat, ExportSettings, ExportStatus, NoticeLevel, Problem};
use super::BozzettoApp;

/// A file that waits for textures that are still being baked.
pub(super) struct PendingExport {
    path: PathBuf,
    format: ExportFormat,
}

impl BozzettoApp {
    pub(super) fn set_export(&mut self, settings: ExportSettings) {
        if let Err(error) = settings.validate() {
            self.say(NoticeLevel::Warning, &Problem::new(error.to_string()));
            return;
        }
        self.state.export.settings = settings;
        self.remember();
    }

    /// Has the file's size told again when something that it depends on has changed.
    pub(super) fn follow_export_size(&mut self) {
        // What is finished now is outdated in a moment: not worth encoding.
        if self.is_finishing {
            return;
        }
        let settings = self.state.export.settings;
        let result = self.state.result.as_ref().filter(|_| !settings.format.holds_splats());
        let wanted = result.and_then(|result| Some((result.finished.clone()?, settings)));
        let is_other = self.export_sizes.as_mut().is_some_and(|sizes| sizes.follow(wanted));
        if is_other {
            self.state.export.size = None;
        }
    }

    pub(super) fn apply_export_size(&mut self, size: &ExportSize) {
        if self.export_sizes.as_ref().is_some_and(|sizes| sizes.is_current(size)) {
            self.state.export.size = size.num_bytes;
        }
    }

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
        let dialog = SaveDialog {
            title: &format!("Export as {}", format.label()),
            kind: format.label(),
            extension: format.extension(),
            file_name: &file_name_for(&name, format.extension()),
            folder: self.state.export.folder.as_deref(),
        };
        let pending = self.desktop.choose_target(&dialog, parent);
        self.state.export.status = ExportStatus::Choosing;
        self.state.export.settings.format = format;
        self.remember();
        if let Some(exports) = &self.exports {
            exports.await_target(format, self.last_result, pending);
        }
    }

    fn can_wait_for_textures(&self, format: ExportFormat) -> bool {
        format.holds_colors() && self.is_finishing
    }

    pub(super) fn apply_export(&mut self, event: ExportEvent) {
        match event {
            ExportEvent::PicturesChosen(Answer::Chosen(paths)) => self.add_paths(paths),
            ExportEvent::PicturesChosen(Answer::Cancelled) => {}
            // What is on the stage now is not what the artist named the file for.
            ExportEvent::TargetChosen { result, answer, .. }
                if result != self.last_result && answer != Answer::Cancelled =>
            {
                self.say_export_dropped();
            }
            ExportEvent::TargetChosen { format, answer, .. } => self.apply_target(format, answer),
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
                let path = self
                    .folders
                    .data
                    .join("exports")
                    .join(file_name_for(&name, format.extension()));
                let action = Command::ExportTo { format, path };
                self.say_with_action(NoticeLevel::Warning, &problem, "Export to the program's folder", action);
            }
        }
    }

    /// Writes the result, as soon as its textures follow the settings.
    pub(super) fn export_to(&mut self, path: PathBuf, format: ExportFormat) {
        self.state.export.folder = path.parent().map(PathBuf::from);
        self.state.export.settings.format = format;
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
        exports.write(path.clone(), self.state.export.settings, content);
        self.state.export.status = ExportStatus::Writing { path };
    }

    pub(super) fn write_pending_export(&mut self) {
        if !self.is_finishing
            && let Some(pending) = self.pending_export.take()
        {
            self.export_to(pending.path, pending.format);
        }
    }

    /// Gives up an export that waits for the textures of a result that leaves the stage.
    pub(super) fn drop_pending_export(&mut self) {
        if self.pending_export.take().is_some() {
            self.say_export_dropped();
        }
    }

    fn say_export_dropped(&mut self) {
        let problem = Problem::with_hint(
            "The export was dropped: another result came on the stage.",
            "Open the earlier one from the library and export it.",
        );
        self.say(NoticeLevel::Warning, &problem);
        self.state.export.status = ExportStatus::Failed(problem);
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use bozzetto_asset::{Asset, TriMesh};
    use glam::Vec3;

    use super::*;
    use crate::app::desktop::{Desktop, Pending};
    use crate::app::import::Opened;
    use crate::app::{AppOptions, Folders};

    /// A desktop whose dialogs are answered at once with one path.
    struct OneTarget(PathBuf);

    impl Desktop for OneTarget {
        fn choose_pictures(&self, _: Option<&Path>, _: Option<&eframe::Frame>) -> Pending<Vec<PathBuf>> {
            Box::pin(std::future::ready(Answer::Cancelled))
        }

        fn choose_target(&self, _: &SaveDialog<'_>, _: Option<&eframe::Frame>) -> Pending<PathBuf> {
            Box::pin(std::future::ready(Answer::Chosen(self.0.clone())))
        }

        fn choose_folder(&self, _: &str, _: Option<&Path>, _: Option<&eframe::Frame>) -> Pending<PathBuf> {
            Box::pin(std::future::ready(Answer::Cancelled))
        }

        fn show(&self, _: &Path) -> Result<(), Problem> {
            Ok(())
        }

        fn clipboard_picture(&self) -> Result<image::RgbaImage, Problem> {
            Err(Problem::new("There is none."))
        }
    }

    fn app(home: &Path, target: &Path) -> BozzettoApp {
        let options = AppOptions {
            folders: Folders::within(home),
            engines: Vec::new(),
            desktop: Arc::new(OneTarget(target.to_owned())),
            files: Vec::new(),
            reads_telemetry: false,
            animates: false,
        };
        BozzettoApp::start(&egui::Context::default(), None, options)
    }

    fn tetrahedron(name: &str) -> Opened {
        let mesh = TriMesh {
            positions: vec![Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z],
            triangles: vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]],
            ..TriMesh::default()
        };
        Opened {
            name: name.to_owned(),
            asset: Asset {
                mesh: Some(Arc::new(mesh)),
                ..Asset::default()
            },
            finished: None,
        }
    }

    fn tick_while(app: &mut BozzettoApp, holds: impl Fn(&BozzettoApp) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while holds(app) {
            assert!(Instant::now() < deadline, "{:?}", app.state.export.status);
            app.tick(None);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn assert_dropped(app: &BozzettoApp, target: &Path) {
        let ExportStatus::Failed(problem) = &app.state.export.status else {
            panic!("{:?}", app.state.export.status);
        };
        assert!(problem.sentence.contains("dropped"), "{problem:?}");
        assert!(!target.exists());
    }

    #[test]
    fn a_waiting_export_is_dropped_when_another_result_comes() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let target = home.path().join("first.glb");
        let mut app = app(home.path(), &target);
        app.show_opened(tetrahedron("first"));
        app.export_to(target.clone(), ExportFormat::Glb);
        let waiting = ExportStatus::Waiting { path: target.clone() };
        assert_eq!(app.state.export.status, waiting);
        app.show_opened(tetrahedron("second"));
        assert_dropped(&app, &target);
        tick_while(&mut app, |app| app.is_finishing);
        assert_dropped(&app, &target);
    }

    #[test]
    fn a_file_named_for_one_result_is_not_written_with_another() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let target = home.path().join("first.stl");
        let mut app = app(home.path(), &target);
        app.show_opened(tetrahedron("first"));
        app.ask_for_target(ExportFormat::Stl, None);
        // The answer is taken in the next tick; the result changes before.
        app.show_opened(tetrahedron("second"));
        tick_while(&mut app, |app| app.state.export.is_busy());
        assert_dropped(&app, &target);

        app.ask_for_target(ExportFormat::Stl, None);
        tick_while(&mut app, |app| app.state.export.is_busy());
        assert!(matches!(app.state.export.status, ExportStatus::Done { .. }));
        assert!(target.exists());
    }
}
