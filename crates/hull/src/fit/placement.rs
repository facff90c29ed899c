use std::sync::Arc;

use bozzetto_asset::{Camera, Direction, Projection};
use glam::{Vec2, Vec3};

use crate::projector::Projector;
use crate::silhouette::Silhouette;

/// Distance of a camera with parallel rays; only where its icon is drawn depends on it.
const PARALLEL_DISTANCE: f32 = 2.0;
/// Lenses narrower than this count as parallel.
const LEAST_FIELD_OF_VIEW_RAD: f32 = 0.01;

/// A view's camera while it is being fitted.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    pub silhouette: Arc<Silhouette>,
    pub weight: f32,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The camera is known.
    Exact(Camera),
    /// The direction is known, scale and centring are to be found.
    Guessed(Guess),
}

/// What is known and sought of a view without a camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guess {
    pub azimuth_rad: f32,
    pub elevation_rad: f32,
    pub field_of_view_rad: f32,
    /// Natural logarithm of the pixels a metre at the origin's depth.
    pub log_scale: f32,
    /// Picture position of the model frame's origin, pixels.
    pub origin_px: Vec2,
}

impl Placement {
    pub fn exact(camera: Camera, silhouette: Arc<Silhouette>, weight: f32) -> Self {
        Self {
            silhouette,
            weight,
            kind: Kind::Exact(camera),
        }
    }

    pub fn guessed(direction: Direction, silhouette: Arc<Silhouette>, weight: f32, field_of_view_rad: f32) -> Self {
        let (azimuth, elevation) = direction.azimuth_elevation_deg();
        let guess = Guess {
            azimuth_rad: azimuth.to_radians(),
            elevation_rad: elevation.to_radians(),
            field_of_view_rad,
            log_scale: silhouette.extent().max_element().ln(),
            origin_px: silhouette.center(),
        };
        Self {
            silhouette,
            weight,
            kind: Kind::Guessed(guess),
        }
    }

    pub fn is_exact(&self) -> bool {
        matches!(self.kind, Kind::Exact(_))
    }

    pub fn guess(&self) -> Option<&Guess> {
        match &self.kind {
            Kind::Guessed(guess) => Some(guess),
            Kind::Exact(_) => None,
        }
    }

    pub fn guess_mut(&mut self) -> Option<&mut Guess> {
        match &mut self.kind {
            Kind::Guessed(guess) => Some(guess),
            Kind::Exact(_) => None,
        }
    }

    pub fn camera(&self) -> Camera {
        let size = self.silhouette.picture_px.as_vec2();
        match &self.kind {
            Kind::Exact(camera) => *camera,
            Kind::Guessed(guess) => guess.camera(size),
        }
    }

    pub fn projector(&self) -> Projector {
        let size = self.silhouette.picture_px;
        Projector::new(&self.camera(), size.x, size.y)
    }
}

impl Guess {
    /// The camera whose picture shows the origin at `origin_px` with the sought scale.
    fn camera(&self, size: Vec2) -> Camera {
        let px_per_metre = self.log_scale.exp();
        let (projection, distance) = if self.field_of_view_rad < LEAST_FIELD_OF_VIEW_RAD {
            let height = size.y / px_per_metre;
            (Projection::Orthographic { height }, PARALLEL_DISTANCE)
        } else {
            let fov_y_rad = self.field_of_view_rad;
            let focal_px = size.y * 0.5 / (fov_y_rad * 0.5).tan();
            (Projection::Perspective { fov_y_rad }, focal_px / px_per_metre)
        };
        let aspect = size.x / size.y;
        let mut camera = Camera::orbit(self.azimuth_rad, self.elevation_rad, distance, projection, aspect);
        let offset = (size * 0.5 - self.origin_px) / px_per_metre;
        let shift = camera
            .world_from_view
            .transform_vector3(Vec3::new(offset.x, -offset.y, 0.0));
        camera.world_from_view.translation += glam::Vec3A::from(shift);
        camera
    }

    /// Right, up and towards-the-eye axes of the view in the model frame.
    pub fn axes(&self) -> [Vec3; 3] {
        let unit = Projection::Orthographic { height: 1.0 };
        let rotation = Camera::orbit(self.azimuth_rad, self.elevation_rad, 1.0, unit, 1.0)
            .world_from_view
            .matrix3;
        [rotation.x_axis.into(), rotation.y_axis.into(), rotation.z_axis.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_lands_where_the_guess_says() {
        for field_of_view_rad in [0.0, 0.6] {
            let guess = Guess {
                azimuth_rad: 0.5,
                elevation_rad: 0.2,
                field_of_view_rad,
                log_scale: 300f32.ln(),
                origin_px: Vec2::new(120.0, 340.0),
            };
            let size = Vec2::new(400.0, 600.0);
            let projector = Projector::new(&guess.camera(size), 400, 600);
            let seen = projector.project(Vec3::ZERO);
            assert!(seen.pixel.abs_diff_eq(guess.origin_px, 1e-2), "{seen:?}");
            assert!((seen.metres_per_px - 1.0 / 300.0).abs() < 1e-5);
        }
    }
}
