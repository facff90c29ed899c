use std::time::{Duration, Instant};

use bozzetto_asset::{Camera, Direction, Projection};
use bozzetto_viewport::{Bounds, GpuError, OrbitCamera};
use glam::Vec2;

use super::super::Command;
use super::super::pick::{PickRequest, Picked};
use super::super::stage::{Slot, StageContent};
use super::super::state::{
    Compared, Comparison, GpuStatus, NoticeLevel, Overlay, Problem, ViewId, ViewItem, ViewportMode,
};
use super::super::viewport_host::ViewportHost;
use super::BozzettoApp;

/// How long the eye takes to its new place.
const GLIDE: Duration = Duration::from_millis(260);

/// The eye on its way.
pub(super) struct Glide {
    from: OrbitCamera,
    to: OrbitCamera,
    began: Instant,
}

impl BozzettoApp {
    /// Commands about the stage.
    pub(super) fn look(&mut self, command: Command) {
        let viewport = &mut self.state.viewport;
        match command {
            Command::SetViewportMode(mode) => {
                let needs_flaws = mode == ViewportMode::Health && viewport.mode != mode;
                viewport.mode = mode;
                if needs_flaws {
                    self.update_stage();
                    self.show_other();
                }
                self.remember();
                return;
            }
            Command::ToggleWireframe => viewport.wireframe = !viewport.wireframe,
            Command::ToggleGrid => viewport.grid = !viewport.grid,
            Command::ToggleAxes => viewport.axes = !viewport.axes,
            Command::ToggleCameras => {
                viewport.cameras = !viewport.cameras;
                self.update_stage();
            }
            Command::SetOrbit(orbit) => {
                viewport.orbit = orbit;
                self.glide = None;
                self.frames_next_scene = false;
                return;
            }
            Command::Grip(place) => return self.grip(place),
            Command::FrameAll => {
                let framed = self.framed(self.state.viewport.orbit);
                return self.glide_to(framed);
            }
            Command::LookFrom(direction) => {
                let mut orbit = viewport.orbit;
                orbit.look_from(direction);
                return self.glide_to(orbit);
            }
            Command::LookThroughView(view) => return self.look_through(view),
            Command::LookThroughFrustum(place) => return self.look_through_frustum(place),
            Command::ToggleOrthographic => viewport.orbit.is_orthographic = !viewport.orbit.is_orthographic,
            Command::SetOverlay(overlay) => return self.overlay(overlay),
            Command::Compare(comparison) => return self.compare(comparison),
            Command::ToggleComparison => return self.toggle_comparison(),
            Command::ToggleOverlay => return self.toggle_overlay(),
            Command::SetNavigation(navigation) => viewport.navigation = navigation,
            Command::SetEnvironment(environment) => viewport.environment = environment,
            Command::SetToneMapping(tone_mapping) => viewport.tone_mapping = tone_mapping,
            Command::SetEnvironmentRotation(radians) if radians.is_finite() => {
                viewport.environment_rotation_rad = radians.rem_euclid(std::f32::consts::TAU);
            }
            Command::SetExposure(stops) if stops.is_finite() => viewport.exposure_stops = stops.clamp(-6.0, 6.0),
            other => tracing::debug!("nothing to do for {other:?}"),
        }
        self.remember();
    }

    /// Looks for the surface at a place of the stage. Until it is found, and where there is none, the eye turns about its
    /// target.
    fn grip(&mut self, place: Option<Vec2>) {
        self.last_grip += 1;
        self.state.viewport.pivot = None;
        let (Some(place), Some(picker)) = (place, &self.picker) else {
            return;
        };
        let request = self.stage_request();
        let shows = self.state.viewport.mode.shows();
        let (mesh, splats) = (request.mesh().cloned(), request.splats.clone());
        let aspect = self.viewport.as_ref().map_or(1.0, ViewportHost::aspect);
        let (origin, direction) = self.state.viewport.orbit.camera(aspect).ray(place);
        picker.pick(PickRequest {
            grip: self.last_grip,
            mesh: mesh.filter(|_| shows.has_mesh()),
            splats: splats.filter(|_| shows.has_splats()),
            origin,
            direction,
        });
    }

    pub(super) fn apply_picked(&mut self, picked: Picked) {
        if picked.grip == self.last_grip {
            self.state.viewport.pivot = Some(picked.point);
        }
    }

