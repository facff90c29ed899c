//! Cuts the polygons of a contour into triangles that do not pass through each other.
//!
//! An edge of the lattice and the vertices of two neighbouring leaves at it span a tetrahedron; those around an edge are
//! its *envelope*. As long as every vertex lies within its own leaf, and the line between neighbours passes through the face
//! between their leaves, two envelopes have no more than their surface in common, and triangles within different envelopes
//! cannot cross (Ju and Udeshi 2006, "Intersection-free contouring on an octree grid"). So a polygon is cut along a diagonal
//! that leaves its triangles within its envelope; one without such a diagonal becomes a fan around the place where its edge
//! is crossed, which always stays within.
//!
//! Where two sheets share a cell, the envelope of one could reach into the other's half. There the edge of the mesh to
//! the next cell is led through a point of the face between them, near the corner that the sheet cuts off; and so it is
//! where the line from a large leaf to a small one misses the face between them.

use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::contour::{Contour, Polygon};
use crate::joined::joined;
use crate::topology::area_normal;

/// Polygons that a thread cuts at a time.
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

/// How a polygon is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// Not at all: it is a triangle.
    Whole,
    /// From its first corner to its third.
    First,
    /// From its second corner to its fourth.
    Second,
    /// From the place where the edge of the lattice is crossed to all corners.
    Fan,
}

