use glam::{Affine3A, Mat4, Vec2, Vec3};
use serde::{Deserialize, Serialize};

/// How a camera maps view space to the image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Projection {
    /// A pinhole with the full vertical field of view in radians.
    Perspective {
        /// Full vertical field of view, radians.
        fov_y_rad: f32,
    },
    /// Parallel rays; `height` metres of the model fill the image from top to bottom.
    Orthographic {
        /// Height of the image in metres.
        height: f32,
    },
}

/// A camera in the model frame. View space is OpenGL's: +X right, +Y up, looking along -Z.
///
/// The principal point is the image centre; `aspect` is width over height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Rigid transform from view space to the model frame.
    pub world_from_view: Affine3A,
    /// Perspective or orthographic.
    pub projection: Projection,
    /// Image width over image height.
    pub aspect: f32,
}

impl Camera {
    /// A camera at `eye` that looks at `target` with +Y up (falls back to -Z up when looking straight up or down).
    pub fn look_at(eye: Vec3, target: Vec3, projection: Projection, aspect: f32) -> Self {
        let forward = (target - eye).normalize_or(Vec3::NEG_Z);
        let up_hint = if forward.y.abs() > 0.999 {
            Vec3::NEG_Z * forward.y.signum() * -1.0
        } else {
            Vec3::Y
        };
        let right = forward.cross(up_hint).normalize_or(Vec3::X);
        let up = right.cross(forward);
        let rotation = glam::Mat3::from_cols(right, up, -forward);
        Self {
            world_from_view: Affine3A::from_mat3_translation(rotation, eye),
            projection,
            aspect,
        }
    }

    /// A camera on a sphere about the origin. Azimuth 0 is the front (+Z); it grows towards +X, so +90 sees the
    /// object's left side as the object itself would name it. Elevation grows upwards. All in radians and metres.
    pub fn orbit(azimuth_rad: f32, elevation_rad: f32, distance: f32, projection: Projection, aspect: f32) -> Self {
        let (sin_azimuth, cos_azimuth) = azimuth_rad.sin_cos();
        let (sin_elevation, cos_elevation) = elevation_rad.sin_cos();
        let toward_eye = Vec3::new(sin_azimuth * cos_elevation, sin_elevation, cos_azimuth * cos_elevation);
        // The right vector depends on the azimuth alone, so the poles need no special case.
        let right = Vec3::new(cos_azimuth, 0.0, -sin_azimuth);
        let up = toward_eye.cross(right);
        let rotation = glam::Mat3::from_cols(right, up, toward_eye);
        Self {
            world_from_view: Affine3A::from_mat3_translation(rotation, toward_eye * distance),
            projection,
            aspect,
        }
    }

    /// Whether rays and projections of this camera are numbers: a finite transform that can be undone, a field of
    /// view between 0 and half a turn or a height above 0, and an aspect above 0. For cameras from outside.
    pub fn is_usable(&self) -> bool {
        let is_positive = |value: f32| value.is_finite() && value > 0.0;
        let has_lens = match self.projection {
            Projection::Perspective { fov_y_rad } => is_positive(fov_y_rad) && fov_y_rad < std::f32::consts::PI,
            Projection::Orthographic { height } => is_positive(height),
        };
        // The determinant is asked first: inverting a singular matrix may panic.
        has_lens
            && is_positive(self.aspect)
            && self.world_from_view.is_finite()
            && is_positive(self.world_from_view.matrix3.determinant().abs())
            && self.view_from_world().is_finite()
    }

    /// Position of the eye in the model frame.
    pub fn eye(&self) -> Vec3 {
        self.world_from_view.translation.into()
    }

    /// Unit direction the camera looks along.
    pub fn forward(&self) -> Vec3 {
        -Vec3::from(self.world_from_view.matrix3.z_axis)
    }

    /// Transform from the model frame to view space.
    pub fn view_from_world(&self) -> Affine3A {
        self.world_from_view.inverse()
    }

    /// Projection to clip space with depth in `[0, 1]` (wgpu's and Vulkan's convention, +Y up in clip space).
    pub fn clip_from_view(&self, near: f32, far: f32) -> Mat4 {
        match self.projection {
            Projection::Perspective { fov_y_rad } => {
                glam::camera::rh::proj::directx::perspective(fov_y_rad, self.aspect, near, far)
            }
            Projection::Orthographic { height } => {
                let half_height = height * 0.5;
                let half_width = half_height * self.aspect;
                glam::camera::rh::proj::directx::orthographic(
                    -half_width,
                    half_width,
                    -half_height,
                    half_height,
                    near,
                    far,
                )
            }
        }
    }

