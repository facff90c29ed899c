//! Dual contouring with one vertex for each sheet of the surface in a cell (Ju et al. 2002; Schaefer, Ju and Warren
//! 2007).
//!
//! Around each edge of the lattice with its ends on different sides lie four cells, whose vertices make a quad. No face
//! of a cell has its inside corners on a diagonal, so every face is crossed by at most one sheet, every edge of the mesh
//! belongs to exactly two quads and every vertex to one fan: the mesh is closed and manifold by construction, whatever
//! the surface was like.

use bytemuck::Zeroable;
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::lattice::{
    BRICK, BRICK_LEN, Bricks, Mask, Rows, corner_offset, has, local_at, members, place_of, rank, set,
};
use super::qef::meeting;
use super::solid::{Crossing, Edge, Solid};
use super::stage::Stage;
use crate::MeshError;
use crate::cell_pattern::Pattern;
use crate::joined::joined;

/// How near a vertex comes to its cell's faces at first: then no two vertices share a place, and what a vertex is held back
/// by cannot be seen.
const RIM: f32 = 1.0 / 256.0;
/// How far a vertex may leave its cell for the place where the planes meet, in cells.
const MOST_LEAVE: f32 = 0.5;

/// The surface as quads, in cells.
pub(super) struct Contour {
    /// Each vertex within its own cell.
    pub(super) positions: Vec<Vec3>,
    /// Where the vertices want to be: where the planes meet, which may be beside the cell.
    pub(super) wanted: Vec<Vec3>,
    /// Whether a vertex lies on a sharp edge or in a corner.
    pub(super) is_sharp: Vec<bool>,
    /// Whether a vertex lies in a cell with another one.
    pub(super) shares_cell: Vec<bool>,
    pub(super) quads: Vec<Quad>,
}

/// Joins the vertices of the four cells around an edge of the lattice.
#[derive(Clone, Copy, Zeroable)]
pub(super) struct Quad {
    /// Counter-clockwise seen from outside.
    pub(super) corners: [u32; 4],
    /// Where the surface crosses the edge, as a share of it from its low end.
    crossing: f32,
}

impl Contour {
    /// Where the surface crosses the edge of the lattice that a quad lies around.
    pub(super) fn crossing(&self, quad: &Quad) -> Vec3 {
        let (low, axis) = edge_between(quad.corners.map(|vertex| self.positions[vertex as usize]));
        low + Vec3::AXES[axis] * quad.crossing.clamp(RIM, 1.0 - RIM)
    }

    /// The places nearest to these that are within the vertices' cells.
    pub(super) fn held_within_cells(&self, places: &[Vec3]) -> Vec<Vec3> {
        let held = |(position, place): (&Vec3, &Vec3)| {
            let cell = position.floor();
            place.clamp(cell + RIM, cell + (1.0 - RIM))
        };
        self.positions.par_iter().zip(places).map(held).collect()
    }
}

/// The low end and the axis of the edge of the lattice with these places in the four cells around it.
pub(super) fn edge_between(places: [Vec3; 4]) -> (Vec3, usize) {
    let cells = places.map(Vec3::floor);
    let low = cells.into_iter().reduce(Vec3::max).unwrap_or_default();
    let is_along = |axis: &usize| cells.iter().all(|cell| cell[*axis] == low[*axis]);
    (low, (0..3).find(is_along).unwrap_or_default())
}

