//! Cuts the quads of a contour into triangles that do not pass through each other.
//!
//! An edge of the lattice and the vertices of two neighbouring cells at it span a tetrahedron; the four of them around
//! an edge are its *envelope*. As long as every vertex lies within its own cell, two envelopes have no more than their
//! surface in common, and triangles within different envelopes cannot cross (Ju and Udeshi 2006, "Intersection-free
//! contouring on an octree grid"). So a quad is cut along a diagonal that leaves both triangles within its envelope; a
//! quad without such a diagonal becomes a fan around the place where its edge is crossed, which always stays within.
//!
//! Where two sheets share a cell, the envelope of one could reach into the other's half. There the edge of the mesh to
//! the next cell is led through a point of the face between them, near the corner that the sheet cuts off.

use std::collections::HashMap;

use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::contour::{Contour, Quad, edge_between};
use crate::joined::joined;
use crate::topology::area_normal;

/// Quads that a thread cuts at a time.
const CHUNK: usize = 4096;
/// How far triangles keep from the rim of their envelope, as a share of it: more than rounding can bridge.
const CLEARANCE: f32 = 1e-3;

/// Triangles, and the vertices that were added for them.
pub(super) struct Surface {
    /// Those given, then the added ones. In cells.
    pub(super) positions: Vec<Vec3>,
    /// Counter-clockwise seen from outside.
    pub(super) triangles: Vec<[u32; 3]>,
}

/// How a quad is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// From its first corner to its third.
    First,
    /// From its second corner to its fourth.
    Second,
    /// From the place where the edge of the lattice is crossed to all corners.
    Fan,
}

/// Cuts all quads. `positions` are those of the contour's vertices, each within its own cell.
pub(super) fn triangulated(contour: &Contour, mut positions: Vec<Vec3>) -> Surface {
    let between = Between::new(contour, &mut positions);
    let cuts: Vec<Cut> = contour
        .quads
        .par_iter()
        .map(|quad| {
            if between.is_beside(quad) {
                return Cut::Fan;
            }
            let corners = quad.corners.map(|vertex| positions[vertex as usize]);
            cut(corners, quad.corners.map(|vertex| contour.is_sharp[vertex as usize]))
        })
        .collect();
    let fans: Vec<u32> = (0..cuts.len() as u32)
        .into_par_iter()
        .filter(|&quad| cuts[quad as usize] == Cut::Fan)
        .collect();
    let first_centre = positions.len();
    positions.extend(fans.iter().map(|&quad| contour.crossing(&contour.quads[quad as usize])));
    let triangles: Vec<Vec<[u32; 3]>> = contour
        .quads
        .par_chunks(CHUNK)
        .zip(cuts.par_chunks(CHUNK))
        .enumerate()
        .map(|(chunk, (quads, cuts))| {
            let fans_before = fans.partition_point(|&quad| (quad as usize) < chunk * CHUNK);
            let mut centre = (first_centre + fans_before) as u32;
            let mut triangles = Vec::with_capacity(quads.len() * 2);
            for (quad, cut) in quads.iter().zip(cuts) {
                let [a, b, c, d] = quad.corners;
                match cut {
                    Cut::First => triangles.extend([[a, b, c], [a, c, d]]),
                    Cut::Second => triangles.extend([[b, c, d], [b, d, a]]),
                    Cut::Fan => {
                        for [from, to] in ring(quad) {
                            match between.vertex(from, to) {
                                Some(middle) => triangles.extend([[centre, from, middle], [centre, middle, to]]),
                                None => triangles.push([centre, from, to]),
                            }
                        }
                        centre += 1;
                    }
                }
            }
            triangles
        })
        .collect();
    Surface {
        positions,
        triangles: joined(&triangles),
    }
}

/// The sides of a quad.
fn ring(quad: &Quad) -> [[u32; 2]; 4] {
    let [a, b, c, d] = quad.corners;
    [[a, b], [b, c], [c, d], [d, a]]
}

/// Vertices on faces between a cell that two sheets share and the next one.
struct Between<'a> {
    contour: &'a Contour,
    /// By the vertices on both sides of the face, the lower one first.
    vertices: HashMap<[u32; 2], u32>,
}

impl<'a> Between<'a> {
    /// Adds the vertices to `positions`.
    fn new(contour: &'a Contour, positions: &mut Vec<Vec3>) -> Self {
        let mut between = Self {
            contour,
            vertices: HashMap::new(),
        };
        let beside: Vec<u32> = (0..contour.quads.len() as u32)
            .into_par_iter()
            .filter(|&quad| between.is_beside(&contour.quads[quad as usize]))
            .collect();
        for quad in beside {
            let quad = &contour.quads[quad as usize];
            let crossing = contour.crossing(quad);
            for [from, to] in ring(quad) {
                if !(contour.shares_cell[from as usize] || contour.shares_cell[to as usize]) {
                    continue;
                }
                // Every side has two quads: the vertex lies in the middle of their crossings, both on the face.
                let next = positions.len() as u32;
                let vertex = *between.vertices.entry(key(from, to)).or_insert(next);
                if vertex == next {
                    positions.push(crossing * 0.5);
                } else {
                    positions[vertex as usize] += crossing * 0.5;
                }
            }
        }
        between
    }

    fn is_beside(&self, quad: &Quad) -> bool {
        quad.corners
            .iter()
            .any(|&vertex| self.contour.shares_cell[vertex as usize])
    }

    fn vertex(&self, from: u32, to: u32) -> Option<u32> {
        self.vertices.get(&key(from, to)).copied()
    }
}

fn key(from: u32, to: u32) -> [u32; 2] {
    [from.min(to), from.max(to)]
}

