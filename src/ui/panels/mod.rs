//! The window's parts, one file each. Every panel is a function of the state that sends commands.

mod bottom;
mod capture;
mod direction_menu;
mod drop_overlay;
mod engraving;
mod export;
mod finish;
mod frusta;
mod health;
mod left;
mod library;
mod log;
mod menu;
mod modals;
mod palette;
mod python;
mod queue;
mod settings;
mod stage_bar;
mod stage_compare;
mod stage_empty;
mod stage_light;
mod stage_modes;
mod status_bar;
mod toasts;
mod top_bar;
mod view_cube;
mod view_details;
mod view_row;
mod viewport;
mod views;

pub use bottom::bottom_panel_ui;
pub use drop_overlay::drop_overlay_ui;
pub use finish::right_panel_ui;
pub use left::left_panel_ui;
pub use modals::modal_ui;
pub use status_bar::status_bar_ui;
pub use toasts::toasts_ui;
pub use top_bar::top_bar_ui;
pub use viewport::viewport_ui;

use egui::{RichText, Ui};

use super::theme::{self, Palette, space, text};
use super::widgets::Tone;
use crate::app::state::{NoticeLevel, Problem};

/// What went wrong and what to do next, on a ground of its own.
fn problem_ui(ui: &mut Ui, problem: &Problem) {
    let palette = Palette::of(ui);
    let frame = theme::card_frame(palette)
        .fill(palette.error_tint)
        .inner_margin(egui::Margin::same(10));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.label(RichText::new(&problem.sentence).color(palette.error));
        if let Some(hint) = &problem.hint {
            ui.label(text::muted(ui, hint));
        }
    });
}

fn tone_of(level: NoticeLevel) -> Tone {
    match level {
        NoticeLevel::Debug | NoticeLevel::Info => Tone::Neutral,
        NoticeLevel::Success => Tone::Ok,
        NoticeLevel::Warning => Tone::Warning,
        NoticeLevel::Error => Tone::Error,
    }
}

/// `1 picture` or `3 pictures`.
fn num_frames(count: usize) -> String {
    if count == 1 {
        "1 picture".to_owned()
    } else {
        format!("{count} pictures")
    }
}
