//! Cuts a surface into parts along a curve that fills space.

use std::sync::atomic::{AtomicU32, Ordering};

use glam::{UVec3, Vec3};
use rayon::prelude::*;

use crate::topology::NONE;

/// Marks vertices between parts.
pub(crate) const SHARED: u32 = NONE - 1;
const CELLS: f32 = 1024.0;

/// Triangles in the order of a curve that fills space (Morton 1966), so that neighbours in the list are neighbours in space.
///
/// The curve leaps where the halves of the box meet, their halves, and so on. `shift` moves these places, by a share of
/// the box in `[0, 1)`: stretches of curves with different shifts end in different places.
pub(crate) fn along_curve(positions: &[Vec3], triangles: &[[u32; 3]], shift: f32) -> Vec<u32> {
    let centers: Vec<Vec3> = triangles
        .par_iter()
        .map(|triangle| triangle.iter().map(|&vertex| positions[vertex as usize]).sum::<Vec3>() / 3.0)
        .collect();
    let codes = shifted_codes(&centers, shift);
    let mut keyed: Vec<(u32, u32)> = codes.into_par_iter().zip(0..triangles.len() as u32).collect();
    keyed.par_sort_unstable();
    keyed.into_par_iter().map(|(_, face)| face).collect()
}

/// How far along the curve each point lies, in 30 bits.
pub(crate) fn curve_codes(points: &[Vec3]) -> Vec<u32> {
    shifted_codes(points, 0.0)
}

fn shifted_codes(points: &[Vec3], shift: f32) -> Vec<u32> {
    let (low, high) = points
        .par_iter()
        .map(|&point| (point, point))
        .reduce_with(|(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)))
        .unwrap_or_default();
    let extent = (high - low).max_element().max(f32::MIN_POSITIVE);
    // Shifted, the box needs twice the room.
    let (origin, room) = if shift > 0.0 {
        (low - extent * Vec3::new(shift, shift * 0.7, shift * 0.4), extent * 2.0)
    } else {
        (low, extent)
    };
    points
        .par_iter()
        .map(|&point| {
            let cell = ((point - origin) * (CELLS / room)).clamp(Vec3::ZERO, Vec3::splat(CELLS - 1.0));
            morton_code(cell.as_uvec3())
        })
        .collect()
}

/// The bits of three coordinates of ten bits each, in turn.
fn morton_code(cell: UVec3) -> u32 {
    let spread = |value: u32| {
        let value = (value | value << 16) & 0x0300_00FF;
        let value = (value | value << 8) & 0x0300_F00F;
        let value = (value | value << 4) & 0x030C_30C3;
        (value | value << 2) & 0x0924_9249
    };
    spread(cell.x) | spread(cell.y) << 1 | spread(cell.z) << 2
}

/// The part that each vertex belongs to, [`SHARED`] for those in several, [`NONE`] for those in none. Parts are lists of
/// triangles.
pub(crate) fn owners(num_vertices: usize, triangles: &[[u32; 3]], parts: &[&[u32]]) -> Vec<u32> {
    let owners: Vec<AtomicU32> = (0..num_vertices)
        .into_par_iter()
        .map(|_| AtomicU32::new(NONE))
        .collect();
    parts.par_iter().enumerate().for_each(|(index, part)| {
        let part_index = index as u32;
        for vertex in part.iter().flat_map(|&face| triangles[face as usize]) {
            let owner = &owners[vertex as usize];
            let taken = owner.compare_exchange(NONE, part_index, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_err_and(|other| other != part_index) {
                owner.store(SHARED, Ordering::Relaxed);
            }
        }
    });
    owners.into_par_iter().map(AtomicU32::into_inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn morton_codes_take_bits_in_turn() {
        assert_eq!(morton_code(UVec3::new(1, 0, 0)), 1);
        assert_eq!(morton_code(UVec3::new(0, 1, 0)), 2);
        assert_eq!(morton_code(UVec3::new(2, 0, 1)), 0b1100);
        assert_eq!(morton_code(UVec3::splat(1023)), (1 << 30) - 1);
    }

    #[test]
    fn another_shift_ends_parts_in_other_places() {
        let mesh = shapes::icosphere(0.4, 5);
        let shared = |shift: f32| -> Vec<bool> {
            let order = along_curve(&mesh.positions, &mesh.triangles, shift);
            let parts: Vec<&[u32]> = order.chunks(2000).collect();
            let owners = owners(mesh.positions.len(), &mesh.triangles, &parts);
            owners.into_iter().map(|owner| owner == SHARED).collect()
        };
        let (one, other) = (shared(0.0), shared(0.3));
        let count = |shared: &[bool]| shared.iter().filter(|shared| **shared).count();
        let both = one.iter().zip(&other).filter(|(a, b)| **a && **b).count();
        assert!(both * 4 < count(&one).min(count(&other)), "{both}");
    }
}
