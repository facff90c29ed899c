use bozzetto_mesh::{ColorSource, FinishSettings};
use egui::{Margin, Panel, ScrollArea, Ui, vec2};

use super::export::export_ui;
use super::health::{self, health_ui};
use super::problem_ui;
use crate::app::state::{AppState, FinishStatus, ResultState};
use crate::app::{Command, CommandSender};
use crate::pictures;
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{
    Button, NumberField, combo_ui, empty_state_ui, number_ui, progress_bar_ui, row_ui, section_header_ui, switch_row_ui,
};

/// Fewest faces of the slider.
const MIN_FACES: f64 = 500.0;
/// Ends of the slider for the resolution that the surface is rebuilt at.
const MIN_RESOLUTION: f64 = 64.0;
const MAX_RESOLUTION: f64 = 1024.0;
/// Texture sizes to choose from.
const TEXTURE_SIZES: [u32; 5] = [512, 1024, 2048, 4096, 8192];

/// How the mesh is finished, what came out, and export.
pub fn right_panel_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let frame = theme::panel_frame(palette);
    Panel::right("right")
        .resizable(true)
        .default_size(296.0)
        .size_range(256.0..=420.0)
        .frame(frame)
        .show(ui, |ui| {
            let padded = frame.inner_margin(Margin::same(space::L as i8));
            Panel::bottom("export")
                .resizable(false)
                .frame(padded)
                .show(ui, |ui| export_ui(ui, state, commands));
            egui::CentralPanel::no_frame().show(ui, |ui| {
                let margin = Margin {
                    left: space::L as i8,
                    right: theme::ROWS_MARGIN,
                    top: space::S as i8,
                    bottom: space::L as i8,
                };
                ScrollArea::vertical()
                    .id_salt("finish")
                    .auto_shrink(false)
                    .content_margin(margin)
                    .show(ui, |ui| {
                        ui.spacing_mut().item_spacing.y = 6.0;
                        finish_ui(ui, state, commands);
                    });
            });
        });
}

fn finish_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    section_header_ui(ui, "Finish", "", |_| {});
    let comes_finished = |result: &ResultState| !result.can_finish || result.asset.material.is_some();
    let can_finish = !state.result.as_ref().is_some_and(comes_finished);
    ui.add_enabled_ui(can_finish, |ui| settings_rows_ui(ui, state, commands));
    if !can_finish {
        ui.label(text::faint(ui, "This mesh came with its textures and keeps them."));
    }
    // The rows' last column, the dot that sets a value back, is part of the right margin; the rest keeps off it.
    let margin = Margin {
        right: space::L as i8 - theme::ROWS_MARGIN,
        ..Margin::ZERO
    };
    egui::Frame::new()
        .inner_margin(margin)
        .show(ui, |ui| outcome_ui(ui, state, commands));
}

/// How finishing stands and what came out.
fn outcome_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    status_ui(ui, state, commands);
    let Some(result) = &state.result else {
        ui.add_space(space::XL);
        let title = if state.jobs.running().is_some() {
            "On its way"
        } else {
            "No result yet"
        };
        empty_state_ui(
            ui,
            Icon::Cube,
            title,
            "Faces, textures and the mesh's health appear here.",
            |_| {},
        );
        return;
    };
    ui.add_space(space::M);
    section_header_ui(ui, "Result", &result.engine_label, |_| {});
    counts_ui(ui, result);
    file_ui(ui, state, result);
    if let Some(health) = &result.health {
        ui.add_space(space::XS);
        health_ui(ui, state, health, commands);
    }
}

/// Picks one of the switches out of the settings.
pub(super) type Switch = fn(&mut FinishSettings) -> &mut bool;

fn settings_rows_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let settings = &state.finish.settings;
    let default = FinishSettings::default();
    let send = |settings: FinishSettings, is_final: bool| commands.send(Command::SetFinish { settings, is_final });
    faces_row_ui(ui, state, &default, &send);
    texture_row_ui(ui, settings, &default, &send);
    colors_row_ui(ui, state, &send);
    let switches: [(&str, &str, Switch); 5] = [
        ("Normal map", "Keeps the fine relief that fewer faces lose.", |s| {
            &mut s.bakes_normal_map
        }),
        ("Ambient occlusion", "Bakes soft shadows into creases.", |s| {
            &mut s.bakes_occlusion
        }),
        (
            "Roughness and metal",
            "Bakes roughness and metal into a texture where they vary.",
            |s| &mut s.bakes_orm,
        ),
        ("Fill holes", "Closes small holes in the surface.", |s| {
            &mut s.fills_holes
        }),
        (
            "Rebuild surface",
            "Makes one closed surface, fit for printing: closes all holes, joins crossing parts, drops what lies inside.",
            |s| &mut s.remeshes,
        ),
    ];
    for (label, help, field) in switches.into_iter().chain(health::fixes_that_are_on(settings)) {
        let mut changed = settings.clone();
        let mut standard = default.clone();
        let is_changed = *field(&mut changed) != *field(&mut standard);
        let (is_reset, is_flipped) = switch_row_ui(ui, label, help, is_changed, field(&mut changed));
        if is_reset {
            *field(&mut changed) = *field(&mut standard);
        }
        if is_reset || is_flipped {
            send(changed, true);
        }
    }
    if settings.remeshes {
        resolution_row_ui(ui, settings, &default, &send);
        project_back_row_ui(ui, settings, &default, &send);
    }
}

