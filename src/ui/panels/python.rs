use std::path::{Path, PathBuf};

use egui::{Align, Layout, RichText, ScrollArea, Ui, vec2};

use super::modals::{answer_ui, title_ui};
use super::problem_ui;
use crate::app::state::{AppState, PythonState, PythonStatus};
use crate::app::{Command, CommandSender};
use crate::engines::{PythonEnvironment, Report};
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, size, space, text};
use crate::ui::widgets::{Button, ButtonKind, IconButton};

const WIDTH: f32 = 520.0;
/// Most of the report that is seen at once.
const STATUS_HEIGHT: f32 = 260.0;

/// The environment that upstream's pipelines run in: which one, what it has, what it lacks.
pub(super) fn python_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.set_width(WIDTH);
    title_ui(ui, "Python pipelines", commands);
    ui.label(text::muted(
        ui,
        "TRELLIS.2, TRELLIS and ReconViaGen as their makers publish them, in a Python environment that you have set up \
         for them. Nothing is fetched from the network here.",
    ));
    ui.add_space(space::M);
    let python = &state.python;
    let is_busy = python.status.is_busy();
    ui.add_enabled_ui(!is_busy, |ui| environment_ui(ui, python.environment.as_ref(), commands));
    ui.add_space(space::M);
    ScrollArea::vertical()
        .max_height(STATUS_HEIGHT)
        // The dialog grows with what is found; without this the area stays as low as it was at first.
        .min_scrolled_height(STATUS_HEIGHT)
        .auto_shrink([false, true])
        .show(ui, |ui| status_ui(ui, python, commands));
}

fn environment_ui(ui: &mut Ui, environment: Option<&PythonEnvironment>, commands: &CommandSender) {
    let interpreter = environment.map(|environment| environment.interpreter.display().to_string());
    path_row_ui(ui, "Environment", interpreter.as_deref().unwrap_or("none yet"), |ui| {
        if ui.add(Button::new("Choose…").height(size::CONTROL)).clicked() {
            commands.send(Command::ChoosePython);
        }
        let forget = IconButton::new(Icon::Trash, "Forget this environment");
        if environment.is_some() && ui.add(forget).clicked() {
            commands.send(Command::ForgetPython);
        }
    });
    let Some(environment) = environment else { return };
    for source in &environment.sources {
        path_row_ui(ui, "Code", &source.display().to_string(), |ui| {
            let remove = IconButton::new(Icon::Trash, "Take this folder off the list");
            if ui.add(remove).clicked() {
                commands.send(Command::RemovePythonSource(source.clone()));
            }
        });
    }
    let (name, shown) = if environment.sources.is_empty() {
        ("Code", "installed as packages")
    } else {
        ("", "")
    };
    path_row_ui(ui, name, shown, |ui| {
        let add = Button::new("Add a folder…").height(size::CONTROL);
        let add = add.sentence("A folder of a pipeline's code that is not installed as a package.");
        if ui.add(add).clicked() {
            commands.send(Command::ChoosePythonSource);
        }
    });
}

/// A name, a path that is cut where it is too long, and buttons at the right end.
fn path_row_ui(ui: &mut Ui, name: &str, path: &str, buttons: impl FnOnce(&mut Ui)) {
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        buttons(ui);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let label = vec2(size::LABEL_COLUMN, size::CONTROL);
            ui.allocate_ui_with_layout(label, Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(size::LABEL_COLUMN);
                ui.label(text::muted(ui, name));
            });
            if !path.is_empty() {
                let label = egui::Label::new(text::faint(ui, path)).truncate();
                ui.add(label).on_hover_text(path);
            }
        });
    });
}