/// Cuts all polygons. `positions` are those of the contour's vertices, each within its own leaf.
pub(super) fn triangulated(contour: &Contour, mut positions: Vec<Vec3>) -> Surface {
    let between = Between::new(contour, &mut positions);
    let cuts: Vec<Cut> = contour
        .polygons
        .par_iter()
        .map(|polygon| {
            if between.is_beside(polygon, &positions) {
                Cut::Fan
            } else {
                cut(contour, polygon, &positions)
            }
        })
        .collect();
    let fans: Vec<u32> = (0..cuts.len() as u32)
        .into_par_iter()
        .filter(|&polygon| cuts[polygon as usize] == Cut::Fan)
        .collect();
    let first_centre = positions.len();
    positions.extend(
        fans.iter()
            .map(|&polygon| contour.polygons[polygon as usize].crossing()),
    );
    let triangles: Vec<Vec<[u32; 3]>> = contour
        .polygons
        .par_chunks(CHUNK)
        .zip(cuts.par_chunks(CHUNK))
        .enumerate()
        .map(|(chunk, (polygons, cuts))| {
            let fans_before = fans.partition_point(|&polygon| (polygon as usize) < chunk * CHUNK);
            let mut centre = (first_centre + fans_before) as u32;
            let mut triangles = Vec::with_capacity(polygons.len() * 2);
            for (polygon, cut) in polygons.iter().zip(cuts) {
                match (cut, polygon.corners()) {
                    (Cut::First, &[a, b, c, d]) => triangles.extend([[a, b, c], [a, c, d]]),
                    (Cut::Second, &[a, b, c, d]) => triangles.extend([[b, c, d], [b, d, a]]),
                    (Cut::Whole, &[a, b, c]) => triangles.push([a, b, c]),
                    _ => {
                        for [from, to] in polygon.sides() {
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

/// Vertices on faces between two leaves through which the line between their vertices does not lead well.
struct Between<'a> {
    contour: &'a Contour,
    /// The vertices on both sides of each face, the lower one first; rising.
    ends: Vec<[u32; 2]>,
    first_vertex: u32,
}

impl<'a> Between<'a> {
    /// Adds the vertices to `positions`.
    fn new(contour: &'a Contour, positions: &mut Vec<Vec3>) -> Self {
        let mut between = Self {
            contour,
            ends: Vec::new(),
            first_vertex: positions.len() as u32,
        };
        let (shared, vertices) = (&between, &*positions);
        let mut found: Vec<([u32; 2], u32)> = (0..contour.polygons.len() as u32)
            .into_par_iter()
            .flat_map_iter(|polygon| {
                let sides = contour.polygons[polygon as usize].sides();
                sides
                    .map(move |[from, to]| (key(from, to), polygon))
                    .filter(|&(ends, _)| shared.leads_through(ends, vertices))
            })
            .collect();
        found.par_sort_unstable();
        let mut added = Vec::new();
        for polygons in found.chunk_by(|a, b| a.0 == b.0) {
            // Every side has two polygons: the vertex lies in the middle of their crossings, both on the face.
            let crossings = polygons
                .iter()
                .map(|&(_, polygon)| contour.polygons[polygon as usize].crossing());
            added.push(crossings.sum::<Vec3>() * 0.5);
            between.ends.push(polygons[0].0);
        }
        positions.extend(added);
        between
    }

    fn is_beside(&self, polygon: &Polygon, positions: &[Vec3]) -> bool {
        let shares_cell = |&vertex: &u32| self.contour.shares_cell[vertex as usize];
        polygon.corners().iter().any(shares_cell)
            || polygon
                .sides()
                .any(|[from, to]| self.leads_through(key(from, to), positions))
    }

    /// Whether the edge between two neighbours is led through a point of the face between them.
    fn leads_through(&self, ends: [u32; 2], positions: &[Vec3]) -> bool {
        ends.iter().any(|&vertex| self.contour.shares_cell[vertex as usize]) || self.misses_face(ends, positions)
    }

    /// Whether the line between two neighbours misses the face between their leaves. Two leaves of one size are a convex
    /// box: their vertices' line cannot.
    fn misses_face(&self, ends: [u32; 2], positions: &[Vec3]) -> bool {
        let sizes = ends.map(|vertex| self.contour.sizes[vertex as usize]);
        if sizes[0] == sizes[1] {
            return false;
        }
        let [(low_a, size_a), (low_b, size_b)] = ends.map(|vertex| self.contour.leaf(vertex));
        let (low, high) = (low_a.max(low_b), (low_a + size_a).min(low_b + size_b));
        let Some(axis) = (0..3).find(|&axis| low[axis] == high[axis]) else {
            return true;
        };
        let [from, to] = ends.map(|vertex| positions[vertex as usize]);
        let meets = from.lerp(to, (low[axis] - from[axis]) / (to[axis] - from[axis]));
        let clearance = (high - low) * CLEARANCE;
        // Written so that what is not a number misses.
        !(0..3)
            .filter(|&other| other != axis)
            .all(|other| meets[other] > low[other] + clearance[other] && meets[other] < high[other] - clearance[other])
    }

    fn vertex(&self, from: u32, to: u32) -> Option<u32> {
        let place = self.ends.binary_search(&key(from, to)).ok()?;
        Some(self.first_vertex + place as u32)
    }
}

fn key(from: u32, to: u32) -> [u32; 2] {
    [from.min(to), from.max(to)]
}

/// How a polygon is cut that leads through no points of faces.
fn cut(contour: &Contour, polygon: &Polygon, positions: &[Vec3]) -> Cut {
    let vertices = polygon.corners();
    let corners = std::array::from_fn(|i| vertices.get(i).map_or(Vec3::NAN, |&vertex| positions[vertex as usize]));
    let envelope = Envelope::around(polygon.common_edge(), polygon.axis.into(), corners);
    match *vertices {
        [a, b, c, d] => {
            let is_sharp = [a, b, c, d].map(|vertex| contour.is_sharp[vertex as usize]);
            cut_of_quad(&envelope, corners, is_sharp)
        }
        _ if envelope.pierces_edge([0, 1, 2]) => Cut::Whole,
        _ => Cut::Fan,
    }
}

/// Of the diagonals that stay within the envelope: the one that joins sharp vertices, so that an edge of the shape is an
/// edge of the mesh; else the one that leaves no fold; else the shorter one.
fn cut_of_quad(envelope: &Envelope, corners: [Vec3; 4], is_sharp: [bool; 4]) -> Cut {
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

/// What lies between an edge of the lattice and the vertices of the leaves around it.
struct Envelope {
    /// Across the edge, from it.
    across: [Vec2; 4],
    /// Along the edge: its low end is at 0, its high end at 1.
    along: [f32; 4],
}

impl Envelope {
    fn around((low, length): (Vec3, f32), axis: usize, corners: [Vec3; 4]) -> Self {
        let relative = corners.map(|corner| (corner - low) / length);
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

    fn cut(corners: [Vec3; 4], is_sharp: [bool; 4]) -> Cut {
        let envelope = Envelope::around((Vec3::new(1.0, 1.0, 0.0), 1.0), 2, corners);
        cut_of_quad(&envelope, corners, is_sharp)
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