/// Extracts the surface between the inside and the outside samples.
pub(super) fn contour(
    bricks: &Bricks,
    solid: &Solid<'_>,
    keeps_features: bool,
    stage: &Stage<'_>,
) -> Result<Contour, MeshError> {
    let crossings: Vec<Crossings> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            stage.add(2)?;
            Ok(Crossings::new(bricks, solid, slot))
        })
        .collect::<Result<_, MeshError>>()?;
    let mut cells: Vec<Cells> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            stage.add(1)?;
            Ok(Cells::new(bricks, &crossings, slot, keeps_features))
        })
        .collect::<Result<_, MeshError>>()?;
    let mut num_vertices = 0;
    for cells in &mut cells {
        cells.first_vertex = num_vertices;
        num_vertices += cells.vertices.len() as u32;
    }
    let quads: Vec<Vec<Quad>> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            stage.add(1)?;
            Ok(quads(bricks, &crossings, &cells, slot))
        })
        .collect::<Result<_, MeshError>>()?;
    let vertices: Vec<Vec<Vertex>> = cells.into_par_iter().map(|cells| cells.vertices).collect();
    let vertices = joined(&vertices);
    let of = |vertex: fn(&Vertex) -> Vec3| vertices.par_iter().map(vertex).collect();
    let whether = |vertex: fn(&Vertex) -> bool| vertices.par_iter().map(vertex).collect();
    Ok(Contour {
        positions: of(|vertex| vertex.position),
        wanted: of(|vertex| vertex.wanted),
        is_sharp: whether(|vertex| vertex.is_sharp),
        shares_cell: whether(|vertex| vertex.shares_cell),
        quads: joined(&quads),
    })
}

/// The edges of a brick with their ends on different sides.
struct Crossings {
    edges: [Mask; 3],
    is_low_inside: [Mask; 3],
    found: [Vec<Crossing>; 3],
}

impl Crossings {
    fn new(bricks: &Bricks, solid: &Solid<'_>, slot: usize) -> Self {
        let rows = bricks.rows(slot);
        let mut crossings = Self {
            edges: [[0; 8]; 3],
            is_low_inside: [[0; 8]; 3],
            found: Default::default(),
        };
        if rows.is_one_sided() {
            return crossings;
        }
        let first = bricks.at[slot] * BRICK;
        for axis in 0..3 {
            let (edges, inside) = changes(&rows, axis);
            crossings.found[axis] = members(&edges)
                .map(|place| {
                    solid.crossing(Edge {
                        low: first + local_at(place),
                        axis,
                        is_low_inside: has(&inside, place),
                    })
                })
                .collect();
            (crossings.edges[axis], crossings.is_low_inside[axis]) = (edges, inside);
        }
        crossings
    }

    fn at(&self, place: usize, axis: usize) -> Option<&Crossing> {
        self.found[axis].get(rank(&self.edges[axis], place))
    }
}

/// Edges along an axis with a change of side, and which samples are inside.
fn changes(rows: &Rows, axis: usize) -> (Mask, Mask) {
    let (mut edges, mut inside) = ([0; 8], [0; 8]);
    for z in 0..8 {
        for y in 0..8 {
            let here = rows.0[z][y];
            let next = match axis {
                0 => here >> 1,
                1 => rows.0[z][y + 1],
                _ => rows.0[z + 1][y],
            };
            edges[z] |= u64::from((here ^ next) & 0xFF) << (8 * y);
            inside[z] |= u64::from(here & 0xFF) << (8 * y);
        }
    }
    (edges, inside)
}

#[derive(Clone, Copy, Zeroable)]
struct Vertex {
    position: Vec3,
    wanted: Vec3,
    is_sharp: bool,
    shares_cell: bool,
}

/// The cells of a brick that the surface passes through.
struct Cells {
    mask: Mask,
    /// First vertex within the brick, and the pattern of inside corners, of each cell in the mask.
    heads: Vec<(u16, u8)>,
    vertices: Vec<Vertex>,
    first_vertex: u32,
}

impl Cells {
    fn new(bricks: &Bricks, crossings: &[Crossings], slot: usize, keeps_features: bool) -> Self {
        let mut cells = Self {
            mask: [0; 8],
            heads: Vec::new(),
            vertices: Vec::new(),
            first_vertex: 0,
        };
        let rows = bricks.rows(slot);
        if rows.is_one_sided() {
            return cells;
        }
        let brick = bricks.at[slot];
        let around: [Option<usize>; 8] = std::array::from_fn(|corner| bricks.slot(brick + corner_offset(corner)));
        for place in 0..BRICK_LEN {
            let local = local_at(place);
            let bits = rows.pattern(local.to_array().map(|i| i as usize));
            let pattern = Pattern::of(bits);
            if pattern.num_sheets == 0 {
                continue;
            }
            set(&mut cells.mask, place);
            cells.heads.push((cells.vertices.len() as u16, bits));
            for sheet in 0..pattern.num_sheets {
                let mut sheet_points = SheetPoints::default();
                for (low, high) in pattern.edges_of(sheet) {
                    let corner = local + corner_offset(low);
                    let behind = corner / BRICK;
                    let owner = around[(behind.x + 2 * behind.y + 4 * behind.z) as usize];
                    let axis = (low ^ high).trailing_zeros() as usize;
                    let place = place_of(corner - behind * BRICK);
                    if let Some(crossing) = owner.and_then(|owner| crossings[owner].at(place, axis)) {
                        sheet_points.add(corner_offset(low), axis, crossing);
                    }
                }
                let first = (brick * BRICK + local).as_vec3();
                cells.vertices.push(if pattern.num_sheets == 1 {
                    sheet_points.vertex(first, keeps_features)
                } else {
                    sheet_points.vertex_beside_another(first)
                });
            }
        }
        cells
    }

