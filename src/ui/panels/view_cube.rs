//! A cube in the corner that turns with the eye: a click on a face, an edge or a corner looks from there, a drag turns.

use bozzetto_asset::Direction;
use bozzetto_viewport::OrbitCamera;
use egui::accesskit::Role;
use egui::{CursorIcon, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, vec2};
use glam::{Affine3A, Vec3};

use super::engraving::engraved;
use crate::app::{Command, CommandSender};
use crate::ui::theme::{Palette, square};
use crate::ui::widgets::tooltip;

/// Half an edge of the cube, points.
const HALF: f32 = 22.0;
/// Half the square that the cube never leaves, however it is turned.
pub const REACH: f32 = HALF * 1.74;
/// From the middle of a face to where its edges and corners begin, as a share of half an edge.
const FACE: f32 = 0.58;
/// Half the square in the middle of a face that the keyboard reaches.
const BUTTON: f32 = 6.0;
/// How much a face must face the eye for that.
const BUTTON_FACING: f32 = 0.3;
/// Turn of the eye a point of dragging, radians.
const TURN_PER_POINT: f32 = 0.012;

/// A side of the cube. `across` and `down` are how its word runs.
struct Face {
    toward: Vec3,
    across: Vec3,
    down: Vec3,
    word: &'static str,
    name: &'static str,
    direction: Direction,
}

const fn face([toward, across, down]: [Vec3; 3], word: &'static str, name: &'static str, direction: Direction) -> Face {
    Face {
        toward,
        across,
        down,
        word,
        name,
        direction,
    }
}

/// The object's own left is where +X is.
const FACES: [Face; 6] = [
    face(
        [Vec3::Z, Vec3::X, Vec3::NEG_Y],
        "FRONT",
        "Look from the front",
        Direction::Front,
    ),
    face(
        [Vec3::NEG_Z, Vec3::NEG_X, Vec3::NEG_Y],
        "BACK",
        "Look from the back",
        Direction::Back,
    ),
    face(
        [Vec3::X, Vec3::NEG_Z, Vec3::NEG_Y],
        "LEFT",
        "Look from the left",
        Direction::Left,
    ),
    face(
        [Vec3::NEG_X, Vec3::Z, Vec3::NEG_Y],
        "RIGHT",
        "Look from the right",
        Direction::Right,
    ),
    face([Vec3::Y, Vec3::X, Vec3::Z], "TOP", "Look from the top", Direction::Top),
    face(
        [Vec3::NEG_Y, Vec3::X, Vec3::NEG_Z],
        "BOTTOM",
        "Look from below",
        Direction::Bottom,
    ),
];

/// A face as it is seen: a place on it is `center + across * a + down * b` with `a` and `b` in `[-1, 1]`.
struct SeenFace {
    face: &'static Face,
    center: Pos2,
    across: Vec2,
    down: Vec2,
    /// 1 when it faces the eye, near 0 when it is about to turn away.
    facing: f32,
}

/// The part of a face that the pointer is over: -1, 0 or 1 along each of its axes; both 0 is its middle.
type Cell = [i8; 2];

impl SeenFace {
    fn new(face: &'static Face, center: Pos2, view_from_world: &Affine3A) -> Option<Self> {
        let on_screen = |direction: Vec3| {
            let in_view = view_from_world.transform_vector3(direction);
            vec2(in_view.x, -in_view.y) * HALF
        };
        let facing = view_from_world.transform_vector3(face.toward).z;
        (facing > 0.02).then(|| Self {
            face,
            center: center + on_screen(face.toward),
            across: on_screen(face.across),
            down: on_screen(face.down),
            facing,
        })
    }

    fn at(&self, a: f32, b: f32) -> Pos2 {
        self.center + self.across * a + self.down * b
    }

    fn quad(&self, [left, right]: [f32; 2], [top, bottom]: [f32; 2]) -> Vec<Pos2> {
        vec![
            self.at(left, top),
            self.at(right, top),
            self.at(right, bottom),
            self.at(left, bottom),
        ]
    }

    fn cell(&self, pointer: Pos2) -> Option<Cell> {
        let offset = pointer - self.center;
        let area = self.across.x * self.down.y - self.across.y * self.down.x;
        let a = (offset.x * self.down.y - offset.y * self.down.x) / area;
        let b = (self.across.x * offset.y - self.across.y * offset.x) / area;
        let part = |place: f32| if place.abs() > FACE { place.signum() as i8 } else { 0 };
        (a.abs() <= 1.0 && b.abs() <= 1.0).then(|| [part(a), part(b)])
    }

    fn outline(&self, cell: Cell) -> Vec<Pos2> {
        let span = |part: i8| match part {
            -1 => [-1.0, -FACE],
            1 => [FACE, 1.0],
            _ => [-FACE, FACE],
        };
        self.quad(span(cell[0]), span(cell[1]))
    }

    fn direction(&self, [a, b]: Cell) -> Direction {
        if [a, b] == [0, 0] {
            return self.face.direction;
        }
        let toward = self.face.toward + self.face.across * f32::from(a) + self.face.down * f32::from(b);
        let toward = toward.normalize();
        Direction::Free {
            azimuth_deg: toward.x.atan2(toward.z).to_degrees(),
            elevation_deg: toward.y.asin().to_degrees(),
        }
    }
}

