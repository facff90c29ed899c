//! The cells of a brick that the surface passes through, with a vertex for each sheet. Where the surface is nearly flat,
//! cells become one larger cell, a leaf of an octree, with one vertex (Ju et al. 2002).

use bytemuck::Zeroable;
use glam::{IVec3, Vec3};

use super::block::Block;
use super::contour::{ContourOptions, Crossings, RIM};
use super::lattice::{BRICK, BRICK_LEN, Bricks, Mask, Rows, corner_offset, local_at, members, rank};
use super::qef::{Meeting, meeting};
use super::solid::Crossing;
use crate::cell_pattern::Pattern;

/// How far a vertex may leave its cell for the place where the planes meet, in cells.
const MOST_LEAVE: f32 = 0.5;
/// How far off its vertex the planes of a leaf of several cells may pass, in cells. On a bumpy ball of 1024 cells whose bumps
/// have radii from 14 cells up this leaves a sixth of the vertices; of 512 cells two fifths, and a third as much nearly all.
const MOST_OFF: f32 = 0.03;
/// Samples along a brick's axis with the first one behind it.
const SIDE: usize = BRICK as usize + 1;
const NO_CROSSING: u16 = u16::MAX;

#[derive(Clone, Copy, Zeroable)]
pub(super) struct Vertex {
    pub(super) position: Vec3,
    pub(super) wanted: Vec3,
    pub(super) is_sharp: bool,
    pub(super) shares_cell: bool,
    /// Edge of its leaf, in cells.
    pub(super) size: u8,
}

/// The leaves of a brick that the surface passes through.
pub(super) struct Leaves {
    mask: Mask,
    /// First vertex within the brick, and the pattern of inside corners, of each cell in the mask.
    heads: Vec<(u16, u8)>,
    pub(super) vertices: Vec<Vertex>,
    pub(super) first_vertex: u32,
}

impl Leaves {
    pub(super) fn new(bricks: &Bricks, crossings: &[Crossings], slot: usize, options: ContourOptions) -> Self {
        let rows = bricks.rows(slot);
        if rows.is_one_sided() {
            return Self {
                mask: [0; 8],
                heads: Vec::new(),
                vertices: Vec::new(),
                first_vertex: 0,
            };
        }
        let mut growing = Growing {
            crossed: CrossedEdges::around(bricks, crossings, slot),
            rows,
            first: (bricks.at[slot] * BRICK).as_vec3(),
            options,
            mask: [0; 8],
            heads: [(0, 0); BRICK_LEN],
            vertices: Vec::new(),
            points: Vec::new(),
            normals: Vec::new(),
        };
        growing.find_crossed_cells();
        let whole = Block {
            low: [0; 3],
            size: BRICK as usize,
        };
        if let Fate::Leaf(meeting) = growing.fate_of(whole) {
            growing.add(whole, meeting);
        }
        Self {
            mask: growing.mask,
            heads: members(&growing.mask).map(|place| growing.heads[place]).collect(),
            vertices: growing.vertices,
            first_vertex: 0,
        }
    }

    /// The vertex of a cell on the sheet that crosses its edge from a corner along an axis, and the edge of its leaf.
    pub(super) fn vertex(&self, place: usize, low: usize, axis: usize) -> (u32, u8) {
        let (first, bits) = self.heads[rank(&self.mask, place)];
        let vertex = u32::from(first) + u32::from(Pattern::of(bits).sheet(low, axis));
        (self.first_vertex + vertex, self.vertices[vertex as usize].size)
    }
}

/// What becomes of a block.
enum Fate {
    /// The surface does not pass.
    Free,
    /// A leaf, with its vertex where that is known already.
    Leaf(Option<Meeting>),
    /// Its vertices are there.
    Parted,
}

/// The leaves of a brick while they are found.
struct Growing {
    crossed: CrossedEdges,
    rows: Rows,
    /// The brick's first sample.
    first: Vec3,
    options: ContourOptions,
    mask: Mask,
    /// By place.
    heads: [(u16, u8); BRICK_LEN],
    vertices: Vec<Vertex>,
    /// Room for the crossings of a block, from its low corner.
    points: Vec<Vec3>,
    normals: Vec<Vec3>,
}

impl Growing {
    fn find_crossed_cells(&mut self) {
        for z in 0..8 {
            for y in 0..8 {
                self.mask[z] |= u64::from(self.rows.crossed_cells(z, y)) << (8 * y);
            }
        }
        for place in members(&self.mask) {
            let cell = local_at(place).to_array().map(|i| i as usize);
            self.heads[place].1 = self.rows.pattern(cell);
        }
    }

    fn fate_of(&mut self, block: Block) -> Fate {
        if block.size == 1 {
            let place = block.low[0] + 8 * block.low[1] + 64 * block.low[2];
            return match Pattern::of(self.heads[place].1).num_sheets {
                0 => Fate::Free,
                1 => Fate::Leaf(None),
                _ => {
                    self.add(block, None);
                    Fate::Parted
                }
            };
        }
        if cells_of(block).all(|(z, columns)| self.mask[z] & columns == 0) {
            return Fate::Free;
        }
        let eighths = block.eighths();
        let fates = eighths.map(|eighth| self.fate_of(eighth));
        if self.options.merges
            && !fates.iter().any(|fate| matches!(fate, Fate::Parted))
            && let Some(meeting) = self.merged(block)
        {
            return Fate::Leaf(Some(meeting));
        }
        for (eighth, fate) in eighths.into_iter().zip(fates) {
            if let Fate::Leaf(meeting) = fate {
                self.add(eighth, meeting);
            }
        }
        Fate::Parted
    }

