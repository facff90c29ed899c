//! Dual contouring with one vertex for each sheet of the surface in a cell (Ju et al. 2002; Schaefer, Ju and Warren
//! 2007).
//!
//! Around each edge of the lattice with its ends on different sides lie four cells, whose vertices make a quad. No face
//! of a cell has its inside corners on a diagonal, so every face is crossed by at most one sheet, every edge of the mesh
//! belongs to exactly two quads and every vertex to one fan: the mesh is closed and manifold by construction, whatever
//! the surface was like.
//!
//! Cells may have become larger ones, leaves. An edge within a leaf, or within the face between two, makes nothing; one
//! within a leaf's face and between two others makes a triangle. What makes a polygon is then an edge of the smallest leaf
//! around it, which the surface crosses once only, and the argument stays as it is: see `Block::holds_one_disk`.

use bytemuck::Zeroable;
use glam::{IVec3, U16Vec3, Vec3};
use rayon::prelude::*;

use super::lattice::{BRICK, Bricks, Mask, Rows, has, local_at, members, place_of};
use super::leaves::{Leaves, Vertex};
use super::solid::{Crossing, Edge, Solid};
use super::stage::Stage;
use crate::MeshError;
use crate::joined::joined;
use crate::topology::NONE;

/// How near a vertex comes to its leaf's faces at first: then no two vertices share a place, and what a vertex is held back
/// by cannot be seen.
pub(super) const RIM: f32 = 1.0 / 256.0;

/// How the surface is contoured.
#[derive(Clone, Copy)]
pub(super) struct ContourOptions {
    /// Put vertices on sharp edges and into corners.
    pub(super) keeps_features: bool,
    /// Make larger cells where the surface is flat.
    pub(super) merges: bool,
}

/// The surface as polygons, in cells.
pub(super) struct Contour {
    /// Each vertex within its own leaf.
    pub(super) positions: Vec<Vec3>,
    /// Where the vertices want to be: where the planes meet, which may be beside the leaf.
    pub(super) wanted: Vec<Vec3>,
    /// Whether a vertex lies on a sharp edge or in a corner.
    pub(super) is_sharp: Vec<bool>,
    /// Whether a vertex lies in a cell with another one.
    pub(super) shares_cell: Vec<bool>,
    /// Edge of each vertex' leaf, in cells: a power of two. Leaves lie at multiples of their size.
    pub(super) sizes: Vec<u8>,
    pub(super) polygons: Vec<Polygon>,
}

/// Joins the vertices of the three or four leaves around an edge of the lattice.
#[derive(Clone, Copy, Zeroable)]
pub(super) struct Polygon {
    /// Counter-clockwise seen from outside; [`NONE`] for the fourth of three.
    corners: [u32; 4],
    /// Low end of the edge between two samples that the surface crosses.
    low: U16Vec3,
    pub(super) axis: u8,
    /// Edge of the smallest leaf around it.
    size: u8,
    /// Where the surface crosses the edge, as a share of it from its low end.
    crossing: f32,
}

impl Polygon {
    pub(super) fn corners(&self) -> &[u32] {
        &self.corners[..if self.corners[3] == NONE { 3 } else { 4 }]
    }

    /// Its corners in pairs.
    pub(super) fn sides(&self) -> impl Iterator<Item = [u32; 2]> {
        let corners = self.corners();
        (0..corners.len()).map(move |i| [corners[i], corners[(i + 1) % corners.len()]])
    }

    /// Where the surface crosses the edge that it lies around.
    pub(super) fn crossing(&self) -> Vec3 {
        self.low.as_vec3() + Vec3::AXES[self.axis as usize] * self.crossing.clamp(RIM, 1.0 - RIM)
    }

    /// Low end and length of the whole edge that all leaves around it have.
    pub(super) fn common_edge(&self) -> (Vec3, f32) {
        let mut low = self.low;
        low[self.axis as usize] -= low[self.axis as usize] % u16::from(self.size);
        (low.as_vec3(), self.size.into())
    }
}

impl Contour {
    /// Low corner and size of the leaf that a vertex lies in.
    pub(super) fn leaf(&self, vertex: u32) -> (Vec3, f32) {
        let size = f32::from(self.sizes[vertex as usize]);
        ((self.positions[vertex as usize] / size).floor() * size, size)
    }

