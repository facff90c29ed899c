//! Builds the tree top-down with a binned surface-area heuristic (Wald 2007).
//!
//! Large meshes are first sorted along a curve and cut into groups of neighbours (Pantaleoni and Luebke 2010); groups are
//! built side by side, then the tree above them.

use glam::Vec3;
use rayon::prelude::*;

use super::{Node, STACK};
use crate::simplify::curve::curve_codes;

const MAX_LEAF: usize = 4;
const NUM_BINS: usize = 12;
/// A group has at most this many triangles, unless more lie in one cell of the curve.
const GROUP: usize = 8192;
/// Below this depth of the tree above the groups, halves are cut in the middle, so that it stays shallow.
const DEPTH_OF_HALVES: usize = STACK / 4;

/// A triangle's box.
#[derive(Clone, Copy)]
pub(super) struct Item {
    low: Vec3,
    high: Vec3,
    pub(super) face: u32,
}

impl Item {
    pub(super) fn new(face: u32, [a, b, c]: [Vec3; 3]) -> Self {
        Self {
            low: a.min(b).min(c),
            high: a.max(b).max(c),
            face,
        }
    }

    fn center(&self) -> Vec3 {
        (self.low + self.high) * 0.5
    }
}

/// The items in the order of the leaves, and the nodes.
pub(super) fn on_this_thread(mut items: Vec<Item>) -> (Vec<Item>, Vec<Node>) {
    let mut nodes = Vec::new();
    if !items.is_empty() {
        build(&mut items, 0, 0, &mut nodes);
    }
    (items, nodes)
}

/// As [`on_this_thread`]; the tree may be another one.
pub(super) fn on_all_threads(items: Vec<Item>) -> (Vec<Item>, Vec<Node>) {
    if items.len() <= GROUP {
        return on_this_thread(items);
    }
    let centers: Vec<Vec3> = items.par_iter().map(Item::center).collect();
    let mut order: Vec<(u32, u32)> = curve_codes(&centers)
        .into_par_iter()
        .zip(0..items.len() as u32)
        .collect();
    order.par_sort_unstable();
    let mut items: Vec<Item> = order.par_iter().map(|&(_, item)| items[item as usize]).collect();

    let mut ends = Vec::new();
    cut(&order, 0, 30, &mut ends);
    let mut groups = Vec::with_capacity(ends.len());
    let (mut rest, mut start) = (items.as_mut_slice(), 0);
    for end in ends {
        let (group, others) = rest.split_at_mut(end - start);
        groups.push((start, group));
        (rest, start) = (others, end);
    }
    let mut boxes: Vec<Item> = groups
        .par_iter()
        .enumerate()
        .map(|(index, (_, group))| {
            let (low, high) = bounds(group);
            Item {
                low,
                high,
                face: index as u32,
            }
        })
        .collect();
    let mut above = Vec::new();
    build_above(&mut boxes, 0, &mut above);
    let mut depths = vec![0; groups.len()];
    for slot in &above {
        if let Slot::Group { group, depth } = *slot {
            depths[group] = depth;
        }
    }
    let subtrees: Vec<Vec<Node>> = groups
        .into_par_iter()
        .zip(depths)
        .map(|((start, group), depth)| {
            let mut nodes = Vec::with_capacity(group.len());
            build(group, start, depth, &mut nodes);
            nodes
        })
        .collect();
    let nodes = joined(&above, &subtrees);
    (items, nodes)
}

/// Ends of the groups: halves of halves of the curve, until they are small enough. `order` starts at the item `start` and
/// agrees in all bits of its codes but the lowest `num_bits`.
fn cut(order: &[(u32, u32)], start: usize, num_bits: u32, ends: &mut Vec<usize>) {
    if order.len() <= GROUP || num_bits == 0 {
        if !order.is_empty() {
            ends.push(start + order.len());
        }
        return;
    }
    let bit = 1 << (num_bits - 1);
    let middle = order.partition_point(|(code, _)| code & bit == 0);
    cut(&order[..middle], start, num_bits - 1, ends);
    cut(&order[middle..], start + middle, num_bits - 1, ends);
}

/// A node of the tree above the groups, or the place of a group's own nodes; the first child follows its parent.
enum Slot {
    Inner { low: Vec3, high: Vec3, second: usize },
    Group { group: usize, depth: usize },
}

fn build_above(boxes: &mut [Item], depth: usize, slots: &mut Vec<Slot>) {
    if let [only] = boxes {
        let group = only.face as usize;
        slots.push(Slot::Group { group, depth });
        return;
    }
    let (low, high) = bounds(boxes);
    let place = slots.len();
    slots.push(Slot::Inner { low, high, second: 0 });
    let middle = if depth < DEPTH_OF_HALVES {
        partition(boxes)
    } else {
        boxes.len() / 2
    };
    let (left, right) = boxes.split_at_mut(middle);
    build_above(left, depth + 1, slots);
    let after_first = slots.len();
    if let Slot::Inner { second, .. } = &mut slots[place] {
        *second = after_first;
    }
    build_above(right, depth + 1, slots);
}

