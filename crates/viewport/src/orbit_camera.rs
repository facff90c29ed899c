use std::f32::consts::{FRAC_PI_2, PI, TAU};

use bozzetto_asset::{Camera, Direction, Projection};
use glam::{Vec2, Vec3};

use crate::Bounds;

/// Room left about framed content, as a factor on the distance.
const FRAME_MARGIN: f32 = 1.12;
const MIN_DISTANCE: f32 = 0.02;
const MAX_DISTANCE: f32 = 200.0;

/// A camera that circles a target, as artists steer it. Plain numbers: save it, compare it, blend it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrbitCamera {
    /// The point circled and looked at, model frame, metres.
    pub target: Vec3,
    /// 0 sees the front (+Z); grows towards +X. Radians.
    pub azimuth_rad: f32,
    /// Height angle, `[-pi/2, pi/2]`. Radians.
    pub elevation_rad: f32,
    /// From the eye to the target, metres.
    pub distance: f32,
    /// Full vertical field of view, radians. Kept while orthographic, where it sets the size together with `distance`.
    pub fov_y_rad: f32,
    /// Parallel instead of perspective projection; the target keeps its size on screen when this flips.
    pub is_orthographic: bool,
}

impl Default for OrbitCamera {
    fn default() -> Self {
        let mut camera = Self {
            target: Vec3::ZERO,
            azimuth_rad: 35_f32.to_radians(),
            elevation_rad: 18_f32.to_radians(),
            distance: 2.0,
            fov_y_rad: 35_f32.to_radians(),
            is_orthographic: false,
        };
        camera.frame(Bounds::UNIT);
        camera
    }
}

impl OrbitCamera {
    /// Turns about the target by angles in radians: positive x moves the eye towards +X from the front, positive y up.
    pub fn orbit(&mut self, delta_rad: Vec2) {
        if delta_rad.is_finite() {
            self.azimuth_rad = (self.azimuth_rad + delta_rad.x).rem_euclid(TAU);
            self.elevation_rad = (self.elevation_rad + delta_rad.y).clamp(-FRAC_PI_2, FRAC_PI_2);
        }
    }

    /// Turns as [`Self::orbit`] does, but about a point of the model frame that keeps its place on the picture.
    pub fn orbit_about(&mut self, pivot: Vec3, delta_rad: Vec2) {
        let before = self.camera(1.0).world_from_view.matrix3;
        self.orbit(delta_rad);
        if pivot.is_finite() {
            let turn = self.camera(1.0).world_from_view.matrix3 * before.transpose();
            self.target = pivot + turn * (self.target - pivot);
        }
    }

    /// Moves target and eye in the image plane by a fraction of the view's height: x right, y up. To drag the scene
    /// with a pointer, pass the negated pointer motion over the view's height in x, and the motion itself in y (down).
    pub fn pan(&mut self, delta: Vec2) {
        if delta.is_finite() {
            let rotation = self.camera(1.0).world_from_view.matrix3;
            let offset = (rotation.x_axis * delta.x + rotation.y_axis * delta.y) * self.view_height();
            self.target += Vec3::from(offset);
        }
    }

    /// Multiplies the distance: below 1 comes closer, above 1 moves away.
    pub fn zoom(&mut self, factor: f32) {
        if factor.is_finite() && factor > 0.0 {
            self.distance = (self.distance * factor).clamp(MIN_DISTANCE, MAX_DISTANCE);
        }
    }

    /// Shows all of a box in a square view without turning.
    pub fn frame(&mut self, bounds: Bounds) {
        self.frame_in(bounds, 1.0);
    }

    /// Shows all of a box in a view of the given aspect (width over height) without turning.
    pub fn frame_in(&mut self, bounds: Bounds, aspect: f32) {
        self.target = bounds.center();
        let tan_y = (self.fov_y_rad * 0.5).tan();
        let tan_x = tan_y * aspect.clamp(0.05, 20.0);
        let rotation = self.camera(1.0).world_from_view.matrix3;
        let needed = bounds.corners().into_iter().map(|corner| {
            let local = rotation.transpose() * glam::Vec3A::from(corner - self.target);
            let toward_eye = if self.is_orthographic { 0.0 } else { local.z };
            (local.y.abs() / tan_y).max(local.x.abs() / tan_x) + toward_eye
        });
        let distance = needed.fold(MIN_DISTANCE, f32::max) * FRAME_MARGIN;
        self.distance = distance.clamp(MIN_DISTANCE, MAX_DISTANCE);
    }

