use bozzetto_asset::formats::glb::TextureFormat;
use bozzetto_asset::{LengthUnit, Pivot};
use egui::{Margin, RichText, Ui};

use super::capture::capture_button_ui;
use super::problem_ui;
use crate::app::state::{AppState, ExportFormat, ExportSettings, ExportStatus};
use crate::app::{Command, CommandSender};
use crate::export::{ExportPreset, PRESETS};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{
    Button, ButtonKind, NumberField, Segment, combo_ui, group_ui, number_ui, plain_row_ui, row_ui, section_header_ui,
    segmented_ui, spinner_ui, switch_row_ui, tooltip,
};

/// Ends of the slider for the size, metres.
const SMALLEST: f64 = 0.01;
const LARGEST: f64 = 100.0;

/// Purpose, format, choices, button, and how the last export went; pinned to the panel's foot.
pub fn export_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.spacing_mut().item_spacing.y = space::S;
    let export = &state.export;
    let settings = export.settings;
    let note = export.size.map(format::bytes).unwrap_or_default();
    section_header_ui(ui, "Export", &note, |_| {});
    let mut changed = settings;
    preset_row_ui(ui, &mut changed);
    format_row_ui(ui, &mut changed);
    let summary = settings
        .preset()
        .map_or(settings.format.summary(), |preset| preset.summary);
    ui.label(text::faint(ui, summary));
    if !settings.format.holds_splats() {
        let longest_side = state.result.as_ref().map_or(0.0, |result| result.counts.longest_side);
        group_ui(ui, "export", "Size and packing", "", false, |ui| {
            // The rows' last column, the dot that sets a value back, is part of the right margin.
            let margin = Margin {
                right: theme::ROWS_MARGIN - space::L as i8,
                ..Margin::ZERO
            };
            egui::Frame::new().inner_margin(margin).show(ui, |ui| {
                placement_rows_ui(ui, &mut changed, longest_side);
                if settings.format == ExportFormat::Glb {
                    glb_rows_ui(ui, &mut changed);
                }
            });
        });
    }
    if changed != settings {
        commands.send(Command::SetExport(changed));
    }
    let obstacle = settings.format.obstacle(state.result.as_ref());
    let name = format!("Export {}…", settings.format.label());
    let button = Button::new(&name)
        .icon(Icon::Export)
        .height(size::PRIMARY)
        .wide()
        .keys(Command::Export.shortcut_text(ui.ctx()))
        .sentence(obstacle.unwrap_or("Choose where to write the file."))
        .enabled(obstacle.is_none() && !export.is_busy());
    if ui.add(button).clicked() {
        commands.send(Command::ExportAs(settings.format));
    }
    status_ui(ui, &export.status, obstacle, commands);
    capture_button_ui(ui, state, commands);
}

fn preset_row_ui(ui: &mut Ui, settings: &mut ExportSettings) {
    let help = "Sets everything below to what opens best there. Changing something makes it your own.";
    let shown = settings.preset().map_or("Custom", |preset| preset.name);
    let picked = plain_row_ui(ui, "Made for", help, |ui| {
        combo_ui(ui, "Made for", shown, ui.available_width(), |ui| {
            let row = |preset: &&ExportPreset| {
                let response = ui.selectable_label(preset.name == shown, preset.name);
                tooltip(response, preset.name, None, preset.summary).clicked()
            };
            // All rows are drawn, also those after the one that was clicked.
            PRESETS.iter().filter(row).last()
        })
    });
    if let Some(preset) = picked.flatten() {
        *settings = preset.settings;
    }
}

fn format_row_ui(ui: &mut Ui, settings: &mut ExportSettings) {
    let chosen = settings.format;
    let picked = plain_row_ui(ui, "Format", "What kind of file is written.", |ui| {
        combo_ui(ui, "Format", chosen.label(), ui.available_width(), |ui| {
            let row = |format: &ExportFormat| {
                let response = ui.selectable_label(*format == chosen, format.label());
                tooltip(response, format.label(), None, format.summary()).clicked()
            };
            ExportFormat::ALL.into_iter().filter(row).last()
        })
    });
    settings.format = picked.flatten().unwrap_or(chosen);
}

