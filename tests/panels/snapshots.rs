use bozzetto::app::CommandSender;
use bozzetto::app::state::{AppState, Modal, Overlay, ThemeChoice, ViewId};
use bozzetto_asset::Direction;
use egui_kittest::kittest::Queryable as _;

use super::{fixture, window};

const NARROW: [f32; 2] = [1100.0, 700.0];

fn snapshot(name: &str, size: [f32; 2], scale: f32, theme: ThemeChoice, make: fn(&egui::Context) -> AppState) {
    let mut harness = window(size, scale, theme, CommandSender::default(), make);
    // Spinners never settle: a fixed number of steps shows the same moment every time.
    harness.run_steps(6);
    harness.snapshot(name);
}

macro_rules! in_both_themes {
    ($($name:ident),*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn dark() {
                snapshot(concat!(stringify!($name), "_dark"), NARROW, 1.0, ThemeChoice::Dark, fixture::$name);
            }

            #[test]
            fn light() {
                snapshot(concat!(stringify!($name), "_light"), NARROW, 1.0, ThemeChoice::Light, fixture::$name);
            }
        }
    )*};
}

in_both_themes!(empty, with_views, running, finished, error);

#[test]
fn the_whole_window_at_its_usual_size() {
    snapshot("window", [1600.0, 1000.0], 1.0, ThemeChoice::Dark, fixture::finished);
}

#[test]
fn the_whole_window_on_a_fine_screen() {
    snapshot("window_fine", [1280.0, 800.0], 2.0, ThemeChoice::Light, with_overlay);
}

#[test]
fn the_whole_window_on_a_wide_screen() {
    snapshot(
        "window_wide",
        [2560.0, 1440.0],
        1.0,
        ThemeChoice::Dark,
        fixture::running,
    );
}

#[test]
fn details_of_a_picture() {
    snapshot(
        "details",
        [1280.0, 900.0],
        1.0,
        ThemeChoice::Dark,
        fixture::with_details,
    );
}

/// A window in which something was clicked before the picture was taken.
fn snapshot_after_click(name: &str, label: &str, make: fn(&egui::Context) -> AppState) {
    let mut harness = window(NARROW, 1.0, ThemeChoice::Dark, CommandSender::default(), make);
    harness.run_steps(3);
    harness.get_by_label(label).click();
    harness.run_steps(6);
    harness.snapshot(name);
}

#[test]
fn an_open_menu() {
    snapshot_after_click("menu", "View", fixture::finished);
}

#[test]
fn the_sides_to_choose_from() {
    snapshot_after_click("direction", "Direction of bear_left.png", fixture::with_views);
}

#[test]
fn the_lights_sliders() {
    snapshot_after_click("light", "Light", fixture::finished);
}

#[test]
fn the_palette_of_commands() {
    snapshot("palette", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        with_modal(ctx, Modal::Palette)
    });
}

#[test]
fn the_first_start() {
    snapshot("first_start", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        let mut state = fixture::with_views(ctx);
        state.shows_first_hint = true;
        state
    });
}

#[test]
fn faults_of_the_mesh_with_what_mends_them() {
    snapshot("flawed", [1280.0, 900.0], 1.0, ThemeChoice::Dark, fixture::flawed);
}

#[test]
fn every_fault_that_a_mesh_can_have() {
    snapshot(
        "every_fault",
        [1000.0, 1100.0],
        1.0,
        ThemeChoice::Dark,
        fixture::with_every_fault,
    );
}

#[test]
fn the_choices_of_an_export() {
    snapshot_after_click("export", "Size and packing", fixture::for_the_web);
}

#[test]
fn two_results_beside_each_other() {
    snapshot("comparison", NARROW, 1.0, ThemeChoice::Dark, fixture::comparing);
}

#[test]
fn the_dialog_that_saves_pictures() {
    snapshot("capture", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        let mut state = with_modal(ctx, Modal::Capture);
        state.capture.settings.format = bozzetto::app::state::CaptureFormat::WebP;
        state
    });
}

#[test]
fn what_a_python_environment_can_run() {
    snapshot("python", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        let mut state = with_modal(ctx, Modal::Python);
        fixture::add_python(&mut state);
        state
    });
}

#[test]
fn licences_of_parts_that_others_made() {
    snapshot("licences", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        let mut state = with_modal(ctx, Modal::Licences);
        fixture::add_licences(&mut state);
        state
    });
}

#[test]
fn the_list_of_keys() {
    snapshot("keys", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        with_modal(ctx, Modal::Shortcuts)
    });
}

#[test]
fn the_question_before_deleting() {
    snapshot("delete", NARROW, 1.0, ThemeChoice::Light, |ctx| {
        let (id, name) = ("a".to_owned(), "bear_front".to_owned());
        with_modal(ctx, Modal::ConfirmDelete { id, name })
    });
}

#[test]
fn files_held_over_the_window() {
    snapshot("drop", NARROW, 1.0, ThemeChoice::Dark, |ctx| {
        let mut state = fixture::empty(ctx);
        state.drop.num_hovering = 3;
        state
    });
}

fn with_modal(ctx: &egui::Context, modal: Modal) -> AppState {
    let mut state = fixture::finished(ctx);
    state.modal = Some(modal);
    state
}

fn with_overlay(ctx: &egui::Context) -> AppState {
    let mut state = fixture::finished(ctx);
    state.viewport.overlay = Some(Overlay {
        view: ViewId(2),
        opacity: 0.4,
    });
    state.viewport.wireframe = true;
    state.viewport.orbit.look_from(Direction::Free {
        azimuth_deg: 60.0,
        elevation_deg: 25.0,
    });
    state.shows_first_hint = false;
    state
}
