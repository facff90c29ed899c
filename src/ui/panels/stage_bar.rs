//! Bars that float over the stage: tools, the photo overlay, and sizes.

use egui::{Align, Layout, Rect, Ui, pos2, vec2};

use super::menu::is_available;
use super::stage_light::light_button_ui;
use crate::app::state::{AppState, Overlay, ViewportMode};
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{IconButton, NumberField, combo_ui, place_ui, slider_ui};

/// Height that a bar at the foot of the stage takes, with the room above it.
pub const FOOT_BAR: f32 = size::CONTROL + 6.0 + space::S;

/// Switches and the eye's helpers at the right; returns the bar's rectangle.
pub fn tool_bar_ui(ui: &mut Ui, inner: Rect, state: &AppState, commands: &CommandSender) -> Rect {
    let viewport = &state.viewport;
    let switches = [
        (Icon::Wireframe, Command::ToggleWireframe, viewport.wireframe),
        (Icon::Grid, Command::ToggleGrid, viewport.grid),
        (Icon::Axes, Command::ToggleAxes, viewport.axes),
        (Icon::Camera, Command::ToggleCameras, viewport.cameras),
        (Icon::Image, Command::ToggleOverlay, viewport.overlay.is_some()),
        (Icon::Compare, Command::ToggleComparison, viewport.comparison.is_some()),
    ];
    let projection = if viewport.orbit.is_orthographic {
        Icon::Orthographic
    } else {
        Icon::Perspective
    };
    let width = 9.0 * (size::CONTROL + 2.0) + 7.0 + 6.0 + 2.0 * size::LINE;
    float_ui(ui, inner.right_top() - vec2(width, 0.0), |ui| {
        for (icon, command, is_on) in switches {
            let can_press = is_available(state, &command);
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
    let mode = Command::SetViewportMode(state.viewport.mode);
    if ViewportMode::INSPECT.contains(&state.viewport.mode)
        && let Some(info) = mode.info()
    {
        parts.push(info.tooltip.to_owned());
    }
    if state.viewport.mode != ViewportMode::Splats && counts.num_faces > 0 {
        parts.push(format!("{} faces", format::count(counts.num_faces)));
    }
    if matches!(state.viewport.mode, ViewportMode::Splats | ViewportMode::Both) && counts.num_splats > 0 {
        parts.push(format!("{} splats", format::count(counts.num_splats)));
    }
    let palette = Palette::of(ui);
    let font = text::caption().resolve(ui.style());
    let bar = if state.viewport.has_bar_at_foot() {
        FOOT_BAR
    } else {
        0.0
    };
    let at = inner.left_bottom() - vec2(0.0, bar);
    ui.painter().text(
        at,
        egui::Align2::LEFT_BOTTOM,
        parts.join("   "),
        font,
        palette.text_muted,
    );
}

/// A bar that floats with its upper left corner at `at`; returns its rectangle.
pub(super) fn float_ui(ui: &mut Ui, at: egui::Pos2, content: impl FnOnce(&mut Ui)) -> Rect {
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
