//! Brings down one part of a surface: always the edge whose loss costs least.

use glam::Vec3;

use super::quadric::Quadric;
use super::queue::{Candidate, Queue};
use super::rings::Rings;
use crate::topology::{NONE, area_normal};
use crate::{Control, MeshError, Step};

/// Keeps borders where they are: what leaving them weighs against leaving the surface, for as much area.
const BORDER_WEIGHT: f32 = 10.0;
/// Where nothing else tells collapses apart, short edges go first: what a move weighs against leaving the surface.
const MOVE_WEIGHT: f32 = 1e-6;
/// A collapse may turn a face by less than the angle with this cosine, about 75 degrees.
const SMALLEST_TURN_COSINE: f32 = 0.25;
/// What blocks a collapse is often gone when all others are done: the edges that are left are tried this often.
const NUM_TRIES: usize = 8;
/// So many collapses go by before it is asked whether to stop.
const BETWEEN_CHECKS: usize = 4096;

/// A part of a surface with vertices of its own numbering.
pub(super) struct Part<const N: usize> {
    pub(super) positions: Vec<Vec3>,
    /// In metres, so that they can be weighed against distances.
    pub(super) attributes: Vec<[f32; N]>,
    pub(super) triangles: Vec<[u32; 3]>,
    /// Vertices that stay, because other parts have them too.
    pub(super) is_shared: Vec<bool>,
}

/// One vertex drawn into another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Collapse {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Squared metres; never less than of the collapse before.
    pub(super) error: f32,
    /// The faces that go: two, or one and [`NONE`] on a border.
    pub(super) faces: [u32; 2],
}

impl<const N: usize> Part<N> {
    /// The collapses, in order, that leave at most `target_faces` where the topology allows.
    ///
    /// A 2-manifold stays one, also together with the other parts: see [`Collapsing::might_tie`].
    pub(super) fn collapses(self, target_faces: usize, control: &Control<'_>) -> Result<Vec<Collapse>, MeshError> {
        let mut collapsing = Collapsing::new(self);
        for _ in 0..NUM_TRIES {
            let before = collapsing.collapses.len();
            collapsing.run(target_faces, control)?;
            if collapsing.num_faces <= target_faces || collapsing.collapses.len() == before {
                break;
            }
        }
        Ok(collapsing.collapses)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inner,
    /// On a border of the surface.
    Border,
    /// In other parts too, or on an edge of more than two faces.
    Held,
}

struct Collapsing<const N: usize> {
    positions: Vec<Vec3>,
    attributes: Vec<[f32; N]>,
    rings: Rings,
    quadrics: Vec<Quadric<N>>,
    kinds: Vec<Kind>,
    /// How often each vertex has changed.
    ages: Vec<u32>,
    is_gone: Vec<bool>,
    num_faces: usize,
    /// Vertices seen while an edge is looked at, by the number of the look.
    marks: Vec<u32>,
    look: u32,
    queue: Queue,
    collapses: Vec<Collapse>,
    /// Room for the neighbours of one vertex.
    around: Vec<u32>,
}

impl<const N: usize> Collapsing<N> {
    fn new(part: Part<N>) -> Self {
        let num_vertices = part.positions.len();
        let mut quadrics = vec![Quadric::ZERO; num_vertices];
        for triangle in &part.triangles {
            let corners = triangle.map(|vertex| part.positions[vertex as usize]);
            let attributes = triangle.each_ref().map(|&vertex| &part.attributes[vertex as usize]);
            let quadric = Quadric::of_triangle(corners, attributes);
            for &vertex in triangle {
                quadrics[vertex as usize].add(&quadric);
            }
        }
        let kind_of = |&is_shared: &bool| if is_shared { Kind::Held } else { Kind::Inner };
        let mut collapsing = Self {
            positions: part.positions,
            attributes: part.attributes,
            quadrics,
            kinds: part.is_shared.iter().map(kind_of).collect(),
            ages: vec![0; num_vertices],
            is_gone: vec![false; part.triangles.len()],
            num_faces: part.triangles.len(),
            marks: vec![0; num_vertices],
            look: 0,
            queue: Queue::new(),
            collapses: Vec::new(),
            around: Vec::new(),
            rings: Rings::new(part.triangles, num_vertices),
        };
        collapsing.find_borders();
        collapsing
    }