/// A number among the settings.
struct NumberRow<'a> {
    field: NumberField<'a>,
    help: &'a str,
    shown: f64,
    standard: f64,
    /// The settings with another value.
    with: &'a dyn Fn(f64) -> FinishSettings,
}

fn number_row_ui(ui: &mut Ui, row: &NumberRow<'_>, send: &impl Fn(FinishSettings, bool)) {
    let is_changed = row.shown != row.standard;
    let (is_reset, edit) = row_ui(ui, row.field.name, row.help, is_changed, |ui| {
        number_ui(ui, &row.field, row.shown)
    });
    if is_reset {
        send((row.with)(row.standard), true);
    } else if let Some(edit) = edit {
        send((row.with)(edit.value), edit.is_final);
    }
}

fn resolution_row_ui(
    ui: &mut Ui,
    settings: &FinishSettings,
    default: &FinishSettings,
    send: &impl Fn(FinishSettings, bool),
) {
    let shown = f64::from(settings.remesh.resolution);
    // Settings files may hold more or less than the slider gives.
    let range = MIN_RESOLUTION.min(shown)..=MAX_RESOLUTION.max(shown);
    let row = NumberRow {
        field: NumberField {
            is_logarithmic: true,
            is_count: true,
            field_width: 68.0,
            ..NumberField::new("Resolution", range, 1.0)
        },
        help: "Cells along the longest side. Detail smaller than a cell goes; each doubling takes four times as long.",
        shown,
        standard: default.remesh.resolution.into(),
        with: &|resolution| {
            let mut changed = settings.clone();
            changed.remesh.resolution = resolution.round() as u32;
            changed
        },
    };
    number_row_ui(ui, &row, send);
}

fn project_back_row_ui(
    ui: &mut Ui,
    settings: &FinishSettings,
    default: &FinishSettings,
    send: &impl Fn(FinishSettings, bool),
) {
    let row = NumberRow {
        field: NumberField {
            field_width: 68.0,
            ..NumberField::new("Project back", 0.0..=1.0, 0.05)
        },
        help: "Moves the rebuilt surface back to the one it was made of: brings fine relief back, and its noise too.",
        shown: settings.remesh.projects_back.into(),
        standard: default.remesh.projects_back.into(),
        with: &|share| {
            let mut changed = settings.clone();
            changed.remesh.projects_back = share as f32;
            changed
        },
    };
    number_row_ui(ui, &row, send);
}

fn faces_row_ui(ui: &mut Ui, state: &AppState, default: &FinishSettings, send: &impl Fn(FinishSettings, bool)) {
    let settings = &state.finish.settings;
    let source = state.result.as_ref().map_or(0, |result| result.counts.num_source_faces);
    let most = if source == 0 {
        1e6
    } else {
        (source as f64).max(MIN_FACES * 2.0)
    };
    let shown = f64::from(settings.target_faces);
    let row = NumberRow {
        field: NumberField {
            is_logarithmic: true,
            is_count: true,
            field_width: 68.0,
            ..NumberField::new("Faces", MIN_FACES..=most.max(shown), 1.0)
        },
        help: "How many triangles the finished mesh has. Moves live; textures follow when you let go.",
        shown,
        standard: default.target_faces.into(),
        with: &|faces| FinishSettings {
            target_faces: faces.round() as u32,
            ..settings.clone()
        },
    };
    number_row_ui(ui, &row, send);
}

fn texture_row_ui(
    ui: &mut Ui,
    settings: &FinishSettings,
    default: &FinishSettings,
    send: &impl Fn(FinishSettings, bool),
) {
    let help = "Edge of the square textures in pixels. Each step takes four times the memory.";
    let texture_px = choice_row_ui(
        ui,
        ("Textures", help),
        true,
        TEXTURE_SIZES,
        (settings.texture_px, default.texture_px),
        |size| format!("{size} px"),
    );
    if let Some(texture_px) = texture_px {
        send(
            FinishSettings {
                texture_px,
                ..settings.clone()
            },
            true,
        );
    }
}

