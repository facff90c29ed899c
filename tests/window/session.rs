use bozzetto::app::Command;
use bozzetto::app::state::{ExportStatus, FinishStatus, NoticeLevel, ThemeChoice};
use bozzetto_engine::ParamValue;
use egui_kittest::kittest::Queryable as _;

use super::generate::generated;
use super::pictures::drop_files;
use super::{TestWindow, home};

#[test]
fn the_first_start_shows_the_example_and_one_hint_and_the_second_does_not() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut window = TestWindow::open(home.path(), &[]);
    assert!(window.state().shows_first_hint);
    window.until("the example is cut out", |state| {
        state.views.items.len() == 8 && state.views.num_decoding() == 0
    });
    assert!(window.state().views.items.iter().all(|item| item.view.camera.is_some()));
    assert_eq!(window.state().generate_obstacle(), None);
    window.harness.get_by_label("Generate");
    drop(window);
    let window = TestWindow::open(home.path(), &[]);
    assert!(!window.state().shows_first_hint);
    assert!(window.state().views.items.is_empty());
}

#[test]
fn the_artists_first_picture_takes_the_examples_place() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut window = TestWindow::open(home.path(), &[]);
    let own = super::egg_pictures(home.path());
    drop_files(&mut window, &own[..1]);
    window.until("the own picture is alone", |state| {
        state.views.items.len() == 1 && state.views.items[0].name == "egg_front.png"
    });
    assert!(!window.state().shows_first_hint);
}

#[test]
fn parameters_theme_and_presets_survive_a_restart() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    window.set_resolution(160);
    window.send(Command::SavePreset("My own".into()));
    window.set_resolution(96);
    window.send(Command::SetTheme(ThemeChoice::Light));
    window.harness.step();
    drop(window);
    let mut window = TestWindow::open(home.path(), &[]);
    assert_eq!(window.state().engine.values.int("carve.resolution"), Some(96));
    assert_eq!(window.state().layout.theme, ThemeChoice::Light);
    window.send(Command::ApplyPreset("My own".into()));
    window.until("the preset applies", |state| {
        state.engine.values.int("carve.resolution") == Some(160)
    });
    assert_eq!(
        window.state().engine.active_preset().map(|preset| preset.name.as_str()),
        Some("My own")
    );
}

#[test]
fn damaged_settings_are_told_and_the_window_opens() {
    let home = home();
    std::fs::write(home.path().join("config/settings.toml"), "seed = 'no number'").expect("can be written");
    let mut window = TestWindow::open(home.path(), &[]);
    window.until("it is told", |state| !state.toasts.is_empty());
    let told = window.notices(NoticeLevel::Warning);
    assert!(told[0].contains("damaged"), "{told:?}");
}

#[test]
fn a_drag_of_a_parameter_is_one_step_of_undo() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    for (value, is_final) in [(96, false), (128, false), (160, false), (160, true)] {
        window.send(Command::SetParam {
            key: "carve.resolution".into(),
            value: ParamValue::Int(value),
            is_final,
        });
        window.harness.step();
    }
    window.send(Command::Undo);
    window.until("all of the drag is undone", |state| {
        state.engine.values.int("carve.resolution") == Some(64)
    });
    assert_eq!(window.state().engine.undo_label, None);
}

#[test]
fn a_click_in_the_library_brings_everything_back() {
    let home = home();
    let (window, pictures) = generated(home.path());
    let id = window.state().library.entries[0].id.clone();
    let faces = window.state().result.as_ref().expect("a result").counts.num_faces;
    drop(window);
    // The artist's own files may be gone by then: the library has copies.
    for picture in pictures {
        std::fs::remove_file(picture).expect("can be removed");
    }

    let mut window = TestWindow::open(home.path(), &[]);
    window.set_resolution(256);
    window.until("the library is listed", |state| state.library.entries.len() == 1);
    window.harness.get_by_label("egg").click();
    window.until("the result is back", |state| {
        state.result.is_some() && state.finish.status == FinishStatus::Ready && state.views.num_decoding() == 0
    });
    let state = window.state();
    assert_eq!(state.engine.values.int("carve.resolution"), Some(64));
    assert_eq!(state.views.items.len(), 3);
    let result = state.result.as_ref().expect("a result");
    assert_eq!(
        (result.counts.num_faces, result.library_id.as_ref()),
        (faces, Some(&id))
    );
    assert!(!result.is_outdated);

    window.send(Command::AskDeleteFromLibrary(id.clone()));
    window.until("it asks first", |state| state.modal.is_some());
    window.send(Command::DeleteFromLibrary(id));
    window.until("it is gone", |state| {
        state.library.entries.is_empty() && state.modal.is_none()
    });
    let num_left = std::fs::read_dir(home.path().join("data/library"))
        .expect("is there")
        .count();
    assert_eq!(num_left, 0);
    assert!(window.state().result.is_some(), "what is on the stage stays");
}

#[test]
fn dropping_an_exported_glb_brings_its_settings_and_pictures_back() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let glb = home.path().join("shared.glb");
    *window.desktop.target.lock() = Some(glb.clone());
    window.send(Command::Export);
    window.until("it is written", |state| {
        matches!(state.export.status, ExportStatus::Done { .. })
    });
    let faces = window.state().result.as_ref().expect("a result").counts.num_faces;
    drop(window);

    let other = super::home();
    let mut window = TestWindow::open(other.path(), &[]);
    window.set_resolution(256);
    drop_files(&mut window, std::slice::from_ref(&glb));
    window.until("settings and pictures are back", |state| {
        state.views.items.len() == 3 && state.engine.values.int("carve.resolution") == Some(64)
    });
    let result = window.state().result.as_ref().expect("the mesh is shown");
    assert_eq!((result.name.as_str(), result.counts.num_faces), ("shared", faces));
    assert!(file_names(window.state()).iter().all(|name| name.starts_with("egg_")));
}

fn file_names(state: &bozzetto::app::state::AppState) -> Vec<String> {
    state.views.items.iter().map(|item| item.name.clone()).collect()
}
