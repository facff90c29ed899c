//! Where triangles cross the edges of the lattice.

use glam::{Vec2, Vec3};

use super::lattice::{BRICK, BRICK_LEN, Mask, set};

/// How far beside a triangle an edge may pass and still count as crossed, in cells. Two triangles that share an edge
/// must not leave a gap between them.
const HAIR: f32 = 1e-3;

/// A triangle that crosses an edge of the lattice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// Axis times the samples of a brick, plus the place of the edge's low end.
    pub(super) edge: u16,
    pub(super) face: u32,
    /// Where along the edge; `None` for a triangle that the edge lies in.
    pub(super) at: Option<f32>,
}

/// Adds the crossings of a triangle with the edges of a brick. `triangle` is in cells from the brick's first sample.
pub(super) fn cross(triangle: [Vec3; 3], face: u32, hits: &mut Vec<Hit>) {
    let [a, b, c] = triangle;
    let low = a.min(b).min(c) - HAIR;
    let high = a.max(b).max(c) + HAIR;
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        let (us, vs) = (samples(low[u], high[u]), samples(low[v], high[v]));
        if us.is_empty() || vs.is_empty() {
            continue;
        }
        let flat = Flat::new(triangle.map(|corner| [corner[u], corner[v], corner[axis]]));
        for iu in us {
            for iv in vs.clone() {
                let Some((from, to)) = flat.depth_at(iu as f32, iv as f32) else {
                    continue;
                };
                let first = ((from - HAIR).floor() as i32).max(0);
                let last = ((to + HAIR).floor() as i32).min(BRICK - 1);
                for k in first..=last {
                    let place = (k << (3 * axis)) + (iu << (3 * u)) + (iv << (3 * v));
                    hits.push(Hit {
                        edge: (axis * BRICK_LEN) as u16 + place as u16,
                        face,
                        at: (from == to).then(|| (from - k as f32).clamp(0.0, 1.0)),
                    });
                }
            }
        }
    }
}

/// Samples of a brick's axis between two places.
fn samples(low: f32, high: f32) -> std::ops::Range<i32> {
    (low.ceil() as i32).max(0)..((high.floor() as i32).min(BRICK - 1) + 1)
}

/// A triangle seen along an axis: two coordinates across and the depth.
struct Flat {
    corners: [[f32; 3]; 3],
    /// Twice the signed area.
    area: f32,
    lengths: [f32; 3],
}

impl Flat {
    fn new(corners: [[f32; 3]; 3]) -> Self {
        let [a, b, c] = corners;
        Self {
            corners,
            area: (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]),
            lengths: [(b, c), (c, a), (a, b)].map(|(p, q)| Vec2::new(q[0] - p[0], q[1] - p[1]).length()),
        }
    }

    /// The depths at which a line along the axis meets the triangle, if it does, a hair included: one depth, or all of
    /// the triangle's where the line may lie in it.
    fn depth_at(&self, u: f32, v: f32) -> Option<(f32, f32)> {
        let [a, b, c] = self.corners;
        let beside = |p: [f32; 3], q: [f32; 3]| (q[0] - p[0]) * (v - p[1]) - (q[1] - p[1]) * (u - p[0]);
        let parts = [beside(b, c), beside(c, a), beside(a, b)];
        let (lowest, highest) = (a[2].min(b[2]).min(c[2]), a[2].max(b[2]).max(c[2]));
        let longest = self.lengths.iter().copied().fold(0.0, f32::max);
        if self.area.abs() <= HAIR * longest {
            let is_near = (0..3).all(|side| parts[side].abs() <= 2.0 * HAIR * longest.max(HAIR));
            return is_near.then_some((lowest, highest));
        }
        let sign = self.area.signum();
        let is_within = (0..3).all(|side| parts[side] * sign >= -HAIR * self.lengths[side]);
        let depth = (parts[0] * a[2] + parts[1] * b[2] + parts[2] * c[2]) / (parts[0] + parts[1] + parts[2]);
        is_within.then(|| {
            let depth = depth.clamp(lowest, highest);
            (depth, depth)
        })
    }
}

/// The crossed edges of a brick, axis by axis.
pub(super) fn walls(hits: &[Hit]) -> [Mask; 3] {
    let mut walls = [[0; 8]; 3];
    for hit in hits {
        let (axis, place) = (hit.edge as usize / BRICK_LEN, hit.edge as usize % BRICK_LEN);
        set(&mut walls[axis], place);
    }
    walls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remesh::lattice::{local_at, members, parts};

    #[test]
    fn a_tilted_sheet_parts_a_brick_whatever_its_triangulation() {
        for turn in 0..50 {
            let angle = turn as f32 * 0.37;
            let normal = Vec3::new(angle.sin(), (angle * 1.7).cos(), (angle * 0.6).sin()).normalize();
            let (u, v) = normal.any_orthonormal_pair();
            let at = |i: i32, j: i32| Vec3::splat(3.4) + u * (i as f32 * 3.1) + v * (j as f32 * 2.3);
            let mut hits = Vec::new();
            for i in -6..6 {
                for j in -8..8 {
                    cross([at(i, j), at(i + 1, j), at(i + 1, j + 1)], 0, &mut hits);
                    cross([at(i, j), at(i + 1, j + 1), at(i, j + 1)], 1, &mut hits);
                }
            }
            let parts = parts(&[u64::MAX; 8], &walls(&hits));
            let is_above = |place: usize| {
                let sample = local_at(place).as_vec3();
                (sample - 3.4).dot(normal) > 0.0
            };
            for part in &parts {
                let mut sides = members(part).map(is_above);
                let first = sides.next();
                assert!(
                    sides.all(|side| Some(side) == first),
                    "turn {turn}: {} parts",
                    parts.len()
                );
            }
            assert_eq!(parts.iter().map(|part| members(part).count()).sum::<usize>(), 512);
        }
    }

    #[test]
    fn a_crossing_is_where_the_plane_is() {
        let mut hits = Vec::new();
        let corners = [
            Vec3::new(-1.0, -1.0, 2.25),
            Vec3::new(9.0, -1.0, 2.25),
            Vec3::new(-1.0, 20.0, 2.25),
        ];
        cross(corners, 7, &mut hits);
        assert!(
            hits.iter()
                .all(|hit| hit.edge as usize / BRICK_LEN == 2 && hit.face == 7)
        );
        assert!(hits.iter().all(|hit| hit.at.is_some_and(|at| (at - 0.25).abs() < 1e-5)));
        assert!(hits.len() > 40);
    }
}
