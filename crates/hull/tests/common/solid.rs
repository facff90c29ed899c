use bozzetto_asset::TriMesh;
use glam::{Vec2, Vec3};

/// Cells along each side of the cube that solids are compared on.
pub const CELLS: usize = 160;
/// Half the cube's side: a bit more than the model frame's.
const HALF: f32 = 0.55;

/// Which cells' middles lie inside a closed mesh, by counting the faces that each column's line passes (parity).
pub fn voxelized(mesh: &TriMesh) -> Vec<bool> {
    let mut crossings: Vec<Vec<f32>> = vec![Vec::new(); CELLS * CELLS];
    let cell = 2.0 * HALF / CELLS as f32;
    // Lines off the cells' middles by a hair, so that none runs along an edge.
    let line = |i: usize| -HALF + (i as f32 + 0.500_37) * cell;
    for triangle in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(triangle);
        let (low, high) = (a.min(b).min(c), a.max(b).max(c));
        let range = |low: f32, high: f32| {
            let index = |value: f32| ((value + HALF) / cell).floor().clamp(0.0, CELLS as f32 - 1.0) as usize;
            index(low)..=index(high)
        };
        for j in range(low.y, high.y) {
            for i in range(low.x, high.x) {
                if let Some(z) = crossing([a, b, c], Vec2::new(line(i), line(j))) {
                    crossings[j * CELLS + i].push(z);
                }
            }
        }
    }
    let mut inside = vec![false; CELLS * CELLS * CELLS];
    for (column, found) in crossings.iter_mut().enumerate() {
        found.sort_by(f32::total_cmp);
        for pair in found.chunks_exact(2) {
            for k in 0..CELLS {
                let z = line(k);
                if z > pair[0] && z < pair[1] {
                    inside[k * CELLS * CELLS + column] = true;
                }
            }
        }
    }
    inside
}

fn crossing([a, b, c]: [Vec3; 3], at: Vec2) -> Option<f32> {
    let side = |from: Vec3, to: Vec3| (to - from).truncate().perp_dot(at - from.truncate());
    let (wa, wb, wc) = (side(b, c), side(c, a), side(a, b));
    let all_one_way = (wa > 0.0 && wb > 0.0 && wc > 0.0) || (wa < 0.0 && wb < 0.0 && wc < 0.0);
    all_one_way.then(|| (wa * a.z + wb * b.z + wc * c.z) / (wa + wb + wc))
}

/// Middle of a cell.
pub fn cell_middle(index: usize) -> Vec3 {
    let cell = 2.0 * HALF / CELLS as f32;
    let at = Vec3::new(
        (index % CELLS) as f32,
        (index / CELLS % CELLS) as f32,
        (index / (CELLS * CELLS)) as f32,
    );
    (at + 0.5) * cell - HALF
}

/// Intersection over union of two solids.
pub fn iou(a: &[bool], b: &[bool]) -> f64 {
    let (both, either) = a.iter().zip(b).fold((0u64, 0u64), |(both, either), (&a, &b)| {
        (both + u64::from(a && b), either + u64::from(a || b))
    });
    both as f64 / either.max(1) as f64
}
