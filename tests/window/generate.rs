use std::path::{Path, PathBuf};

use bozzetto::app::Command;
use bozzetto::app::state::{ExportFormat, ExportStatus, FinishStatus, JobStatus, NoticeLevel, ViewportMode};
use bozzetto_asset::Asset;
use bozzetto_asset::formats;
use bozzetto_engine::{Engine, EngineError, EngineInfo, InProcessEngine, Job, RunContext, StageInfo};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::{TestWindow, egg_pictures, home};

/// Opens the window with the egg and generates until the textures are there.
pub fn generated(home: &Path) -> (TestWindow, Vec<PathBuf>) {
    let pictures = egg_pictures(home);
    let mut window = TestWindow::with_pictures(home, &pictures);
    window.harness.get_by_label("Generate").click();
    window.until("the job is done", |state| {
        state
            .jobs
            .items
            .first()
            .is_some_and(|job| job.status == JobStatus::Done)
    });
    window.until("the textures are baked and the result is saved", |state| {
        state.finish.status == FinishStatus::Ready && state.library.entries.len() == 1
    });
    (window, pictures)
}

#[test]
fn generate_gives_a_result_that_is_shown_finished_and_saved() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let state = window.state();
    let result = state.result.as_ref().expect("a result");
    assert_eq!(result.name, "egg");
    assert!(!result.is_outdated);
    assert!((400..=800).contains(&result.counts.num_faces), "{:?}", result.counts);
    assert_eq!(result.counts.num_texels, 128 * 128);
    assert!(result.counts.num_splats > 100 && result.asset.cameras.len() == 3);
    assert_eq!(result.library_id.as_ref(), Some(&state.library.entries[0].id));
    assert!(state.library.entries[0].thumbnail.is_some());
    assert_eq!(state.jobs.items[0].progress, 1.0);
    assert!(state.viewport.has_content);
    assert_eq!(window.notices(NoticeLevel::Error), Vec::<String>::new());

    // The stage shows the object: its middle is neither the ground's colour nor the same as the corner's.
    window.until("the scene is on the card", |_| true);
    window.harness.run_steps(4);
    let stage = window.harness.get_by_label("Stage").rect();
    let picture = window.harness.render().expect("can be drawn");
    let at = |x: f32, y: f32| picture.get_pixel(x as u32, y as u32).0;
    let (middle, corner) = (stage.center(), stage.left_bottom() + egui::vec2(12.0, -12.0));
    let distance = at(middle.x, middle.y)
        .iter()
        .zip(at(corner.x, corner.y))
        .map(|(a, b)| a.abs_diff(b))
        .max();
    assert!(distance.expect("four channels") > 30, "{:?}", at(middle.x, middle.y));
}

#[test]
fn a_changed_parameter_outdates_the_result_and_undo_makes_it_current_again() {
    let home = home();
    let (mut window, _) = generated(home.path());
    window.set_resolution(96);
    window.until("the result is outdated", |state| {
        state.result.as_ref().is_some_and(|result| result.is_outdated)
    });
    assert_eq!(window.state().engine.undo_label.as_deref(), Some("Resolution"));
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.until("the change is undone", |state| {
        state.engine.values.int("carve.resolution") == Some(64)
    });
    assert!(!window.state().result.as_ref().expect("a result").is_outdated);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
    window.until("the change is back", |state| {
        state.engine.values.int("carve.resolution") == Some(96)
    });
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.until("the second result is there", |state| state.library.entries.len() == 2);
    assert!(
        window.state().jobs.items[1].num_reused_stages > 0,
        "the pictures were not cut out again"
    );
}

