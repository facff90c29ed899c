//! Surface nets with one vertex for each sheet of the surface in a cell (dual marching cubes, Nielson 2004).
//!
//! Samples are first changed by a hair until no cell face has its inside corners on a diagonal. Then every face is
//! crossed by at most one sheet, every edge of the mesh belongs to exactly two quads and every vertex to one fan: the
//! mesh is closed and manifold by construction.

use bozzetto_asset::TriMesh;
use bozzetto_engine::EngineError;
use bozzetto_mesh::cell_pattern::Pattern;
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use crate::field::{BRICK, Field, corner_offset, local_at};
use crate::progress::Part;

const NO_VERTEX: u32 = u32::MAX;
const BRICK_LEN: usize = (BRICK * BRICK * BRICK) as usize;

/// Extracts the zero surface with normals from the field's gradient. The field must be positive at the lattice's rim.
pub(crate) fn extract(field: &mut Field, part: &Part<'_, '_>) -> Result<TriMesh, EngineError> {
    resolve_ambiguous_faces(field, part)?;
    let cells = CellBricks::new(field);
    let (first_vertex, positions) = place_vertices(field, &cells, part)?;
    let triangles = connect(field, &cells, &first_vertex, &positions, part)?;
    let normals = positions
        .par_iter()
        .map(|&position| field.gradient(position).normalize_or(Vec3::Y))
        .collect();
    Ok(TriMesh {
        positions,
        triangles,
        normals,
        ..TriMesh::default()
    })
}

/// Turns the outside corner nearest to the surface inside wherever a face's inside corners lie on a diagonal. Each
/// change only adds inside samples, so this ends.
fn resolve_ambiguous_faces(field: &mut Field, part: &Part<'_, '_>) -> Result<(), EngineError> {
    loop {
        part.check()?;
        let shared = &*field;
        let changes: Vec<IVec3> = shared
            .bricks
            .par_iter()
            .flat_map_iter(|brick| {
                let low = *brick * BRICK;
                (0..BRICK_LEN)
                    .map(move |offset| low + local_at(offset))
                    .filter(|cell| has_both_sides(inside_bits(&shared.corners(*cell))))
                    .flat_map(|cell| [0, 1, 2].map(|axis| (cell, axis)))
                    .filter_map(|(sample, axis)| corner_to_fill(shared, sample, axis))
            })
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let value = -1e-3 * field.lattice.step;
        for sample in changes {
            field.set(sample, value);
        }
    }
}

fn corner_to_fill(field: &Field, sample: IVec3, axis: usize) -> Option<IVec3> {
    let (u, v) = [(IVec3::Y, IVec3::Z), (IVec3::Z, IVec3::X), (IVec3::X, IVec3::Y)][axis];
    let face = [sample, sample + u, sample + u + v, sample + v];
    let values = face.map(|corner| field.value(corner));
    let inside = values.map(|value| value < 0.0);
    if inside[0] != inside[2] || inside[1] != inside[3] || inside[0] == inside[1] {
        return None;
    }
    let (a, b) = if inside[0] { (1, 3) } else { (0, 2) };
    let candidates = if values[a] <= values[b] { [a, b] } else { [b, a] };
    candidates
        .map(|corner| face[corner])
        .into_iter()
        .find(|corner| field.has(*corner))
}

/// Bricks of cells that a sign-changing edge may touch: the kept bricks and those just before them along each axis.
struct CellBricks {
    bricks: Vec<IVec3>,
    table: Vec<u32>,
    side: i32,
}

impl CellBricks {
    fn new(field: &Field) -> Self {
        let side = field.lattice.num_bricks + 1;
        let mut table = vec![NO_VERTEX; (side * side * side) as usize];
        for &brick in &field.bricks {
            for corner in 0..8 {
                table[Self::index(side, brick - corner_offset(corner))] = 0;
            }
        }
        let mut bricks = Vec::new();
        for (index, slot) in table.iter_mut().enumerate() {
            if *slot == 0 {
                *slot = bricks.len() as u32;
                let (i, n) = (index as i32, side);
                bricks.push(IVec3::new(i % n, i / n % n, i / (n * n)) - 1);
            }
        }
        Self { bricks, table, side }
    }

    /// Bricks start at -1, so that cells before the first brick have a place.
    fn index(side: i32, brick: IVec3) -> usize {
        let b = brick + 1;
        ((b.z * side + b.y) * side + b.x) as usize
    }

    fn slot_of_cell(&self, cell: IVec3) -> usize {
        let brick = cell.div_euclid(IVec3::splat(BRICK));
        let local = cell - brick * BRICK;
        let slot = self.table[Self::index(self.side, brick)] as usize;
        slot * BRICK_LEN + ((local.z * BRICK + local.y) * BRICK + local.x) as usize
    }
}

fn has_both_sides(inside: u8) -> bool {
    inside != 0 && inside != u8::MAX
}

fn inside_bits(corners: &[f32; 8]) -> u8 {
    corners
        .iter()
        .enumerate()
        .fold(0, |bits, (corner, value)| bits | u8::from(*value < 0.0) << corner)
}

