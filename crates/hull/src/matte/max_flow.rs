//! Minimum cut between a source and a sink on a sparse graph.
//!
//! The method is Boykov and Kolmogorov's ("An experimental comparison of min-cut/max-flow algorithms for energy
//! minimization in vision", 2004): one search tree grows from each terminal; where they touch, flow is pushed along
//! the path; nodes that lost their parent look for another one. Capacities are whole numbers, so the result does not
//! depend on rounding, and everything runs in one fixed order.

use std::collections::VecDeque;

const NO_ARC: u32 = u32::MAX;
/// Parent of a node that hangs on its terminal.
const TERMINAL: u32 = u32::MAX - 1;
/// Parent of a node that lost its parent.
const ORPHAN: u32 = u32::MAX - 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tree {
    Source,
    Sink,
}

struct Node {
    first_arc: u32,
    /// Arc towards the parent, or one of the constants above; `NO_ARC` for a node in no tree.
    parent: u32,
    /// When `distance` was last known to be right.
    stamp: u32,
    distance: u32,
    /// Residual capacity from the source (positive) or to the sink (negative).
    terminal: i32,
    tree: Tree,
    is_active: bool,
}

/// Arcs come in pairs: `index ^ 1` is the one in the other direction.
struct Arc {
    head: u32,
    next: u32,
    residual: i32,
}

/// A graph to be cut; build it, then call [`FlowGraph::cut`].
pub(crate) struct FlowGraph {
    nodes: Vec<Node>,
    arcs: Vec<Arc>,
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    time: u32,
}

impl FlowGraph {
    /// A graph without arcs. `terminals[i]` is what it costs to put node `i` on the sink's side (positive) or on the
    /// source's side (negative).
    pub fn new(terminals: &[i32]) -> Self {
        let nodes = terminals
            .iter()
            .map(|&terminal| Node {
                first_arc: NO_ARC,
                parent: NO_ARC,
                stamp: 0,
                distance: 0,
                terminal,
                tree: Tree::Source,
                is_active: false,
            })
            .collect();
        Self {
            nodes,
            arcs: Vec::with_capacity(terminals.len() * 8),
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
        }
    }

    /// Makes it cost `capacity` to part two nodes, either way round.
    pub fn connect(&mut self, a: u32, b: u32, capacity: i32) {
        for (from, to) in [(a, b), (b, a)] {
            let index = self.arcs.len() as u32;
            self.arcs.push(Arc {
                head: to,
                next: self.nodes[from as usize].first_arc,
                residual: capacity,
            });
            self.nodes[from as usize].first_arc = index;
        }
    }

    /// The cheapest cut: `true` for nodes on the source's side.
    pub fn cut(mut self) -> Vec<bool> {
        self.plant();
        let mut current = None;
        while let Some(node) = current.take().or_else(|| self.next_active()) {
            let Some(bridge) = self.grow(node) else {
                continue;
            };
            self.time += 1;
            self.augment(bridge);
            while let Some(orphan) = self.orphans.pop_front() {
                self.adopt(orphan);
            }
            if self.nodes[node as usize].parent != NO_ARC {
                current = Some(node);
            }
        }
        self.nodes
            .iter()
            .map(|node| node.parent != NO_ARC && node.tree == Tree::Source)
            .collect()
    }

