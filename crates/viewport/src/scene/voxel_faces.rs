//! Which faces of voxels border an empty cell.

use std::collections::HashMap;

use glam::IVec3;
use rayon::prelude::*;

/// Voxels along the edge of a brick: its layers are words of 64 bits.
const BRICK: i32 = 8;

/// The six neighbours, by the bit of their face.
const NEIGHBORS: [IVec3; 6] = [IVec3::NEG_X, IVec3::X, IVec3::NEG_Y, IVec3::Y, IVec3::NEG_Z, IVec3::Z];

/// Bits of occupied cells, in the bricks that have any: memory follows the shape, whatever the resolution.
struct Occupancy(HashMap<IVec3, [u64; BRICK as usize]>);

impl Occupancy {
    fn new(coords: &[IVec3]) -> Self {
        let mut bricks: HashMap<IVec3, [u64; BRICK as usize]> = HashMap::new();
        // Neighbours in the list are neighbours in space as a rule: runs are looked up once.
        for run in coords.chunk_by(|a, b| place_of(*a).0 == place_of(*b).0) {
            let layers = bricks.entry(place_of(run[0]).0).or_default();
            for &at in run {
                let (_, layer, bit) = place_of(at);
                layers[layer] |= bit;
            }
        }
        Self(bricks)
    }

    fn layers(&self, brick: IVec3) -> Option<&[u64; BRICK as usize]> {
        self.0.get(&brick)
    }
}

/// Brick, layer and bit of a cell.
fn place_of(at: IVec3) -> (IVec3, usize, u64) {
    let brick = at.div_euclid(IVec3::splat(BRICK));
    let local = at - brick * BRICK;
    (brick, local.z as usize, 1 << (local.y * BRICK + local.x))
}

/// For each voxel the faces that border an empty cell: bit 2a for the face to -a, bit 2a + 1 for that to +a.
pub fn open_faces(coords: &[IVec3]) -> Vec<u8> {
    let occupancy = Occupancy::new(coords);
    let open = |&at: &IVec3| {
        let (home, ..) = place_of(at);
        let own = occupancy.layers(home);
        (0_u8..).zip(NEIGHBORS).fold(0, |faces, (face, step)| {
            let (brick, layer, bit) = place_of(at + step);
            let layers = if brick == home { own } else { occupancy.layers(brick) };
            let is_occupied = layers.is_some_and(|layers| layers[layer] & bit != 0);
            faces | u8::from(!is_occupied) << face
        })
    };
    coords.par_iter().map(open).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn faces_are_open_exactly_where_no_voxel_is() {
        // A ball over the borders of many bricks, with holes.
        let coords: Vec<IVec3> = (0..30 * 30 * 30)
            .map(|i| IVec3::new(i % 30, i / 30 % 30, i / 900))
            .filter(|c| (*c - 15).length_squared() < 150 && (c.x * 7 + c.y * 3 + c.z * 5) % 11 != 0)
            .collect();
        let set: HashSet<IVec3> = coords.iter().copied().collect();
        for (at, open) in coords.iter().zip(open_faces(&coords)) {
            for (face, step) in NEIGHBORS.into_iter().enumerate() {
                assert_eq!(open >> face & 1 == 0, set.contains(&(*at + step)), "{at} {face}");
            }
        }
    }

    #[test]
    fn a_voxel_alone_is_open_on_all_sides() {
        assert_eq!(open_faces(&[IVec3::new(65_535, 0, 7)]), [0b11_1111]);
        assert!(open_faces(&[]).is_empty());
    }
}
