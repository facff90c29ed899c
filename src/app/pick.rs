//! Finds the point of the surface that the artist has taken hold of.

use std::sync::Arc;

use bozzetto_asset::{GaussianSplats, TriMesh};
use glam::Vec3;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};

/// A ray through what is on the stage.
pub struct PickRequest {
    /// Number of the grip.
    pub grip: u64,
    /// The mesh that is seen.
    pub mesh: Option<Arc<TriMesh>>,
    /// The splats that are seen.
    pub splats: Option<Arc<GaussianSplats>>,
    /// Where the ray begins, model frame.
    pub origin: Vec3,
    /// Where it goes.
    pub direction: Vec3,
}

impl PickRequest {
    /// Where the ray meets something first.
    fn surface(&self) -> Option<Vec3> {
        let (origin, direction) = (self.origin, self.direction);
        let on_mesh = self.mesh.as_ref();
        let on_mesh = on_mesh.and_then(|mesh| bozzetto_mesh::first_hit(mesh, origin, direction));
        let on_splats = self.splats.as_ref();
        let on_splats = on_splats.and_then(|splats| bozzetto_viewport::first_splat_hit(splats, origin, direction));
        let nearest = on_mesh.into_iter().chain(on_splats).min_by(f32::total_cmp)?;
        Some(origin + direction * nearest)
    }
}

/// Where the surface is.
#[derive(Clone, Copy, Debug)]
pub struct Picked {
    /// Number of the grip.
    pub grip: u64,
    /// The point, model frame.
    pub point: Vec3,
}

/// Looks on a thread of its own.
pub struct Picker(LatestWins<PickRequest>);

impl Picker {
    /// Starts the thread.
    pub fn start(mailbox: &Mailbox) -> std::io::Result<Self> {
        let mailbox = mailbox.clone();
        let work = move |request: PickRequest, _: &Ticket| {
            if let Some(point) = request.surface() {
                let grip = request.grip;
                mailbox.post(Message::Picked(Picked { grip, point }));
            }
        };
        let failed = |_: &Ticket, reason: String| tracing::warn!("the surface was not found: {reason}");
        LatestWins::start("pick", work, failed).map(Self)
    }

    /// Asks for the point where a ray meets the surface; a miss is not answered.
    pub fn pick(&self, request: PickRequest) {
        self.0.request(request);
    }
}

#[cfg(test)]
mod tests {
    use glam::Quat;

    use super::*;

    #[test]
    fn the_nearer_of_mesh_and_splats_is_taken_hold_of() {
        let corner = |x: f32, y: f32| Vec3::new(x, y, 0.0);
        let sheet = TriMesh::new(
            vec![corner(-9.0, -9.0), corner(9.0, -9.0), corner(0.0, 9.0)],
            vec![[0, 1, 2]],
        );
        let splat_at = |z: f32| GaussianSplats {
            positions: vec![Vec3::Z * z],
            log_scales: vec![Vec3::splat(-3.0)],
            rotations: vec![Quat::IDENTITY],
            opacities: vec![0.9],
            sh: vec![[0.3; 3]],
            ..GaussianSplats::default()
        };
        let point = |mesh: Option<&TriMesh>, splats: Option<GaussianSplats>| {
            let request = PickRequest {
                grip: 1,
                mesh: mesh.cloned().map(Arc::new),
                splats: splats.map(Arc::new),
                origin: Vec3::Z * 2.0,
                direction: Vec3::NEG_Z,
            };
            request.surface().map(|point| (point.z * 1000.0).round() / 1000.0)
        };
        assert_eq!(point(Some(&sheet), Some(splat_at(0.5))), Some(0.5));
        assert_eq!(point(Some(&sheet), Some(splat_at(-0.5))), Some(0.0));
        assert_eq!(point(None, Some(splat_at(-0.5))), Some(-0.5));
        assert_eq!(point(None, None), None);
    }
}
