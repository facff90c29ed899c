//! The solid that a surface stands for, sampled: which samples are inside, and where edges of the lattice leave it.
//!
//! It is the union of two kinds. **Bodies** are where the winding number is above one half. Crossings of triangles
//! with the lattice's edges part the samples of a brick into groups, and the number is computed for a few samples of a
//! group only: it cannot jump within it. **Sheets** enclose nothing; they become shells, that is, the places within
//! half a thickness of them.

use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::bins::Bins;
use super::hits::{Hit, cross, walls};
use super::lattice::{BRICK, BRICK_LEN, Lattice, Mask, local_at, members, parts, set};
use super::stage::Stage;
use super::winding::{THRESHOLD, Winding};
use crate::MeshError;
use crate::nearest::{Nearest, SearchTree};
use crate::topology::area_normal;

/// Winding numbers this close to a whole number belong to a closed surface.
const NEARLY_WHOLE: f32 = 0.1;
/// Winding numbers this far from the threshold leave no doubt.
const CLEAR: f32 = 0.15;
const ROOT_STEPS: usize = 6;
/// Where an edge is cut that leaves the solid for no reason of the surface's: near the inside end.
const SOFT: f32 = 0.05;

/// Where an edge of the lattice leaves the solid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    /// Share of the edge from its low end.
    pub(super) at: f32,
    /// Outward unit normal of the surface there, zero where there is none.
    pub(super) normal: Vec3,
}

/// An edge of the lattice with its ends on different sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) low: IVec3,
    pub(super) axis: usize,
    pub(super) is_low_inside: bool,
}

impl Edge {
    /// A place between the inside end, 0, and the outside end, 1.
    fn point(&self, share: f32) -> Vec3 {
        let along = if self.is_low_inside { share } else { 1.0 - share };
        self.low.as_vec3() + Vec3::AXES[self.axis] * along
    }

    /// From inside to outside.
    fn direction(&self) -> Vec3 {
        Vec3::AXES[self.axis] * if self.is_low_inside { 1.0 } else { -1.0 }
    }
}

