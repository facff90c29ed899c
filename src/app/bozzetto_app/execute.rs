use super::super::Command;
use super::super::python::FolderUse;
use super::super::state::{JobStatus, Modal};
use super::BozzettoApp;

impl BozzettoApp {
    /// Executes one command. The only place that does.
    pub(super) fn execute(&mut self, command: Command, parent: Option<&eframe::Frame>) {
        match command {
            Command::AddPictures => self.ask_for_pictures(parent),
            Command::AddPaths(paths) => self.add_paths(paths),
            Command::PasteImage => self.paste_from_clipboard(),
            Command::SelectView(view) => self.state.views.selected = view,
            Command::RemoveView(view) => self.remove_view(view),
            Command::RemoveSelectedView => {
                if let Some(view) = self.state.views.selected {
                    self.remove_view(view);
                }
            }
            Command::ClearViews => self.clear_views(),
            Command::MoveView { view, to_index } => self.move_view(view, to_index),
            Command::SetViewEnabled(view, enabled) => self.change_view(view, |view| view.enabled = enabled),
            Command::SetViewDirection(view, direction) => self.change_view(view, |view| view.direction = direction),
            Command::SetViewWeight(view, weight) => {
                if weight.is_finite() {
                    self.change_view(view, |view| view.weight = weight.clamp(0.0, 10.0));
                }
            }
            Command::SetMatte(view, matte) => self.set_matte(view, matte),
            Command::RetryView(view) => self.retry_view(view),
            Command::LoadExample => self.load_example(),

            Command::SelectEngine(id) => self.select_engine(id),
            Command::ChoosePython => self.ask_for_folder(FolderUse::Environment, parent),
            Command::SetPython(path) => self.set_python(&path),
            Command::ForgetPython => self.forget_python(),
            Command::ChoosePythonSource => self.ask_for_folder(FolderUse::Source, parent),
            Command::RemovePythonSource(folder) => self.remove_python_source(&folder),
            Command::ChoosePythonWeights(engine) => self.ask_for_folder(FolderUse::Weights(engine), parent),
            Command::ForgetPythonWeights(engine) => self.set_python_weights(engine, None),
            Command::ExaminePython => self.examine_python(),
            Command::InstallBridge => self.install_bridge(),
            Command::AgreeToLicences => self.agree_to_licences(),
            Command::SetParam { key, value, is_final } => self.set_param(&key, &value, is_final),
            Command::ResetParam(key) => self.reset_param(&key),
            Command::ResetAllParams => self.reset_all_params(),
            Command::Undo => self.undo(),
            Command::Redo => self.redo(),
            Command::SetSeed(seed) => self.set_seed(seed),
            Command::RollSeed => self.roll_seed(),
            Command::SetSeedLocked(is_locked) => self.set_seed_locked(is_locked),
            Command::ApplyPreset(name) => self.apply_preset(&name),
            Command::SavePreset(name) => self.save_preset(&name),
            Command::DeletePreset(name) => self.delete_preset(&name),

            Command::Generate => self.generate(),
            Command::Cancel => self.cancel(),
            Command::CancelJob(job) => self.cancel_job(job),
            Command::ClearEndedJobs => self.state.jobs.items.retain(super::super::state::JobItem::is_active),

            Command::SetFinish { settings, is_final } => self.set_finish(settings, is_final),
            Command::RetryFinish => self.request_finish(),

            Command::Export => self.ask_for_target(self.state.export.settings.format, parent),
            Command::ExportAs(format) => self.ask_for_target(format, parent),
            Command::ExportTo { format, path } => self.export_to(path, format),
            Command::SetExport(settings) => self.set_export(settings),
            Command::ShowInFolder(path) => self.show_in_folder(path),

            command => self.capture(command, parent),
        }
    }

    pub(super) fn execute_rest(&mut self, command: Command) {
        match command {
            Command::OpenFromLibrary(id) => self.open_from_library(id),
            Command::AskDeleteFromLibrary(id) => self.ask_delete(id),
            Command::DeleteFromLibrary(id) => self.delete_from_library(id),
            Command::RenameInLibrary { id, name } => self.rename_in_library(id, &name),
            Command::RefreshLibrary => self.refresh_library(),
            Command::ShowLibraryFolder => self.show_in_folder(self.folders.library()),

            Command::CopyText(text) => self.ctx.copy_text(text),
            Command::CopyLog => self.ctx.copy_text(self.log_text()),
            Command::ClearLog => self.state.log = super::super::state::LogState::default(),
            Command::DismissToast(id) => self.state.toasts.retain(|toast| toast.id != id),
            Command::DismissFirstHint => self.state.shows_first_hint = false,

            Command::SetModal(modal) => self.state.modal = modal,
            Command::ShowShortcuts => self.state.modal = Some(Modal::Shortcuts),
            Command::ShowPalette => self.state.modal = Some(Modal::Palette),
            Command::ShowAbout => self.state.modal = Some(Modal::About),
            Command::SetTheme(theme) => self.change_layout(|layout| layout.theme = theme),
            Command::ToggleLeftPanel => self.change_layout(|layout| layout.shows_left = !layout.shows_left),
            Command::ToggleRightPanel => self.change_layout(|layout| layout.shows_right = !layout.shows_right),
            Command::ToggleBottomPanel => self.change_layout(|layout| layout.shows_bottom = !layout.shows_bottom),
            Command::SetBottomTab(tab) => self.change_layout(|layout| {
                layout.bottom_tab = tab;
                layout.shows_bottom = true;
            }),
            Command::SetShowsAdvanced(shows) => self.change_layout(|layout| layout.shows_advanced = shows),
            Command::Quit => self.ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            command => self.look(command),
        }
    }

    fn change_layout(&mut self, change: impl FnOnce(&mut super::super::state::Layout)) {
        change(&mut self.state.layout);
        self.remember();
    }

    /// Esc: closes what is in front, or else stops what is drawn or runs.
    fn cancel(&mut self) {
        if self.state.modal.take().is_some() {
            return;
        }
        if let Some(captures) = self.captures.as_ref().filter(|_| self.state.capture.is_busy()) {
            captures.cancel();
            return;
        }
        let running = self
            .state
            .jobs
            .items
            .iter()
            .find(|job| job.status == JobStatus::Running);
        if let Some(id) = running.map(|job| job.id) {
            self.cancel_job(id);
        }
    }
}
