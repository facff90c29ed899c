//! Cameras on the stage as things to click: the one under the pointer lights up, a click looks through it.

use bozzetto_asset::Camera;
use egui::{Align2, CursorIcon, Pos2, Rect, Response, Shape, Stroke, Ui, pos2, vec2};

use crate::app::state::{AppState, Pane};
use crate::app::{Command, CommandSender};
use crate::ui::theme::{Palette, radius, space, text};

/// The far end of a frustum on the screen, and how far away it is.
struct SeenFrustum {
    place: usize,
    corners: [Pos2; 4],
    depth: f32,
}

/// Lights up the camera under the pointer and looks through it on a click. Returns whether there is one.
pub fn frusta_ui(ui: &Ui, stage: Rect, response: &Response, state: &AppState, commands: &CommandSender) -> bool {
    let viewport = &state.viewport;
    let comparison = viewport.comparison.as_ref();
    let pane = comparison.map_or(Pane::whole(stage), |comparison| comparison.panes(stage)[0]);
    let pointer = response.hover_pos().filter(|at| pane.visible.contains(*at));
    let (Some(pointer), false) = (pointer, response.dragged()) else {
        return false;
    };
    let eye = viewport.orbit.camera(pane.view.aspect_ratio());
    let settings = viewport.render_settings(viewport.mode);
    let seen = viewport.frusta.iter().enumerate();
    let seen = seen.filter(|(_, frustum)| settings.shows_frustum(&eye, &frustum.camera));
    let seen = seen
        .filter_map(|(place, frustum)| SeenFrustum::new(place, &frustum.camera, settings.camera_size, &eye, pane.view));
    let under = seen.filter(|frustum| frustum.contains(pointer));
    let Some(nearest) = under.min_by(|a, b| a.depth.total_cmp(&b.depth)) else {
        return false;
    };
    let palette = Palette::of(ui);
    let painter = ui.painter().with_clip_rect(pane.visible);
    painter.add(Shape::closed_line(
        nearest.corners.to_vec(),
        Stroke::new(2.5, palette.accent),
    ));
    let view = viewport.frusta[nearest.place]
        .view
        .and_then(|view| state.views.get(view));
    if let Some(view) = view {
        let foot = Rect::from_points(&nearest.corners).center_bottom() + vec2(0.0, space::S);
        let font = text::caption().resolve(ui.style());
        let galley = painter.layout_no_wrap(view.name.clone(), font, palette.text);
        let plate = Align2::CENTER_TOP.anchor_size(foot, galley.size() + vec2(2.0 * space::S, space::XS));
        painter.rect_filled(plate, radius::CONTROL, palette.veil);
        painter.galley(plate.min + vec2(space::S, space::XS * 0.5), galley, palette.text);
    }
    ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
    if response.clicked() {
        commands.send(Command::LookThroughFrustum(nearest.place));
    }
    true
}

impl SeenFrustum {
    /// Of a camera drawn in this size; `None` where it is not all before the eye.
    fn new(place: usize, camera: &Camera, size: f32, eye: &Camera, view: Rect) -> Option<Self> {
        let mut corners = [Pos2::ZERO; 4];
        let mut depth = 0.0;
        for (corner, point) in corners.iter_mut().zip(camera.picture_corners(size)) {
            let (at, corner_depth) = eye.project(point)?;
            *corner = pos2(view.left() + at.x * view.width(), view.top() + at.y * view.height());
            depth += corner_depth * 0.25;
        }
        Some(Self { place, corners, depth })
    }

    /// Whether a point lies on the same side of all four edges.
    fn contains(&self, point: Pos2) -> bool {
        let sides = [0, 1, 2, 3].map(|index| {
            let edge = self.corners[(index + 1) % 4] - self.corners[index];
            let offset = point - self.corners[index];
            edge.x * offset.y - edge.y * offset.x
        });
        sides.iter().all(|side| *side >= 0.0) || sides.iter().all(|side| *side <= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::Projection;

    use super::*;

    const VIEW: Rect = Rect {
        min: pos2(100.0, 0.0),
        max: pos2(900.0, 600.0),
    };

    #[test]
    fn a_camera_takes_the_pointer_where_its_picture_is_seen() {
        let projection = Projection::Perspective { fov_y_rad: 0.6 };
        let camera = Camera::orbit(0.5, 0.2, 1.5, projection, 1.0);
        let eye = Camera::orbit(0.3, 0.3, 4.0, projection, VIEW.aspect_ratio());
        let size = 0.3;
        let seen = SeenFrustum::new(0, &camera, size, &eye, VIEW).expect("before the eye");
        let (middle, _) = eye
            .project(camera.eye() + camera.forward() * size)
            .expect("before the eye");
        let middle = VIEW.min + VIEW.size() * vec2(middle.x, middle.y);
        assert!(seen.contains(middle));
        assert!(!seen.contains(middle + vec2(0.0, 200.0)));
        let behind = Camera::orbit(0.3, 0.3, 8.0, projection, 1.0);
        assert!(SeenFrustum::new(0, &behind, size, &eye, VIEW).is_none());
    }
}