    /// Lays a picture over the stage; two that are compared make room for it.
    fn overlay(&mut self, overlay: Option<Overlay>) {
        if overlay.is_some() {
            self.compare(None);
        }
        self.state.viewport.overlay = overlay.map(|overlay| Overlay {
            opacity: overlay.opacity.clamp(0.0, 1.0),
            ..overlay
        });
    }

    fn toggle_overlay(&mut self) {
        let overlay = match self.state.viewport.overlay {
            Some(_) => None,
            None => self.usual_photo().map(|view| Overlay { view, opacity: 0.5 }),
        };
        self.overlay(overlay);
    }

    /// The picture that an artist means who names none: the selected one, or else the first.
    pub(super) fn usual_photo(&self) -> Option<ViewId> {
        let views = &self.state.views;
        views.selected.or_else(|| views.items.first().map(|item| item.id))
    }

    /// Looks through the camera of a view and lays its picture over the stage, or at the side of what is compared.
    pub(super) fn look_through(&mut self, id: ViewId) {
        if self.glide_to_view(id) {
            self.show_photo(id);
        }
    }

    /// Lays a picture over the stage, or at the side of what is compared.
    pub(super) fn show_photo(&mut self, id: ViewId) {
        match &self.state.viewport.comparison {
            Some(comparison) if matches!(comparison.with, Compared::Photo(_)) => {
                let with = Compared::Photo(id);
                self.compare(Some(Comparison {
                    with,
                    ..comparison.clone()
                }));
            }
            _ => {
                let opacity = self.state.viewport.overlay.map_or(0.5, |overlay| overlay.opacity);
                self.overlay(Some(Overlay { view: id, opacity }));
            }
        }
    }

    /// Moves the eye to where a view was taken from: the camera the result was made with, or else the one its direction
    /// gives. `false` when neither is known.
    pub(super) fn glide_to_view(&mut self, id: ViewId) -> bool {
        let direction = self.state.views.get(id).and_then(ViewItem::direction);
        if let Some(camera) = self.camera_of(id) {
            self.glide_to(orbit_of(&camera, self.state.viewport.orbit.fov_y_rad));
        } else if let Some(direction) = direction {
            let mut orbit = self.state.viewport.orbit;
            orbit.look_from(direction);
            self.glide_to(self.framed(orbit));
        } else {
            return false;
        }
        true
    }

    /// The camera a view was given, or that the result on the stage was made with.
    fn camera_of(&self, id: ViewId) -> Option<Camera> {
        let view = &self.state.views.get(id)?.view;
        let result = self.state.result.as_ref()?;
        let place = self
            .result_job
            .as_ref()?
            .enabled_views()
            .position(|made_by| made_by.path == view.path);
        let made_with = place.and_then(|place| result.asset.cameras.get(place));
        made_with.copied().or(view.camera)
    }

    fn framed(&self, mut orbit: OrbitCamera) -> OrbitCamera {
        let viewport = self.viewport.as_ref();
        let bounds = viewport.and_then(ViewportHost::bounds).unwrap_or(Bounds::UNIT);
        orbit.frame_in(bounds, viewport.map_or(1.0, ViewportHost::aspect));
        orbit
    }

    pub(super) fn glide_to(&mut self, to: OrbitCamera) {
        if self.animates {
            let from = self.state.viewport.orbit;
            let began = Instant::now();
            self.glide = Some(Glide { from, to, began });
        } else {
            self.state.viewport.orbit = to;
        }
    }

    pub(super) fn advance_glide(&mut self) {
        let Some(glide) = &self.glide else { return };
        let share = glide.began.elapsed().as_secs_f32() / GLIDE.as_secs_f32();
        if share >= 1.0 {
            self.state.viewport.orbit = glide.to;
            self.glide = None;
        } else {
            self.state.viewport.orbit = glide.from.interpolated(&glide.to, share);
        }
    }

