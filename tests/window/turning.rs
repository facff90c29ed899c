//! What the eye turns about.

use bozzetto::app::Command;
use bozzetto::app::state::ViewportMode;
use bozzetto_asset::GaussianSplats;
use bozzetto_asset::formats::ply;
use egui_kittest::kittest::Queryable as _;
use glam::{Quat, Vec2, Vec3};

use super::{TestWindow, home};

/// Radius of the ball, metres.
const RADIUS: f32 = 0.4;

/// A ball of dense splats.
fn ball() -> GaussianSplats {
    let count = 4000;
    let golden_angle = std::f32::consts::PI * (3.0 - 5.0_f32.sqrt());
    let positions: Vec<Vec3> = (0..count)
        .map(|index| {
            let y = 1.0 - 2.0 * (index as f32 + 0.5) / count as f32;
            let (sin, cos) = (golden_angle * index as f32).sin_cos();
            Vec3::new(cos * (1.0 - y * y).sqrt(), y, sin * (1.0 - y * y).sqrt()) * RADIUS
        })
        .collect();
    GaussianSplats {
        log_scales: vec![Vec3::splat(0.012_f32.ln()); count],
        rotations: vec![Quat::IDENTITY; count],
        opacities: vec![0.95; count],
        sh: vec![[0.8, 0.1, 0.1]; count],
        positions,
        ..GaussianSplats::default()
    }
}

#[test]
fn splats_turn_about_the_place_that_is_taken_hold_of() {
    let home = home();
    let file = home.path().join("ball.ply");
    ply::write(&file, &ball()).expect("can be written");
    let mut window = TestWindow::open(home.path(), &[]);
    let first_orbit = window.state().viewport.orbit;
    window.send(Command::AddPaths(vec![file]));
    window.until("the ball is on the stage", |state| {
        state.viewport.mode == ViewportMode::Splats && state.viewport.orbit != first_orbit
    });

    let stage = window.harness.get_by_label("Stage").rect();
    let aspect = stage.width() / stage.height();
    let press = stage.center() + egui::vec2(0.1, -0.12) * stage.height();
    window.harness.drag_at(press);
    window.harness.step();
    window.harness.hover_at(press + egui::vec2(9.0, 0.0));
    window.until("the splats are found", |state| state.viewport.pivot.is_some());
    let pivot = window.state().viewport.pivot.expect("just found");
    assert!((pivot.length() - RADIUS).abs() < 0.03, "on the ball: {pivot}");
    let place = |window: &TestWindow| {
        let seen = window.state().viewport.orbit.camera(aspect).project(pivot);
        seen.expect("in front of the eye").0
    };
    let (before, orbit_before) = (place(&window), window.state().viewport.orbit);
    window.harness.hover_at(press + egui::vec2(150.0, 60.0));
    window.until("the eye has turned", |state| {
        (state.viewport.orbit.azimuth_rad - orbit_before.azimuth_rad).abs() > 0.3
    });
    let after = place(&window);
    assert!(after.abs_diff_eq(before, 1e-3), "{before} {after}");
    let pressed = Vec2::new(press.x - stage.left(), press.y - stage.top()) / stage.height();
    let seen = before * Vec2::new(aspect, 1.0);
    assert!(seen.abs_diff_eq(pressed, 0.03), "under the pointer: {seen} {pressed}");
}
