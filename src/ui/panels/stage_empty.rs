//! What stands on the stage while there is no shape.

use egui::{Align, Align2, Area, Layout, Order, Rect, RichText, Ui, vec2};

use super::num_frames;
use crate::app::state::{AppState, Problem, ViewItem};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, radius, size, space, square, text};
use crate::ui::widgets::{
    Button, ButtonKind, Fit, empty_state_ui, key_hint_ui, paint_checker, paint_picture, place_ui, spinner_ui,
};

/// Most pictures shown in a row.
const MAX_PICTURES: usize = 5;

/// Says what to do first, what comes next, or that the shape is on its way.
pub fn stage_empty_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.spacing_mut().item_spacing.y = space::S;
    let enabled: Vec<_> = state.views.items.iter().filter(|item| item.view.enabled).collect();
    if enabled.is_empty() {
        nothing_ui(ui, state, commands);
        return;
    }
    pictures_ui(ui, &enabled);
    ui.add_space(space::S);
    if let Some(job) = state.jobs.running() {
        let stage = if job.stage_label.is_empty() {
            "Starting"
        } else {
            &job.stage_label
        };
        spinner_ui(ui, 22.0);
        ui.label(RichText::new(stage).text_style(text::title()));
        ui.label(text::muted(ui, "The shape appears here as soon as it begins to form."));
        return;
    }
    ui.label(RichText::new(format!("{} ready", num_frames(enabled.len()))).text_style(text::title()));
    ui.label(text::muted(
        ui,
        "Generate makes a 3D object from them. It appears here while it forms.",
    ));
    if let Some(keys) = Command::Generate.shortcut_text(ui.ctx()) {
        ui.add_space(space::XS);
        key_hint_ui(ui, &keys);
    }
}

fn nothing_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(square(56.0), egui::Sense::hover());
    Icon::Logo.paint(ui, rect, 56.0, palette.text_faint);
    ui.add_space(space::S);
    ui.label(RichText::new("Pictures in, a 3D object out").text_style(text::title()));
    let sentence = if state.drop.obstacle.is_none() {
        "Drop one picture anywhere in this window, or several of the same object from different sides."
    } else {
        "Add one picture, or several of the same object from different sides."
    };
    ui.scope(|ui| {
        ui.set_max_width(340.0);
        ui.label(text::muted(ui, sentence));
    });
    if state.layout.shows_left {
        return;
    }
    ui.add_space(space::S);
    let width = 300.0;
    ui.allocate_ui_with_layout(vec2(width, size::BUTTON), Layout::left_to_right(Align::Center), |ui| {
        if ui.add(Button::new("Add pictures…").icon(Icon::Folder)).clicked() {
            commands.send(Command::AddPictures);
        }
        if ui
            .add(Button::new("Load the example").kind(ButtonKind::Quiet))
            .clicked()
        {
            commands.send(Command::LoadExample);
        }
    });
}

fn pictures_ui(ui: &mut Ui, items: &[&ViewItem]) {
    let palette = Palette::of(ui);
    let num_shown = items.len().min(MAX_PICTURES);
    let gap = space::S;
    let side = ((ui.available_width() - gap * (num_shown as f32 - 1.0)) / num_shown as f32).min(104.0);
    let width = side * num_shown as f32 + gap * (num_shown as f32 - 1.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, side), egui::Sense::hover());
    for (index, item) in items.iter().take(num_shown).enumerate() {
        let at = rect.left_top() + vec2(index as f32 * (side + gap), 0.0);
        let cell = Rect::from_min_size(at, square(side));
        ui.painter().rect_filled(cell, radius::CARD, palette.field);
        if let Some(matte) = &item.matte {
            paint_checker(ui, cell, radius::CARD);
            paint_picture(ui, cell.shrink(space::XS), &matte.cutout, Fit::Contain, 4);
        } else if let Some(thumbnail) = &item.thumbnail {
            paint_picture(ui, cell, thumbnail, Fit::Cover, radius::CARD);
        }
        let num_hidden = items.len() - num_shown;
        if index + 1 == num_shown && num_hidden > 0 {
            ui.painter().rect_filled(cell, radius::CARD, palette.scrim);
            let font = text::title().resolve(ui.style());
            let label = format!("+{}", num_hidden + 1);
            ui.painter()
                .text(cell.center(), Align2::CENTER_CENTER, label, font, palette.on_accent);
        }
    }
}

/// Why there is no 3D view, and what to install.
pub fn gpu_problem_ui(ui: &mut Ui, problem: &Problem) {
    let sentence = match &problem.hint {
        Some(hint) => format!("{} {hint}", problem.sentence),
        None => problem.sentence.clone(),
    };
    empty_state_ui(ui, Icon::Warning, "The 3D view cannot start", &sentence, |ui| {
        ui.label(text::faint(ui, "Generating and exporting still work."));
    });
}

/// The one hint of the first start.
pub fn first_hint_ui(ui: &Ui, inner: Rect, state: &AppState, commands: &CommandSender) {
    if !state.shows_first_hint {
        return;
    }
    let palette = Palette::of(ui);
    Area::new(ui.scope_id().with("first_hint"))
        .order(Order::Middle)
        .pivot(Align2::CENTER_BOTTOM)
        .fixed_pos(inner.center_bottom() - vec2(0.0, space::S))
        .show(ui.ctx(), |ui| {
            let frame = theme::card_frame(palette)
                .corner_radius(radius::FLOAT)
                .stroke(egui::Stroke::new(size::LINE, palette.line_strong))
                .shadow(ui.visuals().popup_shadow);
            frame.show(ui, |ui| {
                ui.set_width(430.0_f32.min(inner.width() - 2.0 * space::XL));
                let row = vec2(ui.available_width(), 36.0);
                ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
                    let (icon, _) = ui.allocate_exact_size(square(size::ICON_LARGE), egui::Sense::hover());
                    Icon::Generate.paint(ui, icon, size::ICON_LARGE, palette.accent_text);
                    let line = "This is an example. Press Generate to see how it goes, or drop your own pictures on the window.";
                    let (words, _) = ui.allocate_exact_size(vec2(ui.available_width() - 76.0, 36.0), egui::Sense::hover());
                    place_ui(ui, words, Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(line).wrap());
                    });
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        if ui.add(Button::new("Got it")).clicked() {
                            commands.send(Command::DismissFirstHint);
                        }
                    });
                });
            });
        });
}