#[test]
fn the_face_slider_simplifies_live_and_the_textures_follow_when_it_is_let_go() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let mut settings = window.state().finish.settings.clone();
    settings.target_faces = 200;
    window.send(Command::SetFinish {
        settings: settings.clone(),
        is_final: false,
    });
    window.until("a simplified mesh is on the stage", |state| {
        state.result.as_ref().is_some_and(|result| result.simplified.is_some())
    });
    let counts = window.state().result.as_ref().expect("a result").counts;
    assert!(counts.num_faces <= 200 && counts.num_faces > 50, "{counts:?}");
    assert_eq!(window.state().jobs.items.len(), 1, "nothing was generated again");
    window.send(Command::SetFinish {
        settings,
        is_final: true,
    });
    window.until("the textures follow", |state| {
        state.finish.status == FinishStatus::Ready
            && state.result.as_ref().is_some_and(|result| result.simplified.is_none())
    });
    let result = window.state().result.as_ref().expect("a result");
    let finished = result.finished.as_ref().expect("finished");
    assert_eq!(finished.textured.mesh.triangles.len(), result.counts.num_faces);
    assert!(result.counts.num_faces <= 200);
}

#[test]
fn every_format_is_written_by_its_command_and_reads_back() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let faces = window.state().result.as_ref().expect("a result").counts.num_faces;
    let splats = window.state().result.as_ref().expect("a result").counts.num_splats;
    window.until("the file's size is told", |state| state.export.size.is_some());
    let told = window.state().export.size;
    for (number, format) in ExportFormat::ALL.into_iter().enumerate() {
        // Without an extension, as some dialogs give it.
        *window.desktop.target.lock() = Some(home.path().join(format!("my egg {number}")));
        window.send(Command::ExportAs(format));
        let path = home.path().join(format!("my egg {number}.{}", format.extension()));
        window.until(
            "the file is written",
            |state| matches!(&state.export.status, ExportStatus::Done { path: done, .. } if *done == path),
        );
        if let (ExportFormat::Glb, ExportStatus::Done { num_bytes, .. }) = (format, &window.state().export.status) {
            assert_eq!(told, Some(*num_bytes), "the size that was told is the file's");
        }
        let read = match format {
            ExportFormat::Glb => formats::glb::read(&path).expect("reads back").mesh.triangles.len(),
            ExportFormat::Obj => formats::obj::read(&path).expect("reads back").triangles.len(),
            ExportFormat::Stl => formats::stl::read(&path).expect("reads back").triangles.len(),
            ExportFormat::ThreeMf => {
                assert!(std::fs::read(&path).expect("there").starts_with(b"PK"), "a ZIP");
                faces
            }
            ExportFormat::MeshPly => formats::ply::read_mesh(&path).expect("reads back").triangles.len(),
            ExportFormat::Ply => formats::ply::read(&path).expect("reads back").len(),
            ExportFormat::Spz => formats::spz::read(&path).expect("reads back").len(),
        };
        assert_eq!(read, if format.holds_splats() { splats } else { faces }, "{format:?}");
    }
    let buttons: Vec<_> = window.harness.get_all_by_label("Show in folder").collect();
    buttons.last().expect("one in the panel, one on the notice").click();
    let desktop = window.desktop.clone();
    window.until("the folder is shown", move |_| !desktop.shown.lock().is_empty());
    assert_eq!(*window.desktop.shown.lock(), [home.path().join("my egg 6.spz")]);
}

#[test]
fn without_a_dialog_the_export_says_what_to_do_and_offers_a_way_round() {
    let home = home();
    let (mut window, _) = generated(home.path());
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    window.until("a notice", |state| {
        state.toasts.iter().any(|toast| toast.action.is_some())
    });
    window.harness.get_by_label("Export to the program's folder").click();
    window.until("the file is written", |state| {
        matches!(state.export.status, ExportStatus::Done { .. })
    });
    let written = home.path().join("data/exports/egg.glb");
    assert!(formats::glb::read(&written).is_ok());
}

/// An engine that works until it is stopped, and fails when the seed is 13.
struct Endless;

