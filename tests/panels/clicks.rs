use bozzetto::app::command::ACTIONS;
use bozzetto::app::state::{
    AppState, Compared, Comparison, ComparisonLayout, Modal, ThemeChoice, ViewId, ViewportMode,
};
use bozzetto::app::{Command, CommandSender, Navigation};
use bozzetto_asset::Direction;
use bozzetto_mesh::FinishSettings;
use bozzetto_viewport::OrbitCamera;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{Window, fixture, window};

fn open(make: fn(&egui::Context) -> AppState) -> (Harness<'static, Window>, CommandSender) {
    open_at([1400.0, 900.0], make)
}

fn open_at(size: [f32; 2], make: fn(&egui::Context) -> AppState) -> (Harness<'static, Window>, CommandSender) {
    let commands = CommandSender::default();
    let mut harness = window(size, 1.0, ThemeChoice::Dark, commands.clone(), make);
    harness.run();
    commands.drain();
    (harness, commands)
}

/// What a click on the thing of this name sends.
fn click(make: fn(&egui::Context) -> AppState, name: &str) -> Vec<Command> {
    click_in(open(make), name)
}

fn click_in((mut harness, commands): (Harness<'static, Window>, CommandSender), name: &str) -> Vec<Command> {
    let all = harness.get_all_by_label(name);
    let button = all.into_iter().find(|node| node.accesskit_node().role() != Role::Label);
    button.unwrap_or_else(|| panic!("no button is called '{name}'")).click();
    harness.run();
    commands.drain()
}

#[test]
fn every_button_sends_its_command() {
    let view = ViewId(1);
    for (name, command) in [
        ("Generate", Command::Generate),
        ("Remove bear_front.png", Command::RemoveView(view)),
        ("Leave out bear_front.png", Command::SetViewEnabled(view, false)),
        ("Use IMG_20261103_143022.jpg", Command::SetViewEnabled(ViewId(4), true)),
        ("bear_front.png", Command::SelectView(Some(view))),
        ("Light theme", Command::SetTheme(ThemeChoice::Light)),
        ("Keep the seed", Command::SetSeedLocked(false)),
        ("Reset resolution", Command::ResetParam("carve.resolution".into())),
    ] {
        assert_eq!(click(fixture::with_views, name), [command], "{name}");
    }
    for (name, command) in [
        ("Splats", Command::SetViewportMode(ViewportMode::Splats)),
        ("Wireframe", Command::ToggleWireframe),
        ("Look from the front", Command::LookFrom(Direction::Front)),
        ("moss bear", Command::OpenFromLibrary("d".into())),
        (
            "Show in folder",
            Command::ShowInFolder("/home/ada/Models/bear_front.stl".into()),
        ),
        (
            "Export STL…",
            Command::ExportAs(bozzetto::app::state::ExportFormat::Stl),
        ),
    ] {
        assert_eq!(click(fixture::finished, name), [command], "{name}");
    }
}

#[test]
fn every_fault_of_a_mesh_has_a_button_that_mends_it() {
    type IsOn = fn(&FinishSettings) -> bool;
    let faults: [(&str, IsOn); 8] = [
        ("open edge", |settings| settings.closes_all_holes),
        ("non-manifold edge", |settings| settings.parts_touching),
        ("contradicting edge", |settings| settings.remeshes),
        ("touching point", |settings| settings.parts_touching),
        ("inner shell", |settings| settings.removes_inner_shells),
        ("flipped face", |settings| settings.remeshes),
        ("self-intersection", |settings| settings.remeshes),
        ("face without area", |settings| settings.remeshes),
    ];
    for (fault, is_on) in faults {
        // High enough for all of them without scrolling.
        let window = open_at([1400.0, 1400.0], fixture::with_every_fault);
        let sent = click_in(window, &format!("Fix 1 {fault}"));
        let [
            Command::SetFinish {
                settings,
                is_final: true,
            },
        ] = sent.as_slice()
        else {
            panic!("{fault}: {sent:?}");
        };
        assert!(is_on(settings) && !is_on(&FinishSettings::default()), "{fault}");
    }
}

#[test]
fn a_preset_fills_the_export_fields_and_a_changed_field_makes_it_ones_own() {
    use bozzetto::export::{ExportPreset, ExportSettings};
    let opened = |make: fn(&egui::Context) -> AppState, list: &str, choice: &str| -> ExportSettings {
        let (mut harness, commands) = open(make);
        harness.get_by_role_and_label(Role::ComboBox, list).click();
        harness.run();
        harness.get_by_role_and_label(Role::Button, choice).click();
        harness.run();
        let sent = commands.drain();
        let [Command::SetExport(settings)] = sent.as_slice() else {
            panic!("{sent:?}");
        };
        *settings
    };
    let web = opened(fixture::finished, "Made for", "Web");
    assert_eq!(Some(web), ExportPreset::of_id("web").map(|preset| preset.settings));
    let print = opened(fixture::for_the_web, "Format", "3MF");
    assert_eq!(print.format, bozzetto::app::state::ExportFormat::ThreeMf);
    assert!(print.preset().is_none() && print.is_quantized);
    let (mut harness, commands) = open(fixture::for_the_web);
    harness.get_by_label("Size and packing").click();
    harness.run();
    assert_eq!(commands.drain(), [], "showing a size does not change it");
    harness.get_by_role_and_label(Role::RadioButton, "Center").click();
    harness.run();
    let sent = commands.drain();
    let [Command::SetExport(centred)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(centred.placement.pivot, bozzetto_asset::Pivot::Center);
}

#[test]
fn a_comparison_is_chosen_in_its_bar() {
    let with = Compared::Mode(ViewportMode::Clay);
    let beside = Comparison::new(with, ComparisonLayout::SideBySide).with_divider(0.4);
    for (name, command) in [
        ("End the comparison", Command::Compare(None)),
        ("Side by side", Command::Compare(Some(beside))),
        ("Compare", Command::ToggleComparison),
    ] {
        assert_eq!(click(fixture::comparing, name), [command], "{name}");
    }
}

#[test]
fn the_big_button_cancels_while_a_job_runs() {
    let (mut harness, commands) = {
        let commands = CommandSender::default();
        let mut harness = window(
            [1400.0, 900.0],
            1.0,
            ThemeChoice::Dark,
            commands.clone(),
            fixture::running,
        );
        harness.run_steps(3);
        (harness, commands)
    };
    harness.get_by_label("Cancel").click();
    harness.run_steps(3);
    assert_eq!(commands.drain(), [Command::CancelJob(2)]);
    assert!(harness.query_by_label("Generate").is_none());
}

#[test]
fn generate_cannot_be_pressed_without_pictures() {
    assert_eq!(click(fixture::empty, "Generate"), []);
}

#[test]
fn a_slider_that_is_held_is_not_final_until_it_is_let_go() {
    let (mut harness, commands) = open(fixture::with_views);
    let at = harness
        .get_by_role_and_label(Role::Slider, "Resolution")
        .rect()
        .center();
    harness.drag_at(at);
    harness.step();
    harness.hover_at(at + egui::vec2(12.0, 0.0));
    harness.step();
    let finals = |commands: &CommandSender| -> Vec<bool> {
        commands
            .drain()
            .into_iter()
            .map(|command| match command {
                Command::SetParam { key, is_final, .. } if key == "carve.resolution" => is_final,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let held = finals(&commands);
    assert!(!held.is_empty() && held.iter().all(|is_final| !is_final), "{held:?}");
    harness.drop_at(at + egui::vec2(12.0, 0.0));
    harness.step();
    assert_eq!(finals(&commands).last(), Some(&true));
}

#[test]
fn a_drag_on_the_stage_turns_the_eye_and_ignores_the_way_to_the_press() {
    let (mut harness, commands) = open(fixture::finished);
    let stage = harness.get_by_label("Stage").rect();
    harness.hover_at(stage.center() - egui::vec2(200.0, 0.0));
    harness.step();
    harness.drag_at(stage.center());
    harness.step();
    assert_eq!(commands.drain(), []);
    harness.hover_at(stage.center() + egui::vec2(20.0, 0.0));
    harness.step();
    let sent = commands.drain();
    let [Command::Grip(Some(place))] = sent.as_slice() else {
        panic!("what is under the press is taken hold of: {sent:?}");
    };
    assert!(place.abs_diff_eq(glam::Vec2::splat(0.5), 0.01), "{place}");
    harness.hover_at(stage.center() + egui::vec2(60.0, 0.0));
    harness.step();
    let sent = commands.drain();
    let [Command::SetOrbit(orbit)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    let turned = OrbitCamera::default().azimuth_rad - orbit.azimuth_rad;
    let expected = 40.0 / stage.height() * std::f32::consts::PI;
    assert!((turned - expected).abs() < 0.01, "{turned} instead of {expected}");
}

#[test]
fn every_glyph_is_there_and_every_widget_has_a_name() {
    for make in [fixture::empty, fixture::with_details, fixture::finished] {
        let (harness, _) = open(make);
        assert_eq!(harness.unnamed_widgets(), Vec::<String>::new());
    }
}

#[test]
fn every_key_and_every_motion_of_the_habits_is_listed() {
    for (navigation, make) in [
        (
            Navigation::Web,
            (|ctx| keys_list(ctx, Navigation::Web)) as fn(&egui::Context) -> AppState,
        ),
        (Navigation::Blender, |ctx| keys_list(ctx, Navigation::Blender)),
    ] {
        let (harness, _) = open(make);
        let is_listed = |name: &str| harness.query_all_by_label(name).next().is_some();
        for key in navigation.eye_keys() {
            let keys = harness.ctx.format_shortcut(&key.shortcut);
            assert!(is_listed(key.name) && is_listed(&keys), "{}: {keys}", key.name);
        }
        for info in ACTIONS.iter().filter(|info| info.shortcut.is_some()) {
            let keys = info.command.shortcut_text(&harness.ctx).expect("it has some");
            assert!(is_listed(&keys), "{}: {keys}", info.name);
        }
        for (act, motion) in navigation.legend() {
            assert!(is_listed(act) && is_listed(motion), "{act}: {motion}");
        }
    }
}

fn keys_list(ctx: &egui::Context, navigation: Navigation) -> AppState {
    navigation.remember_in(ctx);
    AppState {
        modal: Some(Modal::Shortcuts),
        ..fixture::finished(ctx)
    }
}

/// The orbit that a touchpad's events on the middle of the stage give.
fn touched(navigation: Navigation, modifiers: egui::Modifiers, event: egui::Event) -> Option<OrbitCamera> {
    let make = match navigation {
        Navigation::Web => fixture::finished,
        Navigation::Blender => with_blender_habits,
    };
    let (mut harness, commands) = open(make);
    let middle = harness.get_by_label("Stage").rect().center();
    harness.hover_at(middle);
    harness.step();
    commands.drain();
    harness.event_modifiers(event, modifiers);
    harness.step();
    // What comes after the modifiers are let go is another motion.
    commands.drain().into_iter().find_map(|command| match command {
        Command::SetOrbit(orbit) => Some(orbit),
        _ => None,
    })
}

fn with_blender_habits(ctx: &egui::Context) -> AppState {
    let mut state = fixture::finished(ctx);
    state.viewport.navigation = Navigation::Blender;
    state
}

#[test]
fn fingers_on_a_touchpad_move_the_eye() {
    let before = OrbitCamera::default();
    let swipe = |modifiers| egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(30.0, 10.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers,
    };
    let none = egui::Modifiers::NONE;
    let turned = touched(Navigation::Blender, none, swipe(none)).expect("turned");
    assert!(turned.azimuth_rad != before.azimuth_rad && turned.distance == before.distance);
    for navigation in Navigation::ALL {
        let shift = egui::Modifiers::SHIFT;
        let moved = touched(navigation, shift, swipe(shift)).expect("moved");
        assert!(moved.target != before.target && moved.azimuth_rad == before.azimuth_rad);
        let pinched = touched(navigation, none, egui::Event::Zoom(2.0)).expect("came closer");
        assert!((pinched.distance / before.distance - 0.5).abs() < 0.01, "{pinched:?}");
    }
    let closer = touched(Navigation::Web, none, swipe(none)).expect("came closer");
    assert!(closer.distance < before.distance && closer.target == before.target);
}
