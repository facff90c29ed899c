use egui::{Panel, Ui};

use super::{settings, views};
use crate::app::CommandSender;
use crate::app::state::AppState;
use crate::ui::theme::{self, Palette, space};

/// Pictures above, parameters below, and the button that starts the work.
pub fn left_panel_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let frame = theme::panel_frame(palette);
    Panel::left("left")
        .resizable(true)
        .default_size(324.0)
        .size_range(272.0..=440.0)
        .frame(frame)
        .show(ui, |ui| {
            let room = ui.available_height();
            let padded = frame.inner_margin(egui::Margin::same(space::L as i8));
            Panel::bottom("generate").resizable(false).frame(padded).show(ui, |ui| {
                settings::generate_ui(ui, state, commands);
            });
            Panel::top("views")
                .resizable(true)
                .default_size((room * 0.42).clamp(200.0, 420.0))
                .size_range(140.0..=(room - 220.0).max(160.0))
                .frame(frame)
                .show(ui, |ui| views::views_ui(ui, state, commands));
            egui::CentralPanel::no_frame().show(ui, |ui| settings::settings_ui(ui, state, commands));
        });
}
