//! What the window looks like. Everything here reads [`AppState`] and sends [`crate::app::Command`]s: no panel computes, waits, or
//! touches a file.
//!
//! - [`theme`] holds every colour, distance and text size; [`icons`] and [`fonts`] come with the program.
//! - [`widgets`] are controls that know nothing of the state: they take values and return what was done to them.
//! - [`panels`] put widgets together, one file a panel.

pub mod fonts;
pub mod format;
pub mod icons;
pub mod panels;
pub mod theme;
pub mod widgets;

use egui::{Rect, Ui};

use crate::app::CommandSender;
use crate::app::state::AppState;

/// Paints the 3D scene into a rectangle of the window, beneath the controls that float over it. Called once a frame while there
/// is something to draw; the rectangle tells the aspect.
pub type StagePainter<'a> = &'a dyn Fn(&Ui, Rect);

/// Fonts, icons and both themes; once, before the first frame.
pub fn install(ctx: &egui::Context) {
    theme::install(ctx);
}

/// Draws the whole window.
pub fn draw(ui: &mut Ui, state: &AppState, commands: &CommandSender, paint_stage: StagePainter<'_>) {
    theme::choose(ui.ctx(), state.layout.theme);
    panels::top_bar_ui(ui, state, commands);
    panels::status_bar_ui(ui, state, commands);
    if state.layout.shows_left {
        panels::left_panel_ui(ui, state, commands);
    }
    if state.layout.shows_right {
        panels::right_panel_ui(ui, state, commands);
    }
    if state.layout.shows_bottom {
        panels::bottom_panel_ui(ui, state, commands);
    }
    panels::viewport_ui(ui, state, commands, paint_stage);
    panels::toasts_ui(ui, state, commands);
    panels::drop_overlay_ui(ui, state);
    panels::modal_ui(ui, state, commands);
}
