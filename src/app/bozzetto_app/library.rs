use std::path::PathBuf;
use std::time::Duration;

use bozzetto_asset::Asset;
use bozzetto_asset::formats::generation::Generation;
use bozzetto_engine::Job;
use bozzetto_mesh::FinishSettings;

use super::super::library::{LibraryEvent, Listed, NewEntry, age_in_words};
use super::super::state::{Counts, LibraryEntry, LibraryStatus, Modal, NoticeLevel, Picture, Problem, ResultState};
use super::BozzettoApp;
use super::frame::now_unix_secs;
use crate::pictures;

impl BozzettoApp {
    pub(super) fn refresh_library(&mut self) {
        self.state.library.status = LibraryStatus::Loading;
        if let Some(library) = &self.library {
            library.list();
        }
    }

    pub(super) fn save_to_library(&mut self, name: &str, job: &Job, asset: &Asset) {
        let Some(library) = &self.library else { return };
        let json = |value: Result<serde_json::Value, serde_json::Error>| value.unwrap_or_default();
        library.save(NewEntry {
            result: self.last_result,
            name: name.to_owned(),
            created_unix_secs: now_unix_secs(),
            job: json(serde_json::to_value(job)),
            finish: json(serde_json::to_value(&self.state.finish.settings)),
            asset: asset.clone(),
            view_files: job.views.iter().map(|view| view.path.clone()).collect(),
        });
        self.state.library.is_saving = true;
    }

    pub(super) fn open_from_library(&mut self, id: String) {
        if let Some(library) = &self.library {
            self.state.library.opening = Some(id.clone());
            library.open(id);
        }
    }

    pub(super) fn open_generation_folder(&mut self, folder: PathBuf) {
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(library) = &self.library {
            self.state.library.opening = Some(id.clone());
            library.open_folder(id, folder);
        }
    }

    pub(super) fn ask_delete(&mut self, id: String) {
        let entry = self.state.library.entries.iter().find(|entry| entry.id == id);
        if let Some(entry) = entry {
            let name = entry.name.clone();
            self.state.modal = Some(Modal::ConfirmDelete { id, name });
        }
    }

    pub(super) fn delete_from_library(&mut self, id: String) {
        self.state.modal = None;
        if let Some(library) = &self.library {
            library.delete(id);
        }
    }

    pub(super) fn rename_in_library(&mut self, id: String, name: &str) {
        let name = name.trim();
        if let Some(library) = self.library.as_ref().filter(|_| !name.is_empty()) {
            library.rename(id, name.to_owned());
        }
    }

    pub(super) fn apply_library(&mut self, event: LibraryEvent) {
        match event {
            LibraryEvent::Listed(listed) => {
                let entries = listed.into_iter().map(|listed| self.entry(listed)).collect();
                self.state.library.entries = entries;
                self.state.library.status = LibraryStatus::Ready;
            }
            LibraryEvent::Saved { result, saved } => {
                self.state.library.is_saving = false;
                self.apply_saved(result, saved);
            }
            LibraryEvent::Opened { id, opened } => {
                if self.state.library.opening.as_ref() == Some(&id) {
                    self.state.library.opening = None;
                    match opened {
                        Ok(opened) => self.show_generation(opened.0, opened.1),
                        Err(problem) => self.say(NoticeLevel::Error, &problem),
                    }
                }
            }
            LibraryEvent::Read { id, read } => self.apply_read(id, read),
            LibraryEvent::Deleted { id, deleted } => self.apply_deleted(&id, deleted),
            LibraryEvent::Renamed { id, renamed } => match renamed {
                Ok(name) => self.apply_renamed(&id, &name),
                Err(problem) => self.say(NoticeLevel::Error, &problem),
            },
        }
    }

    fn entry(&self, listed: Listed) -> LibraryEntry {
        let thumbnail = listed.thumbnail.map(|image| Picture::new(&self.ctx, "library", image));
        match listed.generation {
            Ok(generation) => LibraryEntry {
                id: listed.id,
                name: generation.name,
                thumbnail,
                created_unix_secs: generation.created_unix_secs,
                age: age_in_words(generation.created_unix_secs, now_unix_secs()),
                engine_label: self.engine_label(&generation.provenance.engine),
                num_views: generation.view_files.len(),
                problem: None,
            },
            Err(problem) => LibraryEntry {
                name: listed.id.clone(),
                id: listed.id,
                thumbnail,
                created_unix_secs: 0,
                age: String::new(),
                engine_label: String::new(),
                num_views: 0,
                problem: Some(problem),
            },
        }
    }

    fn apply_saved(&mut self, result: u64, saved: Result<Box<Listed>, Problem>) {
        match saved {
            Ok(listed) => {
                if result == self.last_result
                    && let Some(shown) = &mut self.state.result
                {
                    shown.library_id = Some(listed.id.clone());
                }
                let entry = self.entry(*listed);
                let entries = &mut self.state.library.entries;
                entries.retain(|other| other.id != entry.id);
                entries.insert(0, entry);
            }
            Err(problem) => self.say(NoticeLevel::Error, &problem),
        }
    }

    fn apply_deleted(&mut self, id: &str, deleted: Result<(), Problem>) {
        if let Err(problem) = deleted {
            self.say(NoticeLevel::Error, &problem);
            return;
        }
        self.state.library.entries.retain(|entry| entry.id != id);
        if let Some(result) = &mut self.state.result
            && result.library_id.as_deref() == Some(id)
        {
            result.library_id = None;
        }
    }

    fn apply_renamed(&mut self, id: &str, name: &str) {
        if let Some(entry) = self.state.library.entries.iter_mut().find(|entry| entry.id == id) {
            name.clone_into(&mut entry.name);
        }
        if let Some(result) = &mut self.state.result
            && result.library_id.as_deref() == Some(id)
        {
            name.clone_into(&mut result.name);
        }
    }

    /// Brings everything of a saved result back: pictures, engine, parameters, seed, finish settings and the shape.
    fn show_generation(&mut self, generation: Generation, asset: Asset) {
        let job = pictures::job_of(&generation);
        if let Some(job) = &job {
            self.apply_settings(&job.engine, &job.params, job.seed);
            self.clear_views();
            self.add_views(job.views.clone());
        }
        let finish = serde_json::from_value::<FinishSettings>(generation.finish.clone());
        if let Ok(finish) = finish
            && finish.validate().is_ok()
        {
            self.state.finish.settings = finish;
        }
        self.last_result += 1;
        self.result_job = job;
        self.frames_next_scene = true;
        let provenance = &generation.provenance;
        self.show_result(ResultState {
            engine_label: self.engine_label(&provenance.engine),
            duration: Duration::try_from_secs_f64(provenance.duration_secs).unwrap_or_default(),
            name: generation.name,
            library_id: Some(generation.id),
            views: pictures::views_of(self.result_job.as_ref()),
            asset,
            finished: None,
            simplified: None,
            counts: Counts::default(),
            health: None,
            is_outdated: false,
            can_finish: true,
        });
    }
}