    pub(super) fn apply_stage(&mut self, content: StageContent) {
        let Some(viewport) = &mut self.viewport else { return };
        let is_result = matches!(content, StageContent::Uploaded { slot: Slot::Result, .. });
        let (status, problems) = viewport.take(&self.ctx, content);
        let has_bounds = viewport.bounds().is_some();
        if let Some(status) = status {
            if let GpuStatus::Failed(problem) = &status {
                self.say(NoticeLevel::Error, problem);
            }
            self.state.viewport.gpu = status;
        }
        for problem in &problems {
            self.say(NoticeLevel::Error, problem);
        }
        if is_result && has_bounds && self.frames_next_scene {
            self.frames_next_scene = false;
            self.state.viewport.orbit = self.framed(self.state.viewport.orbit);
        }
    }

    /// Reports a fault of the last frame. Who has lost the device is told in the window that comes after.
    pub(super) fn report_drawing_fault(&mut self) {
        let fault = self.viewport.as_mut().and_then(ViewportHost::take_fault);
        if let Some(fault) = fault.filter(|fault| !matches!(fault, GpuError::DeviceLost { .. })) {
            self.say(NoticeLevel::Error, &Problem::new(fault.to_string()));
        }
    }
}

/// The orbit whose camera is the given one. Roll is lost: an orbit has none.
pub(super) fn orbit_of(camera: &Camera, usual_fov_y_rad: f32) -> OrbitCamera {
    let (eye, forward) = (camera.eye(), camera.forward());
    // The target lies where the line of sight passes closest to the middle of the object.
    let distance = eye.dot(-forward).max(0.05);
    let (fov_y_rad, distance, is_orthographic) = match camera.projection {
        Projection::Perspective { fov_y_rad } => (fov_y_rad, distance, false),
        Projection::Orthographic { height } => {
            let distance_for_height = height / (2.0 * (usual_fov_y_rad * 0.5).tan());
            (usual_fov_y_rad, distance_for_height, true)
        }
    };
    let target = eye + forward * eye.dot(-forward).max(0.05);
    let direction = Direction::Free {
        azimuth_deg: (-forward.x).atan2(-forward.z).to_degrees(),
        elevation_deg: (-forward.y).clamp(-1.0, 1.0).asin().to_degrees(),
    };
    let mut orbit = OrbitCamera {
        target,
        distance,
        fov_y_rad,
        is_orthographic,
        ..OrbitCamera::default()
    };
    orbit.look_from(direction);
    orbit
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use glam::Vec3;

    use super::*;
    use crate::app::desktop::NativeDesktop;
    use crate::app::{AppOptions, Folders};

    #[test]
    fn the_eye_glides_all_the_way_and_no_farther() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let options = AppOptions {
            folders: Folders::within(home.path()),
            engines: Vec::new(),
            desktop: Arc::new(NativeDesktop),
            files: Vec::new(),
            reads_telemetry: false,
            animates: true,
        };
        let mut app = BozzettoApp::start(&egui::Context::default(), None, options);
        let from = app.state.viewport.orbit;
        let to = OrbitCamera {
            distance: from.distance * 2.0,
            ..from
        };
        app.glide_to(to);
        let mut last = from.distance;
        let deadline = Instant::now() + Duration::from_mins(1);
        while app.glide.is_some() {
            app.tick(None);
            let distance = app.state.viewport.orbit.distance;
            assert!((last..=to.distance).contains(&distance), "{distance} after {last}");
            last = distance;
            assert!(Instant::now() < deadline, "it arrives");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(app.state.viewport.orbit, to);
        // Who takes hold of the eye stops it.
        app.glide_to(from);
        app.look(Command::SetOrbit(to));
        app.tick(None);
        assert_eq!(app.state.viewport.orbit, to);
    }

    #[test]
    fn looking_through_a_camera_shows_what_it_saw() {
        for projection in [
            Projection::Perspective { fov_y_rad: 0.6 },
            Projection::Orthographic { height: 1.2 },
        ] {
            for (azimuth, elevation) in [(0.0, 0.0), (1.9, 0.4), (-2.5, -0.7)] {
                let camera = Camera::orbit(azimuth, elevation, 2.3, projection, 1.4);
                let seen = orbit_of(&camera, 0.61).camera(1.4);
                for point in [Vec3::ZERO, Vec3::new(0.3, -0.2, 0.4), Vec3::new(-0.5, 0.5, 0.1)] {
                    let (wanted, _) = camera.project(point).expect("in front");
                    let (is, _) = seen.project(point).expect("in front");
                    assert!(wanted.abs_diff_eq(is, 1e-4), "{wanted} {is}");
                }
            }
        }
    }
}
