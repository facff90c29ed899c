use bozzetto_asset::{Camera, Projection};
use glam::{Affine3A, Vec2, Vec3};

/// Nearest depth in front of a pinhole that still projects, metres.
const LEAST_DEPTH: f32 = 1e-3;

/// A camera with its picture's size worked in: model frame to picture pixels, without a matrix inverse for each point.
/// Pixel `(i, j)` covers `[i, i + 1] x [j, j + 1]`, the origin is the picture's top left corner.
#[derive(Clone, Debug)]
pub(crate) struct Projector {
    view_from_world: Affine3A,
    center_px: Vec2,
    /// Pixels a metre for parallel rays, pixels a metre at one metre's depth for a pinhole.
    focal_px: f32,
    is_pinhole: bool,
    eye: Vec3,
    forward: Vec3,
}

/// Where a point lies in a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projected {
    pub pixel: Vec2,
    /// Metres along the view direction.
    pub depth: f32,
    /// Width of a pixel at that depth.
    pub metres_per_px: f32,
}

impl Projector {
    pub fn new(camera: &Camera, width: u32, height: u32) -> Self {
        let (focal_px, is_pinhole) = match camera.projection {
            Projection::Perspective { fov_y_rad } => (height as f32 * 0.5 / (fov_y_rad * 0.5).tan().max(1e-4), true),
            Projection::Orthographic { height: metres } => (height as f32 / metres.max(1e-6), false),
        };
        Self {
            view_from_world: camera.view_from_world(),
            center_px: Vec2::new(width as f32, height as f32) * 0.5,
            focal_px,
            is_pinhole,
            eye: camera.eye(),
            forward: camera.forward(),
        }
    }

    pub fn project(&self, point: Vec3) -> Projected {
        let in_view = self.view_from_world.transform_point3(point);
        let depth = -in_view.z;
        let metres_per_px = if self.is_pinhole {
            depth.max(LEAST_DEPTH) / self.focal_px
        } else {
            1.0 / self.focal_px
        };
        Projected {
            pixel: self.center_px + Vec2::new(in_view.x, -in_view.y) / metres_per_px,
            depth,
            metres_per_px,
        }
    }

    /// Whether a depth is one that the camera cannot see, at or behind a pinhole.
    pub fn is_behind(&self, depth: f32) -> bool {
        self.is_pinhole && depth <= LEAST_DEPTH
    }

    /// Point that projects to a pixel at a depth.
    pub fn unproject(&self, pixel: Vec2, depth: f32) -> Vec3 {
        let metres_per_px = if self.is_pinhole {
            depth.max(LEAST_DEPTH) / self.focal_px
        } else {
            1.0 / self.focal_px
        };
        let offset = (pixel - self.center_px) * metres_per_px;
        let world_from_view = self.view_from_world.inverse();
        world_from_view.transform_point3(Vec3::new(offset.x, -offset.y, -depth))
    }

    /// Unit direction of the ray from the camera through a point.
    pub fn ray_direction(&self, point: Vec3) -> Vec3 {
        if self.is_pinhole {
            (point - self.eye).normalize_or(self.forward)
        } else {
            self.forward
        }
    }

    pub fn forward(&self) -> Vec3 {
        self.forward
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_camera_and_its_own_inverse() {
        for projection in [
            Projection::Perspective { fov_y_rad: 0.8 },
            Projection::Orthographic { height: 1.3 },
        ] {
            let camera = Camera::orbit(0.6, 0.3, 2.0, projection, 1.5);
            let projector = Projector::new(&camera, 300, 200);
            let point = Vec3::new(0.2, -0.1, 0.3);
            let seen = projector.project(point);
            let (image, depth) = camera.project(point).expect("in front");
            assert!(seen.pixel.abs_diff_eq(image * Vec2::new(300.0, 200.0), 1e-3));
            assert!((seen.depth - depth).abs() < 1e-5);
            assert!(projector.unproject(seen.pixel, seen.depth).abs_diff_eq(point, 1e-5));
        }
    }
}
