//! What the stage shows: a bar of buttons, and a list of pictures to judge a mesh by.

use egui::{Popup, PopupCloseBehavior, Rect, Ui, vec2};

use super::menu::can_show;
use super::stage_bar::float_ui;
use crate::app::state::{AppState, ViewportMode};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{size, space, text};
use crate::ui::widgets::{IconButton, Segment, segmented_ui};

/// Width that the bar takes with names, and without.
const WITH_NAMES: f32 = 480.0;
const AS_ICONS: f32 = 180.0;
/// Width of the list.
const LIST: f32 = 190.0;

fn mode_icon(mode: ViewportMode) -> Icon {
    match mode {
        ViewportMode::Splats => Icon::Splats,
        ViewportMode::Both => Icon::Both,
        ViewportMode::Clay => Icon::Clay,
        _ => Icon::Shaded,
    }
}

/// The bar at the upper left of the stage; `room` is the width that there is for it.
pub fn mode_bar_ui(ui: &mut Ui, inner: Rect, room: f32, state: &AppState, commands: &CommandSender) {
    let shows_label = room >= WITH_NAMES;
    let segments: Vec<_> = ViewportMode::MAIN
        .into_iter()
        .map(|mode| {
            let command = Command::SetViewportMode(mode);
            Segment {
                label: mode.label(),
                icon: Some(mode_icon(mode)),
                shows_label,
                sentence: command.info().map_or("", |info| info.tooltip),
                keys: command.shortcut_text(ui.ctx()),
                is_enabled: can_show(state, mode),
            }
        })
        .collect();
    let chosen = ViewportMode::MAIN.iter().position(|mode| *mode == state.viewport.mode);
    // Where both bars do not fit side by side, this one goes below the other.
    let drop = if room < AS_ICONS {
        size::CONTROL + 6.0 + space::S
    } else {
        0.0
    };
    float_ui(ui, inner.left_top() + vec2(0.0, drop), |ui| {
        if let Some(index) = segmented_ui(ui, "Shown on the stage", &segments, chosen) {
            commands.send(Command::SetViewportMode(ViewportMode::MAIN[index]));
        }
        inspect_button_ui(ui, shows_label, state, commands);
    });
}

/// Opens the list; says which picture of it is shown.
fn inspect_button_ui(ui: &mut Ui, shows_label: bool, state: &AppState, commands: &CommandSender) {
    let shown = state.viewport.mode;
    let is_inspecting = ViewportMode::INSPECT.contains(&shown);
    let button = IconButton::new(Icon::Inspect, "Inspect")
        .sentence("Pictures to judge the mesh by: normals, texture, material and health.")
        .selected(is_inspecting);
    let button = ui.add(button);
    if is_inspecting && shows_label {
        ui.label(text::accent(ui, shown.label()));
        ui.add_space(space::S);
    }
    Popup::menu(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .show(|ui| {
            ui.set_width(LIST);
            for mode in ViewportMode::INSPECT {
                let command = Command::SetViewportMode(mode);
                let keys = command.shortcut_text(ui.ctx()).unwrap_or_default();
                let row = ui.add_enabled_ui(can_show(state, mode), |ui| {
                    ui.add(egui::Button::selectable(mode == shown, mode.label()).shortcut_text(keys))
                });
                let sentence = command.info().map_or("", |info| info.tooltip);
                if row.inner.on_hover_text(sentence).clicked() {
                    commands.send(command);
                }
            }
        });
}