/// Where colours come from; greyed out for a result that has no pictures to take them from.
fn colors_row_ui(ui: &mut Ui, state: &AppState, send: &impl Fn(FinishSettings, bool)) {
    let result = state.result.as_ref();
    let has_pictures = result.is_none_or(|result| pictures::have_cameras(&result.views, &result.asset.cameras));
    let settings = &state.finish.settings;
    let shown = if has_pictures {
        settings.colors_from
    } else {
        ColorSource::Asset
    };
    let help = if has_pictures {
        "From the pictures, colours are as fine as those, where they show the object; elsewhere they stay as generated."
    } else {
        "As generated: of this result no pictures are known with a camera each."
    };
    let sources = [ColorSource::Asset, ColorSource::Pictures];
    let values = (shown, ColorSource::default());
    let colors_from = choice_row_ui(ui, ("Colours", help), has_pictures, sources, values, color_source_label);
    if let Some(colors_from) = colors_from {
        send(
            FinishSettings {
                colors_from,
                ..settings.clone()
            },
            true,
        );
    }
}

fn color_source_label(source: ColorSource) -> String {
    let label = match source {
        ColorSource::Asset => "As generated",
        ColorSource::Pictures => "From the pictures",
    };
    label.to_owned()
}

/// A row with a list of values, of which one is shown; returns the one that was chosen, or the standard one when the row was
/// set back.
fn choice_row_ui<T: Copy + PartialEq, const N: usize>(
    ui: &mut Ui,
    (name, help): (&str, &str),
    is_enabled: bool,
    options: [T; N],
    (shown, standard): (T, T),
    label_of: impl Fn(T) -> String,
) -> Option<T> {
    let (is_reset, chosen) = row_ui(ui, name, help, shown != standard, |ui| {
        let width = ui.available_width();
        let list = |ui: &mut Ui| {
            combo_ui(ui, name, &label_of(shown), width, |ui| {
                let mut options = options.into_iter();
                options.find(|&option| ui.selectable_label(option == shown, label_of(option)).clicked())
            })
        };
        ui.add_enabled_ui(is_enabled, list).inner.flatten()
    });
    if is_reset { Some(standard) } else { chosen }
}

fn status_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    match &state.finish.status {
        FinishStatus::Idle | FinishStatus::Ready => {}
        FinishStatus::Working { label, progress } => {
            ui.add_space(space::XS);
            ui.horizontal(|ui| {
                ui.label(text::faint(ui, label));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.label(text::faint(ui, format::percent(*progress)));
                });
            });
            let width = ui.available_width();
            progress_bar_ui(ui, "Progress of finishing", Some(*progress), width, palette.accent);
        }
        FinishStatus::Failed(problem) => {
            ui.add_space(space::XS);
            problem_ui(ui, problem);
            if ui
                .add(Button::new("Finish again").icon(Icon::Reset).height(size::CONTROL))
                .clicked()
            {
                commands.send(Command::RetryFinish);
            }
        }
    }
}

fn counts_ui(ui: &mut Ui, result: &ResultState) {
    let counts = &result.counts;
    let share = |part: usize| {
        (part < counts.num_source_faces).then(|| format!("of {}", format::short_count(counts.num_source_faces)))
    };
    fact_ui(
        ui,
        "Faces",
        &format::count(counts.num_faces),
        share(counts.num_faces).as_deref(),
    );
    fact_ui(ui, "Vertices", &format::count(counts.num_vertices), None);
    if counts.num_texels > 0 {
        fact_ui(
            ui,
            "Texels",
            &format::short_count(counts.num_texels),
            Some("in each map"),
        );
    }
    if counts.num_splats > 0 {
        fact_ui(ui, "Splats", &format::count(counts.num_splats), None);
    }
    if !result.duration.is_zero() {
        fact_ui(ui, "Time", &format::duration(result.duration), None);
    }
}

/// What the exported file will cost whoever loads it.
fn file_ui(ui: &mut Ui, state: &AppState, result: &ResultState) {
    if let Some(health) = result.health.as_ref().filter(|health| health.num_draw_calls > 0) {
        fact_ui(ui, "Draw calls", &format::count(health.num_draw_calls), None);
    }
    if let Some(size) = state.export.size {
        let note = format!("as {}", state.export.settings.format.label());
        fact_ui(ui, "File size", &format::bytes(size), Some(&note));
    }
}

/// A name at the left and its number at the column's edge.
fn fact_ui(ui: &mut Ui, name: &str, value: &str, note: Option<&str>) {
    let row = vec2(ui.available_width(), 20.0);
    ui.allocate_ui_with_layout(row, egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS + 2.0;
        ui.label(text::muted(ui, name));
        if let Some(note) = note {
            ui.label(text::faint(ui, note));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(value);
        });
    });
}