/// The part of a solid that closed and nearly closed surfaces bound.
pub(super) struct Bodies<'a> {
    positions: &'a [Vec3],
    triangles: &'a [[u32; 3]],
    winding: Winding<'a>,
    bins: Bins,
    /// Sorted by edge, for each bin.
    hits: Vec<Vec<Hit>>,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(
        lattice: &Lattice,
        positions: &'a [Vec3],
        triangles: &'a [[u32; 3]],
        faces: &[u32],
        [to_sort, to_cross]: [&Stage<'_>; 2],
    ) -> Result<Self, MeshError> {
        let corners = |face: u32| triangles[face as usize].map(|vertex| positions[vertex as usize]);
        let bins = Bins::new(lattice, &corners, faces, 0.0, to_sort)?;
        let winding = Winding::new(positions, triangles, faces, to_sort)?;
        let share = faces.len().div_ceil(bins.bricks.len().max(1));
        let hits = (0..bins.bricks.len())
            .into_par_iter()
            .map(|bin| {
                to_cross.add(share)?;
                let first = (lattice.brick_at(bins.bricks[bin]) * BRICK).as_vec3();
                let mut hits = Vec::new();
                for &face in bins.faces(bin) {
                    cross(corners(face).map(|corner| corner - first), face, &mut hits);
                }
                hits.sort_by_key(|hit| hit.edge);
                Ok(hits)
            })
            .collect::<Result<_, MeshError>>()?;
        Ok(Self {
            positions,
            triangles,
            winding,
            bins,
            hits,
        })
    }

    fn is_inside(&self, point: Vec3) -> bool {
        self.winding.at(point) > THRESHOLD
    }

    fn inside(&self, lattice: &Lattice, brick: IVec3) -> Mask {
        let bin = lattice.index_of(brick).and_then(|index| self.bins.find(index));
        let walls = bin.map_or([[0; 8]; 3], |bin| walls(&self.hits[bin]));
        let first = brick * BRICK;
        let number = |place: usize| self.winding.at((first + local_at(place)).as_vec3());
        let mut inside = [0; 8];
        for part in parts(&[u64::MAX; 8], &walls) {
            match side_of(&part, &number) {
                Some(false) => {}
                Some(true) => (0..8).for_each(|z| inside[z] |= part[z]),
                None => members(&part)
                    .filter(|&place| number(place) > THRESHOLD)
                    .for_each(|place| set(&mut inside, place)),
            }
        }
        inside
    }

    /// How far from the inside end an edge leaves the bodies, and the normal there.
    fn leaves(&self, lattice: &Lattice, edge: Edge) -> Option<(f32, Vec3)> {
        let brick = edge.low.div_euclid(IVec3::splat(BRICK));
        let bin = lattice.index_of(brick).and_then(|index| self.bins.find(index));
        let place = edge.axis * BRICK_LEN + super::lattice::place_of(edge.low - brick * BRICK);
        let hits = bin.map_or(&[][..], |bin| of_edge(&self.hits[bin], place as u16));
        self.last_exit(hits, edge).or_else(|| self.leaves_through_a_hole(edge))
    }

    /// The crossing nearest to the outside end where a triangle faces it: what lies before it is inner structure.
    fn last_exit(&self, hits: &[Hit], edge: Edge) -> Option<(f32, Vec3)> {
        let mut last: Option<(f32, Vec3)> = None;
        for hit in hits {
            let Some(at) = hit.at else { continue };
            let corners = self.triangles[hit.face as usize].map(|vertex| self.positions[vertex as usize]);
            let normal = area_normal(corners).normalize_or_zero();
            let share = if edge.is_low_inside { at } else { 1.0 - at };
            if normal.dot(edge.direction()) > 0.0 && last.is_none_or(|(best, _)| share > best) {
                last = Some((share, normal));
            }
        }
        last
    }

    /// Where the winding number falls below the threshold between two triangles' rims.
    fn leaves_through_a_hole(&self, edge: Edge) -> Option<(f32, Vec3)> {
        if !self.is_inside(edge.point(0.0)) || self.is_inside(edge.point(1.0)) {
            return None;
        }
        let (mut within, mut without) = (0.0, 1.0);
        for _ in 0..ROOT_STEPS {
            let middle = f32::midpoint(within, without);
            if self.is_inside(edge.point(middle)) {
                within = middle;
            } else {
                without = middle;
            }
        }
        let share = f32::midpoint(within, without);
        let point = edge.point(share);
        let slope = |axis: Vec3| self.winding.at(point + axis * 0.5) - self.winding.at(point - axis * 0.5);
        let gradient = Vec3::from_array(Vec3::AXES.map(slope));
        Some((share, -gradient.normalize_or_zero()))
    }
}

/// Hits of one edge among sorted ones.
fn of_edge(hits: &[Hit], edge: u16) -> &[Hit] {
    let start = hits.partition_point(|hit| hit.edge < edge);
    let len = hits[start..].partition_point(|hit| hit.edge == edge);
    &hits[start..start + len]
}

/// The side that all samples of a group are on, as a few of them tell; `None` when each has to be asked. A group that
/// winds around the rim of a hole has both sides.
fn side_of(part: &Mask, number: &impl Fn(usize) -> f32) -> Option<bool> {
    let places: Vec<usize> = members(part).collect();
    let last = places.len() - 1;
    let ask = |count: usize| -> Vec<f32> {
        let ranks = (0..count).map(|i| i * last / (count - 1).max(1));
        ranks.map(|rank| number(places[rank])).collect()
    };
    let few = ask(places.len().min(3));
    let is_whole = few.iter().all(|value| (value - value.round()).abs() < NEARLY_WHOLE);
    let agree = |values: &[f32]| {
        values
            .iter()
            .all(|&value| (value > THRESHOLD) == (values[0] > THRESHOLD))
    };
    if !agree(&few) {
        return None;
    }
    if is_whole || places.len() <= 3 {
        return Some(few[0] > THRESHOLD);
    }
    let more = ask(places.len().min(9));
    let is_clear = more.iter().all(|value| (value - THRESHOLD).abs() > CLEAR);
    (is_clear && agree(&more)).then(|| more[0] > THRESHOLD)
}

/// The part of a solid that has no inside of its own.
pub(super) struct Sheets {
    tree: SearchTree,
    half_thickness: f32,
    bins: Bins,
}