/// Draws the cube about `center`.
pub fn view_cube_ui(ui: &mut Ui, center: Pos2, orbit: &OrbitCamera, commands: &CommandSender) {
    let view_from_world = orbit.camera(1.0).view_from_world();
    let seen = FACES
        .iter()
        .filter_map(|face| SeenFace::new(face, center, &view_from_world));
    let seen: Vec<_> = seen.collect();
    let reach = Rect::from_center_size(center, square(2.0 * REACH));
    let response = ui.interact(reach, ui.scope_id().with("view cube"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Group, true, "View cube"));
    // In the frame of the press the motion includes the way to the press.
    if response.dragged() && !response.drag_started() {
        let motion = response.drag_delta();
        let mut turned = *orbit;
        turned.orbit(glam::Vec2::new(-motion.x, motion.y) * TURN_PER_POINT);
        if turned != *orbit {
            commands.send(Command::SetOrbit(turned));
        }
    }
    let pointer = response.hover_pos().filter(|_| !response.dragged());
    let under = pointer.and_then(|pointer| seen.iter().find_map(|face| Some((face, face.cell(pointer)?))));
    for face in &seen {
        let lit = under.filter(|(other, _)| std::ptr::eq(*other, face));
        paint_face(ui, face, lit.map(|(_, cell)| cell));
    }
    if let Some((face, cell)) = under {
        ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
        if response.clicked() {
            commands.send(Command::LookFrom(face.direction(cell)));
        }
    }
    // A face that is nearly hidden lies under the edge of another.
    for face in seen.iter().filter(|face| face.facing > BUTTON_FACING) {
        button_ui(ui, face, commands);
    }
}

fn paint_face(ui: &Ui, face: &SeenFace, lit: Option<Cell>) {
    let palette = Palette::of(ui);
    let shade = 0.72 + 0.28 * face.facing;
    let fill = palette.control.lerp_to_gamma(palette.raised, 1.0 - shade);
    let edge = Stroke::new(1.0, palette.line_strong);
    ui.painter()
        .add(Shape::convex_polygon(face.quad([-1.0, 1.0], [-1.0, 1.0]), fill, edge));
    if let Some(cell) = lit {
        ui.painter()
            .add(Shape::convex_polygon(face.outline(cell), palette.accent, Stroke::NONE));
    }
    let color = match lit {
        Some([0, 0]) => palette.on_accent,
        _ => palette.text.gamma_multiply(0.35 + 0.65 * face.facing),
    };
    for stroke in engraved(face.face.word) {
        let points = stroke.into_iter().map(|[a, b]| face.at(a, b)).collect();
        ui.painter().add(Shape::line(points, Stroke::new(1.2, color)));
    }
}

/// The middle of a face as a button, for the keyboard and for who does not see the cube.
fn button_ui(ui: &Ui, face: &SeenFace, commands: &CommandSender) {
    let rect = Rect::from_center_size(face.center, square(2.0 * BUTTON));
    let id = ui.scope_id().with(("view cube", face.face.word));
    let response: Response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, face.face.name));
    if response.has_focus() {
        let ring = Stroke::new(1.5, Palette::of(ui).accent_text);
        ui.painter().add(Shape::closed_line(face.outline([0, 0]), ring));
    }
    if response.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
    }
    if tooltip(response, face.face.name, None, "").clicked() {
        commands.send(Command::LookFrom(face.face.direction));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_cube_looks_from_where_it_is() {
        for (azimuth_rad, elevation_rad) in [(0.6, 0.4), (2.5, -0.5), (4.0, 0.1)] {
            let orbit = OrbitCamera {
                azimuth_rad,
                elevation_rad,
                ..OrbitCamera::default()
            };
            let camera = orbit.camera(1.0);
            let view_from_world = camera.view_from_world();
            let seen: Vec<_> = FACES
                .iter()
                .filter_map(|face| SeenFace::new(face, Pos2::ZERO, &view_from_world))
                .collect();
            assert_eq!(seen.len(), 3);
            for face in &seen {
                assert_eq!(face.cell(face.center), Some([0, 0]));
                for cell in [[1, 0], [0, -1], [1, 1], [-1, 1]] {
                    let at = face.at(f32::from(cell[0]) * 0.8, f32::from(cell[1]) * 0.8);
                    assert_eq!(face.cell(at), Some(cell));
                    // The eye goes to the side of the model that the place on the cube stands for.
                    let mut looked = orbit;
                    looked.look_from(face.direction(cell));
                    let toward = -looked.camera(1.0).forward();
                    let place =
                        face.face.toward + face.face.across * f32::from(cell[0]) + face.face.down * f32::from(cell[1]);
                    assert!(toward.dot(place.normalize()) > 0.999, "{} {cell:?}", face.face.word);
                }
            }
        }
    }

    #[test]
    fn words_read_upright_when_looked_at() {
        for face in &FACES {
            let mut orbit = OrbitCamera {
                azimuth_rad: 0.0,
                ..OrbitCamera::default()
            };
            orbit.look_from(face.direction);
            let seen = SeenFace::new(face, Pos2::ZERO, &orbit.camera(1.0).view_from_world()).expect("seen");
            assert!((seen.across - vec2(HALF, 0.0)).length() < 0.01, "{}", face.word);
            assert!((seen.down - vec2(0.0, HALF)).length() < 0.01, "{}", face.word);
        }
    }
}
