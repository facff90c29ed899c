//! The light on the stage.

use std::f32::consts::{PI, TAU};

use bozzetto_viewport::{Environment, ToneMapping};
use egui::{Popup, PopupCloseBehavior, Ui};

use crate::app::state::{AppState, ViewportState};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::space;
use crate::ui::widgets::{Edit, IconButton, NumberField, combo_ui, number_ui, row_ui};

const WIDTH: f32 = 270.0;
const LIST: f32 = 150.0;
const TONE_MAPPING_SENTENCE: &str =
    "How light becomes colour. Neutral keeps the texture's colours, as other viewers of glTF do; AgX is Blender's.";

fn environment_label(environment: Environment) -> &'static str {
    match environment {
        Environment::Studio => "Studio",
        Environment::Daylight => "Daylight",
        Environment::Overcast => "Overcast",
    }
}

fn tone_mapping_label(tone_mapping: ToneMapping) -> &'static str {
    match tone_mapping {
        ToneMapping::Neutral => "Neutral",
        ToneMapping::Aces => "ACES",
        ToneMapping::Agx => "AgX",
    }
}

/// Opens the light's settings.
pub fn light_button_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let button =
        ui.add(IconButton::new(Icon::Sun, "Light").sentence("Choose the light, turn it, and set how bright it is."));
    Popup::menu(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            egui::Frame::new()
                .inner_margin(egui::Margin::same(space::S as i8))
                .show(ui, |ui| {
                    ui.set_width(WIDTH);
                    let name = ("Light", "Where the object stands.");
                    let shown = state.viewport.environment;
                    if let Some(light) = choice_ui(ui, name, shown, &Environment::ALL, environment_label) {
                        commands.send(Command::SetEnvironment(light));
                    }
                    direction_ui(ui, &state.viewport, commands);
                    brightness_ui(ui, &state.viewport, commands);
                    let name = ("Tone mapping", TONE_MAPPING_SENTENCE);
                    let shown = state.viewport.tone_mapping;
                    if let Some(tone_mapping) = choice_ui(ui, name, shown, &ToneMapping::ALL, tone_mapping_label) {
                        commands.send(Command::SetToneMapping(tone_mapping));
                    }
                });
        });
}

/// A row with a list to choose from; returns what was chosen.
fn choice_ui<T: Copy + Default + PartialEq>(
    ui: &mut Ui,
    (name, sentence): (&str, &str),
    shown: T,
    all: &[T],
    label: fn(T) -> &'static str,
) -> Option<T> {
    let mut chosen = None;
    let (is_reset, ()) = row_ui(ui, name, sentence, shown != T::default(), |ui| {
        combo_ui(ui, name, label(shown), LIST, |ui| {
            for &choice in all {
                if ui.selectable_label(choice == shown, label(choice)).clicked() {
                    chosen = Some(choice);
                }
            }
        });
    });
    if is_reset { Some(T::default()) } else { chosen }
}

fn direction_ui(ui: &mut Ui, viewport: &ViewportState, commands: &CommandSender) {
    let degrees = (viewport.environment_rotation_rad.rem_euclid(TAU) * 180.0 / PI).round();
    let field = NumberField {
        unit: "°",
        ..NumberField::new("Direction", 0.0..=360.0, 1.0)
    };
    let (is_reset, edit) = row_ui(ui, "Direction", "Where the light comes from.", degrees != 0.0, |ui| {
        number_ui(ui, &field, f64::from(degrees))
    });
    match edit {
        _ if is_reset => commands.send(Command::SetEnvironmentRotation(0.0)),
        Some(Edit { value, .. }) => commands.send(Command::SetEnvironmentRotation((value as f32).to_radians())),
        None => {}
    }
}

fn brightness_ui(ui: &mut Ui, viewport: &ViewportState, commands: &CommandSender) {
    let stops = viewport.exposure_stops;
    let field = NumberField::new("Brightness", -3.0..=3.0, 0.1);
    let sentence = "In stops: each is twice as bright.";
    let (is_reset, edit) = row_ui(ui, "Brightness", sentence, stops != 0.0, |ui| {
        number_ui(ui, &field, f64::from(stops))
    });
    match edit {
        _ if is_reset => commands.send(Command::SetExposure(0.0)),
        Some(Edit { value, .. }) => commands.send(Command::SetExposure(value as f32)),
        None => {}
    }
}