    /// [`Self::frame_in`] from far enough away that the box stays in sight while the eye goes all the way round it.
    pub fn frame_turning_in(&mut self, bounds: Bounds, aspect: f32) {
        const NUM_SIDES: u32 = 32;
        let mut farthest = 0.0_f32;
        for side in 0..NUM_SIDES {
            let mut seen = *self;
            seen.azimuth_rad += TAU * side as f32 / NUM_SIDES as f32;
            seen.frame_in(bounds, aspect);
            farthest = farthest.max(seen.distance);
        }
        self.target = bounds.center();
        self.distance = farthest;
    }

    /// Turns to a named side; target and distance stay.
    pub fn look_from(&mut self, direction: Direction) {
        let (azimuth_deg, elevation_deg) = direction.azimuth_elevation_deg();
        self.azimuth_rad = azimuth_deg.to_radians().rem_euclid(TAU);
        self.elevation_rad = elevation_deg.to_radians().clamp(-FRAC_PI_2, FRAC_PI_2);
    }

    /// The camera that draws, for an image of `aspect` (width over height).
    pub fn camera(&self, aspect: f32) -> Camera {
        let projection = if self.is_orthographic {
            Projection::Orthographic {
                height: self.view_height(),
            }
        } else {
            Projection::Perspective {
                fov_y_rad: self.fov_y_rad,
            }
        };
        let mut camera = Camera::orbit(self.azimuth_rad, self.elevation_rad, self.distance, projection, aspect);
        camera.world_from_view.translation += glam::Vec3A::from(self.target);
        camera
    }

    /// Height of the view through the target, metres.
    pub fn view_height(&self) -> f32 {
        2.0 * self.distance * (self.fov_y_rad * 0.5).tan()
    }

