use egui::{Align, Key, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::capture::capture_ui;
use super::palette::palette_ui;
use super::python::{licences_ui, python_ui};
use crate::app::command::{ACTIONS, CommandInfo, MenuGroup};
use crate::app::state::{AppState, Modal};
use crate::app::{Command, CommandSender, Navigation};
use crate::ui::format::without_ellipsis;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, square, text};
use crate::ui::widgets::{Button, ButtonKind, IconButton, key_hint_ui};

/// The dialog in front of everything, if any.
pub fn modal_ui(ui: &Ui, state: &AppState, commands: &CommandSender) {
    let Some(modal) = &state.modal else {
        return;
    };
    let palette = Palette::of(ui);
    let shown = egui::Modal::new(egui::Id::unique("modal"))
        .backdrop_color(palette.scrim)
        .frame(theme::dialog_frame(palette, ui.visuals().window_shadow))
        .show(ui.ctx(), |ui| match modal {
            Modal::Shortcuts => shortcuts_ui(ui, commands),
            Modal::Palette => palette_ui(ui, state, commands),
            Modal::About => about_ui(ui, commands),
            Modal::ConfirmDelete { id, name } => confirm_delete_ui(ui, id, name, commands),
            Modal::Capture => capture_ui(ui, state, commands),
            Modal::SavePreset => save_preset_ui(ui, state, commands),
            Modal::Python => python_ui(ui, state, commands),
            Modal::Licences => licences_ui(ui, state, commands),
        });
    if shown.should_close() {
        commands.send(Command::SetModal(None));
    }
}

pub(super) fn title_ui(ui: &mut Ui, title: &str, commands: &CommandSender) {
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        ui.label(RichText::new(title).text_style(text::title()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(IconButton::new(Icon::Close, "Close")).clicked() {
                commands.send(Command::SetModal(None));
            }
        });
    });
    ui.add_space(space::S);
}

fn shortcuts_ui(ui: &mut Ui, commands: &CommandSender) {
    ui.set_width(620.0);
    title_ui(ui, "Keys", commands);
    ScrollArea::vertical().max_height(460.0).show(ui, |ui| {
        ui.columns_const(|[left, right]| {
            left.spacing_mut().item_spacing.y = 3.0;
            right.spacing_mut().item_spacing.y = 3.0;
            for group in [MenuGroup::File, MenuGroup::Edit, MenuGroup::Run, MenuGroup::Help] {
                group_ui(left, group);
            }
            group_ui(right, MenuGroup::View);
            eye_keys_ui(right);
            pointer_ui(right);
        });
    });
}

fn group_ui(ui: &mut Ui, group: MenuGroup) {
    ui.label(RichText::new(group.label()).text_style(text::section()));
    for info in ACTIONS.iter().filter(|info| info.group == group) {
        if let Some(keys) = info.command.shortcut_text(ui.ctx()) {
            key_row_ui(ui, without_ellipsis(info.name), &keys);
        }
    }
    ui.add_space(space::M);
}

/// Keys that come with the artist's habits.
fn eye_keys_ui(ui: &mut Ui) {
    let keys = Navigation::of(ui.ctx()).eye_keys();
    if keys.is_empty() {
        return;
    }
    ui.label(RichText::new("The eye").text_style(text::section()));
    for key in keys {
        let shortcut = ui.ctx().format_shortcut(&key.shortcut);
        key_row_ui(ui, key.name, &shortcut);
    }
    ui.add_space(space::M);
}

fn pointer_ui(ui: &mut Ui) {
    ui.label(RichText::new("Pointer on the stage").text_style(text::section()));
    for (act, keys) in Navigation::of(ui.ctx()).legend() {
        key_row_ui(ui, act, keys);
    }
}

fn key_row_ui(ui: &mut Ui, name: &str, keys: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 22.0;
        ui.label(text::muted(ui, name));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            key_hint_ui(ui, keys);
        });
    });
}