    fn plant(&mut self) {
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            if node.terminal != 0 {
                node.tree = if node.terminal > 0 { Tree::Source } else { Tree::Sink };
                node.parent = TERMINAL;
                node.distance = 1;
                self.activate(index as u32);
            }
        }
    }

    fn activate(&mut self, index: u32) {
        let node = &mut self.nodes[index as usize];
        if !node.is_active {
            node.is_active = true;
            self.active.push_back(index);
        }
    }

    fn next_active(&mut self) -> Option<u32> {
        while let Some(index) = self.active.pop_front() {
            let node = &mut self.nodes[index as usize];
            node.is_active = false;
            if node.parent != NO_ARC {
                return Some(index);
            }
        }
        None
    }

    /// Room for more flow along `arc` when its tail is nearer to the terminal than its head.
    fn outward_residual(&self, arc: u32, tree: Tree) -> i32 {
        match tree {
            Tree::Source => self.arcs[arc as usize].residual,
            Tree::Sink => self.arcs[(arc ^ 1) as usize].residual,
        }
    }

    /// Takes free neighbours into the node's tree; returns the arc from source tree to sink tree where they touch.
    fn grow(&mut self, index: u32) -> Option<u32> {
        let Node {
            tree, stamp, distance, ..
        } = self.nodes[index as usize];
        let mut arc = self.nodes[index as usize].first_arc;
        while arc != NO_ARC {
            let Arc { head, next, .. } = self.arcs[arc as usize];
            if self.outward_residual(arc, tree) > 0 {
                let other = &mut self.nodes[head as usize];
                let is_free = other.parent == NO_ARC;
                if !is_free && other.tree != tree {
                    return Some(if tree == Tree::Source { arc } else { arc ^ 1 });
                }
                let is_shortcut = other.parent < ORPHAN && other.stamp <= stamp && other.distance > distance + 1;
                if is_free || is_shortcut {
                    other.tree = tree;
                    other.parent = arc ^ 1;
                    other.stamp = stamp;
                    other.distance = distance + 1;
                }
                if is_free {
                    self.activate(head);
                }
            }
            arc = next;
        }
        None
    }

    /// Pushes what fits along the path through `bridge`, from the source to the sink.
    fn augment(&mut self, bridge: u32) {
        let source_end = self.arcs[(bridge ^ 1) as usize].head;
        let sink_end = self.arcs[bridge as usize].head;
        let mut amount = self.arcs[bridge as usize].residual;
        for end in [source_end, sink_end] {
            amount = amount.min(self.room_to_terminal(end));
        }
        self.push(bridge, amount);
        for end in [source_end, sink_end] {
            self.push_to_terminal(end, amount);
        }
    }

    fn push(&mut self, arc: u32, amount: i32) {
        self.arcs[arc as usize].residual -= amount;
        self.arcs[(arc ^ 1) as usize].residual += amount;
    }

    fn room_to_terminal(&self, mut index: u32) -> i32 {
        let mut room = i32::MAX;
        loop {
            let node = &self.nodes[index as usize];
            if node.parent == TERMINAL {
                return room.min(node.terminal.abs());
            }
            room = room.min(self.outward_residual(node.parent ^ 1, node.tree));
            index = self.arcs[node.parent as usize].head;
        }
    }

    fn push_to_terminal(&mut self, mut index: u32, amount: i32) {
        loop {
            let Node { parent, tree, .. } = self.nodes[index as usize];
            if parent == TERMINAL {
                let node = &mut self.nodes[index as usize];
                node.terminal -= amount * node.terminal.signum();
                if node.terminal == 0 {
                    self.orphan(index);
                }
                return;
            }
            self.push(if tree == Tree::Source { parent ^ 1 } else { parent }, amount);
            let next = self.arcs[parent as usize].head;
            if self.outward_residual(parent ^ 1, tree) == 0 {
                self.orphan(index);
            }
            index = next;
        }
    }

    fn orphan(&mut self, index: u32) {
        self.nodes[index as usize].parent = ORPHAN;
        self.orphans.push_back(index);
    }

    /// Finds the orphan a new parent in its tree, or sets it free and its children with it.
    fn adopt(&mut self, index: u32) {
        let tree = self.nodes[index as usize].tree;
        let mut best: Option<(u32, u32)> = None;
        let mut arc = self.nodes[index as usize].first_arc;
        while arc != NO_ARC {
            let Arc { head, next, .. } = self.arcs[arc as usize];
            let other = &self.nodes[head as usize];
            if other.tree == tree
                && other.parent != NO_ARC
                && self.outward_residual(arc ^ 1, tree) > 0
                && let Some(distance) = self.distance_to_terminal(head)
                && best.is_none_or(|(least, _)| distance < least)
            {
                best = Some((distance, arc));
            }
            arc = next;
        }
        let time = self.time;
        let node = &mut self.nodes[index as usize];
        if let Some((distance, parent)) = best {
            node.parent = parent;
            node.stamp = time;
            node.distance = distance + 1;
        } else {
            node.parent = NO_ARC;
            self.disown_children(index, tree);
        }
    }

    fn disown_children(&mut self, index: u32, tree: Tree) {
        let mut arc = self.nodes[index as usize].first_arc;
        while arc != NO_ARC {
            let Arc { head, next, .. } = self.arcs[arc as usize];
            let Node {
                parent,
                tree: other_tree,
                ..
            } = self.nodes[head as usize];
            if other_tree == tree && parent != NO_ARC {
                if self.outward_residual(arc ^ 1, tree) > 0 {
                    self.activate(head);
                }
                if parent < ORPHAN && self.arcs[parent as usize].head == index {
                    self.orphan(head);
                }
            }
            arc = next;
        }
    }

    /// Steps from a node to its terminal, `None` when the way ends at an orphan. Remembers what it learnt on the way.
    fn distance_to_terminal(&mut self, start: u32) -> Option<u32> {
        let mut steps = 0;
        let mut index = start;
        let total = loop {
            let node = &mut self.nodes[index as usize];
            if node.stamp == self.time && node.parent < ORPHAN {
                break steps + node.distance;
            }
            match node.parent {
                TERMINAL => {
                    node.stamp = self.time;
                    node.distance = 1;
                    break steps + 1;
                }
                ORPHAN | NO_ARC => return None,
                parent => index = self.arcs[parent as usize].head,
            }
            steps += 1;
        };
        index = start;
        for walked in 0..steps {
            let node = &mut self.nodes[index as usize];
            node.stamp = self.time;
            node.distance = total - walked;
            index = self.arcs[node.parent as usize].head;
        }
        Some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The cost of a labelling, as the graph's builder stated it.
    fn cost(terminals: &[i32], edges: &[(u32, u32, i32)], side: &[bool]) -> i32 {
        let terminal: i32 = terminals
            .iter()
            .zip(side)
            .map(|(&terminal, &is_source)| if is_source { (-terminal).max(0) } else { terminal.max(0) })
            .sum();
        let parted: i32 = edges
            .iter()
            .filter(|&&(a, b, _)| side[a as usize] != side[b as usize])
            .map(|edge| edge.2)
            .sum();
        terminal + parted
    }

    proptest! {
        #[test]
        fn no_labelling_is_cheaper_than_the_cut(
            terminals in prop::collection::vec(-9..10_i32, 10),
            edges in prop::collection::vec((0..10_u32, 0..10_u32, 0..8_i32), 0..30),
        ) {
            let edges: Vec<_> = edges.into_iter().filter(|edge| edge.0 != edge.1).collect();
            let mut graph = FlowGraph::new(&terminals);
            for &(a, b, capacity) in &edges {
                graph.connect(a, b, capacity);
            }
            let found = cost(&terminals, &edges, &graph.cut());
            let least = (0..1024_u32)
                .map(|bits| {
                    let side: Vec<bool> = (0..10).map(|node| bits >> node & 1 == 1).collect();
                    cost(&terminals, &edges, &side)
                })
                .min();
            prop_assert_eq!(Some(found), least);
        }
    }
}
