use std::path::Path;

use bozzetto::app::Command;
use bozzetto::app::state::{CaptureFormat, CaptureSettings, CaptureStatus, NoticeLevel};
use bozzetto_viewport::RenderSettings;
use egui::Key;
use egui_kittest::kittest::Queryable as _;
use image::AnimationDecoder as _;
use image::codecs::webp::WebPDecoder;

use super::generate::generated;
use super::{TestWindow, home};

fn small(format: CaptureFormat) -> CaptureSettings {
    CaptureSettings {
        format,
        size_px: [120, 80],
        is_transparent: true,
        num_frames: 6,
        seconds: 1.2,
    }
}

fn save(window: &mut TestWindow, target: &Path) {
    *window.desktop.target.lock() = Some(target.to_owned());
    window.harness.key_press(Key::F12);
    window.until("the dialog is there", |state| state.modal.is_some());
    window.harness.run_steps(2);
    window.harness.get_by_label("Save…").click();
    window.until("drawing has begun", |state| state.capture.is_busy());
}

#[test]
fn the_stage_is_saved_as_a_picture_and_as_an_animation() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let still = home.path().join("still.png");
    window.send(Command::SetCapture(small(CaptureFormat::Png)));
    save(&mut window, &still);
    window.until("it is written", |state| !state.capture.is_busy());
    assert_eq!(window.state().modal, None, "the dialog has done its work");
    let picture = image::open(&still).expect("a picture").to_rgba8();
    assert_eq!(picture.dimensions(), (120, 80));
    assert_eq!(picture.get_pixel(2, 2).0[3], 0, "nothing behind");
    assert_eq!(picture.get_pixel(60, 40).0[3], 255, "the egg");

    let turn = home.path().join("turn.webp");
    window.send(Command::SetCapture(small(CaptureFormat::WebP)));
    save(&mut window, &turn);
    window.until("it is written", |state| !state.capture.is_busy());
    let file = std::io::BufReader::new(std::fs::File::open(&turn).expect("written"));
    let frames = WebPDecoder::new(file).expect("a WebP").into_frames();
    let frames = frames.collect_frames().expect("whole");
    assert_eq!(frames.len(), 6);
    assert_ne!(frames[0].buffer(), frames[2].buffer(), "it turns");
    assert_eq!(window.notices(NoticeLevel::Error), Vec::<String>::new());
}

#[test]
fn an_animation_that_is_stopped_leaves_no_file() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let turn = home.path().join("turn.gif");
    window.send(Command::SetCapture(CaptureSettings {
        size_px: [640, 480],
        num_frames: 200,
        seconds: 10.0,
        ..small(CaptureFormat::Gif)
    }));
    save(&mut window, &turn);
    window.until(
        "some are drawn",
        |state| matches!(state.capture.status, CaptureStatus::Drawing { done, .. } if done > 1),
    );
    window.harness.get_by_label("Stop drawing").click();
    window.until("it has stopped", |state| state.capture.status == CaptureStatus::Idle);
    assert!(!turn.exists());
}

#[test]
fn a_picture_that_cannot_be_written_says_why() {
    let home = home();
    let (mut window, _) = generated(home.path());
    window.send(Command::SetCapture(small(CaptureFormat::Png)));
    save(&mut window, &home.path().join("config/settings.toml/still.png"));
    window.until("it has failed", |state| {
        matches!(state.capture.status, CaptureStatus::Failed(_))
    });
    let told = window.notices(NoticeLevel::Error);
    assert!(told[0].contains("could not be saved"), "{told:?}");
}

#[test]
fn a_click_on_a_camera_looks_through_it() {
    let home = home();
    let (mut window, _) = generated(home.path());
    window.send(Command::LookFrom(bozzetto_asset::Direction::Free {
        azimuth_deg: 40.0,
        elevation_deg: 20.0,
    }));
    window.harness.key_press(Key::C);
    window.until("cameras are shown", |state| state.viewport.frusta.len() == 3);
    // From far enough away that they are in sight.
    let mut orbit = window.state().viewport.orbit;
    orbit.distance = 9.0;
    window.send(Command::SetOrbit(orbit));
    window.harness.run_steps(3);

    let left = window.state().views.items[1].id;
    let frusta = &window.state().viewport.frusta;
    let frustum = frusta
        .iter()
        .find(|frustum| frustum.view == Some(left))
        .expect("the left one");
    let stage = window.harness.get_by_label("Stage").rect();
    let eye = window.state().viewport.orbit.camera(stage.aspect_ratio());
    let far_end = frustum.camera.eye() + frustum.camera.forward() * RenderSettings::default().camera_size;
    let (at, _) = eye.project(far_end).expect("before the eye");
    let at = stage.min + stage.size() * egui::vec2(at.x, at.y);
    window.harness.hover_at(at);
    window.harness.step();
    for pressed in [true, false] {
        window.harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    window.until("its picture lies over the stage", |state| {
        state.viewport.overlay.is_some_and(|overlay| overlay.view == left)
    });
    let forward = window.state().viewport.orbit.camera(1.0).forward();
    assert!(forward.x < -0.9, "seen from the left: {forward}");
}
