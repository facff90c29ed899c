//! Which samples are inside, made fit for contouring: every brick that matters is kept, no face of a cell has its
//! inside corners on a diagonal, and no cavity is left.

use glam::IVec3;
use rayon::prelude::*;

use super::lattice::{BRICK, Bricks, Mask, has, not, parts, place_of, set};
use super::solid::{Edge, Solid};
use super::stage::Stage;
use crate::joined::joined;
use crate::topology::{ConcurrentSets, NONE};
use crate::{Control, MeshError, Step};

/// Samples the solid wherever its surface may pass.
pub(super) fn sample(solid: &Solid<'_>, stage: &Stage<'_>) -> Result<Bricks, MeshError> {
    let mut bricks = Bricks::new(solid.lattice);
    let near: Vec<IVec3> = solid
        .bricks()
        .iter()
        .map(|&index| solid.lattice.brick_at(index))
        .collect();
    add(&mut bricks, solid, &near, stage)?;
    loop {
        grow(&mut bricks, solid, stage)?;
        let changes = diagonal_corners(&bricks, solid, stage.control())?;
        if changes.is_empty() {
            return Ok(bricks);
        }
        for sample in changes {
            let brick = sample.div_euclid(IVec3::splat(BRICK));
            if let Some(slot) = bricks.slot(brick) {
                let mut more = [0; 8];
                set(&mut more, place_of(sample - brick * BRICK));
                bricks.fill(slot, &more);
            }
        }
    }
}

fn add(bricks: &mut Bricks, solid: &Solid<'_>, new: &[IVec3], stage: &Stage<'_>) -> Result<(), MeshError> {
    let masks: Vec<Mask> = new
        .par_iter()
        .map(|&brick| {
            stage.add(1)?;
            Ok(solid.inside(brick))
        })
        .collect::<Result<_, MeshError>>()?;
    for (&brick, mask) in new.iter().zip(masks) {
        bricks.push(brick, mask);
    }
    Ok(())
}

/// Keeps all bricks around those that hold both sides, and around neighbours on different sides, until none is
/// missing. Then all samples of a cell that the surface passes are known: near triangles this ends at once, across a
/// hole it follows the surface of winding number one half.
fn grow(bricks: &mut Bricks, solid: &Solid<'_>, stage: &Stage<'_>) -> Result<(), MeshError> {
    loop {
        let shared = &*bricks;
        let mut missing: Vec<u32> = (0..bricks.len())
            .into_par_iter()
            .filter(|&slot| is_at_surface(shared, slot))
            .flat_map_iter(|slot| {
                around(shared.at[slot])
                    .filter(|&brick| shared.slot(brick).is_none())
                    .filter_map(|brick| shared.lattice.index_of(brick))
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.par_sort_unstable();
        missing.dedup();
        let new: Vec<IVec3> = missing.iter().map(|&index| bricks.lattice.brick_at(index)).collect();
        add(bricks, solid, &new, stage)?;
    }
}

fn is_at_surface(bricks: &Bricks, slot: usize) -> bool {
    let Some(side) = bricks.side(slot) else {
        return true;
    };
    around(bricks.at[slot])
        .filter_map(|brick| bricks.slot(brick))
        .any(|slot| bricks.side(slot) == Some(!side))
}

fn around(brick: IVec3) -> impl Iterator<Item = IVec3> {
    (0..27)
        .filter(|&i| i != 13)
        .map(move |i| brick + IVec3::new(i % 3, i / 3 % 3, i / 9) - 1)
}

/// For each face of a cell whose inside corners lie on a diagonal, an outside corner to turn inside. Each change only
/// adds inside samples, so repeating this ends.
fn diagonal_corners(bricks: &Bricks, solid: &Solid<'_>, control: &Control<'_>) -> Result<Vec<IVec3>, MeshError> {
    let found: Vec<Vec<IVec3>> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| {
            control.check(Step::Remesh)?;
            let rows = bricks.rows(slot);
            let mut found = Vec::new();
            if rows.is_one_sided() {
                return Ok(found);
            }
            let first = bricks.at[slot] * BRICK;
            for z in 0..8 {
                for y in 0..8 {
                    let [here, up, deep, both] =
                        [(z, y), (z, y + 1), (z + 1, y), (z + 1, y + 1)].map(|(z, y)| rows.0[z][y]);
                    let faces = [
                        (diagonals(here, here >> 1, up, up >> 1), [IVec3::X, IVec3::Y]),
                        (diagonals(here, here >> 1, deep, deep >> 1), [IVec3::X, IVec3::Z]),
                        (diagonals(here, up, deep, both), [IVec3::Y, IVec3::Z]),
                    ];
                    for (bits, [u, v]) in faces {
                        for x in (0..8).filter(|x| bits >> x & 1 == 1) {
                            let low = first + IVec3::new(x, y as i32, z as i32);
                            found.push(corner_to_fill(solid, low, [u, v], here >> x & 1 == 1));
                        }
                    }
                }
            }
            Ok(found)
        })
        .collect::<Result<_, MeshError>>()?;
    Ok(joined(&found))
}

/// Bits of the faces with corners `a b` over `c d` whose inside corners are on a diagonal.
fn diagonals(a: u16, b: u16, c: u16, d: u16) -> u16 {
    ((a & d & !b & !c) | (b & c & !a & !d)) & 0xFF
}

/// Of a face's two outside corners the one nearer to the surface, unless it is on the lattice's rim, which stays
/// outside.
fn corner_to_fill(solid: &Solid<'_>, low: IVec3, [u, v]: [IVec3; 2], is_low_inside: bool) -> IVec3 {
    let (across, along) = ([low, low + u + v], [low + u, low + v]);
    let (inside, outside) = if is_low_inside {
        (across, along)
    } else {
        (along, across)
    };
    for (i, corner) in outside.into_iter().enumerate() {
        if solid.lattice.is_on_rim(corner) {
            return outside[1 - i];
        }
    }
    let way = |corner: IVec3| -> f32 { inside.iter().map(|&within| way_to_surface(solid, within, corner)).sum() };
    if way(outside[0]) <= way(outside[1]) {
        outside[0]
    } else {
        outside[1]
    }
}

/// How far an outside sample is from where the edge to an inside one leaves the solid.
fn way_to_surface(solid: &Solid<'_>, within: IVec3, without: IVec3) -> f32 {
    let way = without - within;
    let axis = (0..3).find(|&axis| way[axis] != 0).unwrap_or_default();
    let is_low_inside = way[axis] > 0;
    let crossing = solid.crossing(Edge {
        low: within.min(without),
        axis,
        is_low_inside,
    });
    if is_low_inside { 1.0 - crossing.at } else { crossing.at }
}

/// Turns all outside samples inside that no path of outside samples connects with the lattice's rim.
pub(super) fn fill_cavities(bricks: &mut Bricks, control: &Control<'_>) -> Result<(), MeshError> {
    control.check(Step::Remesh)?;
    let pockets: Vec<Vec<Mask>> = (0..bricks.len())
        .into_par_iter()
        .map(|slot| parts(&not(bricks.inside(slot)), &[[0; 8]; 3]))
        .collect();
    // Nodes: left-out bricks by raster index, then the outside parts of each kept brick, then the world around.
    let mut first_node = Vec::with_capacity(pockets.len());
    let mut num_nodes = bricks.lattice.len() as u32;
    for of_brick in &pockets {
        first_node.push(num_nodes);
        num_nodes += of_brick.len() as u32;
    }
    let world = num_nodes;
    let sets = ConcurrentSets::new(num_nodes as usize + 1);
    let outside = Outside {
        bricks,
        pockets: &pockets,
        first_node: &first_node,
    };
    control.check(Step::Remesh)?;
    (0..bricks.lattice.len() as u32).into_par_iter().for_each(|index| {
        outside.join(bricks.lattice.brick_at(index), world, &sets);
    });
    let names = sets.into_names();
    let world = names[world as usize];
    let fillings: Vec<(usize, Mask)> = pockets
        .iter()
        .enumerate()
        .flat_map(|(slot, of_brick)| of_brick.iter().enumerate().map(move |(i, mask)| (slot, i, *mask)))
        .filter(|&(slot, i, _)| names[first_node[slot] as usize + i] != world)
        .map(|(slot, _, mask)| (slot, mask))
        .collect();
    for (slot, mask) in fillings {
        bricks.fill(slot, &mask);
    }
    Ok(())
}

/// The outside samples of all bricks as nodes of a graph.
struct Outside<'a> {
    bricks: &'a Bricks,
    pockets: &'a [Vec<Mask>],
    first_node: &'a [u32],
}

