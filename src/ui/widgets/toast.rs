use egui::{Align, Layout, RichText, Ui, vec2};

use super::{Button, IconButton, Tone};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, square, text};

/// What was done to a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToastEdit {
    /// Closed.
    Close,
    /// Its button was pressed.
    Act,
}

/// A notice that floats over the window.
pub fn toast_ui(ui: &mut Ui, tone: Tone, line: &str, hint: Option<&str>, action: Option<&str>) -> Option<ToastEdit> {
    let palette = Palette::of(ui);
    let mut edit = None;
    let frame = theme::card_frame(palette)
        .corner_radius(theme::radius::FLOAT)
        .stroke(egui::Stroke::new(size::LINE, palette.line_strong))
        .shadow(ui.visuals().popup_shadow);
    frame.show(ui, |ui| {
        ui.set_width(340.0);
        ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let (icon_rect, _) = ui.allocate_exact_size(square(20.0), egui::Sense::hover());
            tone.icon().paint(ui, icon_rect, 18.0, tone.color(palette));
            ui.allocate_ui_with_layout(
                vec2(ui.available_width() - size::CONTROL, 0.0),
                Layout::top_down(Align::Min),
                |ui| {
                    ui.spacing_mut().item_spacing.y = space::XS;
                    ui.set_min_width(ui.available_width());
                    ui.label(RichText::new(line).text_style(text::strong()));
                    if let Some(hint) = hint {
                        ui.label(text::muted(ui, hint));
                    }
                    if let Some(action) = action {
                        ui.add_space(space::XS);
                        if ui.add(Button::new(action).height(size::CONTROL)).clicked() {
                            edit = Some(ToastEdit::Act);
                        }
                    }
                },
            );
            if ui
                .add(IconButton::new(Icon::Close, "Close notice").side(22.0))
                .clicked()
            {
                edit = Some(ToastEdit::Close);
            }
        });
    });
    edit
}
