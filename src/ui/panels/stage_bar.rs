//! Bars that float over the stage: modes, tools, the photo overlay, and sizes.

use std::f32::consts::{PI, TAU};

use egui::{Align, Layout, Popup, PopupCloseBehavior, Rect, Ui, pos2, vec2};

use super::menu::can_show;
use crate::app::state::{AppState, Overlay, ViewportMode};
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{
    Edit, IconButton, NumberField, Segment, combo_ui, number_ui, place_ui, row_ui, segmented_ui, slider_ui,
};

/// Width that the mode bar takes with names, and without.
const MODES_WITH_NAMES: f32 = 520.0;
const MODES_AS_ICONS: f32 = 200.0;

fn mode_icon(mode: ViewportMode) -> Icon {
    match mode {
        ViewportMode::Mesh => Icon::Shaded,
        ViewportMode::Splats => Icon::Splats,
        ViewportMode::Both => Icon::Both,
        ViewportMode::Clay => Icon::Clay,
        ViewportMode::Normals => Icon::Normals,
        ViewportMode::BaseColor => Icon::Palette,
    }
}

/// What the stage shows.
pub fn mode_bar_ui(ui: &mut Ui, inner: Rect, room: f32, state: &AppState, commands: &CommandSender) {
    let shows_label = room >= MODES_WITH_NAMES;
    let segments: Vec<_> = ViewportMode::ALL
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
    let chosen = ViewportMode::ALL.iter().position(|mode| *mode == state.viewport.mode);
    // Where both bars do not fit side by side, this one goes below the other.
    let drop = if room < MODES_AS_ICONS {
        size::CONTROL + 6.0 + space::S
    } else {
        0.0
    };
    float_ui(ui, inner.left_top() + vec2(0.0, drop), |ui| {
        if let Some(index) = segmented_ui(ui, "Shown on the stage", &segments, chosen) {
            commands.send(Command::SetViewportMode(ViewportMode::ALL[index]));
        }
    });
}

/// Switches and the eye's helpers at the right; returns the bar's rectangle.
pub fn tool_bar_ui(ui: &mut Ui, inner: Rect, state: &AppState, commands: &CommandSender) -> Rect {
    let viewport = &state.viewport;
    let switches = [
        (Icon::Wireframe, Command::ToggleWireframe, viewport.wireframe),
        (Icon::Grid, Command::ToggleGrid, viewport.grid),
        (Icon::Axes, Command::ToggleAxes, viewport.axes),
        (Icon::Camera, Command::ToggleCameras, viewport.cameras),
        (Icon::Image, Command::ToggleOverlay, viewport.overlay.is_some()),
    ];
    let projection = if viewport.orbit.is_orthographic {
        Icon::Orthographic
    } else {
        Icon::Perspective
    };
    let width = 8.0 * (size::CONTROL + 2.0) + 7.0 + 6.0 + 2.0 * size::LINE;
    float_ui(ui, inner.right_top() - vec2(width, 0.0), |ui| {
        for (icon, command, is_on) in switches {
            let can_press = command != Command::ToggleOverlay || !state.views.items.is_empty();
            let button = IconButton::of(ui.ctx(), icon, &command)
                .selected(is_on)
                .enabled(can_press);
            if ui.add(button).clicked() {
                commands.send(command);
            }
        }
        divider_ui(ui);
        light_button_ui(ui, state, commands);
        for (icon, command, is_on) in [
            (projection, Command::ToggleOrthographic, viewport.orbit.is_orthographic),
            (Icon::Frame, Command::FrameAll, false),
        ] {
            if ui
                .add(IconButton::of(ui.ctx(), icon, &command).selected(is_on))
                .clicked()
            {
                commands.send(command);
            }
        }
    })
}

fn divider_ui(ui: &mut Ui) {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(5.0, size::CONTROL), egui::Sense::hover());
    let x = ui.painter().round_to_pixel_center(rect.center().x);
    ui.painter().vline(
        x,
        rect.shrink2(vec2(0.0, 5.0)).y_range(),
        egui::Stroke::new(size::LINE, palette.line_strong),
    );
}

