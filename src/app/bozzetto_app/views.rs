use std::path::PathBuf;
use std::sync::Arc;

use bozzetto_asset::{MatteSettings, View};
use bozzetto_hull::resolve_directions;
use egui::ColorImage;
use image::RgbaImage;

use super::super::import::{Cutout, Found, Imported, Photo, Restored};
use super::super::state::{MattePreview, NoticeLevel, Picture, Problem, ViewId, ViewItem, ViewStatus};
use super::BozzettoApp;

impl BozzettoApp {
    pub(super) fn ask_for_pictures(&mut self, parent: Option<&eframe::Frame>) {
        let folder = self.saved_settings.picture_folder.clone();
        let pending = self.desktop.choose_pictures(folder.as_deref(), parent);
        if let Some(exports) = &self.exports {
            exports.await_pictures(pending);
        }
    }

    pub(super) fn add_paths(&mut self, paths: Vec<PathBuf>) {
        if let Some(folder) = paths.first().and_then(|path| path.parent()) {
            self.saved_settings.picture_folder = Some(folder.to_owned());
        }
        self.import.find(paths, self.folders.library());
    }

    pub(super) fn paste_from_clipboard(&mut self) {
        self.import.paste(Arc::clone(&self.desktop), self.folders.pasted());
    }

    pub(super) fn paste_picture(&mut self, image: &ColorImage) {
        let bytes: Vec<u8> = image
            .pixels
            .iter()
            .flat_map(egui::Color32::to_srgba_unmultiplied)
            .collect();
        if let Some(picture) = RgbaImage::from_raw(image.size[0] as u32, image.size[1] as u32, bytes) {
            self.import.save_pasted(picture, self.folders.pasted());
        }
    }

    pub(super) fn apply_imported(&mut self, imported: Imported) {
        match imported {
            Imported::Found(found) => self.apply_found(*found),
            Imported::Photo { view, number, photo } => {
                if self.import.is_current(view, number) {
                    self.apply_photo(view, photo);
                }
            }
            Imported::Cutout { view, number, result } => {
                if self.import.is_current(view, number) {
                    self.apply_cutout(view, result);
                }
            }
            Imported::Pasted(Ok(path)) => self.take_views(vec![View::new(path)]),
            Imported::Example(views) => self.apply_example(views),
            Imported::Pasted(Err(problem)) => self.say(NoticeLevel::Warning, &problem),
        }
    }

    fn apply_found(&mut self, found: Found) {
        for problem in &found.problems {
            self.say(NoticeLevel::Warning, problem);
        }
        if !found.views.is_empty() {
            self.take_views(found.views);
        }
        if let Some(opened) = found.opened {
            self.show_opened(opened);
        }
        if let Some(restored) = found.restored {
            self.apply_restored(restored);
        }
        if let Some(folder) = found.generation {
            self.open_generation_folder(folder);
        }
    }

    /// Adds the artist's own pictures; the example makes room for them.
    fn take_views(&mut self, views: Vec<View>) {
        if self.is_example || self.awaits_example {
            self.clear_views();
        }
        self.state.shows_first_hint = false;
        self.add_views(views);
    }

    pub(super) fn add_views(&mut self, views: Vec<View>) {
        let mut num_known = 0;
        for view in views {
            if self.state.views.items.iter().any(|item| item.view.path == view.path) {
                num_known += 1;
                continue;
            }
            tracing::info!("Added {}", view.name());
            self.last_view += 1;
            let id = ViewId(self.last_view);
            self.import.decode(id, &view);
            self.state.views.items.push(ViewItem {
                id,
                name: view.name(),
                view,
                status: ViewStatus::Decoding,
                size_px: None,
                thumbnail: None,
                photo: None,
                matte: None,
                is_matte_updating: false,
                proposed_direction: None,
            });
        }
        if num_known > 0 {
            let sentence = match num_known {
                1 => "A picture is on the list already.".to_owned(),
                num => format!("{num} pictures are on the list already."),
            };
            self.say(NoticeLevel::Info, &Problem::new(sentence));
        }
        self.views_changed();
    }

    pub(super) fn clear_views(&mut self) {
        for item in std::mem::take(&mut self.state.views.items) {
            self.import.forget(item.id);
        }
        self.camera_pictures.clear();
        self.state.views.selected = None;
        self.state.viewport.overlay = None;
        self.is_example = false;
        self.awaits_example = false;
        self.views_changed();
    }

