use bozzetto_engine::{EngineInfo, StageInfo};
use egui::{Margin, ScrollArea, Ui};

use crate::app::state::{AppState, JobItem, JobStatus, Modal};
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{
    Button, ButtonKind, IconButton, ParamEdit, SeedEdit, combo_ui, group_ui, param_row_ui, progress_bar_ui, row_ui,
    section_header_ui, seed_field_ui, switch_row_ui,
};

/// Engine, preset, seed and the parameters in the order of the stages.
pub fn settings_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let header = Margin {
        left: space::L as i8,
        right: space::S as i8,
        top: space::S as i8,
        bottom: 0,
    };
    egui::Frame::new()
        .inner_margin(header)
        .show(ui, |ui| header_ui(ui, state, commands));
    // The rows' last column, the dot that sets a value back, is part of the right margin.
    let body = Margin {
        left: space::L as i8,
        right: theme::ROWS_MARGIN,
        top: 0,
        bottom: space::S as i8,
    };
    ScrollArea::vertical()
        .id_salt("settings")
        .auto_shrink(false)
        .content_margin(body)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            engine_rows_ui(ui, state, commands);
            ui.add_space(space::XS);
            if let Some(info) = state.engine.info() {
                for stage in &info.stages {
                    stage_ui(ui, state, info, stage, commands);
                }
                advanced_ui(ui, state, info, commands);
            }
        });
}

fn header_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let num_changed = state.engine.num_changed();
    let note = if num_changed > 0 {
        format!("{num_changed} changed")
    } else {
        String::new()
    };
    section_header_ui(ui, "Settings", &note, |ui| {
        let more = ui.add(IconButton::new(Icon::More, "More for settings"));
        egui::Popup::menu(&more).show(|ui| menu_ui(ui, state, commands));
        for (icon, command, label) in [
            (Icon::Redo, Command::Redo, &state.engine.redo_label),
            (Icon::Undo, Command::Undo, &state.engine.undo_label),
        ] {
            let sentence = label.as_ref().map(|label| format!("{label}."));
            let mut button = IconButton::of(ui.ctx(), icon, &command).enabled(label.is_some());
            if let Some(sentence) = &sentence {
                button = button.sentence(sentence);
            }
            if ui.add(button).clicked() {
                commands.send(command);
            }
        }
    });
}

fn menu_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    if ui.button("Save as preset…").clicked() {
        commands.send(Command::SetModal(Some(Modal::SavePreset)));
    }
    for preset in state.engine.presets.iter().filter(|preset| !preset.is_built_in) {
        if ui.button(format!("Delete preset {}", preset.name)).clicked() {
            commands.send(Command::DeletePreset(preset.name.clone()));
        }
    }
    ui.separator();
    let can_reset = state.engine.num_changed() > 0;
    if ui
        .add_enabled(can_reset, egui::Button::new("Reset all parameters"))
        .clicked()
    {
        commands.send(Command::ResetAllParams);
    }
}

fn engine_rows_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let engine = &state.engine;
    let (shown, help) = engine
        .info()
        .map_or(("No engine", "What turns the pictures into a shape."), |info| {
            (info.label.as_str(), info.summary.as_str())
        });
    row_ui(ui, "Engine", help, false, |ui| {
        let width = ui.available_width();
        combo_ui(ui, "Engine", shown, width, |ui| {
            for info in &engine.engines {
                let row = ui.selectable_label(info.id == engine.selected, &info.label);
                if row.on_hover_text(&info.summary).clicked() {
                    commands.send(Command::SelectEngine(info.id.clone()));
                }
            }
            ui.separator();
            let setup = Command::SetModal(Some(Modal::Python));
            if ui.selectable_label(false, "Python pipelines…").clicked() {
                commands.send(setup);
            }
        });
    });
    preset_row_ui(ui, state, commands);
    if engine.info().is_some_and(|info| info.uses_seed) {
        let help = "Where chance starts. The same seed with the same settings gives the same result.";
        let (_, edit) = row_ui(ui, "Seed", help, false, |ui| {
            seed_field_ui(ui, engine.seed, engine.is_seed_locked)
        });
        match edit {
            Some(SeedEdit::Set(seed)) => commands.send(Command::SetSeed(seed)),
            Some(SeedEdit::Roll) => commands.send(Command::RollSeed),
            Some(SeedEdit::Lock(is_locked)) => commands.send(Command::SetSeedLocked(is_locked)),
            None => {}
        }
    }
}

fn preset_row_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    if state.engine.presets.is_empty() {
        return;
    }
    let active = state.engine.active_preset();
    let shown = active.map_or("Custom", |preset| preset.name.as_str());
    row_ui(
        ui,
        "Preset",
        "A named set of parameters. Save your own with the three dots above.",
        false,
        |ui| {
            let width = ui.available_width();
            combo_ui(ui, "Preset", shown, width, |ui| {
                for preset in &state.engine.presets {
                    let is_active = active.is_some_and(|active| active.name == preset.name);
                    if ui.selectable_label(is_active, &preset.name).clicked() {
                        commands.send(Command::ApplyPreset(preset.name.clone()));
                    }
                }
            });
        },
    );
}

