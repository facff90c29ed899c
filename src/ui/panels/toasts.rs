use egui::{Align2, Area, Order, Ui, vec2};

use super::stage_bar::FOOT_BAR;
use super::tone_of;
use super::viewport::stage_rect;
use crate::app::state::AppState;
use crate::app::{Command, CommandSender};
use crate::ui::theme::space;
use crate::ui::widgets::{ToastEdit, toast_ui};

/// Most notices shown at once; older ones are in the log.
const MAX_SHOWN: usize = 4;

/// Notices in the lower right corner of the stage, the newest at the foot.
pub fn toasts_ui(ui: &Ui, state: &AppState, commands: &CommandSender) {
    if state.toasts.is_empty() {
        return;
    }
    let bar = if state.viewport.has_bar_at_foot() {
        FOOT_BAR
    } else {
        0.0
    };
    let corner = stage_rect(ui.ctx()).right_bottom() - vec2(space::M, space::M + bar);
    Area::new(ui.scope_id().with("toasts"))
        .order(Order::Foreground)
        .pivot(Align2::RIGHT_BOTTOM)
        .fixed_pos(corner)
        .show(ui.ctx(), |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            let first = state.toasts.len().saturating_sub(MAX_SHOWN);
            for toast in &state.toasts[first..] {
                ui.push_id(toast.id, |ui| {
                    let action = toast.action.as_ref().map(|(label, _)| label.as_str());
                    let edit = toast_ui(ui, tone_of(toast.level), &toast.text, toast.hint.as_deref(), action);
                    match (edit, &toast.action) {
                        (Some(ToastEdit::Act), Some((_, command))) => {
                            commands.send(command.clone());
                            commands.send(Command::DismissToast(toast.id));
                        }
                        (Some(_), _) => commands.send(Command::DismissToast(toast.id)),
                        (None, _) => {}
                    }
                });
            }
        });
}
