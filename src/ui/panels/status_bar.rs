use egui::{Align, Layout, Panel, Ui};

use crate::app::CommandSender;
use crate::app::state::{AppState, BottomTab, GpuStatus};
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{Tone, chip_ui};

/// One line: what goes on, and what it runs on.
pub fn status_bar_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let frame = theme::panel_frame(palette).inner_margin(egui::Margin::symmetric(space::M as i8, 0));
    Panel::bottom("status_bar")
        .exact_size(size::STATUS_BAR)
        .frame(frame)
        .show(ui, |ui| {
            ui.allocate_ui_with_layout(ui.available_size(), Layout::left_to_right(Align::Center), |ui| {
                if state.log.num_unread_errors > 0 {
                    let label = match state.log.num_unread_errors {
                        1 => "1 error in the log".to_owned(),
                        many => format!("{many} errors in the log"),
                    };
                    let chip = chip_ui(ui, Some(Tone::Error.icon()), &label, Tone::Error);
                    if chip.interact(egui::Sense::click()).clicked() {
                        commands.send(crate::app::Command::SetBottomTab(BottomTab::Log));
                    }
                }
                ui.add(egui::Label::new(text::faint(ui, &state.status)).truncate());
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = space::L;
                    if let GpuStatus::Ready { is_software: true, .. } = &state.viewport.gpu {
                        ui.label(text::faint(
                            ui,
                            "No graphics card: the picture is drawn by the processor",
                        ));
                    }
                    if let Some(info) = state.engine.info() {
                        ui.label(text::faint(ui, format!("{} on {}", info.label, info.device)));
                    }
                });
            });
        });
}
