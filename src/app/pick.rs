//! Finds the point of the surface that the artist has taken hold of.

use std::sync::Arc;

use bozzetto_asset::TriMesh;
use glam::Vec3;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};

/// A ray through what is on the stage.
pub struct PickRequest {
    /// Number of the grip.
    pub grip: u64,
    /// The mesh on the stage.
    pub mesh: Arc<TriMesh>,
    /// Where the ray begins, model frame.
    pub origin: Vec3,
    /// Where it goes.
    pub direction: Vec3,
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
            let PickRequest {
                grip,
                mesh,
                origin,
                direction,
            } = request;
            if let Some(distance) = bozzetto_mesh::first_hit(&mesh, origin, direction) {
                let point = origin + direction * distance;
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
