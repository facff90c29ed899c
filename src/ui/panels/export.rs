use bozzetto_asset::formats::glb::TextureFormat;
use egui::{RichText, Ui};

use super::capture::capture_button_ui;
use super::problem_ui;
use crate::app::state::{AppState, ExportFormat, ExportStatus};
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, size, space, text};
use crate::ui::widgets::{Button, ButtonKind, Segment, plain_row_ui, section_header_ui, segmented_ui, spinner_ui};

/// Format, button, and how the last export went; pinned to the panel's foot.
pub fn export_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.spacing_mut().item_spacing.y = space::S;
    let export = &state.export;
    section_header_ui(ui, "Export", "", |_| {});
    let segments: Vec<_> = ExportFormat::ALL
        .iter()
        .map(|format| Segment::text(format.label()))
        .collect();
    let chosen = ExportFormat::ALL.iter().position(|format| *format == export.format);
    if let Some(index) = segmented_ui(ui, "Format", &segments, chosen) {
        commands.send(Command::SetExportFormat(ExportFormat::ALL[index]));
    }
    ui.label(text::faint(ui, export.format.summary()));
    if export.format == ExportFormat::Glb {
        texture_format_ui(ui, export.texture_format, commands);
    }
    let obstacle = export.format.obstacle(state.result.as_ref());
    let name = format!("Export {}…", export.format.label());
    let button = Button::new(&name)
        .icon(Icon::Export)
        .height(size::PRIMARY)
        .wide()
        .keys(Command::Export.shortcut_text(ui.ctx()))
        .sentence(obstacle.unwrap_or("Choose where to write the file."))
        .enabled(obstacle.is_none() && !export.is_busy());
    if ui.add(button).clicked() {
        commands.send(Command::ExportAs(export.format));
    }
    status_ui(ui, &export.status, obstacle, commands);
    capture_button_ui(ui, state, commands);
}

fn texture_format_ui(ui: &mut Ui, format: TextureFormat, commands: &CommandSender) {
    let formats = [TextureFormat::Png, TextureFormat::WebP];
    let segments = [Segment::text("PNG"), Segment::text("WebP")];
    let help = "PNG opens everywhere. WebP is smaller, but some programs cannot read it.";
    let chosen = formats.iter().position(|other| *other == format);
    let picked = plain_row_ui(ui, "Textures as", help, |ui| {
        segmented_ui(ui, "Textures as", &segments, chosen)
    });
    if let Some(index) = picked {
        commands.send(Command::SetTextureFormat(formats[index]));
    }
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
