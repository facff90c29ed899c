use egui::{Align, Layout, RichText, Ui, vec2};

use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, space, square, text};

/// What stands where nothing is yet: an icon, a headline, a sentence, and perhaps what to do about it.
pub fn empty_state_ui(ui: &mut Ui, icon: Icon, title: &str, sentence: &str, actions: impl FnOnce(&mut Ui)) {
    let palette = Palette::of(ui);
    let width = ui.available_width().min(340.0);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 0.0), Layout::top_down(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let side = 24.0;
        let (rect, _) = ui.allocate_exact_size(square(side), egui::Sense::hover());
        icon.paint(ui, rect, side, palette.text_faint);
        ui.add_space(space::XS);
        ui.label(RichText::new(title).text_style(text::section()));
        if !sentence.is_empty() {
            ui.scope(|ui| {
                ui.set_max_width(width);
                ui.label(text::muted(ui, sentence));
            });
        }
        ui.add_space(space::S);
        actions(ui);
    });
}
