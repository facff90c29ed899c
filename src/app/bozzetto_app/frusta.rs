use std::sync::Arc;

use bozzetto_asset::Camera;
use bozzetto_engine::Job;
use image::RgbaImage;

use super::super::jobs::Jobs;
use super::super::stage::StageRequest;
use super::super::state::{Frustum, ViewItem};
use super::BozzettoApp;
use super::viewing::orbit_of;

impl BozzettoApp {
    /// Each camera with its picture, in the order of the views that took part; none while cameras are not shown.
    pub(super) fn camera_pictures(
        &self,
        cameras: &[Camera],
        made_by: Option<&Job>,
    ) -> Vec<(Camera, Option<Arc<RgbaImage>>)> {
        if !self.state.viewport.cameras {
            return Vec::new();
        }
        let picture = |place: usize| {
            let item = self.view_behind(made_by, place)?;
            self.camera_pictures.get(&item.id).map(Arc::clone)
        };
        cameras
            .iter()
            .enumerate()
            .map(|(place, camera)| (*camera, picture(place)))
            .collect()
    }

    /// What the artist can take hold of, of the cameras that are shown.
    pub(super) fn frusta(&self, request: &StageRequest) -> Vec<Frustum> {
        let made_by = if self.state.jobs.is_preview_shown {
            self.running_job()
        } else {
            self.result_job.as_ref()
        };
        let cameras = request.cameras.iter().enumerate();
        cameras
            .map(|(place, (camera, _))| Frustum {
                camera: *camera,
                view: self.view_behind(made_by, place).map(|item| item.id),
            })
            .collect()
    }

    /// The job that what forms on the stage comes from.
    pub(super) fn running_job(&self) -> Option<&Job> {
        self.jobs.as_ref().and_then(Jobs::running)
    }

    /// The view that a job's camera at this place belongs to, if it is still on the list.
    fn view_behind(&self, made_by: Option<&Job>, place: usize) -> Option<&ViewItem> {
        let made_by = made_by?.enabled_views().nth(place)?;
        let items = &self.state.views.items;
        items.iter().find(|item| item.view.path == made_by.path)
    }

    /// Looks through a camera on the stage, and lays its picture over what is seen if it has one.
    pub(super) fn look_through_frustum(&mut self, place: usize) {
        let Some(frustum) = self.state.viewport.frusta.get(place).copied() else {
            return;
        };
        self.glide_to(orbit_of(&frustum.camera, self.state.viewport.orbit.fov_y_rad));
        if let Some(view) = frustum.view.filter(|view| self.state.views.get(*view).is_some()) {
            self.show_photo(view);
        }
    }
}