/// Size, origin and unit. `longest_side` is the mesh's own, 0 without a mesh.
fn placement_rows_ui(ui: &mut Ui, settings: &mut ExportSettings, longest_side: f32) {
    let unit = settings.unit;
    let per_metre = f64::from(unit.per_metre());
    let own = if longest_side > 0.0 { longest_side } else { 1.0 };
    let shown = f64::from(settings.placement.longest_side.unwrap_or(own));
    // As the slider rounds it, so that drawing it is no change: to a millimetre.
    let shown = (shown * 1000.0).round().max(1.0) / 1000.0 * per_metre;
    let range = (SMALLEST * per_metre).min(shown)..=(LARGEST * per_metre).max(shown);
    let field = NumberField {
        is_logarithmic: true,
        unit: unit.symbol(),
        field_width: 76.0,
        ..NumberField::new("Size", range, per_metre * 0.001)
    };
    let help =
        "Length of the longest side in the world it goes to. The dot brings back the size it was generated with.";
    let is_set = settings.placement.longest_side.is_some();
    let (is_reset, edit) = row_ui(ui, "Size", help, is_set, |ui| number_ui(ui, &field, shown));
    if is_reset {
        settings.placement.longest_side = None;
    } else if let Some(edit) = edit.filter(|edit| (edit.value - shown).abs() > per_metre * 0.0005) {
        settings.placement.longest_side = Some((edit.value / per_metre) as f32);
    }
    let pivots = [
        (Pivot::Model, "As is"),
        (Pivot::Center, "Center"),
        (Pivot::Bottom, "Bottom"),
    ];
    let help = "The point the object is placed and turned by. Bottom makes it stand on the ground.";
    choice_row_ui(ui, "Origin", help, &pivots, &mut settings.placement.pivot);
    let help = if settings.format.lacks_unit() {
        "What the numbers in the file count: meters for Blender, millimeters for slicers."
    } else {
        "What the size is shown in. This format knows its unit itself."
    };
    let units = LengthUnit::ALL.map(|unit| (unit, unit.symbol()));
    choice_row_ui(ui, "Unit", help, &units, &mut settings.unit);
}

fn glb_rows_ui(ui: &mut Ui, settings: &mut ExportSettings) {
    let formats = [
        (TextureFormat::Png, "PNG"),
        (TextureFormat::Jpeg, "JPEG"),
        (TextureFormat::WebP, "WebP"),
    ];
    let help = "PNG is exact and opens everywhere. JPEG makes the colors much smaller; relief stays PNG. \
        WebP is exact and smaller than PNG, but some programs cannot read it.";
    choice_row_ui(ui, "Textures as", help, &formats, &mut settings.texture_format);
    let quantize = "Stores vertices in fewer bits, about half the size, off by a 30,000th of the object at most. \
        Most programs read it; Unreal may not.";
    flip_row_ui(ui, "Compact vertices", quantize, &mut settings.is_quantized);
    let compress = "Packs the mesh with meshopt. For the web: Blender and Unreal cannot open it.";
    flip_row_ui(ui, "Compress for the web", compress, &mut settings.is_compressed);
}

fn choice_row_ui<T: Copy + PartialEq>(ui: &mut Ui, label: &str, help: &str, options: &[(T, &str)], value: &mut T) {
    let segments: Vec<_> = options.iter().map(|(_, name)| Segment::text(name)).collect();
    let chosen = options.iter().position(|(option, _)| option == value);
    let (_, picked) = row_ui(ui, label, help, false, |ui| segmented_ui(ui, label, &segments, chosen));
    if let Some(index) = picked {
        *value = options[index].0;
    }
}

/// A switch whose dot never shows: the presets say what is usual.
fn flip_row_ui(ui: &mut Ui, label: &str, help: &str, value: &mut bool) {
    switch_row_ui(ui, label, help, false, value);
}

fn status_ui(ui: &mut Ui, status: &ExportStatus, obstacle: Option<&str>, commands: &CommandSender) {
    let palette = Palette::of(ui);
    match status {
        ExportStatus::Idle => {
            if let Some(obstacle) = obstacle {
                ui.vertical_centered(|ui| ui.label(text::faint(ui, obstacle)));
            }
        }
        ExportStatus::Choosing => busy_ui(ui, "Waiting for a file name"),
        ExportStatus::Waiting { .. } => busy_ui(ui, "Bringing the textures up to date"),
        ExportStatus::Writing { .. } => busy_ui(ui, "Writing the file"),
        ExportStatus::Done { path, num_bytes } => {
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            ui.horizontal(|ui| {
                let (icon, _) = ui.allocate_exact_size(egui::vec2(size::ICON, size::CONTROL), egui::Sense::hover());
                Icon::Ok.paint(ui, icon, size::ICON, palette.ok);
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let show = Button::new("Show in folder")
                        .kind(ButtonKind::Quiet)
                        .height(size::CONTROL);
                    if ui.add(show).clicked() {
                        commands.send(Command::ShowInFolder(path.clone()));
                    }
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        let line = format!("{name}  {}", format::bytes(*num_bytes));
                        let line = RichText::new(line)
                            .text_style(text::caption())
                            .color(palette.text_muted);
                        ui.add(egui::Label::new(line).truncate());
                    });
                });
            });
        }
        ExportStatus::Failed(problem) => problem_ui(ui, problem),
    }
}

fn busy_ui(ui: &mut Ui, line: &str) {
    ui.horizontal(|ui| {
        spinner_ui(ui, size::ICON);
        ui.label(text::faint(ui, line));
    });
}
