//! What the stage shows while an engine works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto::app::Command;
use bozzetto::app::state::JobStatus;
use bozzetto_asset::{Asset, Camera, Projection, TriMesh};
use bozzetto_engine::{Engine, EngineError, EngineInfo, Event, InProcessEngine, Job, Preview, RunContext};
use bozzetto_hull::HullEngine;
use crossbeam_channel::{Receiver, bounded};
use egui_kittest::kittest::Queryable as _;
use glam::Vec3;

use super::{PATIENCE, TestWindow, home};

/// The built-in engine, held before it tells of its first surface: computers differ in how long they show what came
/// before.
struct HeldBeforeTheSurface {
    engine: HullEngine,
    may_go_on: Receiver<()>,
}

impl Engine for HeldBeforeTheSurface {
    fn info(&self) -> EngineInfo {
        self.engine.info()
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        let held = RunContext {
            cancel: context.cancel.clone(),
            emit: &|event| {
                if matches!(event, Event::Preview(Preview::Mesh(_))) {
                    // Closed once the test has seen enough: later ones pass.
                    let _ = self.may_go_on.recv_timeout(PATIENCE);
                }
                (context.emit)(event);
            },
        };
        self.engine.run(job, &held)
    }
}

#[test]
fn the_owl_is_voxels_before_it_has_a_surface() {
    let home = home();
    let owl = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/examples/owl");
    let mut pictures: Vec<_> = std::fs::read_dir(owl)
        .expect("the example")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    pictures.sort();
    let (go_on, may_go_on) = bounded(0);
    let engine = HeldBeforeTheSurface {
        engine: HullEngine::new(),
        may_go_on,
    };
    let engines: Vec<Box<dyn Engine>> = vec![Box::new(InProcessEngine::new(Box::new(engine)))];
    let mut window = TestWindow::open_with(home.path(), &pictures, engines);
    window.until("the pictures are cut out", |state| {
        state.views.items.len() == pictures.len() && state.generate_obstacle().is_none()
    });
    window.harness.get_by_label("Generate").click();
    window.until("voxels are on the stage", |state| state.viewport.num_voxels > 1000);
    assert!(window.state().jobs.is_preview_shown && window.state().viewport.has_content);
    let deadline = Instant::now() + PATIENCE;
    while !shows_an_object(&mut window) {
        assert!(Instant::now() < deadline, "the voxels are drawn");
        window.harness.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    // While an engine works the window is drawn slice by slice.
    window.harness.run_steps(16);
    assert!(shows_an_object(&mut window));

    drop(go_on);
    window.until("the job is done", |state| {
        state
            .jobs
            .items
            .first()
            .is_some_and(|job| job.status == JobStatus::Done)
    });
    let state = window.state();
    assert!(
        state.viewport.num_voxels == 0 && !state.jobs.is_preview_shown,
        "the surface has taken their place"
    );
}

/// Whether the middle of the stage is another colour than its corner.
fn shows_an_object(window: &mut TestWindow) -> bool {
    let stage = window.harness.get_by_label("Stage").rect();
    let picture = window.harness.render().expect("can be drawn");
    let at = |place: egui::Pos2| picture.get_pixel(place.x as u32, place.y as u32).0;
    let (middle, corner) = (at(stage.center()), at(stage.left_bottom() + egui::vec2(12.0, -12.0)));
    middle.iter().zip(corner).any(|(a, b)| a.abs_diff(b) > 30)
}

/// An engine that guesses where the pictures were taken from, and is held before its result.
struct HeldAfterTheCameras {
    info: EngineInfo,
    may_go_on: Receiver<()>,
}

impl Engine for HeldAfterTheCameras {
    fn info(&self) -> EngineInfo {
        self.info.clone()
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        let projection = Projection::Perspective { fov_y_rad: 0.6 };
        let cameras = (0..job.enabled_views().count())
            .map(|place| Camera::orbit(place as f32, 0.0, 2.0, projection, 1.0))
            .collect();
        let mesh = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]);
        (context.emit)(Event::Preview(Preview::Cameras(cameras)));
        (context.emit)(Event::Preview(Preview::Mesh(Arc::new(mesh))));
        let _ = self.may_go_on.recv_timeout(PATIENCE);
        Ok(Asset::default())
    }
}

#[test]
fn cameras_that_an_engine_guesses_have_their_photos_while_it_works() {
    let home = home();
    let pictures = super::egg_pictures(home.path());
    let (go_on, may_go_on) = bounded(0);
    let engine = HeldAfterTheCameras {
        info: HullEngine::new().info(),
        may_go_on,
    };
    let engines: Vec<Box<dyn Engine>> = vec![Box::new(InProcessEngine::new(Box::new(engine)))];
    let mut window = TestWindow::open_with(home.path(), &pictures, engines);
    window.until("the pictures are cut out", |state| {
        state.views.items.len() == 3 && state.generate_obstacle().is_none()
    });
    let ids: Vec<_> = window.state().views.items.iter().map(|item| item.id).collect();
    window.send(Command::SetViewEnabled(ids[1], false));
    window.harness.step();
    if !window.state().viewport.cameras {
        window.send(Command::ToggleCameras);
    }
    window.harness.get_by_label("Generate").click();
    window.until("the cameras are on the stage", |state| {
        !state.viewport.frusta.is_empty()
    });
    let seen: Vec<_> = window
        .state()
        .viewport
        .frusta
        .iter()
        .map(|frustum| frustum.view)
        .collect();
    assert_eq!(seen, [Some(ids[0]), Some(ids[2])]);
    window.send(Command::LookThroughFrustum(1));
    window.harness.step();
    let viewport = &window.state().viewport;
    assert_eq!(viewport.overlay.map(|overlay| overlay.view), Some(ids[2]));
    assert!((viewport.orbit.azimuth_rad - 1.0).abs() < 1e-3, "{:?}", viewport.orbit);
    // The engine is waited for when the window goes.
    drop(go_on);
}
