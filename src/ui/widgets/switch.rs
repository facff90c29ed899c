use egui::accesskit::Role;
use egui::{Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, lerp, pos2, vec2};

use crate::ui::theme::{Palette, size};

/// How wide a switch is, points.
pub(super) const SWITCH_WIDTH: f32 = 30.0;

/// A switch; `changed()` when it was flipped.
pub fn switch_ui(ui: &mut Ui, is_on: &mut bool, name: &str) -> Response {
    let palette = Palette::of(ui);
    let (rect, mut response) = ui.allocate_exact_size(vec2(SWITCH_WIDTH, 18.0), Sense::click());
    if response.clicked() {
        *is_on = !*is_on;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), *is_on, name));
    if ui.is_rect_visible(rect) {
        let share = ui.ctx().animate_bool_responsive(response.id, *is_on);
        let rail = if *is_on { palette.accent } else { palette.line_strong };
        let corner = rect.height() * 0.5;
        ui.painter().rect_filled(rect, corner, rail);
        if response.hovered() || response.has_focus() {
            let ring = Stroke::new(size::FOCUS, palette.text_faint);
            ui.painter().rect_stroke(rect, corner, ring, StrokeKind::Inside);
        }
        let knob = lerp((rect.left() + corner)..=(rect.right() - corner), share);
        ui.painter()
            .circle_filled(pos2(knob, rect.center().y), corner - 3.0, palette.on_accent);
    }
    response
}
