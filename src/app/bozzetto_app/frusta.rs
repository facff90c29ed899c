use std::sync::Arc;

use bozzetto_asset::Camera;
use image::RgbaImage;

use super::super::stage::StageRequest;
use super::super::state::{Frustum, ViewItem};
use super::BozzettoApp;
use super::viewing::orbit_of;

impl BozzettoApp {
    /// Each camera with its picture, in the order of the views that took part; none while cameras are not shown.
    pub(super) fn camera_pictures(&self, cameras: &[Camera]) -> Vec<(Camera, Option<Arc<RgbaImage>>)> {
        if !self.state.viewport.cameras {
            return Vec::new();
        }
        let picture = |place: usize| {
            let item = self.view_behind(place)?;
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
        let is_result = !self.state.jobs.is_preview_shown;
        let cameras = request.cameras.iter().enumerate();
        cameras
            .map(|(place, (camera, _))| Frustum {
                camera: *camera,
                view: self.view_behind(place).filter(|_| is_result).map(|item| item.id),
            })
            .collect()
    }

    /// The view that the result's camera at this place belongs to, if it is still on the list.
    fn view_behind(&self, place: usize) -> Option<&ViewItem> {
        let made_by = self.result_job.as_ref()?.enabled_views().nth(place)?;
        let items = &self.state.views.items;
        items.iter().find(|item| item.view.path == made_by.path)
    }

    /// Looks through a camera on the stage, and lays its picture over what is seen if it has one.
    pub(super) fn look_through_frustum(&mut self, place: usize) {
        let Some(frustum) = self.state.viewport.frusta.get(place).copied() else {
            return;
        };
        match frustum.view.filter(|view| self.state.views.get(*view).is_some()) {
            Some(view) => self.look_through(view),
            None => self.glide_to(orbit_of(&frustum.camera, self.state.viewport.orbit.fov_y_rad)),
        }
    }
}
