use egui::{Align, Layout, Panel, RichText, Sense, Stroke, Ui, vec2};

use super::menu::menu_bar_ui;
use crate::app::state::{AppState, Telemetry, ThemeChoice};
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, radius, size, space, square, text};
use crate::ui::widgets::{IconButton, place_ui};

/// Name, menus, the graphics card's load, theme, and which panels are open.
pub fn top_bar_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let frame = theme::panel_frame(palette).inner_margin(egui::Margin::symmetric(space::M as i8, 0));
    Panel::top("top_bar")
        .exact_size(size::TOP_BAR)
        .frame(frame)
        .show(ui, |ui| {
            ui.allocate_ui_with_layout(ui.available_size(), Layout::left_to_right(Align::Center), |ui| {
                name_ui(ui);
                ui.add_space(space::S);
                menu_bar_ui(ui, state, commands);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = 2.0;
                    panel_switches_ui(ui, state, commands);
                    ui.add_space(space::S);
                    theme_button_ui(ui, commands);
                    if let Some(telemetry) = &state.telemetry {
                        ui.add_space(space::M);
                        device_ui(ui, telemetry);
                    }
                });
            });
        });
}

fn name_ui(ui: &mut Ui) {
    let palette = Palette::of(ui);
    ui.spacing_mut().item_spacing.x = space::S;
    let (rect, _) = ui.allocate_exact_size(square(22.0), Sense::hover());
    Icon::Logo.paint(ui, rect, 22.0, palette.accent_text);
    ui.label(RichText::new("Bozzetto").text_style(text::section()));
}

fn panel_switches_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let layout = &state.layout;
    for (icon, command, is_open) in [
        (Icon::PanelRight, Command::ToggleRightPanel, layout.shows_right),
        (Icon::PanelBottom, Command::ToggleBottomPanel, layout.shows_bottom),
        (Icon::PanelLeft, Command::ToggleLeftPanel, layout.shows_left),
    ] {
        let palette = Palette::of(ui);
        let tint = if is_open {
            palette.text_muted
        } else {
            palette.line_strong
        };
        if ui.add(IconButton::of(ui.ctx(), icon, &command).tint(tint)).clicked() {
            commands.send(command);
        }
    }
}

fn theme_button_ui(ui: &mut Ui, commands: &CommandSender) {
    let (icon, name, choice) = if ui.visuals().dark_mode {
        (Icon::Sun, "Light theme", ThemeChoice::Light)
    } else {
        (Icon::Moon, "Dark theme", ThemeChoice::Dark)
    };
    if ui.add(IconButton::new(icon, name)).clicked() {
        commands.send(Command::SetTheme(choice));
    }
}

/// The card's name, its memory as a bar, and its load.
fn device_ui(ui: &mut Ui, telemetry: &Telemetry) {
    let palette = Palette::of(ui);
    let used = telemetry.memory_used as f32 / telemetry.memory_total.max(1) as f32;
    let short_name = telemetry
        .gpu_name
        .trim_start_matches("NVIDIA ")
        .trim_start_matches("GeForce ");
    let memory = format!(
        "{} of {}",
        format::bytes(telemetry.memory_used),
        format::bytes(telemetry.memory_total)
    );
    let body = text::caption().resolve(ui.style());
    let name = ui
        .painter()
        .layout_no_wrap(short_name.to_owned(), body.clone(), palette.text_muted);
    let load_text = telemetry
        .load_percent
        .map_or_else(String::new, |load| format!("{load} %"));
    let load = ui.painter().layout_no_wrap(load_text, body, palette.text_muted);
    let bar = 56.0;
    let width = space::S + 16.0 + space::XS + name.size().x + space::S + bar + space::S + 30.0 + space::S;
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::CONTROL), Sense::hover());
    ui.painter().rect(
        rect,
        radius::CONTROL,
        palette.field,
        Stroke::new(size::LINE, palette.line),
        egui::StrokeKind::Inside,
    );
    place_ui(
        ui,
        rect.shrink2(vec2(space::S, 0.0)),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let (icon_rect, _) = ui.allocate_exact_size(vec2(14.0, rect.height()), Sense::hover());
            Icon::Chip.paint(ui, icon_rect, 14.0, palette.text_faint);
            let (name_rect, _) = ui.allocate_exact_size(name.size(), Sense::hover());
            ui.painter().galley(name_rect.min, name, palette.text_muted);
            let color = if used > 0.92 {
                palette.warning
            } else {
                palette.text_faint
            };
            let (bar_rect, _) = ui.allocate_exact_size(vec2(bar, 4.0), Sense::hover());
            ui.painter().rect_filled(bar_rect, 2, palette.control);
            ui.painter().rect_filled(
                bar_rect.with_max_x(bar_rect.left() + bar * used.clamp(0.0, 1.0)),
                2,
                color,
            );
            let (load_rect, _) = ui.allocate_exact_size(vec2(30.0, load.size().y), Sense::hover());
            let at = egui::pos2(load_rect.right() - load.size().x, load_rect.top());
            ui.painter().galley(at, load, palette.text_muted);
        },
    );
    let load = |what: &str| match telemetry.load_percent {
        Some(percent) => format!(", {percent} % {what}"),
        None => String::new(),
    };
    let label = format!("{}: {memory} in use{}", telemetry.gpu_name, load("load"));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, &label));
    crate::ui::widgets::tooltip(
        response,
        &telemetry.gpu_name,
        None,
        &format!("{memory} of its memory in use{}.", load("busy")),
    );
}