    /// Image position of a model-frame point, in `[0, 1]^2` with the origin at the top left, and its depth along the
    /// view direction in metres. `None` behind a perspective camera.
    pub fn project(&self, point: Vec3) -> Option<(Vec2, f32)> {
        let in_view = self.view_from_world().transform_point3(point);
        let depth = -in_view.z;
        let half_height = match self.projection {
            Projection::Perspective { fov_y_rad } => {
                if depth <= 0.0 {
                    return None;
                }
                depth * (fov_y_rad * 0.5).tan()
            }
            Projection::Orthographic { height } => height * 0.5,
        };
        let ndc = Vec2::new(in_view.x / (half_height * self.aspect), in_view.y / half_height);
        Some((Vec2::new(ndc.x * 0.5 + 0.5, 0.5 - ndc.y * 0.5), depth))
    }

    /// The corners of the picture at a distance along the view, metres: top left, top right, bottom right, bottom left.
    pub fn picture_corners(&self, distance: f32) -> [Vec3; 4] {
        [Vec2::ZERO, Vec2::X, Vec2::ONE, Vec2::Y].map(|corner| {
            let (origin, direction) = self.ray(corner);
            let along = direction.dot(self.forward()).max(1e-3);
            origin + direction * (distance / along)
        })
    }

    /// The ray through an image position in `[0, 1]^2` (origin top left): origin and unit direction, model frame.
    pub fn ray(&self, image_position: Vec2) -> (Vec3, Vec3) {
        let ndc = Vec2::new(image_position.x * 2.0 - 1.0, 1.0 - image_position.y * 2.0);
        match self.projection {
            Projection::Perspective { fov_y_rad } => {
                let half_height = (fov_y_rad * 0.5).tan();
                let in_view = Vec3::new(ndc.x * half_height * self.aspect, ndc.y * half_height, -1.0);
                (
                    self.eye(),
                    self.world_from_view
                        .transform_vector3(in_view)
                        .normalize_or(Vec3::NEG_Z),
                )
            }
            Projection::Orthographic { height } => {
                let in_view = Vec3::new(ndc.x * height * 0.5 * self.aspect, ndc.y * height * 0.5, 0.0);
                (self.world_from_view.transform_point3(in_view), self.forward())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orbit_zero_sees_the_front_with_x_to_the_right() {
        let camera = Camera::orbit(0.0, 0.0, 2.0, Projection::Perspective { fov_y_rad: 0.7 }, 1.0);
        assert!(camera.eye().abs_diff_eq(Vec3::Z * 2.0, 1e-6));
        let (right, _) = camera.project(Vec3::X * 0.3).expect("in front");
        let (up, _) = camera.project(Vec3::Y * 0.3).expect("in front");
        assert!(right.x > 0.5 && (right.y - 0.5).abs() < 1e-6);
        assert!(up.y < 0.5 && (up.x - 0.5).abs() < 1e-6);
    }

    #[test]
    fn ray_and_project_are_inverse() {
        for projection in [
            Projection::Perspective { fov_y_rad: 0.9 },
            Projection::Orthographic { height: 1.4 },
        ] {
            let camera = Camera::orbit(0.7, -0.3, 2.2, projection, 1.5);
            let (origin, direction) = camera.ray(Vec2::new(0.3, 0.8));
            let (back, _) = camera.project(origin + direction * 1.7).expect("in front");
            assert!(back.abs_diff_eq(Vec2::new(0.3, 0.8), 1e-5), "{back}");
        }
    }

    #[test]
    fn orbit_and_look_at_agree_away_from_the_poles() {
        let projection = Projection::Orthographic { height: 1.0 };
        let orbit = Camera::orbit(1.1, 0.4, 3.0, projection, 1.0);
        let look_at = Camera::look_at(orbit.eye(), Vec3::ZERO, projection, 1.0);
        assert!(orbit.world_from_view.abs_diff_eq(look_at.world_from_view, 1e-5));
    }

    #[test]
    fn only_cameras_that_can_see_are_usable() {
        let lens = |fov_y_rad: f32| Projection::Perspective { fov_y_rad };
        let good = Camera::orbit(0.7, -0.3, 2.2, lens(0.9), 1.5);
        let parallel = |height: f32| Camera {
            projection: Projection::Orthographic { height },
            ..good
        };
        assert!(good.is_usable() && parallel(1.0).is_usable());

        for fov_y_rad in [0.0, -0.5, std::f32::consts::PI, 7.0, f32::NAN, f32::INFINITY] {
            let projection = lens(fov_y_rad);
            assert!(!Camera { projection, ..good }.is_usable(), "{fov_y_rad}");
        }
        for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(!parallel(value).is_usable(), "height {value}");
            assert!(!Camera { aspect: value, ..good }.is_usable(), "aspect {value}");
        }
        let transforms = [
            Affine3A::from_scale(Vec3::new(1.0, 0.0, 1.0)),
            Affine3A::from_scale(Vec3::splat(f32::NAN)),
            Affine3A::from_translation(Vec3::splat(f32::INFINITY)),
        ];
        for world_from_view in transforms {
            assert!(
                !Camera {
                    world_from_view,
                    ..good
                }
                .is_usable(),
                "{world_from_view:?}"
            );
        }
    }
}