/// The parameters that a stage depends on first.
fn stage_ui(ui: &mut Ui, state: &AppState, info: &EngineInfo, stage: &StageInfo, commands: &CommandSender) {
    let shows_advanced = state.layout.shows_advanced;
    let specs: Vec<_> = info
        .params
        .iter()
        .filter(|spec| spec.stage == stage.id && (shows_advanced || !spec.advanced || !state.engine.is_default(spec)))
        .collect();
    if specs.is_empty() {
        return;
    }
    let num_changed = specs.iter().filter(|spec| !state.engine.is_default(spec)).count();
    let note = if num_changed > 0 {
        format!("{num_changed} changed")
    } else {
        String::new()
    };
    group_ui(
        ui,
        &format!("{}.{}", info.id, stage.id),
        &stage.label,
        &note,
        true,
        |ui| {
            for spec in specs {
                match param_row_ui(ui, spec, &state.engine.value(spec)) {
                    Some(ParamEdit::Reset) => commands.send(Command::ResetParam(spec.key.clone())),
                    Some(ParamEdit::Set(edit)) => commands.send(Command::SetParam {
                        key: spec.key.clone(),
                        value: edit.value,
                        is_final: edit.is_final,
                    }),
                    None => {}
                }
            }
        },
    );
}

fn advanced_ui(ui: &mut Ui, state: &AppState, info: &EngineInfo, commands: &CommandSender) {
    let num_advanced = info.params.iter().filter(|spec| spec.advanced).count();
    if num_advanced == 0 {
        return;
    }
    let mut shows = state.layout.shows_advanced;
    let help = "List the parameters that are rarely needed, too.";
    if switch_row_ui(ui, "Show rarely needed ones", help, false, &mut shows).1 {
        commands.send(Command::SetShowsAdvanced(shows));
    }
}

/// The button that starts the work, and how the work stands.
pub fn generate_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.spacing_mut().item_spacing.y = space::S;
    if let Some(job) = state.jobs.current() {
        running_ui(ui, job, state.jobs.num_queued(), commands);
        return;
    }
    let obstacle = state.generate_obstacle();
    let is_outdated = state.result.as_ref().is_some_and(|result| result.is_outdated);
    let button = Button::new("Generate")
        .kind(ButtonKind::Primary)
        .icon(Icon::Generate)
        .height(size::PRIMARY)
        .wide()
        .keys(Command::Generate.shortcut_text(ui.ctx()))
        .sentence(obstacle.unwrap_or("Make a 3D object from the pictures."))
        .enabled(obstacle.is_none());
    if ui.add(button).clicked() {
        commands.send(Command::Generate);
    }
    let line = match (obstacle, is_outdated) {
        (Some(obstacle), _) => obstacle.to_owned(),
        (None, true) => "Changed since the last result".to_owned(),
        (None, false) => {
            let pictures = super::views::summary(state);
            let keys = Command::Generate.shortcut_text(ui.ctx()).unwrap_or_default();
            format!("{pictures}  ·  {keys}")
        }
    };
    ui.vertical_centered(|ui| ui.label(text::faint(ui, line)));
}

fn running_ui(ui: &mut Ui, job: &JobItem, num_queued: usize, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let is_running = job.status != JobStatus::Queued;
    ui.spacing_mut().item_spacing.y = space::S - 2.0;
    let stage = match (&job.status, job.stage_label.as_str()) {
        (JobStatus::Queued, _) => "Waiting",
        (JobStatus::Stopping, _) => "Stopping",
        (_, "") => "Starting",
        (_, label) => label,
    };
    ui.horizontal(|ui| {
        ui.label(egui::RichText::new(stage).text_style(text::strong()));
        if job.stage_count > 0 {
            ui.label(text::faint(
                ui,
                format!("{} of {}", job.stage_index + 1, job.stage_count),
            ));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(text::muted(ui, format::percent(job.progress)));
        });
    });
    let width = ui.available_width();
    let share = is_running.then_some(job.progress);
    progress_bar_ui(ui, "Progress of the run", share, width, palette.accent);
    let left = job.eta.map_or_else(String::new, format::remaining);
    ui.horizontal(|ui| {
        ui.label(text::faint(ui, format::duration(job.elapsed)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let waiting = num_queued - usize::from(!is_running).min(num_queued);
            let line = if waiting > 0 {
                format!("{left}  ·  {waiting} waiting")
            } else {
                left
            };
            ui.label(text::faint(ui, line.trim_start_matches([' ', '·'])));
        });
    });
    let cancel = if job.status == JobStatus::Stopping {
        Button::new("End at once").sentence(super::queue::END_AT_ONCE)
    } else {
        Button::new("Cancel")
            .keys(Command::Cancel.shortcut_text(ui.ctx()))
            .sentence("Stop this run. Stages that are done are kept.")
    };
    let cancel = cancel.icon(Icon::Stop).height(size::PRIMARY).wide();
    if ui.add(cancel.enabled(job.can_be_stopped())).clicked() {
        commands.send(Command::CancelJob(job.id));
    }
}
