use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bozzetto_engine::Engine;

use super::super::desktop::Answer;
use super::super::python::{FolderUse, PythonEvent};
use super::super::state::{Modal, NoticeLevel, Problem, PythonStatus};
use super::BozzettoApp;
use crate::engines::PythonEnvironment;

impl BozzettoApp {
    pub(super) fn ask_for_folder(&mut self, folder_use: FolderUse, parent: Option<&eframe::Frame>) {
        let title = match &folder_use {
            FolderUse::Environment => "Choose a Python environment",
            FolderUse::Source => "Choose the folder of a pipeline's code",
            FolderUse::Weights(_) => "Choose a folder of weights",
        };
        let environment = self.state.python.environment.as_ref();
        let folder = environment.and_then(|environment| match &folder_use {
            FolderUse::Weights(engine) => environment.weights.get(engine).map(PathBuf::as_path),
            _ => environment.interpreter.parent(),
        });
        let pending = self.desktop.choose_folder(title, folder, parent);
        self.python.choose(folder_use, pending);
    }

    /// Takes an environment, and looks it over.
    pub(super) fn set_python(&mut self, path: &Path) {
        let sources = self.python_sources();
        match PythonEnvironment::at(path, sources) {
            Ok(environment) => self.take_environment(PythonEnvironment {
                weights: self.python_weights(),
                ..environment
            }),
            Err(error) => self.state.python.status = PythonStatus::Failed(error.into()),
        }
    }

    pub(super) fn forget_python(&mut self) {
        self.state.python = super::super::state::PythonState::default();
        self.remember();
        self.python.greet(None);
    }

    pub(super) fn add_python_source(&mut self, folder: PathBuf) {
        let mut sources = self.python_sources();
        if !sources.contains(&folder) {
            sources.push(folder);
            self.set_python_sources(sources);
        }
    }

    pub(super) fn remove_python_source(&mut self, folder: &Path) {
        let mut sources = self.python_sources();
        sources.retain(|source| source != folder);
        self.set_python_sources(sources);
    }

    /// Takes weights for an engine, or those of its makers again. Nothing else of the environment changes.
    pub(super) fn set_python_weights(&mut self, engine: String, weights: Option<PathBuf>) {
        let Some(environment) = &mut self.state.python.environment else {
            return;
        };
        match weights {
            Some(weights) => environment.weights.insert(engine, weights),
            None => environment.weights.remove(&engine),
        };
        self.python.greet(Some(environment.clone()));
        self.remember();
    }

    /// Looks the environment over again.
    pub(super) fn examine_python(&mut self) {
        if let Some(environment) = self.state.python.environment.clone() {
            self.take_environment(environment);
        }
    }

    pub(super) fn install_bridge(&mut self) {
        let Some(environment) = self.state.python.environment.clone() else {
            return;
        };
        self.state.python.status = PythonStatus::Installing;
        // A process of the older bridge would keep its files, and Windows would not let them be replaced.
        if let Some(jobs) = &self.jobs {
            jobs.release_engines();
        }
        self.python.install(environment);
    }

    pub(super) fn apply_python(&mut self, event: PythonEvent) {
        match event {
            PythonEvent::Chosen { folder_use, answer } => match answer {
                Answer::Chosen(folder) => match folder_use {
                    FolderUse::Environment => self.set_python(&folder),
                    FolderUse::Source => self.add_python_source(folder),
                    FolderUse::Weights(engine) => self.set_python_weights(engine, Some(folder)),
                },
                Answer::Cancelled => {}
                Answer::Unavailable(problem) => self.say(NoticeLevel::Warning, &problem),
            },
            PythonEvent::Examined { environment, report } => {
                // Another one may have been chosen meanwhile.
                let current = self.state.python.environment.as_mut().filter(|current| {
                    current.interpreter == environment.interpreter && current.sources == environment.sources
                });
                if let Some(current) = current {
                    current.runnable = environment.runnable;
                    self.state.python.status = match report {
                        Ok(report) => PythonStatus::Examined(report),
                        Err(failure) => PythonStatus::Failed(failure),
                    };
                    self.remember();
                }
            }
            PythonEvent::Engines(engines) => self.offer(engines),
        }
    }

    /// Offers these engines beside the built-in one.
    fn offer(&mut self, engines: Vec<Box<dyn Engine>>) {
        let Some(jobs) = &mut self.jobs else { return };
        let infos = jobs.set_other_engines(engines);
        let selected = &self.state.engine.selected;
        let remembered = &self.saved_settings.engine;
        let is_there = |id: &str| infos.iter().any(|info| info.id == id);
        let first = infos.first().map(|info| info.id.clone()).unwrap_or_default();
        // The engine of last time may take its time to come.
        let next = if is_there(remembered) && *selected == first {
            remembered.clone()
        } else if is_there(selected) {
            selected.clone()
        } else {
            first
        };
        if next != self.state.engine.selected {
            let (old, values) = (self.state.engine.selected.clone(), self.state.engine.values.clone());
            self.saved_settings.params.insert(old, values);
        }
        let is_other = next != self.state.engine.selected;
        self.state.engine.engines = infos;
        self.state.engine.selected = next;
        if is_other {
            self.state.engine.values = self.remembered_values(&self.saved_settings);
            self.list_presets();
            self.params_changed();
        }
    }

    /// Whether the artist has seen the licences of everything that the chosen engine uses; else they are shown.
    pub(super) fn are_licences_agreed(&mut self) -> bool {
        let Some(info) = self.state.engine.info() else {
            return true;
        };
        let is_agreed = info
            .licences
            .iter()
            .all(|licence| self.agreed_licences.contains(&agreement_to(licence)));
        if !is_agreed {
            self.state.modal = Some(Modal::Licences);
        }
        is_agreed
    }

    /// The artist agrees to the licences of the chosen engine, and the run begins.
    pub(super) fn agree_to_licences(&mut self) {
        let Some(info) = self.state.engine.info() else { return };
        self.agreed_licences.extend(info.licences.iter().map(agreement_to));
        self.state.modal = None;
        self.remember();
        self.generate();
    }

    fn take_environment(&mut self, environment: PythonEnvironment) {
        self.state.python.environment = Some(environment.clone());
        self.state.python.status = PythonStatus::Examining;
        self.remember();
        self.python.examine(environment);
    }

    fn python_sources(&self) -> Vec<PathBuf> {
        let environment = self.state.python.environment.as_ref();
        environment.map_or_else(Vec::new, |environment| environment.sources.clone())
    }

    fn python_weights(&self) -> BTreeMap<String, PathBuf> {
        let environment = self.state.python.environment.as_ref();
        environment.map_or_else(BTreeMap::new, |environment| environment.weights.clone())
    }

    fn set_python_sources(&mut self, sources: Vec<PathBuf>) {
        let Some(environment) = self.state.python.environment.clone() else {
            let problem = Problem::new("Choose the Python environment first.");
            return self.say(NoticeLevel::Warning, &problem);
        };
        self.take_environment(PythonEnvironment { sources, ..environment });
    }
}

/// What is remembered of an agreement: a part that comes under another licence is shown again.
fn agreement_to(licence: &bozzetto_engine::PartLicence) -> String {
    format!("{}: {}", licence.part, licence.licence)
}
