use egui::{Align, Layout, Margin, ScrollArea, Ui, vec2};

use super::num_frames;
use super::view_row::view_row_ui;
use crate::app::state::{AppState, ViewId};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space};
use crate::ui::widgets::{Button, ButtonKind, DropZone, IconButton, drop_zone_ui, paint_strip, section_header_ui};

/// The pictures: a drop zone while there are none, else the list.
pub fn views_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let header = theme::panel_frame(palette).inner_margin(Margin {
        left: space::L as i8,
        right: space::S as i8,
        top: space::S as i8,
        bottom: space::XS as i8,
    });
    header.show(ui, |ui| header_ui(ui, state, commands));
    if state.views.items.is_empty() {
        let body = theme::panel_frame(palette).inner_margin(Margin {
            left: space::L as i8,
            right: space::L as i8,
            top: 0,
            bottom: space::L as i8,
        });
        body.show(ui, |ui| empty_ui(ui, state, commands));
        return;
    }
    ScrollArea::vertical()
        .id_salt("views")
        .auto_shrink(false)
        .show(ui, |ui| {
            list_ui(ui, state, commands);
        });
}

fn header_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let (num_all, num_on) = (state.views.items.len(), state.views.num_enabled());
    let note = match (num_all, num_on) {
        (0, _) => String::new(),
        (all, on) if all == on => all.to_string(),
        (all, on) => format!("{on} of {all} in use"),
    };
    section_header_ui(ui, "Pictures", &note, |ui| {
        if num_all > 0 {
            let more = ui.add(IconButton::new(Icon::More, "More for pictures"));
            egui::Popup::menu(&more).show(|ui| menu_ui(ui, commands));
        }
        for (icon, command) in [
            (Icon::Clipboard, Command::PasteImage),
            (Icon::Plus, Command::AddPictures),
        ] {
            if ui.add(IconButton::of(ui.ctx(), icon, &command)).clicked() {
                commands.send(command);
            }
        }
    });
}

fn menu_ui(ui: &mut Ui, commands: &CommandSender) {
    for command in [Command::LoadExample, Command::ClearViews] {
        let name = command.info().map_or("", |info| info.name);
        if ui.button(name).clicked() {
            commands.send(command);
        }
    }
}

fn empty_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let can_drop = state.drop.obstacle.is_none();
    let zone = DropZone {
        title: if can_drop {
            "Drop pictures here"
        } else {
            "Add pictures of one object"
        },
        sentence: state
            .drop
            .obstacle
            .as_deref()
            .unwrap_or("One picture, or several sides of one object"),
        is_lit: state.drop.num_hovering > 0,
        height: ui.available_height(),
    };
    drop_zone_ui(ui, &zone, |ui| {
        let wide = ui.available_width().min(200.0);
        ui.allocate_ui_with_layout(vec2(wide, 0.0), Layout::top_down(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            if ui.add(Button::new("Add pictures…").icon(Icon::Folder).wide()).clicked() {
                commands.send(Command::AddPictures);
            }
            let example = Button::new("Load the example")
                .kind(ButtonKind::Quiet)
                .height(size::CONTROL);
            if ui.add(example).clicked() {
                commands.send(Command::LoadExample);
            }
        });
    });
}

fn list_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let side = Margin::symmetric(space::XS as i8, 0);
    egui::Frame::new().inner_margin(side).show(ui, |ui| {
        let mut tops = Vec::with_capacity(state.views.items.len() + 1);
        for item in &state.views.items {
            tops.push(ui.cursor().top() - 1.0);
            view_row_ui(ui, state, item, commands);
        }
        tops.push(ui.cursor().top() - 1.0);
        drop_between_ui(ui, state, &tops, commands);
        ui.add_space(space::XS);
        if state.drop.obstacle.is_none() {
            egui::Frame::new()
                .inner_margin(Margin::symmetric(space::M as i8, 0))
                .show(ui, |ui| {
                    paint_strip(ui, "Drop more pictures anywhere");
                });
        }
        ui.add_space(space::S);
    });
}

/// While a row is dragged: a line where it would go; on release, the move.
fn drop_between_ui(ui: &Ui, state: &AppState, tops: &[f32], commands: &CommandSender) {
    let Some(dragged) = egui::DragAndDrop::payload::<ViewId>(ui.ctx()) else {
        return;
    };
    let Some(pointer) = ui
        .ctx()
        .pointer_interact_pos()
        .filter(|at| ui.clip_rect().contains(*at))
    else {
        return;
    };
    let Some(from) = state.views.items.iter().position(|item| item.id == *dragged) else {
        return;
    };
    let gap = (0..tops.len())
        .min_by(|&a, &b| (tops[a] - pointer.y).abs().total_cmp(&(tops[b] - pointer.y).abs()))
        .unwrap_or(from);
    let palette = Palette::of(ui);
    let line = egui::Stroke::new(2.0, palette.accent_text);
    ui.painter().hline(ui.max_rect().x_range(), tops[gap], line);
    if ui.input(|input| input.pointer.any_released()) {
        egui::DragAndDrop::clear_payload(ui.ctx());
        let to_index = if gap > from { gap - 1 } else { gap };
        if to_index != from {
            commands.send(Command::MoveView {
                view: *dragged,
                to_index,
            });
        }
    }
}

/// What a screen reader hears about the list.
pub(super) fn summary(state: &AppState) -> String {
    num_frames(state.views.num_enabled())
}