impl Sheets {
    /// Sheets of a mesh in cells.
    pub(super) fn new(
        lattice: &Lattice,
        mesh: &bozzetto_asset::TriMesh,
        half_thickness: f32,
        stage: &Stage<'_>,
    ) -> Result<Self, MeshError> {
        let faces: Vec<u32> = (0..mesh.triangles.len() as u32).collect();
        let corners = |face: u32| mesh.corners(face as usize);
        Ok(Self {
            bins: Bins::new(lattice, &corners, &faces, half_thickness, stage)?,
            tree: SearchTree::new(mesh),
            half_thickness,
        })
    }

    fn inside(&self, lattice: &Lattice, brick: IVec3) -> Mask {
        let mut inside = [0; 8];
        if lattice
            .index_of(brick)
            .and_then(|index| self.bins.find(index))
            .is_none()
        {
            return inside;
        }
        let mut hint = None;
        for place in 0..BRICK_LEN {
            let point = (brick * BRICK + local_at(place)).as_vec3();
            let nearest = self.tree.nearest_from(point, hint);
            hint = nearest.map(|nearest| nearest.face).or(hint);
            if nearest.is_some_and(|nearest| self.is_within(&nearest)) {
                set(&mut inside, place);
            }
        }
        inside
    }

    fn is_within(&self, nearest: &Nearest) -> bool {
        nearest.distance_squared < self.half_thickness * self.half_thickness
    }

    /// How far from the inside end an edge leaves the shells, and the normal there.
    fn leaves(&self, edge: Edge) -> Option<(f32, Vec3)> {
        let start = self.tree.nearest(edge.point(0.0))?;
        if !self.is_within(&start) || self.is_within(&self.tree.nearest(edge.point(1.0))?) {
            return None;
        }
        let (mut within, mut without, mut nearest) = (0.0, 1.0, start);
        for _ in 0..ROOT_STEPS * 2 {
            let middle = f32::midpoint(within, without);
            let found = self.tree.nearest_from(edge.point(middle), Some(nearest.face))?;
            if self.is_within(&found) {
                (within, nearest) = (middle, found);
            } else {
                without = middle;
            }
        }
        Some((within, (edge.point(within) - nearest.point).normalize_or_zero()))
    }
}

/// The whole solid.
pub(super) struct Solid<'a> {
    pub(super) lattice: Lattice,
    pub(super) bodies: Option<Bodies<'a>>,
    pub(super) sheets: Option<Sheets>,
}

impl Solid<'_> {
    /// The bricks that the surface passes through, in raster order.
    pub(super) fn bricks(&self) -> Vec<u32> {
        let of_bodies = self.bodies.iter().flat_map(|bodies| &bodies.bins.bricks);
        let of_sheets = self.sheets.iter().flat_map(|sheets| &sheets.bins.bricks);
        let mut bricks: Vec<u32> = of_bodies.chain(of_sheets).copied().collect();
        bricks.par_sort_unstable();
        bricks.dedup();
        bricks
    }

    /// Samples of a brick inside the solid.
    pub(super) fn inside(&self, brick: IVec3) -> Mask {
        let of_bodies = self.bodies.as_ref().map(|bodies| bodies.inside(&self.lattice, brick));
        let of_sheets = self.sheets.as_ref().map(|sheets| sheets.inside(&self.lattice, brick));
        let (a, b) = (of_bodies.unwrap_or_default(), of_sheets.unwrap_or_default());
        std::array::from_fn(|z| a[z] | b[z])
    }

    /// Where an edge leaves the solid: where it has left both parts.
    pub(super) fn crossing(&self, edge: Edge) -> Crossing {
        let of_bodies = self
            .bodies
            .as_ref()
            .and_then(|bodies| bodies.leaves(&self.lattice, edge));
        let of_sheets = self.sheets.as_ref().and_then(|sheets| sheets.leaves(edge));
        let last = [of_bodies, of_sheets]
            .into_iter()
            .flatten()
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let (share, normal) = last.unwrap_or((SOFT, Vec3::ZERO));
        Crossing {
            at: if edge.is_low_inside { share } else { 1.0 - share },
            normal,
        }
    }
}