/// Opens the light's two sliders.
fn light_button_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let button = ui.add(IconButton::new(Icon::Sun, "Light").sentence("Turn the light and set how bright it is."));
    Popup::menu(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            egui::Frame::new()
                .inner_margin(egui::Margin::same(space::S as i8))
                .show(ui, |ui| {
                    ui.set_width(270.0);
                    let degrees = (state.viewport.environment_rotation_rad.rem_euclid(TAU) * 180.0 / PI).round();
                    let turn = NumberField {
                        unit: "°",
                        ..NumberField::new("Direction", 0.0..=360.0, 1.0)
                    };
                    let (is_reset, edit) =
                        row_ui(ui, "Direction", "Where the light comes from.", degrees != 0.0, |ui| {
                            number_ui(ui, &turn, f64::from(degrees))
                        });
                    match edit {
                        _ if is_reset => commands.send(Command::SetEnvironmentRotation(0.0)),
                        Some(Edit { value, .. }) => {
                            commands.send(Command::SetEnvironmentRotation((value as f32).to_radians()));
                        }
                        None => {}
                    }
                    let stops = state.viewport.exposure_stops;
                    let bright = NumberField::new("Brightness", -3.0..=3.0, 0.1);
                    let (is_reset, edit) = row_ui(
                        ui,
                        "Brightness",
                        "In stops: each is twice as bright.",
                        stops != 0.0,
                        |ui| number_ui(ui, &bright, f64::from(stops)),
                    );
                    match edit {
                        _ if is_reset => commands.send(Command::SetExposure(0.0)),
                        Some(Edit { value, .. }) => commands.send(Command::SetExposure(value as f32)),
                        None => {}
                    }
                });
        });
}

/// Which picture lies over the stage, and how much of it.
pub fn overlay_bar_ui(ui: &mut Ui, inner: Rect, state: &AppState, commands: &CommandSender) {
    let Some(overlay) = state.viewport.overlay else {
        return;
    };
    let width = 380.0_f32.min(inner.width());
    let at = pos2(inner.center().x - width * 0.5, inner.bottom() - size::CONTROL - 8.0);
    float_ui(ui, at, |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        ui.add_space(space::XS);
        let shown = state.views.get(overlay.view).map_or("", |item| item.name.as_str());
        combo_ui(ui, "Picture over the stage", shown, 130.0, |ui| {
            for item in &state.views.items {
                if ui.selectable_label(item.id == overlay.view, &item.name).clicked() {
                    commands.send(Command::SetOverlay(Some(Overlay {
                        view: item.id,
                        ..overlay
                    })));
                }
            }
        });
        let mut opacity = f64::from(overlay.opacity);
        let room = width - 130.0 - size::CONTROL - 4.0 * space::S - 40.0;
        let field = NumberField::new("Opacity of the picture", 0.0..=1.0, 0.01);
        let slider = slider_ui(ui, &field, &mut opacity, room);
        let opacity = opacity as f32;
        if slider.changed() {
            commands.send(Command::SetOverlay(Some(Overlay { opacity, ..overlay })));
        }
        ui.add_sized(
            [34.0, size::CONTROL],
            egui::Label::new(text::muted(ui, format::percent(opacity))),
        );
        if ui.add(IconButton::new(Icon::Close, "Take the picture away")).clicked() {
            commands.send(Command::SetOverlay(None));
        }
    });
}

/// Sizes of what is shown, at the lower left.
pub fn stage_stats_ui(ui: &mut Ui, inner: Rect, state: &AppState) {
    let Some(result) = &state.result else {
        return;
    };
    let counts = result.counts;
    let mut parts = Vec::new();
    if state.viewport.mode != ViewportMode::Splats && counts.num_faces > 0 {
        parts.push(format!("{} faces", format::count(counts.num_faces)));
    }
    if matches!(state.viewport.mode, ViewportMode::Splats | ViewportMode::Both) && counts.num_splats > 0 {
        parts.push(format!("{} splats", format::count(counts.num_splats)));
    }
    let palette = Palette::of(ui);
    let font = text::caption().resolve(ui.style());
    let at = inner.left_bottom();
    ui.painter().text(
        at,
        egui::Align2::LEFT_BOTTOM,
        parts.join("   "),
        font,
        palette.text_muted,
    );
}

/// A bar that floats with its upper left corner at `at`; returns its rectangle.
fn float_ui(ui: &mut Ui, at: egui::Pos2, content: impl FnOnce(&mut Ui)) -> Rect {
    let palette = Palette::of(ui);
    let target = Rect::from_min_size(at, vec2(ui.max_rect().right() - at.x, size::CONTROL + 6.0));
    place_ui(ui, target, Layout::left_to_right(Align::Min), |ui| {
        let bar = theme::float_frame(palette).show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.with_layout(Layout::left_to_right(Align::Center), content);
        });
        bar.response.rect
    })
}