/// Of the diagonals that stay within the envelope: the one that joins sharp vertices, so that an edge of the shape is an
/// edge of the mesh; else the one that leaves no fold; else the shorter one.
fn cut(corners: [Vec3; 4], is_sharp: [bool; 4]) -> Cut {
    let envelope = Envelope::around(corners);
    let [a, b, c, d] = corners;
    let is_open = |p: [Vec3; 3], q: [Vec3; 3]| area_normal(p).dot(area_normal(q)) > 0.0;
    let first = (is_sharp[0] && is_sharp[2], is_open([a, b, c], [a, c, d]));
    let second = (is_sharp[1] && is_sharp[3], is_open([b, c, d], [b, d, a]));
    let prefers_first = first > second || first == second && a.distance_squared(c) <= b.distance_squared(d);
    let order = if prefers_first {
        [(Cut::First, 0), (Cut::Second, 1)]
    } else {
        [(Cut::Second, 1), (Cut::First, 0)]
    };
    order
        .into_iter()
        .find(|&(_, from)| envelope.holds_diagonal(from))
        .map_or(Cut::Fan, |(cut, _)| cut)
}

/// What lies between an edge of the lattice and the vertices of the cells around it.
struct Envelope {
    /// Across the edge, from it.
    across: [Vec2; 4],
    /// Along the edge: its low end is at 0, its high end at 1.
    along: [f32; 4],
}

impl Envelope {
    fn around(corners: [Vec3; 4]) -> Self {
        let (low, axis) = edge_between(corners);
        let relative = corners.map(|corner| corner - low);
        Self {
            across: relative.map(|corner| Vec2::new(corner[(axis + 1) % 3], corner[(axis + 2) % 3])),
            along: relative.map(|corner| corner[axis]),
        }
    }

    /// Whether both triangles beside the diagonal from corner `from` stay within.
    fn holds_diagonal(&self, from: usize) -> bool {
        let (start, end) = (from, from + 2);
        let way = self.across[end] - self.across[start];
        // The diagonal passes the edge of the lattice on the side of one of the two other corners.
        let (near, far) = {
            let (one, other) = (from + 1, (from + 3) % 4);
            let side = |point: Vec2| way.perp_dot(point - self.across[start]);
            if (side(self.across[one]) > 0.0) == (side(Vec2::ZERO) > 0.0) {
                (other, one)
            } else {
                (one, other)
            }
        };
        self.crosses_between(start, end, near) && self.pierces_edge([start, end, far])
    }

    /// Whether a diagonal goes through the triangle of the edge and the corner on its side.
    fn crosses_between(&self, start: usize, end: usize, near: usize) -> bool {
        let (a, toward) = (self.across[start], self.across[near]);
        let way = self.across[end] - a;
        let share = -a.perp_dot(toward) / way.perp_dot(toward);
        let out = (a + way * share).dot(toward) / toward.length_squared();
        let height = self.along[start] + (self.along[end] - self.along[start]) * share - out * self.along[near];
        let room = 1.0 - out;
        // The diagonal passes outside of a corner that it should pass inside of: then both other corners lie on the edge's
        // side of it. Written so that what is not a number holds nothing.
        out > -CLEARANCE && room > CLEARANCE && height > room * CLEARANCE && height < room * (1.0 - CLEARANCE)
    }

    /// Whether the edge goes through a triangle around it, and not the line beyond its ends.
    fn pierces_edge(&self, [a, b, c]: [usize; 3]) -> bool {
        let [p, q, r] = [a, b, c].map(|corner| self.across[corner]);
        let weights = [q.perp_dot(r), r.perp_dot(p), p.perp_dot(q)];
        let height = (weights[0] * self.along[a] + weights[1] * self.along[b] + weights[2] * self.along[c])
            / weights.iter().sum::<f32>();
        height > CLEARANCE && height < 1.0 - CLEARANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Around the edge of the lattice from (1, 1, 0) to (1, 1, 1).
    fn quad(heights: [f32; 4]) -> [Vec3; 4] {
        [(1.5, 1.5), (0.5, 1.5), (0.5, 0.5), (1.5, 0.5)]
            .into_iter()
            .zip(heights)
            .map(|((x, y), z)| Vec3::new(x, y, z))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }

    #[test]
    fn a_ridge_is_an_edge() {
        let ridge = quad([0.6, 0.4, 0.6, 0.4]);
        assert_eq!(cut(ridge, [true, false, true, false]), Cut::First);
        assert_eq!(cut(ridge, [false, true, true, true]), Cut::Second);
    }

    #[test]
    fn the_cut_goes_through_a_notch() {
        let mut notched = quad([0.5; 4]);
        // Nearer to the edge of the lattice than the line between its neighbours.
        notched[0] = Vec3::new(1.05, 1.05, 0.5);
        notched[1] = Vec3::new(0.5, 1.9, 0.5);
        notched[3] = Vec3::new(1.9, 0.5, 0.5);
        for is_sharp in [[false; 4], [false, true, false, true]] {
            assert_eq!(cut(notched, is_sharp), Cut::First);
        }
    }

    #[test]
    fn a_quad_without_a_diagonal_within_its_envelope_becomes_a_fan() {
        // Both diagonals go through the edge of the lattice, at .97 and at .03.
        let twisted = quad([0.97, 0.03, 0.97, 0.03]);
        assert_ne!(cut(twisted, [false; 4]), Cut::Fan);
        // One passes above what lies between the edge and a low corner, the other one below.
        let kite = [
            Vec3::new(1.1, 1.1, 0.97),
            Vec3::new(0.9, 1.1, 0.03),
            Vec3::new(0.5, 0.8, 0.97),
            Vec3::new(1.5, 0.8, 0.03),
        ];
        assert_eq!(cut(kite, [false; 4]), Cut::Fan);
    }
}