/// Vertices of every cell: the index of a cell's first vertex, and the positions.
fn place_vertices(
    field: &Field,
    cells: &CellBricks,
    part: &Part<'_, '_>,
) -> Result<(Vec<u32>, Vec<Vec3>), EngineError> {
    let placed: Vec<(Vec<u16>, Vec<Vec3>)> = cells
        .bricks
        .par_iter()
        .map(|brick| {
            part.advance(1)?;
            let mut first = vec![u16::MAX; BRICK_LEN];
            let mut positions = Vec::new();
            for (offset, slot) in first.iter_mut().enumerate() {
                let cell = *brick * BRICK + local_at(offset);
                let corners = field.corners(cell);
                let pattern = Pattern::of(inside_bits(&corners));
                if pattern.num_sheets > 0 {
                    *slot = positions.len() as u16;
                    for sheet in 0..pattern.num_sheets {
                        positions.push(sheet_vertex(field, cell, &corners, pattern, sheet));
                    }
                }
            }
            Ok((first, positions))
        })
        .collect::<Result<_, EngineError>>()?;
    let mut first_vertex = Vec::with_capacity(cells.bricks.len() * BRICK_LEN);
    let mut positions: Vec<Vec3> = Vec::new();
    for (first, of_brick) in placed {
        let base = positions.len() as u32;
        first_vertex.extend(first.into_iter().map(|index| {
            if index == u16::MAX {
                NO_VERTEX
            } else {
                base + u32::from(index)
            }
        }));
        positions.extend(of_brick);
    }
    Ok((first_vertex, positions))
}

/// Middle of the sheet's crossings with the cell's edges, moved onto the zero surface of the trilinear field.
fn sheet_vertex(field: &Field, cell: IVec3, corners: &[f32; 8], pattern: &Pattern, sheet: u8) -> Vec3 {
    let mut sum = Vec3::ZERO;
    let mut count = 0.0;
    for (a, b) in pattern.edges_of(sheet) {
        let t = corners[a] / (corners[a] - corners[b]);
        sum += corner_offset(a).as_vec3().lerp(corner_offset(b).as_vec3(), t);
        count += 1.0;
    }
    let mut local = sum / count;
    if pattern.num_sheets == 1 {
        for _ in 0..2 {
            let (value, gradient) = trilinear(corners, local);
            let squared = gradient.length_squared();
            if squared > 1e-12 {
                let step = gradient * (value / squared);
                local = (local - step.clamp_length_max(0.5)).clamp(Vec3::splat(0.02), Vec3::splat(0.98));
            }
        }
    }
    field.lattice.position(cell) + local * field.lattice.step
}

/// Value and gradient of a cell's trilinear interpolant, in cell units.
pub(crate) fn trilinear(corners: &[f32; 8], at: Vec3) -> (f32, Vec3) {
    let mut value = 0.0;
    let mut gradient = Vec3::ZERO;
    for (corner, &sample) in corners.iter().enumerate() {
        let sign = corner_offset(corner).as_vec3() * 2.0 - 1.0;
        let weight = (1.0 - sign) * 0.5 + sign * at;
        value += sample * weight.x * weight.y * weight.z;
        gradient += sample * sign * Vec3::new(weight.y * weight.z, weight.x * weight.z, weight.x * weight.y);
    }
    (value, gradient)
}

/// A quad around every lattice edge whose ends lie on different sides, split along its shorter diagonal.
fn connect(
    field: &Field,
    cells: &CellBricks,
    first_vertex: &[u32],
    positions: &[Vec3],
    part: &Part<'_, '_>,
) -> Result<Vec<[u32; 3]>, EngineError> {
    let per_brick: Vec<Vec<[u32; 3]>> = field
        .bricks
        .par_iter()
        .map(|brick| {
            part.advance(1)?;
            let mut triangles = Vec::new();
            for offset in 0..BRICK_LEN {
                let sample = *brick * BRICK + local_at(offset);
                let bits = inside_bits(&field.corners(sample));
                if !has_both_sides(bits) {
                    continue;
                }
                let inside = bits & 1 == 1;
                for axis in 0..3 {
                    if (bits >> (1 << axis) & 1 == 1) != inside {
                        let quad = quad_around(field, cells, first_vertex, sample, axis);
                        push_quad(&mut triangles, quad, inside, positions);
                    }
                }
            }
            Ok(triangles)
        })
        .collect::<Result<_, EngineError>>()?;
    Ok(per_brick.concat())
}

/// The vertices of the four cells around an edge, counter-clockwise about its axis.
fn quad_around(field: &Field, cells: &CellBricks, first_vertex: &[u32], sample: IVec3, axis: usize) -> [u32; 4] {
    let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
    [(1, 1), (0, 1), (0, 0), (1, 0)].map(|(back_u, back_v)| {
        let cell = sample - IVec3::AXES[u] * back_u - IVec3::AXES[v] * back_v;
        let corners = field.corners(cell);
        // The edge's low end within this cell.
        let low = (back_u as usize) << u | (back_v as usize) << v;
        let sheet = Pattern::of(inside_bits(&corners)).sheet(low, axis);
        first_vertex[cells.slot_of_cell(cell)] + u32::from(sheet)
    })
}

fn push_quad(triangles: &mut Vec<[u32; 3]>, quad: [u32; 4], inside_first: bool, positions: &[Vec3]) {
    let [a, b, c, d] = if inside_first {
        quad
    } else {
        [quad[3], quad[2], quad[1], quad[0]]
    };
    let at = |index: u32| positions[index as usize];
    if at(a).distance_squared(at(c)) <= at(b).distance_squared(at(d)) {
        triangles.extend([[a, b, c], [a, c, d]]);
    } else {
        triangles.extend([[b, c, d], [b, d, a]]);
    }
}