    /// Where the vertex of a block goes if it can be one leaf.
    fn merged(&mut self, block: Block) -> Option<Meeting> {
        if !block.holds_one_disk(&self.rows) {
            return None;
        }
        self.points.clear();
        self.normals.clear();
        for crossing in self.crossed.in_block(block) {
            // Across a hole nothing says how flat the surface is.
            if crossing.1 == Vec3::ZERO {
                return None;
            }
            self.points.push(crossing.0 - block.lowest());
            self.normals.push(crossing.1);
        }
        let meeting = meeting(&self.points, &self.normals);
        let is_within = |at: f32| (RIM..=block.size as f32 - RIM).contains(&at);
        let is_near = |(&point, normal): (&Vec3, &Vec3)| (meeting.point - point).dot(*normal).abs() <= MOST_OFF;
        (meeting.point.to_array().into_iter().all(is_within) && self.points.iter().zip(&self.normals).all(is_near))
            .then_some(meeting)
    }

    /// Makes a block a leaf.
    fn add(&mut self, block: Block, meeting: Option<Meeting>) {
        let first = self.vertices.len() as u16;
        for (z, columns) in cells_of(block) {
            let mut cells = [0; 8];
            cells[z] = self.mask[z] & columns;
            for place in members(&cells) {
                self.heads[place].0 = first;
            }
        }
        let lowest = self.first + block.lowest();
        if let Some(meeting) = meeting {
            self.vertices.push(Vertex {
                position: lowest + meeting.point,
                wanted: lowest + meeting.point,
                is_sharp: meeting.rank > 1,
                shares_cell: false,
                size: block.size as u8,
            });
            return;
        }
        let place = block.low[0] + 8 * block.low[1] + 64 * block.low[2];
        let pattern = Pattern::of(self.heads[place].1);
        for sheet in 0..pattern.num_sheets {
            let mut sheet_points = SheetPoints::default();
            for (low, high) in pattern.edges_of(sheet) {
                let corner: [usize; 3] = std::array::from_fn(|axis| block.low[axis] + (low >> axis & 1));
                let axis = (low ^ high).trailing_zeros() as usize;
                if let Some((point, normal)) = self.crossed.at(corner, axis) {
                    sheet_points.add(point - block.lowest(), normal);
                }
            }
            self.vertices.push(if pattern.num_sheets == 1 {
                sheet_points.vertex(lowest, self.options.keeps_features)
            } else {
                sheet_points.vertex_beside_another(lowest)
            });
        }
    }
}

/// Cells of a block as bits in the words of a brick's mask.
fn cells_of(block: Block) -> impl Iterator<Item = (usize, u64)> {
    let [x, y, z] = block.low;
    let row = ((1_u64 << block.size) - 1) << x;
    let rows = (y..y + block.size).fold(0, |rows, y| rows | row << (8 * y));
    (z..z + block.size).map(move |z| (z, rows))
}

/// The crossed edges of a brick's cells, those in the first layers of the bricks behind it included.
struct CrossedEdges {
    /// By axis and low end, z before y before x, the place in `found`.
    places: [u16; 3 * SIDE * SIDE * SIDE],
    /// Points from the brick's first sample, and normals.
    found: Vec<(Vec3, Vec3)>,
}

impl CrossedEdges {
    fn around(bricks: &Bricks, crossings: &[Crossings], slot: usize) -> Self {
        let mut crossed = Self {
            places: [NO_CROSSING; 3 * SIDE * SIDE * SIDE],
            found: Vec::with_capacity(512),
        };
        for behind in 0..8 {
            let Some(owner) = bricks.slot(bricks.at[slot] + corner_offset(behind)) else {
                continue;
            };
            for axis in (0..3).filter(|axis| behind >> axis & 1 == 0) {
                let (edges, found) = crossings[owner].along(axis);
                for (place, crossing) in members(edges).zip(found) {
                    let local = local_at(place);
                    // Of the bricks behind only the first layer.
                    if (0..3).all(|axis| behind >> axis & 1 == 0 || local[axis] == 0) {
                        crossed.add(local + corner_offset(behind) * BRICK, axis, crossing);
                    }
                }
            }
        }
        crossed
    }

    fn add(&mut self, low: IVec3, axis: usize, crossing: &Crossing) {
        self.places[edge_index(low.to_array().map(|i| i as usize), axis)] = self.found.len() as u16;
        let point = low.as_vec3() + Vec3::AXES[axis] * crossing.at;
        self.found.push((point, crossing.normal));
    }

    fn at(&self, low: [usize; 3], axis: usize) -> Option<(Vec3, Vec3)> {
        self.found.get(self.places[edge_index(low, axis)] as usize).copied()
    }

    /// All on the edges of a block's cells.
    fn in_block(&self, block: Block) -> impl Iterator<Item = (Vec3, Vec3)> {
        let [x, y, z] = block.low;
        let end = move |axis: usize, along: usize| block.size + usize::from(axis != along);
        (0..3).flat_map(move |axis| {
            (z..z + end(axis, 2)).flat_map(move |z| {
                (y..y + end(axis, 1)).flat_map(move |y| {
                    let start = edge_index([x, y, z], axis);
                    let places = &self.places[start..start + end(axis, 0)];
                    places
                        .iter()
                        .filter_map(|&place| self.found.get(place as usize).copied())
                })
            })
        })
    }
}

fn edge_index([x, y, z]: [usize; 3], axis: usize) -> usize {
    ((axis * SIDE + z) * SIDE + y) * SIDE + x
}

/// Crossings of a sheet with its cell's edges, relative to the cell.
#[derive(Default)]
struct SheetPoints {
    points: [Vec3; 12],
    normals: [Vec3; 12],
    len: usize,
}

impl SheetPoints {
    fn add(&mut self, point: Vec3, normal: Vec3) {
        self.points[self.len] = point;
        self.normals[self.len] = normal;
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
            size: 1,
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