impl Outside<'_> {
    /// Unites what a brick has outside with what is next to it.
    fn join(&self, brick: IVec3, world: u32, sets: &ConcurrentSets) {
        for axis in 0..3 {
            let next = brick + IVec3::AXES[axis];
            if brick[axis] == 0 {
                self.join_world(brick, axis, 0, world, sets);
            }
            if self.bricks.lattice.index_of(next).is_none() {
                self.join_world(brick, axis, 7, world, sets);
                continue;
            }
            match (self.whole(brick), self.whole(next)) {
                (Some(NONE), _) | (_, Some(NONE)) => {}
                (Some(here), Some(there)) => sets.unite(here, there),
                _ => {
                    for (here, there) in layer(axis, 7).zip(layer(axis, 0)) {
                        unite(sets, self.node(brick, here), self.node(next, there));
                    }
                }
            }
        }
    }

    fn join_world(&self, brick: IVec3, axis: usize, at: usize, world: u32, sets: &ConcurrentSets) {
        for place in layer(axis, at) {
            unite(sets, self.node(brick, place), world);
        }
    }

    /// The one node of a brick that is all on one side, none for one inside; `None` for a brick with both.
    fn whole(&self, brick: IVec3) -> Option<u32> {
        let Some(slot) = self.bricks.slot(brick) else {
            return self.bricks.lattice.index_of(brick);
        };
        let side = self.bricks.side(slot)?;
        Some(if side { NONE } else { self.first_node[slot] })
    }

    /// The node of a sample; none for one inside.
    fn node(&self, brick: IVec3, place: usize) -> u32 {
        let Some(slot) = self.bricks.slot(brick) else {
            return self.bricks.lattice.index_of(brick).unwrap_or(NONE);
        };
        let pocket = self.pockets[slot].iter().position(|mask| has(mask, place));
        pocket.map_or(NONE, |pocket| self.first_node[slot] + pocket as u32)
    }
}

/// Places of one layer of a brick across an axis.
fn layer(axis: usize, at: usize) -> impl Iterator<Item = usize> {
    let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
    (0..64).map(move |i| (at << (3 * axis)) + ((i % 8) << (3 * u)) + ((i / 8) << (3 * v)))
}

fn unite(sets: &ConcurrentSets, a: u32, b: u32) {
    if a != NONE && b != NONE {
        sets.unite(a, b);
    }
}
