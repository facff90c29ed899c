//! Three axes in the corner: they show how the eye is turned, and a click looks along one of them.

use bozzetto_asset::Direction;
use bozzetto_viewport::OrbitCamera;
use egui::accesskit::Role;
use egui::{Align2, Pos2, Sense, Stroke, Ui, WidgetInfo, vec2};
use glam::Vec3;

use crate::app::{Command, CommandSender};
use crate::ui::fonts;
use crate::ui::theme::{Palette, square};
use crate::ui::widgets::tooltip;

const RADIUS: f32 = 30.0;
const KNOB: f32 = 8.5;

/// An end of an axis.
struct End {
    toward: Vec3,
    label: &'static str,
    name: &'static str,
    axis: usize,
    direction: Direction,
}

const fn end(toward: Vec3, label: &'static str, name: &'static str, axis: usize, direction: Direction) -> End {
    End {
        toward,
        label,
        name,
        axis,
        direction,
    }
}

const ENDS: [End; 6] = [
    end(Vec3::X, "X", "Look from the left", 0, Direction::Left),
    end(Vec3::Y, "Y", "Look from the top", 1, Direction::Top),
    end(Vec3::Z, "Z", "Look from the front", 2, Direction::Front),
    end(Vec3::NEG_X, "", "Look from the right", 0, Direction::Right),
    end(Vec3::NEG_Y, "", "Look from below", 1, Direction::Bottom),
    end(Vec3::NEG_Z, "", "Look from the back", 2, Direction::Back),
];

/// Draws the axes about `center`.
pub fn gizmo_ui(ui: &mut Ui, center: Pos2, orbit: &OrbitCamera, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let view_from_world = orbit.camera(1.0).view_from_world();
    let mut ends: Vec<(&End, Vec3)> = ENDS
        .iter()
        .map(|end| (end, view_from_world.transform_vector3(end.toward)))
        .collect();
    ends.sort_by(|a, b| a.1.z.total_cmp(&b.1.z));
    for (end, in_view) in ends {
        let at = center + vec2(in_view.x, -in_view.y) * RADIUS;
        let color = palette.axes[end.axis];
        let is_positive = !end.label.is_empty();
        let response = ui.interact(
            egui::Rect::from_center_size(at, square(KNOB * 2.0)),
            ui.scope_id().with(("gizmo", end.name)),
            Sense::click(),
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, end.name));
        let is_lit = response.hovered() || response.has_focus();
        // What points away from the eye steps back.
        let strength = 0.55 + 0.45 * (in_view.z * 0.5 + 0.5);
        if is_positive {
            ui.painter()
                .line_segment([center, at], Stroke::new(2.0, color.gamma_multiply(strength)));
            ui.painter().circle_filled(at, KNOB, color.gamma_multiply(strength));
            let font = egui::FontId::new(10.5, fonts::semibold());
            ui.painter()
                .text(at, Align2::CENTER_CENTER, end.label, font, palette.on_axes);
        } else {
            ui.painter().circle(
                at,
                KNOB - 3.0,
                palette.veil,
                Stroke::new(1.5, color.gamma_multiply(strength)),
            );
        }
        if is_lit {
            ui.painter()
                .circle_stroke(at, KNOB + 1.0, Stroke::new(1.5, palette.text));
        }
        let command = Command::LookFrom(end.direction);
        if tooltip(response, end.name, None, "").clicked() {
            commands.send(command);
        }
    }
}
