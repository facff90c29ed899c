use egui::accesskit::Role;
use egui::{Align, Layout, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::direction_menu::direction_button_ui;
use super::view_details::details_ui;
use crate::app::state::{AppState, MattePreview, ViewItem, ViewStatus};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, square, text};
use crate::ui::widgets::{Fit, IconButton, paint_checker, paint_line, paint_picture, place_ui, spinner_ui, tooltip};

const ROW: f32 = 54.0;
const THUMBNAIL: f32 = 44.0;
const GRIP: f32 = 12.0;

/// One picture of the list, with its details below while it is selected.
pub fn view_row_ui(ui: &mut Ui, state: &AppState, item: &ViewItem, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let is_selected = state.views.selected == Some(item.id);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(("view", item.id.0)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_selected, &item.name));
    let fill = if is_selected {
        palette.raised
    } else if response.contains_pointer() {
        palette.hover.gamma_multiply(0.5)
    } else {
        egui::Color32::TRANSPARENT
    };
    let corner = if is_selected {
        egui::CornerRadius {
            sw: 0,
            se: 0,
            ..egui::CornerRadius::same(radius::CARD)
        }
    } else {
        egui::CornerRadius::same(radius::CARD)
    };
    ui.painter().rect_filled(rect, corner, fill);
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect,
            corner,
            Stroke::new(size::FOCUS, palette.accent_text),
            StrokeKind::Inside,
        );
    }
    grip_ui(ui, rect, item, response.contains_pointer() || is_selected);
    let thumbnail = Rect::from_min_size(rect.min + vec2(GRIP, (ROW - THUMBNAIL) * 0.5), square(THUMBNAIL));
    thumbnail_ui(ui, thumbnail, item);
    let right = buttons_ui(ui, rect, item, commands);
    let words = Rect::from_min_max(
        pos2(thumbnail.right() + space::S + 2.0, rect.top() + 6.0),
        pos2(right - space::XS, rect.bottom() - 5.0),
    );
    words_ui(ui, words, item, commands);
    if response.clicked() {
        commands.send(Command::SelectView((!is_selected).then_some(item.id)));
    }
    response.context_menu(|ui| context_menu_ui(ui, item, commands));
    if is_selected {
        details_ui(ui, item, commands);
    }
}

/// Dots that are dragged to reorder.
fn grip_ui(ui: &mut Ui, row: Rect, item: &ViewItem, is_shown: bool) {
    let palette = Palette::of(ui);
    let rect = Rect::from_min_size(row.min, vec2(GRIP, ROW));
    let response = ui.interact(rect, ui.scope_id().with(("grip", item.id.0)), Sense::drag());
    response.dnd_set_drag_payload(item.id);
    if is_shown || response.dragged() {
        let tint = if response.hovered() || response.dragged() {
            palette.text
        } else {
            palette.text_faint
        };
        Icon::Grip.paint(ui, rect, 14.0, tint);
    }
    response.on_hover_and_drag_cursor(egui::CursorIcon::Grab);
}

fn thumbnail_ui(ui: &mut Ui, rect: Rect, item: &ViewItem) {
    let palette = Palette::of(ui);
    ui.painter().rect_filled(rect, radius::CONTROL, palette.field);
    match (&item.matte, &item.thumbnail) {
        (Some(matte), _) => {
            paint_checker(ui, rect, radius::CONTROL);
            paint_picture(ui, rect.shrink(1.0), &matte.cutout, Fit::Contain, radius::CONTROL);
        }
        (None, Some(thumbnail)) => {
            paint_picture(ui, rect, thumbnail, Fit::Cover, radius::CONTROL);
        }
        (None, None) if matches!(item.status, ViewStatus::Failed(_)) => {
            Icon::Warning.paint(ui, rect, size::ICON_LARGE, palette.error);
        }
        (None, None) => {
            let middle = Rect::from_center_size(rect.center(), square(18.0));
            place_ui(ui, middle, *ui.layout(), |ui| spinner_ui(ui, 18.0));
        }
    }
    if !item.view.enabled {
        ui.painter()
            .rect_filled(rect, radius::CONTROL, palette.panel.gamma_multiply(0.7));
    }
}

/// Switch and remove at the row's right end; returns where they begin.
fn buttons_ui(ui: &mut Ui, row: Rect, item: &ViewItem, commands: &CommandSender) -> f32 {
    let width = 2.0 * 24.0 + space::XS;
    let rect = Rect::from_min_max(
        pos2(row.right() - width - space::XS, row.top()),
        pos2(row.right() - space::XS, row.bottom()),
    );
    place_ui(ui, rect, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let palette = Palette::of(ui);
        let remove_name = format!("Remove {}", item.name);
        let remove = IconButton::new(Icon::Close, &remove_name)
            .side(24.0)
            .tint(palette.text_faint);
        if ui.add(remove).clicked() {
            commands.send(Command::RemoveView(item.id));
        }
        let (icon, name) = if item.view.enabled {
            (Icon::Eye, format!("Leave out {}", item.name))
        } else {
            (Icon::EyeOff, format!("Use {}", item.name))
        };
        if ui
            .add(IconButton::new(icon, &name).side(24.0).tint(palette.text_faint))
            .clicked()
        {
            commands.send(Command::SetViewEnabled(item.id, !item.view.enabled));
        }
    });
    rect.left()
}

/// Name above, direction and state below.
fn words_ui(ui: &mut Ui, rect: Rect, item: &ViewItem, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let color = if item.view.enabled {
        palette.text
    } else {
        palette.text_faint
    };
    place_ui(ui, rect, Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
        paint_line(ui, &item.name, &egui::TextStyle::Body, color, line);
        match &item.status {
            ViewStatus::Failed(problem) => {
                let line = egui::RichText::new(&problem.sentence)
                    .text_style(text::caption())
                    .color(palette.error);
                let label = ui.add(egui::Label::new(line).truncate().show_tooltip_when_elided(false));
                tooltip(
                    label,
                    &problem.sentence,
                    None,
                    problem.hint.as_deref().unwrap_or_default(),
                );
            }
            ViewStatus::Decoding | ViewStatus::Ready => {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = space::XS;
                    direction_button_ui(ui, item, commands);
                    if let Some(warning) = item.matte.as_ref().and_then(MattePreview::warning) {
                        let (at, response) = ui.allocate_exact_size(square(18.0), Sense::hover());
                        Icon::Warning.paint(ui, at, 14.0, palette.warning);
                        tooltip(response, "Check the cut-out", None, warning);
                    }
                });
            }
        }
    });
}

fn context_menu_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    let switch = if item.view.enabled { "Leave out" } else { "Use" };
    let rows = [
        ("Look through this picture", Command::LookThroughView(item.id)),
        (switch, Command::SetViewEnabled(item.id, !item.view.enabled)),
        ("Show in folder", Command::ShowInFolder(item.view.path.clone())),
        ("Remove", Command::RemoveView(item.id)),
    ];
    for (name, command) in rows {
        if ui.button(name).clicked() {
            commands.send(command);
            ui.close();
        }
    }
}