fn about_ui(ui: &mut Ui, commands: &CommandSender) {
    let palette = Palette::of(ui);
    ui.set_width(340.0);
    title_ui(ui, "About", commands);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(square(44.0), egui::Sense::hover());
        Icon::Logo.paint(ui, rect, 44.0, palette.accent_text);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.label(RichText::new(concat!("Bozzetto ", env!("CARGO_PKG_VERSION"))).text_style(text::section()));
            ui.label(text::muted(ui, "Pictures in, a 3D object out, on your own PC."));
        });
    });
    ui.add_space(space::M);
    ui.label(text::muted(
        ui,
        "Free software under the MIT licence or the Apache licence 2.0, as you like.",
    ));
    ui.label(text::muted(
        ui,
        "Set in Inter by the Inter project authors, under the SIL Open Font License.",
    ));
}

fn confirm_delete_ui(ui: &mut Ui, id: &str, name: &str, commands: &CommandSender) {
    ui.set_width(360.0);
    title_ui(ui, "Delete this result?", commands);
    let line = format!("{name} goes from the library with its mesh, pictures and settings. Files you exported stay.");
    ui.label(text::muted(ui, line));
    ui.add_space(space::L);
    let delete = Button::new("Delete").kind(ButtonKind::Danger).icon(Icon::Trash);
    answer_ui(ui, delete, commands, || {
        commands.send(Command::DeleteFromLibrary(id.to_owned()));
    });
}

fn save_preset_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.set_width(360.0);
    title_ui(ui, "Save as preset", commands);
    let id = ui.scope_id().with("preset_name");
    let mut name = ui.data(|data| data.get_temp::<String>(id)).unwrap_or_default();
    let field = TextEdit::singleline(&mut name)
        .hint_text("Name of the preset")
        .desired_width(f32::INFINITY)
        .margin(vec2(space::S, 6.0));
    let response = ui.add(field).accessible_name("Name of the preset");
    if ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    let trimmed = name.trim().to_owned();
    let replaces = state
        .engine
        .presets
        .iter()
        .any(|preset| preset.name == trimmed && !preset.is_built_in);
    let is_taken = state
        .engine
        .presets
        .iter()
        .any(|preset| preset.name == trimmed && preset.is_built_in);
    let note = match (replaces, is_taken) {
        (true, _) => "A preset of this name is there and will be replaced.",
        (_, true) => "This name belongs to a preset of the program. Take another.",
        _ => "It keeps every parameter of this engine as it is now.",
    };
    ui.label(text::faint(ui, note));
    ui.add_space(space::M);
    let can_save = !trimmed.is_empty() && !is_taken;
    let save = || {
        commands.send(Command::SavePreset(trimmed.clone()));
        ui.ctx().data_mut(|data| data.remove::<String>(id));
    };
    let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if is_entered && can_save {
        save();
        commands.send(Command::SetModal(None));
        return;
    }
    ui.data_mut(|data| data.insert_temp(id, name));
    let button = Button::new("Save").kind(ButtonKind::Primary).enabled(can_save);
    let ctx = ui.ctx().clone();
    answer_ui(ui, button, commands, || {
        commands.send(Command::SavePreset(trimmed.clone()));
        ctx.data_mut(|data| data.remove::<String>(id));
    });
}

/// "Cancel" and the button that goes on, at the dialog's right foot.
pub(super) fn answer_ui(ui: &mut Ui, go_on: Button<'_>, commands: &CommandSender, act: impl FnOnce()) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if ui.add(go_on).clicked() {
            act();
            commands.send(Command::SetModal(None));
        }
        if ui.add(Button::new("Cancel").kind(ButtonKind::Quiet)).clicked() {
            commands.send(Command::SetModal(None));
        }
    });
}

/// Commands of the table whose name holds every word that was typed.
pub(super) fn matching(words: &str) -> Vec<&'static CommandInfo> {
    let words: Vec<_> = words.split_whitespace().map(str::to_lowercase).collect();
    ACTIONS
        .iter()
        .filter(|info| {
            let name = format!("{} {}", info.name, info.tooltip).to_lowercase();
            words.iter().all(|word| name.contains(word))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_finds_commands_by_words_of_their_name() {
        let names: Vec<_> = matching("export stl").iter().map(|info| info.name).collect();
        assert_eq!(names, ["Export as STL…"]);
        assert_eq!(matching("").len(), ACTIONS.len());
        assert!(matching("sing a song").is_empty());
    }
}