    /// The places nearest to these that are within the vertices' leaves.
    pub(super) fn held_within_leaves(&self, places: &[Vec3]) -> Vec<Vec3> {
        let held = |(vertex, place): (u32, &Vec3)| {
            let (low, size) = self.leaf(vertex);
            place.clamp(low + RIM, low + (size - RIM))
        };
        (0..self.positions.len() as u32)
            .into_par_iter()
            .zip(places)
            .map(held)
            .collect()
    }
}

/// Extracts the surface between the inside and the outside samples.
pub(super) fn contour(
    bricks: &Bricks,
    solid: &Solid<'_>,
    options: ContourOptions,
    stage: &Stage<'_>,
) -> Result<Contour, MeshError> {
    let crossings: Vec<Crossings> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            stage.add(2)?;
            Ok(Crossings::new(bricks, solid, slot))
        })
        .collect::<Result<_, MeshError>>()?;
    let mut leaves: Vec<Leaves> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            stage.add(1)?;
            Ok(Leaves::new(bricks, &crossings, slot, options))
        })
        .collect::<Result<_, MeshError>>()?;
    let mut num_vertices = 0;
    for leaves in &mut leaves {
        leaves.first_vertex = num_vertices;
        num_vertices += leaves.vertices.len() as u32;
    }
    let polygons: Vec<Vec<Polygon>> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            stage.add(1)?;
            Ok(polygons(bricks, &crossings, &leaves, slot))
        })
        .collect::<Result<_, MeshError>>()?;
    // So many small lists take a while to give back.
    crossings.into_par_iter().for_each(drop);
    let vertices: Vec<Vec<Vertex>> = leaves.into_par_iter().map(|leaves| leaves.vertices).collect();
    let vertices = joined(&vertices);
    let of = |vertex: fn(&Vertex) -> Vec3| vertices.par_iter().map(vertex).collect();
    let whether = |vertex: fn(&Vertex) -> bool| vertices.par_iter().map(vertex).collect();
    Ok(Contour {
        positions: of(|vertex| vertex.position),
        wanted: of(|vertex| vertex.wanted),
        is_sharp: whether(|vertex| vertex.is_sharp),
        shares_cell: whether(|vertex| vertex.shares_cell),
        sizes: vertices.par_iter().map(|vertex| vertex.size).collect(),
        polygons: joined(&polygons),
    })
}

/// The edges of a brick with their ends on different sides.
pub(super) struct Crossings {
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

    /// The edges along an axis by their low ends, with what crosses them in their order.
    pub(super) fn along(&self, axis: usize) -> (&Mask, &[Crossing]) {
        (&self.edges[axis], &self.found[axis])
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

/// A polygon around every edge of a brick with its ends on different sides and three or four leaves around it.
fn polygons(bricks: &Bricks, crossings: &[Crossings], leaves: &[Leaves], slot: usize) -> Vec<Polygon> {
    let mut polygons = Vec::new();
    let of_brick = &crossings[slot];
    let own = bricks.at[slot];
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        for (place, crossing) in members(&of_brick.edges[axis]).zip(&of_brick.found[axis]) {
            let low = own * BRICK + local_at(place);
            let around = [(1, 1), (0, 1), (0, 0), (1, 0)].map(|(back_u, back_v)| {
                let cell = low - IVec3::AXES[u] * back_u - IVec3::AXES[v] * back_v;
                let brick = cell.div_euclid(IVec3::splat(BRICK));
                let corner = (back_u as usize) << u | (back_v as usize) << v;
                let slot = if brick == own { slot } else { bricks.slot(brick)? };
                Some(leaves[slot].vertex(place_of(cell - brick * BRICK), corner, axis))
            });
            // All four are there: every brick around a change of side is kept.
            if let [Some(a), Some(b), Some(c), Some(d)] = around
                && let Some(corners) = corners([a.0, b.0, c.0, d.0], has(&of_brick.is_low_inside[axis], place))
            {
                polygons.push(Polygon {
                    corners,
                    low: low.as_u16vec3(),
                    axis: axis as u8,
                    size: a.1.min(b.1).min(c.1).min(d.1),
                    crossing: crossing.at,
                });
            }
        }
    }
    polygons
}

/// The different ones of four vertices in a circle; `None` where that is no polygon.
fn corners(around: [u32; 4], is_forward: bool) -> Option<[u32; 4]> {
    let mut corners = [NONE; 4];
    let mut count = 0;
    for i in 0..4 {
        let vertex = if is_forward { around[i] } else { around[3 - i] };
        // One leaf's cells lie next to each other in the circle.
        if !corners[..count].contains(&vertex) {
            corners[count] = vertex;
            count += 1;
        }
    }
    (count > 2).then_some(corners)
}