impl Engine for Endless {
    fn info(&self) -> EngineInfo {
        EngineInfo {
            id: "endless".into(),
            label: "Endless".into(),
            summary: "Never ends.".into(),
            stages: vec![StageInfo {
                id: "wait".into(),
                label: "Waiting for ever".into(),
            }],
            params: Vec::new(),
            max_views: None,
            uses_seed: true,
            device: "CPU".into(),
            licences: Vec::new(),
        }
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        context.stage(&self.info(), 0);
        match job.seed {
            13 => {
                return Err(EngineError::OutOfMemory {
                    device: "The graphics card".into(),
                    stage: "wait".into(),
                });
            }
            14 => panic!("a fault of the engine"),
            _ => {}
        }
        loop {
            context.progress("wait", 1, 2)?;
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

fn endless(home: &Path) -> TestWindow {
    let engines: Vec<Box<dyn Engine>> = vec![Box::new(InProcessEngine::new(Box::new(Endless)))];
    let mut window = TestWindow::open_with(home, &egg_pictures(home)[..1], engines);
    window.until("the picture is there", |state| state.views.items.len() == 1);
    window
}

#[test]
fn escape_stops_the_running_job_and_the_window_is_ready_for_the_next() {
    let home = home();
    let mut window = endless(home.path());
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.until("it runs", |state| {
        state.jobs.running().is_some_and(|job| job.stage_progress == Some(0.5))
    });
    assert_eq!(window.state().status, "Waiting for ever");
    window.harness.key_press(Key::Escape);
    window.until("it was stopped", |state| {
        state.jobs.items[0].status == JobStatus::Cancelled
    });
    assert!(window.state().result.is_none());
    assert!(window.state().generate_obstacle().is_none());
}

#[test]
fn an_engine_that_fails_or_crashes_is_a_sentence_and_the_queue_goes_on() {
    let home = home();
    let mut window = endless(home.path());
    for (num_jobs, seed, sentence) in [(1, 13, "ran out of memory"), (2, 14, "a fault of the engine")] {
        window.send(Command::SetSeed(seed));
        window.send(Command::Generate);
        window.until("it failed", |state| {
            state.jobs.items.len() == num_jobs && state.jobs.items.iter().all(|job| !job.is_active())
        });
        let failed = window.state().jobs.items.last().expect("a job").status.clone();
        let JobStatus::Failed(problem) = failed else {
            panic!("{failed:?}")
        };
        assert!(problem.sentence.contains(sentence), "{problem:?}");
        assert!(problem.hint.is_some());
        let told = window.notices(NoticeLevel::Error);
        assert!(told.last().expect("a notice").contains(sentence), "{told:?}");
    }
    window.send(Command::SetSeed(1));
    window.send(Command::Generate);
    window.until("the next one runs", |state| state.jobs.running().is_some());
}

#[test]
fn keys_look_at_the_result_in_every_mode() {
    let home = home();
    let (mut window, _) = generated(home.path());
    for (key, mode) in [
        (Key::Num2, ViewportMode::Splats),
        (Key::Num4, ViewportMode::Clay),
        (Key::Num1, ViewportMode::Mesh),
    ] {
        window.harness.key_press(key);
        window.until("the mode changes", |state| state.viewport.mode == mode);
    }
    window.harness.key_press(Key::W);
    window.until("edges are shown", |state| state.viewport.wireframe);
    let before = window.state().viewport.orbit;
    let mut away = before;
    away.zoom(6.0);
    window.send(Command::SetOrbit(away));
    window.harness.key_press(Key::F);
    window.until("the object is framed", |state| {
        state.viewport.orbit.distance < away.distance * 0.5
    });
    let view = window.state().views.items[1].id;
    window.send(Command::LookThroughView(view));
    window.until("the picture lies over the stage", |state| {
        state.viewport.overlay.is_some()
    });
    let eye = window.state().viewport.orbit.camera(1.0).forward();
    assert!(eye.x < -0.99, "the left side is seen from +X: {eye}");
}

#[test]
fn a_job_without_pictures_is_refused_in_words() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    window.send(Command::Generate);
    window.until("a notice", |state| !state.toasts.is_empty());
    assert_eq!(window.notices(NoticeLevel::Warning), ["Add a picture first."]);
    assert!(window.state().jobs.items.is_empty());
}