    pub(super) fn remove_view(&mut self, id: ViewId) {
        let views = &mut self.state.views;
        let Some(index) = views.items.iter().position(|item| item.id == id) else {
            return;
        };
        views.items.remove(index);
        if views.selected == Some(id) {
            let neighbour = views.items.get(index).or(views.items.last());
            views.selected = neighbour.map(|item| item.id);
        }
        if self.state.viewport.overlay.is_some_and(|overlay| overlay.view == id) {
            self.state.viewport.overlay = None;
        }
        self.import.forget(id);
        self.camera_pictures.remove(&id);
        self.is_example = false;
        self.views_changed();
    }

    pub(super) fn move_view(&mut self, id: ViewId, to_index: usize) {
        let items = &mut self.state.views.items;
        if let Some(index) = items.iter().position(|item| item.id == id) {
            let item = items.remove(index);
            items.insert(to_index.min(items.len()), item);
            self.views_changed();
        }
    }

    pub(super) fn change_view(&mut self, id: ViewId, change: impl FnOnce(&mut View)) {
        if let Some(item) = self.state.views.get_mut(id) {
            change(&mut item.view);
            self.views_changed();
        }
    }

    pub(super) fn set_matte(&mut self, id: ViewId, matte: MatteSettings) {
        let Some(item) = self.state.views.get_mut(id) else {
            return;
        };
        if item.view.matte == matte || !matte.threshold.is_finite() {
            return;
        }
        item.view.matte = matte;
        item.is_matte_updating = true;
        // A picture that failed to be cut out may well be cut out with other settings.
        if item.thumbnail.is_some() {
            self.import.cut_out(id, &item.view);
        } else {
            self.import.decode(id, &item.view);
        }
        self.views_changed();
    }

    pub(super) fn retry_view(&mut self, id: ViewId) {
        if let Some(item) = self.state.views.get_mut(id) {
            item.status = ViewStatus::Decoding;
            self.import.decode(id, &item.view);
        }
    }

    fn apply_photo(&mut self, id: ViewId, photo: Photo) {
        let Some(item) = self.state.views.get_mut(id) else {
            return;
        };
        item.size_px = Some(photo.size_px);
        item.thumbnail = Some(Picture::new(&self.ctx, "thumbnail", photo.thumbnail));
        item.photo = Some(Picture::new(&self.ctx, "photo", photo.large));
        self.camera_pictures.insert(id, photo.for_camera);
    }

    fn apply_cutout(&mut self, id: ViewId, result: Result<Cutout, Problem>) {
        let Some(item) = self.state.views.get_mut(id) else {
            return;
        };
        item.is_matte_updating = false;
        match result {
            Ok(cutout) => {
                item.matte = Some(MattePreview {
                    cutout: Picture::new(&self.ctx, "cutout", cutout.image),
                    coverage: cutout.coverage,
                });
                item.status = ViewStatus::Ready;
            }
            Err(problem) => {
                item.matte = None;
                item.status = ViewStatus::Failed(problem);
            }
        }
    }

    /// Settings that a GLB brought back.
    fn apply_restored(&mut self, restored: Restored) {
        let is_known = self
            .state
            .engine
            .engines
            .iter()
            .any(|engine| engine.id == restored.engine);
        if !is_known {
            let problem = Problem::with_hint(
                format!(
                    "This file was made by the engine '{}', which is not installed.",
                    restored.engine
                ),
                "Its settings cannot be brought back; the mesh is shown.",
            );
            self.say(NoticeLevel::Warning, &problem);
            return;
        }
        self.apply_settings(&restored.engine, &restored.params, restored.seed);
        if !restored.views.is_empty() {
            self.clear_views();
            self.add_views(restored.views);
        }
        let back = Problem::new("The settings that made this file are back.");
        if restored.missing.is_empty() {
            self.say(NoticeLevel::Success, &back);
        } else {
            let hint = format!(
                "Add the pictures yourself that could not be found: {}.",
                restored.missing.join(", ")
            );
            self.say(NoticeLevel::Warning, &Problem::with_hint(back.sentence, hint));
        }
    }

    pub(super) fn views_changed(&mut self) {
        self.forget_missing_photo();
        let items = &mut self.state.views.items;
        let enabled: Vec<_> = items.iter_mut().filter(|item| item.view.enabled).collect();
        let given: Vec<_> = enabled
            .iter()
            .map(|item| {
                (
                    item.name.clone(),
                    item.view.direction.filter(|_| item.view.camera.is_none()),
                )
            })
            .collect();
        for (item, direction) in enabled.into_iter().zip(resolve_directions(&given)) {
            item.proposed_direction = Some(direction);
        }
        self.update_outdated();
    }
}