    /// Tells the vertices on borders, and on edges whose faces do not run against each other in pairs; holds borders where
    /// they are.
    fn find_borders(&mut self) {
        let mut borders = Vec::new();
        // Of each vertex, how many faces run to it from the one that is looked at, and from it.
        let mut sides = vec![[0_u32; 2]; self.kinds.len()];
        for center in 0..self.kinds.len() as u32 {
            for corner in self.rings.corners_at(center) {
                let [next, last] = self.rings.others(corner);
                sides[next as usize][0] += 1;
                sides[last as usize][1] += 1;
            }
            for corner in self.rings.corners_at(center) {
                for other in self.rings.others(corner) {
                    match sides[other as usize] {
                        [0 | 1, 1] => {}
                        [1, 0] => borders.push(([center, other], corner / 3)),
                        _ => {
                            self.kinds[center as usize] = Kind::Held;
                            self.kinds[other as usize] = Kind::Held;
                        }
                    }
                }
            }
            for corner in self.rings.corners_at(center) {
                for other in self.rings.others(corner) {
                    sides[other as usize] = [0; 2];
                }
            }
        }
        for (ends, face) in borders {
            self.add_border(ends, face);
        }
    }

    fn add_border(&mut self, ends: [u32; 2], face: u32) {
        let [a, b] = ends.map(|end| self.positions[end as usize]);
        let corners = self.rings.triangles()[face as usize].map(|vertex| self.positions[vertex as usize]);
        let across = (b - a).cross(area_normal(corners)).normalize_or_zero();
        let wall = Quadric::of_plane(across, BORDER_WEIGHT * a.distance_squared(b));
        for end in ends {
            let kind = &mut self.kinds[end as usize];
            if *kind == Kind::Inner {
                *kind = Kind::Border;
            }
            self.quadrics[end as usize].add(&wall);
        }
    }

    /// Collapses the cheapest edges until few enough faces are left, or no edge.
    fn run(&mut self, target_faces: usize, control: &Control<'_>) -> Result<(), MeshError> {
        for face in 0..self.is_gone.len() {
            if self.is_gone[face] {
                continue;
            }
            let [a, b, c] = self.rings.triangles()[face];
            for (from, to) in [(a, b), (b, c), (c, a)] {
                // The other face of the edge runs against it; only borders have none.
                if from < to || (self.is_fixed(from) || self.is_fixed(to)) {
                    self.consider(from, to);
                }
            }
        }
        while self.num_faces > target_faces
            && let Some(Candidate { error, from, to, age }) = self.queue.pop()
        {
            if self.ages[from as usize] + self.ages[to as usize] == age && self.is_allowed(from, to) {
                self.collapse(from, to, error);
                if self.collapses.len().is_multiple_of(BETWEEN_CHECKS) {
                    control.check(Step::Simplify)?;
                }
            }
        }
        Ok(())
    }

    fn is_fixed(&self, vertex: u32) -> bool {
        self.kinds[vertex as usize] != Kind::Inner
    }

    /// Queues the cheaper of an edge's two ways to collapse.
    fn consider(&mut self, a: u32, b: u32) {
        let error = |from: u32, to: u32| match (self.kinds[from as usize], self.kinds[to as usize]) {
            (Kind::Held, _) | (Kind::Border, Kind::Inner) => f32::INFINITY,
            _ => self.error(from, to),
        };
        let (onward, back) = (error(a, b), error(b, a));
        let (error, from, to) = if back < onward { (back, b, a) } else { (onward, a, b) };
        if error.is_finite() {
            self.queue.push(Candidate {
                error,
                from,
                to,
                age: self.ages[from as usize] + self.ages[to as usize],
            });
        }
    }

    fn error(&self, from: u32, to: u32) -> f32 {
        let (offset, change) = self.step(from, to);
        self.quadrics[from as usize].error(offset, &change) + MOVE_WEIGHT * offset.length_squared()
    }

    fn step(&self, from: u32, to: u32) -> (Vec3, [f32; N]) {
        let (from, to) = (from as usize, to as usize);
        let change = std::array::from_fn(|k| self.attributes[to][k] - self.attributes[from][k]);
        (self.positions[to] - self.positions[from], change)
    }

    /// Whether `from` may be drawn into `to` without tying the surface to itself, opening it or folding it over.
    fn is_allowed(&mut self, from: u32, to: u32) -> bool {
        let Some(far) = self.far_corners(from, to) else {
            return false;
        };
        let has_faces_to_spare = |&vertex: &u32| {
            let fewest = match self.kinds[vertex as usize] {
                Kind::Inner => 4,
                Kind::Held => 3,
                Kind::Border => 2,
            };
            self.rings.num_faces_at(vertex) >= fewest
        };
        let is_held = |vertex: u32| self.kinds[vertex as usize] == Kind::Held;
        far.iter().filter(|vertex| **vertex != NONE).all(has_faces_to_spare)
            && !(is_held(to) && self.might_tie(from, to, far))
            && self.has_simple_link(from, to, far)
            && !self.folds_over(from, to)
    }