    /// The vertex of a cell on the sheet that crosses its edge from a corner along an axis.
    fn vertex(&self, place: usize, low: usize, axis: usize) -> u32 {
        let (first, bits) = self.heads[rank(&self.mask, place)];
        self.first_vertex + u32::from(first) + u32::from(Pattern::of(bits).sheet(low, axis))
    }
}

/// Crossings of a sheet with its cell's edges, relative to the cell.
#[derive(Default)]
struct SheetPoints {
    points: [Vec3; 12],
    normals: [Vec3; 12],
    len: usize,
}

impl SheetPoints {
    fn add(&mut self, low: IVec3, axis: usize, crossing: &Crossing) {
        self.points[self.len] = low.as_vec3() + Vec3::AXES[axis] * crossing.at;
        self.normals[self.len] = crossing.normal;
        self.len += 1;
    }

    fn vertex(&self, cell: Vec3, keeps_features: bool) -> Vertex {
        let (points, normals) = (&self.points[..self.len], &self.normals[..self.len]);
        let (point, rank) = if keeps_features {
            let meeting = meeting(points, normals);
            (meeting.point, meeting.rank)
        } else {
            (points.iter().sum::<Vec3>() / self.len.max(1) as f32, 1)
        };
        let within = point.clamp(Vec3::splat(RIM), Vec3::splat(1.0 - RIM));
        let is_sharp = rank > 1;
        // Farther away the planes meet for no good reason.
        let is_near = (point - 0.5).abs().max_element() <= 0.5 + MOST_LEAVE;
        Vertex {
            position: cell + within,
            wanted: cell + if is_sharp && is_near { point } else { within },
            is_sharp,
            shares_cell: false,
        }
    }

    /// In the middle of the crossings, and so nearer to the corner that the sheet cuts off than to the other sheet's.
    fn vertex_beside_another(&self, cell: Vec3) -> Vertex {
        Vertex {
            shares_cell: true,
            ..self.vertex(cell, false)
        }
    }
}

/// A quad around every edge of a brick with its ends on different sides.
fn quads(bricks: &Bricks, crossings: &[Crossings], cells: &[Cells], slot: usize) -> Vec<Quad> {
    let mut quads = Vec::new();
    let of_brick = &crossings[slot];
    let first = bricks.at[slot] * BRICK;
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        for (place, crossing) in members(&of_brick.edges[axis]).zip(&of_brick.found[axis]) {
            let low = first + local_at(place);
            let corners = [(1, 1), (0, 1), (0, 0), (1, 0)].map(|(back_u, back_v)| {
                let cell = low - IVec3::AXES[u] * back_u - IVec3::AXES[v] * back_v;
                let brick = cell.div_euclid(IVec3::splat(BRICK));
                let corner = (back_u as usize) << u | (back_v as usize) << v;
                let slot = bricks.slot(brick)?;
                Some(cells[slot].vertex(place_of(cell - brick * BRICK), corner, axis))
            });
            // All four are there: every brick around a change of side is kept.
            if let [Some(a), Some(b), Some(c), Some(d)] = corners {
                let is_low_inside = has(&of_brick.is_low_inside[axis], place);
                quads.push(Quad {
                    corners: if is_low_inside { [a, b, c, d] } else { [d, c, b, a] },
                    crossing: crossing.at,
                });
            }
        }
    }
    quads
}
