//! Controls: they take values and return what was done to them, and know nothing of the state.

mod button;
mod card;
mod chip;
mod choice;
mod drop_zone;
mod empty_state;
mod icon_button;
mod number;
mod param_row;
mod picture;
mod progress;
mod section;
mod seed_field;
mod switch;
mod toast;

pub use button::{Button, ButtonKind};
pub use card::{Card, card_ui, paint_line};
pub use chip::{Tone, badge_ui, chip_ui, key_hint_ui};
pub use choice::{Segment, combo_ui, segmented_ui};
pub use drop_zone::{DropZone, drop_zone_ui, paint_strip};
pub use empty_state::empty_state_ui;
pub use icon_button::IconButton;
pub use number::{Edit, NumberField, number_ui, slider_ui};
pub use param_row::{ParamEdit, param_row_ui, plain_row_ui, row_ui, switch_row_ui};
pub use picture::{Fit, paint_checker, paint_picture};
pub use progress::{progress_bar_ui, spinner_ui};
pub use section::{group_ui, rule_ui, section_header_ui};
pub use seed_field::{SeedEdit, seed_field_ui};
pub use switch::switch_ui;
pub use toast::{ToastEdit, toast_ui};

use egui::{Layout, Rect, Response, Ui, UiBuilder};

/// Draws into a rectangle that was allocated before, without moving the place of what follows.
pub fn place_ui<R>(ui: &mut Ui, rect: Rect, layout: Layout, content: impl FnOnce(&mut Ui) -> R) -> R {
    content(&mut ui.new_child(UiBuilder::new().max_rect(rect).layout(layout)))
}

/// Shows a tooltip: a title with its keys, and a sentence below.
pub fn tooltip(response: Response, title: &str, keys: Option<&str>, sentence: &str) -> Response {
    let content = |ui: &mut Ui| {
        ui.set_max_width(ui.spacing().tooltip_width);
        ui.horizontal(|ui| {
            ui.label(egui::RichText::new(title).text_style(super::theme::text::strong()));
            if let Some(keys) = keys {
                key_hint_ui(ui, keys);
            }
        });
        if !sentence.is_empty() && sentence.trim_end_matches('.') != title {
            ui.label(super::theme::text::muted(ui, sentence));
        }
    };
    response.on_hover_ui(content).on_disabled_hover_ui(content)
}