    /// The far corners of the faces that go, where there are as many as there must be: two, or one and [`NONE`] on a border.
    fn far_corners(&self, from: u32, to: u32) -> Option<[u32; 2]> {
        let mut far = [NONE; 2];
        let mut count = 0;
        for corner in self.rings.corners_at(from) {
            let others = self.rings.others(corner);
            if let Some(place) = others.iter().position(|&vertex| vertex == to) {
                *far.get_mut(count)? = others[1 - place];
                count += 1;
            }
        }
        let is_border = self.kinds[from as usize] == Kind::Border;
        (count == if is_border { 1 } else { 2 }).then_some(far)
    }

    /// Whether only the far corners lie next to both ends (the link condition; Dey et al. 1999), and a face stays.
    fn has_simple_link(&mut self, from: u32, to: u32, far: [u32; 2]) -> bool {
        self.look += 1;
        for corner in self.rings.corners_at(to) {
            for vertex in self.rings.others(corner) {
                self.marks[vertex as usize] = self.look;
            }
        }
        let mut has_staying = false;
        for corner in self.rings.corners_at(from) {
            let others = self.rings.others(corner);
            let is_near_both =
                |&vertex: &u32| vertex != to && !far.contains(&vertex) && self.marks[vertex as usize] == self.look;
            if others.iter().any(is_near_both) {
                return false;
            }
            has_staying |= !others.contains(&to);
        }
        has_staying
    }

    /// Where other parts have `to` as well, they may have an edge or a face between it and any other vertex that they have:
    /// no such vertex may be next to `from` but the far corners, and these not in one face.
    fn might_tie(&self, from: u32, to: u32, far: [u32; 2]) -> bool {
        let is_held = |&vertex: &u32| self.kinds[vertex as usize] == Kind::Held;
        self.rings.corners_at(from).any(|corner| {
            let others = self.rings.others(corner);
            let is_other = |vertex: &u32| is_held(vertex) && *vertex != to && !far.contains(vertex);
            others.iter().any(is_other) || (!others.contains(&to) && others.iter().all(is_held))
        })
    }

    /// Whether a face turns too far when its corner moves to another vertex.
    fn folds_over(&self, from: u32, to: u32) -> bool {
        let [before_at, after_at] = [from, to].map(|vertex| self.positions[vertex as usize]);
        self.rings.corners_at(from).any(|corner| {
            let others = self.rings.others(corner);
            if others.contains(&to) {
                return false;
            }
            let [second, third] = others.map(|vertex| self.positions[vertex as usize]);
            let before = area_normal([before_at, second, third]);
            let after = area_normal([after_at, second, third]);
            let (squares, cosine) = (before.length_squared() * after.length_squared(), before.dot(after));
            let stays = cosine > 0.0 && cosine * cosine > SMALLEST_TURN_COSINE * SMALLEST_TURN_COSINE * squares;
            before != Vec3::ZERO && !stays
        })
    }

    fn collapse(&mut self, from: u32, to: u32, error: f32) {
        let (offset, change) = self.step(from, to);
        let moved = self.quadrics[from as usize].moved(offset, &change);
        self.quadrics[to as usize].add(&moved);

        let mut faces = [NONE; 2];
        let mut num_going = 0;
        self.rings.draw(from, to, |face| {
            self.is_gone[face as usize] = true;
            faces[num_going] = face;
            num_going += 1;
        });
        self.ages[from as usize] += 1;
        self.ages[to as usize] += 1;
        self.num_faces -= num_going;
        let last = self.collapses.last().map_or(0.0, |last| last.error);
        self.collapses.push(Collapse {
            from,
            to,
            error: error.max(last),
            faces,
        });
        self.consider_around(to);
    }

    /// Queues the edges at a vertex that has changed.
    fn consider_around(&mut self, vertex: u32) {
        let mut around = std::mem::take(&mut self.around);
        around.clear();
        let is_open = self.is_fixed(vertex);
        for corner in self.rings.corners_at(vertex) {
            let [next, last] = self.rings.others(corner);
            around.push(next);
            // Only on a border does an edge lie at the end of no other face.
            if is_open {
                around.push(last);
            }
        }
        for &other in &around {
            self.consider(vertex, other);
        }
        self.around = around;
    }
}
