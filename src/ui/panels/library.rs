use egui::{Margin, ScrollArea, Ui};

use super::problem_ui;
use crate::app::state::{AppState, LibraryEntry, LibraryStatus};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::space;
use crate::ui::widgets::{Card, card_ui, empty_state_ui, spinner_ui, tooltip};

/// Saved results, newest first; a click brings one back with its pictures and parameters.
pub fn library_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let library = &state.library;
    if let LibraryStatus::Failed(problem) = &library.status {
        egui::Frame::new()
            .inner_margin(Margin::same(space::M as i8))
            .show(ui, |ui| problem_ui(ui, problem));
        return;
    }
    if library.entries.is_empty() {
        ui.add_space((ui.available_height() - 96.0).max(0.0) * 0.5);
        ui.vertical_centered(|ui| match library.status {
            LibraryStatus::Loading => {
                spinner_ui(ui, 20.0);
            }
            _ => empty_state_ui(
                ui,
                Icon::Library,
                "Your results gather here",
                "Each one is saved with its pictures and settings.",
                |_| {},
            ),
        });
        return;
    }
    let margin = Margin {
        left: space::M as i8,
        right: space::M as i8,
        top: space::XS as i8,
        bottom: space::M as i8,
    };
    ScrollArea::horizontal()
        .id_salt("library")
        .auto_shrink(false)
        .content_margin(margin)
        .show(ui, |ui| {
            let picture_height = (ui.available_height() - 36.0).clamp(48.0, 220.0);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                for entry in &library.entries {
                    entry_ui(ui, state, entry, picture_height, commands);
                }
            });
        });
}

fn entry_ui(ui: &mut Ui, state: &AppState, entry: &LibraryEntry, picture_height: f32, commands: &CommandSender) {
    let on_stage = state.result.as_ref().and_then(|result| result.library_id.as_ref());
    let card = Card {
        picture: entry.thumbnail.as_ref(),
        name: &entry.name,
        note: &entry.age,
        is_chosen: on_stage == Some(&entry.id),
        is_busy: state.library.opening.as_ref() == Some(&entry.id),
        is_broken: entry.problem.is_some(),
        width: (picture_height * 1.18).round(),
        picture_height,
    };
    let response = card_ui(ui, &card);
    let open = Command::OpenFromLibrary(entry.id.clone());
    if response.clicked() && entry.problem.is_none() {
        commands.send(open.clone());
    }
    response.context_menu(|ui| {
        let ask = Command::AskDeleteFromLibrary(entry.id.clone());
        for (name, command) in [
            ("Open", open),
            ("Show library folder", Command::ShowLibraryFolder),
            ("Delete…", ask),
        ] {
            if ui.button(name).clicked() {
                commands.send(command);
                ui.close();
            }
        }
    });
    let sentence = match &entry.problem {
        Some(problem) => problem.sentence.clone(),
        None => format!(
            "{}, {}. Click to bring it back with its pictures and settings.",
            entry.engine_label,
            super::num_frames(entry.num_views)
        ),
    };
    tooltip(response, &entry.name, None, &sentence);
}