fn status_ui(ui: &mut Ui, python: &PythonState, commands: &CommandSender) {
    match &python.status {
        PythonStatus::Unknown if python.environment.is_none() => {}
        PythonStatus::Unknown => look_ui(ui, "Look it over", commands),
        PythonStatus::Examining => busy_ui(
            ui,
            "Looking it over: everything is imported once, which may take a minute.",
        ),
        PythonStatus::Installing => busy_ui(ui, "Installing the bridge."),
        PythonStatus::Examined(report) => {
            report_ui(ui, report, python.environment.as_ref(), commands);
            ui.add_space(space::S);
            look_ui(ui, "Look again", commands);
        }
        PythonStatus::Failed(failure) => {
            problem_ui(ui, &failure.problem);
            ui.add_space(space::S);
            let install = Button::new("Install the bridge").kind(ButtonKind::Primary);
            if failure.lacks_bridge && ui.add(install).clicked() {
                commands.send(Command::InstallBridge);
            }
        }
    }
}

fn look_ui(ui: &mut Ui, name: &str, commands: &CommandSender) {
    let look = Button::new(name).icon(Icon::Reset).height(size::CONTROL);
    if ui.add(look).clicked() {
        commands.send(Command::ExaminePython);
    }
}

fn busy_ui(ui: &mut Ui, line: &str) {
    ui.horizontal(|ui| {
        ui.spinner();
        ui.label(text::muted(ui, line));
    });
}

fn report_ui(ui: &mut Ui, report: &Report, environment: Option<&PythonEnvironment>, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let card = if report.graphics_card.is_empty() {
        "no graphics card known"
    } else {
        &report.graphics_card
    };
    ui.label(text::faint(ui, format!("Python {}  ·  {card}", report.python)));
    for (id, engine) in &report.engines {
        ui.add_space(space::S);
        ui.horizontal(|ui| {
            ui.label(RichText::new(id).text_style(text::strong()));
            let (color, verdict) = if engine.can_run {
                (palette.ok, "can run")
            } else {
                (palette.warning, "lacks something")
            };
            ui.label(RichText::new(verdict).color(color));
        });
        for fault in &engine.problems {
            let line = format!("{} {}. {}", fault.package, fault.problem, fault.advice);
            ui.label(text::muted(ui, line));
        }
        if let Some(published) = &engine.weights {
            let own = environment.and_then(|environment| environment.weights.get(id));
            weights_ui(ui, id, published, own.map(PathBuf::as_path), commands);
        }
    }
}

/// Where an engine's weights come from: the repository that its makers publish them in, or the artist's own folder.
fn weights_ui(ui: &mut Ui, engine: &str, published: &str, own: Option<&Path>, commands: &CommandSender) {
    let shown = own.map_or_else(
        || format!("{published} on Hugging Face"),
        |own| own.display().to_string(),
    );
    path_row_ui(ui, "Weights", &shown, |ui| {
        let folder = Button::new("Folder…").height(size::CONTROL);
        let folder = folder.sentence("Weights from a folder of your own, laid out as their makers publish them.");
        if ui.add(folder).clicked() {
            commands.send(Command::ChoosePythonWeights(engine.to_owned()));
        }
        let forget = IconButton::new(Icon::Trash, "Take the published weights again");
        if own.is_some() && ui.add(forget).clicked() {
            commands.send(Command::ForgetPythonWeights(engine.to_owned()));
        }
    });
}

/// The licences of what the chosen engine uses, before its first run.
pub(super) fn licences_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.set_width(WIDTH);
    title_ui(ui, "Licences of others", commands);
    let Some(info) = state.engine.info() else { return };
    let palette = Palette::of(ui);
    let line = format!(
        "{} uses these parts, which don't come with Bozzetto. Please mind their licences.",
        info.label
    );
    ui.label(text::muted(ui, line));
    ui.add_space(space::M);
    ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
        for licence in &info.licences {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(&licence.part).text_style(text::strong()));
                ui.hyperlink_to(&licence.licence, &licence.page);
                if !licence.permits_commercial_use {
                    ui.label(RichText::new("not for commercial use").color(palette.warning));
                }
            });
        }
    });
    ui.add_space(space::L);
    let agree = Button::new("Agree and generate").kind(ButtonKind::Primary);
    answer_ui(ui, agree, commands, || commands.send(Command::AgreeToLicences));
}
