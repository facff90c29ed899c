use std::path::PathBuf;
use std::time::{Duration, Instant};

use bozzetto_asset::View;
use bozzetto_engine::ParamValues;

use super::super::settings::{Settings, StageSettings};
use super::super::state::{ExportSettings, NoticeLevel, Problem};
use super::BozzettoApp;

/// Settings are written when nothing has changed for this long.
pub(super) const SETTLE_TIME: Duration = Duration::from_millis(700);

impl BozzettoApp {
    /// Takes over what was remembered from the last start.
    pub(super) fn restore(&mut self, remembered: Settings) {
        let engines = self
            .jobs
            .as_ref()
            .map(|jobs| jobs.engines().to_vec())
            .unwrap_or_default();
        let state = &mut self.state;
        let is_known = engines.iter().any(|engine| engine.id == remembered.engine);
        let first = engines.first().map(|engine| engine.id.clone()).unwrap_or_default();
        state.engine.selected = if is_known { remembered.engine.clone() } else { first };
        state.engine.engines = engines;
        state.engine.seed = remembered.seed;
        state.engine.is_seed_locked = remembered.is_seed_locked;
        state.layout = remembered.layout;
        state.finish.settings = remembered.finish.clone();
        state.export.settings = remembered.export;
        if state.export.settings.validate().is_err() {
            state.export.settings = ExportSettings::default();
        }
        state.export.folder.clone_from(&remembered.export_folder);
        state.capture.folder.clone_from(&remembered.capture_folder);
        state.capture.settings = remembered.capture.clamped();
        let stage = remembered.stage;
        state.viewport.mode = stage.mode;
        state.viewport.wireframe = stage.wireframe;
        state.viewport.grid = stage.grid;
        state.viewport.axes = stage.axes;
        state.viewport.cameras = stage.cameras;
        state.viewport.environment = stage.environment;
        state.viewport.tone_mapping = stage.tone_mapping;
        state.viewport.navigation = stage.navigation;
        state.viewport.comparison_layout = stage.comparison_layout;
        if state.finish.settings.validate().is_err() {
            state.finish.settings = bozzetto_mesh::FinishSettings::default();
        }
        self.presets.clone_from(&remembered.presets);
        self.agreed_licences.clone_from(&remembered.agreed_licences);
        self.state.python.environment.clone_from(&remembered.python);
        self.state.engine.values = self.remembered_values(&remembered);
        self.saved_settings = remembered;
        self.list_presets();
    }

    /// The chosen engine's parameters as they were; those that no longer fit have their defaults.
    pub(super) fn remembered_values(&self, remembered: &Settings) -> ParamValues {
        let Some(info) = self.state.engine.info() else {
            return ParamValues::default();
        };
        let known = remembered.params.get(&info.id);
        let values = info.params.iter().map(|spec| {
            let value = known.and_then(|known| spec.validated(known.0.get(&spec.key)?).ok());
            (spec.key.clone(), value.unwrap_or_else(|| spec.default_value()))
        });
        ParamValues(values.collect())
    }

    /// Opens what the program was started with, or the example on the very first start.
    pub(super) fn open_first_files(&mut self, files: Vec<PathBuf>) {
        let is_first_start = !self.saved_settings.was_started;
        self.settings_changed = is_first_start.then(Instant::now);
        if !files.is_empty() {
            self.add_paths(files);
        } else if is_first_start {
            self.state.shows_first_hint = true;
            self.load_example();
        }
    }

    /// Puts the example on the list as soon as it is unpacked.
    pub(super) fn load_example(&mut self) {
        self.awaits_example = true;
        self.import.unpack_example(self.folders.example());
    }

    /// Lists the example, unless the list was filled or cleared in the meantime.
    pub(super) fn apply_example(&mut self, views: Result<Vec<View>, Problem>) {
        if !std::mem::take(&mut self.awaits_example) {
            return;
        }
        match views {
            Ok(views) => {
                self.clear_views();
                self.add_views(views);
                self.is_example = true;
            }
            Err(problem) => self.say(NoticeLevel::Warning, &problem),
        }
    }

    /// Notes that something that is remembered has changed.
    pub(super) fn remember(&mut self) {
        self.settings_changed = Some(Instant::now());
    }

    pub(super) fn save_settings_when_settled(&mut self) {
        if self
            .settings_changed
            .is_some_and(|changed| changed.elapsed() >= SETTLE_TIME)
        {
            self.save_settings_now();
        }
    }

    /// Has the settings written if they differ from what was written last.
    pub(super) fn save_settings_now(&mut self) {
        self.settings_changed = None;
        let now = self.settings();
        if now == self.saved_settings {
            return;
        }
        if let Some(writer) = &self.settings_writer {
            writer.write(now.clone());
            // Also when it fails, which is said once: the next change tries again.
            self.saved_settings = now;
        }
    }

    fn settings(&self) -> Settings {
        let state = &self.state;
        let mut params = self.saved_settings.params.clone();
        if !state.engine.selected.is_empty() {
            params.insert(state.engine.selected.clone(), state.engine.values.clone());
        }
        let stage_secs = self.jobs.as_ref().map(|jobs| jobs.stage_secs().clone());
        Settings {
            was_started: true,
            engine: state.engine.selected.clone(),
            seed: state.engine.seed,
            is_seed_locked: state.engine.is_seed_locked,
            export_folder: state.export.folder.clone(),
            capture: state.capture.settings,
            capture_folder: state.capture.folder.clone(),
            picture_folder: self.saved_settings.picture_folder.clone(),
            export: state.export.settings,
            layout: state.layout,
            stage: StageSettings {
                mode: state.viewport.mode,
                wireframe: state.viewport.wireframe,
                grid: state.viewport.grid,
                axes: state.viewport.axes,
                cameras: state.viewport.cameras,
                environment: state.viewport.environment,
                tone_mapping: state.viewport.tone_mapping,
                navigation: state.viewport.navigation,
                comparison_layout: state.viewport.comparison_layout,
            },
            finish: state.finish.settings.clone(),
            params,
            presets: self.presets.clone(),
            python: state.python.environment.clone(),
            agreed_licences: self.agreed_licences.clone(),
            stage_secs: stage_secs.unwrap_or_else(|| self.saved_settings.stage_secs.clone()),
        }
    }
}