    /// A camera on the way from this one to another, for smooth moves: `t` in `[0, 1]` eases in and out, the azimuth
    /// takes the shorter way round, the distance changes by equal factors.
    #[must_use]
    pub fn interpolated(&self, other: &Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        let eased = t * t * (3.0 - 2.0 * t);
        let mix = |from: f32, to: f32| from + (to - from) * eased;
        let turn = (other.azimuth_rad - self.azimuth_rad + PI).rem_euclid(TAU) - PI;
        let ratio = other.distance / self.distance;
        Self {
            target: self.target.lerp(other.target, eased),
            azimuth_rad: (self.azimuth_rad + turn * eased).rem_euclid(TAU),
            elevation_rad: mix(self.elevation_rad, other.elevation_rad),
            distance: self.distance * ratio.powf(eased),
            fov_y_rad: mix(self.fov_y_rad, other.fov_y_rad),
            is_orthographic: if eased < 0.5 {
                self.is_orthographic
            } else {
                other.is_orthographic
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_turned_about_keeps_its_place() {
        let mut orbit = OrbitCamera::default();
        let pivot = Vec3::new(0.2, 0.3, -0.1);
        let place = |orbit: &OrbitCamera| orbit.camera(1.5).project(pivot).expect("in front");
        let before = place(&orbit);
        // The last turn runs into the pole, which stops it.
        for delta in [Vec2::new(0.4, 0.2), Vec2::new(-2.0, 0.5), Vec2::new(0.1, 9.0)] {
            orbit.orbit_about(pivot, delta);
            let after = place(&orbit);
            assert!(
                after.0.abs_diff_eq(before.0, 1e-4) && (after.1 - before.1).abs() < 1e-4,
                "{after:?}"
            );
        }
    }

    #[test]
    fn framing_keeps_every_corner_inside_and_wastes_little() {
        let bounds = Bounds {
            min: Vec3::new(-0.5, -0.1, -0.3),
            max: Vec3::new(0.4, 0.5, 0.2),
        };
        for (is_orthographic, aspect) in [(false, 1.0), (false, 0.4), (true, 2.5), (false, 2.0), (true, 0.7)] {
            let mut orbit = OrbitCamera {
                is_orthographic,
                ..OrbitCamera::default()
            };
            orbit.frame_in(bounds, aspect);
            let camera = orbit.camera(aspect);
            let reach = bounds.corners().into_iter().fold(0.0_f32, |reach, corner| {
                let (at, _) = camera.project(corner).expect("in front");
                reach.max((at - Vec2::splat(0.5)).abs().max_element())
            });
            assert!(reach <= 0.5 && reach > 0.38, "{reach} at aspect {aspect}");
        }
    }

    #[test]
    fn a_box_that_turns_stays_in_sight() {
        let bounds = Bounds {
            min: Vec3::new(-0.5, -0.1, -0.1),
            max: Vec3::new(0.5, 0.1, 0.1),
        };
        for aspect in [0.6, 1.0, 2.0] {
            // Seen end on, where it is narrow.
            let mut orbit = OrbitCamera::default();
            orbit.look_from(Direction::Left);
            orbit.frame_turning_in(bounds, aspect);
            for step in 0..40 {
                let mut turned = orbit;
                turned.azimuth_rad += TAU * step as f32 / 40.0;
                for corner in bounds.corners() {
                    let (at, _) = turned.camera(aspect).project(corner).expect("in front");
                    assert!(
                        at.cmpge(Vec2::ZERO).all() && at.cmple(Vec2::ONE).all(),
                        "{at} at {aspect}"
                    );
                }
            }
        }
    }

    #[test]
    fn pan_moves_the_target_by_the_fraction_asked() {
        let mut orbit = OrbitCamera::default();
        let before = orbit.target;
        orbit.pan(Vec2::new(0.25, -0.1));
        let (at, _) = orbit.camera(1.0).project(before).expect("in front");
        assert!(at.abs_diff_eq(Vec2::new(0.25, 0.4), 1e-5), "{at}");
    }

    #[test]
    fn interpolation_meets_both_ends_and_turns_the_short_way() {
        let from = OrbitCamera {
            azimuth_rad: 350_f32.to_radians(),
            ..OrbitCamera::default()
        };
        let to = OrbitCamera {
            azimuth_rad: 10_f32.to_radians(),
            distance: from.distance * 4.0,
            ..from
        };
        let close = |a: OrbitCamera, b: OrbitCamera| {
            let turn = (a.azimuth_rad - b.azimuth_rad + PI).rem_euclid(TAU) - PI;
            turn.abs() < 1e-5 && (a.distance - b.distance).abs() < 1e-4
        };
        assert!(close(from.interpolated(&to, 0.0), from));
        assert!(close(from.interpolated(&to, 1.0), to));
        let middle = from.interpolated(&to, 0.5);
        let azimuth = (middle.azimuth_rad + PI).rem_euclid(TAU) - PI;
        assert!(azimuth.abs() < 1e-4, "{azimuth}");
        assert!((middle.distance - from.distance * 2.0).abs() < 1e-3);
    }

    #[test]
    fn named_sides_see_what_they_say() {
        let mut orbit = OrbitCamera::default();
        orbit.look_from(Direction::Left);
        assert!(orbit.camera(1.0).forward().abs_diff_eq(Vec3::NEG_X, 1e-5));
        orbit.look_from(Direction::Top);
        assert!(orbit.camera(1.0).forward().abs_diff_eq(Vec3::NEG_Y, 1e-5));
    }

    #[test]
    fn orthographic_toggle_keeps_the_target_plane() {
        let mut orbit = OrbitCamera::default();
        let camera = orbit.camera(1.3);
        let beside = orbit.target + Vec3::from(camera.world_from_view.matrix3.x_axis) * 0.3;
        let (perspective, _) = camera.project(beside).expect("in front");
        orbit.is_orthographic = true;
        let (parallel, _) = orbit.camera(1.3).project(beside).expect("in front");
        assert!(perspective.abs_diff_eq(parallel, 1e-5));
    }
}