/// All nodes in one list, each group's in their slot.
fn joined(above: &[Slot], subtrees: &[Vec<Node>]) -> Vec<Node> {
    let mut starts = Vec::with_capacity(above.len());
    let mut num_nodes = 0;
    for slot in above {
        starts.push(num_nodes);
        num_nodes += match slot {
            Slot::Inner { .. } => 1,
            Slot::Group { group, .. } => subtrees[*group].len(),
        };
    }
    let nothing = Node {
        low: Vec3::ZERO,
        first: 0,
        high: Vec3::ZERO,
        count: 0,
    };
    let mut nodes = vec![nothing; num_nodes];
    let mut copies = Vec::with_capacity(subtrees.len());
    let mut rest = nodes.as_mut_slice();
    for (slot, &start) in above.iter().zip(&starts) {
        match *slot {
            Slot::Inner { low, high, second } => {
                let (node, others) = rest.split_at_mut(1);
                let first = starts[second] as u32;
                node[0] = Node {
                    low,
                    first,
                    high,
                    count: 0,
                };
                rest = others;
            }
            Slot::Group { group, .. } => {
                let (own, others) = rest.split_at_mut(subtrees[group].len());
                copies.push((own, start as u32, &subtrees[group]));
                rest = others;
            }
        }
    }
    copies.into_par_iter().for_each(|(own, start, subtree)| {
        for (node, &from) in own.iter_mut().zip(subtree) {
            let shift = if from.count == 0 { start } else { 0 };
            *node = Node {
                first: from.first + shift,
                ..from
            };
        }
    });
    nodes
}

/// Appends the nodes of a subtree; `first_item` is the place of `items[0]` in the whole.
fn build(items: &mut [Item], first_item: usize, depth: usize, nodes: &mut Vec<Node>) {
    let (low, high) = bounds(items);
    let place = nodes.len();
    nodes.push(Node {
        low,
        high,
        first: first_item as u32,
        count: items.len() as u32,
    });
    // The traversal stack has room for this depth; splitting in the middle by then keeps leaves small all the same.
    if items.len() <= MAX_LEAF || depth + 2 >= STACK {
        return;
    }
    let middle = if depth < STACK / 2 {
        partition(items)
    } else {
        items.len() / 2
    };
    let (left, right) = items.split_at_mut(middle);
    build(left, first_item, depth + 1, nodes);
    nodes[place].first = nodes.len() as u32;
    nodes[place].count = 0;
    build(right, first_item + middle, depth + 1, nodes);
}

fn bounds(items: &[Item]) -> (Vec3, Vec3) {
    items
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), item| {
            (low.min(item.low), high.max(item.high))
        })
}

/// Reorders the items by the best of the binned splits and returns where the second half starts.
fn partition(items: &mut [Item]) -> usize {
    let (low, high) = items
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), item| {
            (low.min(item.center()), high.max(item.center()))
        });
    let extent = high - low;
    let axis = if extent.x >= extent.y && extent.x >= extent.z {
        0
    } else if extent.y >= extent.z {
        1
    } else {
        2
    };
    let half = items.len() / 2;
    // Also false for overflow to infinity.
    if !(extent[axis] > 0.0 && extent[axis].is_finite()) {
        return half;
    }
    let scale = NUM_BINS as f32 / extent[axis];
    let bin_of = |item: &Item| (((item.center()[axis] - low[axis]) * scale) as usize).min(NUM_BINS - 1);
    let mut bins = [(0_usize, Vec3::INFINITY, Vec3::NEG_INFINITY); NUM_BINS];
    for item in items.iter() {
        let bin = &mut bins[bin_of(item)];
        *bin = (bin.0 + 1, bin.1.min(item.low), bin.2.max(item.high));
    }
    let Some(split) = best_split(&bins) else {
        return half;
    };
    // A stable partition, so that the order does not depend on how it is done.
    let mut second = Vec::new();
    let mut count = 0;
    for index in 0..items.len() {
        if bin_of(&items[index]) < split {
            items[count] = items[index];
            count += 1;
        } else {
            second.push(items[index]);
        }
    }
    items[count..].copy_from_slice(&second);
    count
}

fn best_split(bins: &[(usize, Vec3, Vec3); NUM_BINS]) -> Option<usize> {
    let half_area = |low: Vec3, high: Vec3| {
        let size = (high - low).max(Vec3::ZERO);
        size.x * size.y + size.y * size.z + size.z * size.x
    };
    let mut best: Option<(f32, usize)> = None;
    for split in 1..NUM_BINS {
        let side = |part: &[(usize, Vec3, Vec3)]| {
            let (count, low, high) = part
                .iter()
                .fold((0, Vec3::INFINITY, Vec3::NEG_INFINITY), |(count, low, high), bin| {
                    (count + bin.0, low.min(bin.1), high.max(bin.2))
                });
            (count, count as f32 * half_area(low, high))
        };
        let (left, left_cost) = side(&bins[..split]);
        let (right, right_cost) = side(&bins[split..]);
        let cost = left_cost + right_cost;
        if left > 0 && right > 0 && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, split));
        }
    }
    best.map(|(_, split)| split)
}
