//! Corners at exactly the same place as one vertex.

use std::collections::HashMap;

use glam::Vec3;

/// Places that were seen, each with its number.
#[derive(Default)]
pub(super) struct Welder {
    /// Each place once, in the order they were first seen.
    pub(super) positions: Vec<Vec3>,
    vertices: HashMap<[u32; 3], u32>,
}

impl Welder {
    /// The number of a place.
    pub(super) fn vertex(&mut self, place: Vec3) -> u32 {
        // Adding zero makes the two zeros the same.
        let place = place + Vec3::ZERO;
        *self
            .vertices
            .entry(place.to_array().map(f32::to_bits))
            .or_insert_with(|| {
                self.positions.push(place);
                self.positions.len() as u32 - 1
            })
    }
}
