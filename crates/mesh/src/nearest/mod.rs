//! Closest points and rays on a mesh, by a bounding volume hierarchy.
//!
//! Triangles lie in leaf order, so a leaf reads one stretch of memory. The build depends on the mesh alone, so queries do
//! too.

mod build;

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use build::Item;

const STACK: usize = 96;

#[derive(Clone, Copy, Debug)]
struct Node {
    low: Vec3,
    /// First triangle of a leaf; index of the second child of an inner node (the first child follows its parent).
    first: u32,
    high: Vec3,
    /// Triangles of a leaf, 0 for an inner node.
    count: u32,
}

/// The closest point of a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Face of the mesh that the search tree was built from.
    pub face: u32,
    /// The point itself.
    pub point: Vec3,
    /// Weights of the face's three corners.
    pub barycentric: Vec3,
    /// Squared distance in square metres.
    pub distance_squared: f32,
}

/// A search tree over the triangles of a mesh.
#[derive(Clone, Debug, Default)]
pub struct SearchTree {
    nodes: Vec<Node>,
    corners: Vec<[Vec3; 3]>,
    faces: Vec<u32>,
    /// Place of each face in `corners`.
    places: Vec<u32>,
}

impl SearchTree {
    /// Sorts the triangles of a consistent mesh.
    pub fn new(mesh: &TriMesh) -> Self {
        let items = (0..mesh.triangles.len())
            .into_par_iter()
            .map(|face| Item::new(face as u32, mesh.corners(face)))
            .collect();
        let (items, nodes) = build::on_all_threads(items);
        let corners = items.par_iter().map(|item| mesh.corners(item.face as usize)).collect();
        Self::of_built(&items, nodes, corners)
    }

    /// `items` and `corners` in the order of the leaves.
    fn of_built(items: &[Item], nodes: Vec<Node>, corners: Vec<[Vec3; 3]>) -> Self {
        let mut places = vec![0; items.len()];
        for (place, item) in items.iter().enumerate() {
            places[item.face as usize] = place as u32;
        }
        Self {
            nodes,
            corners,
            faces: items.iter().map(|item| item.face).collect(),
            places,
        }
    }

    /// Sorts points: each is a triangle of one place, so that the closest one can be asked for. Stays on the calling
    /// thread: it may run while others of the pool wait for its result, and a pool thread that waits inside may take
    /// up another of those jobs and wait for itself.
    pub(crate) fn of_points(points: &[Vec3]) -> Self {
        let numbered = points.iter().enumerate();
        let items = numbered
            .map(|(index, &point)| Item::new(index as u32, [point; 3]))
            .collect();
        let (items, nodes) = build::on_this_thread(items);
        let corners = items.iter().map(|item| [points[item.face as usize]; 3]).collect();
        Self::of_built(&items, nodes, corners)
    }

    /// Whether there are no triangles.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The closest point of the surface; `None` only when there are no triangles.
    pub fn nearest(&self, point: Vec3) -> Option<Nearest> {
        self.search(point, None, None)
    }

    /// As [`SearchTree::nearest`], with a face that is probably close: it makes the search shorter and never changes
    /// its result.
    pub(crate) fn nearest_from(&self, point: Vec3, hint: Option<u32>) -> Option<Nearest> {
        self.search(point, None, hint)
    }

    /// The closest point among faces whose normal is within 90 degrees of `normal`, so that the far side of a thin
    /// sheet is not taken; any face when there is none within `reach` metres. `hint` is a face that is probably
    /// close, as the last answer in a row of queries: it makes the search shorter and never changes its result.
    pub fn nearest_facing(&self, point: Vec3, normal: Vec3, reach: f32, hint: Option<u32>) -> Option<Nearest> {
        self.search(point, Some((normal, reach)), hint)
            .or_else(|| self.search(point, None, hint))
    }

    fn search(&self, point: Vec3, facing: Option<(Vec3, f32)>, hint: Option<u32>) -> Option<Nearest> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut best = Nearest {
            face: u32::MAX,
            point,
            barycentric: Vec3::ZERO,
            distance_squared: facing.map_or(f32::INFINITY, |(_, reach)| reach * reach),
        };
        if let Some(place) = hint.and_then(|face| self.places.get(face as usize)) {
            self.try_triangle(*place as usize, point, facing, &mut best);
        }
        let mut stack = [(0_u32, 0.0_f32); STACK];
        stack[0] = (0, self.nodes[0].distance_squared(point));
        let mut depth = 1;
        while depth > 0 {
            depth -= 1;
            let (index, distance_squared) = stack[depth];
            // Equal distances are followed, so that of two equally close faces always the lower one is taken.
            if distance_squared > best.distance_squared {
                continue;
            }
            let node = &self.nodes[index as usize];
            if node.count > 0 {
                for place in node.first..node.first + node.count {
                    self.try_triangle(place as usize, point, facing, &mut best);
                }
                continue;
            }
            let near = (index + 1, self.nodes[index as usize + 1].distance_squared(point));
            let far = (node.first, self.nodes[node.first as usize].distance_squared(point));
            let (near, far) = if far.1 < near.1 { (far, near) } else { (near, far) };
            for child in [far, near] {
                if child.1 <= best.distance_squared && depth < STACK {
                    stack[depth] = child;
                    depth += 1;
                }
            }
        }
        (best.face != u32::MAX).then_some(best)
    }

    fn try_triangle(&self, place: usize, point: Vec3, facing: Option<(Vec3, f32)>, best: &mut Nearest) {
        let corners = self.corners[place];
        let barycentric = closest_barycentric(point, corners);
        let [a, b, c] = corners;
        let closest = a * barycentric.x + b * barycentric.y + c * barycentric.z;
        let distance_squared = closest.distance_squared(point);
        let face = self.faces[place];
        let is_better =
            distance_squared < best.distance_squared || (distance_squared == best.distance_squared && face < best.face);
        if is_better && facing.is_none_or(|(normal, _)| (b - a).cross(c - a).dot(normal) >= 0.0) {
            *best = Nearest {
                face,
                point: closest,
                barycentric,
                distance_squared,
            };
        }
    }

    /// Whether a ray meets any triangle between two distances along its unit direction.
    pub fn is_occluded(&self, origin: Vec3, direction: Vec3, from: f32, to: f32) -> bool {
        let mut occluded = false;
        self.traverse(origin, direction, from, to, |_, _| {
            occluded = true;
            true
        });
        occluded
    }

    /// Calls for each triangle that a ray meets, in no useful order, with its face and distance; `true` ends the
    /// walk.
    pub(crate) fn traverse(
        &self,
        origin: Vec3,
        direction: Vec3,
        from: f32,
        to: f32,
        mut on_hit: impl FnMut(u32, f32) -> bool,
    ) {
        if self.nodes.is_empty() {
            return;
        }
        let inverse = direction.recip();
        let mut stack = [0_u32; STACK];
        let mut depth = 1;
        while depth > 0 {
            depth -= 1;
            let index = stack[depth];
            let node = &self.nodes[index as usize];
            if !node.is_hit(origin, inverse, from, to) {
                continue;
            }
            if node.count == 0 {
                if depth + 2 <= STACK {
                    stack[depth] = node.first;
                    stack[depth + 1] = index + 1;
                    depth += 2;
                }
                continue;
            }
            for place in node.first..node.first + node.count {
                if let Some(distance) = ray_distance(origin, direction, self.corners[place as usize])
                    && (from..=to).contains(&distance)
                    && on_hit(self.faces[place as usize], distance)
                {
                    return;
                }
            }
        }
    }

    /// Calls for each triangle whose own box touches a box, in no useful order, with its face and corners; `true` ends
    /// the walk.
    pub(crate) fn overlapping(&self, low: Vec3, high: Vec3, mut on_face: impl FnMut(u32, [Vec3; 3]) -> bool) {
        let touches = |a: Vec3, b: Vec3| a.cmple(high).all() && b.cmpge(low).all();
        let mut stack = [0_u32; STACK];
        let mut depth = usize::from(!self.nodes.is_empty());
        while depth > 0 {
            depth -= 1;
            let index = stack[depth];
            let node = &self.nodes[index as usize];
            if !touches(node.low, node.high) {
                continue;
            }
            if node.count == 0 {
                if depth + 2 <= STACK {
                    stack[depth] = node.first;
                    stack[depth + 1] = index + 1;
                    depth += 2;
                }
                continue;
            }
            for place in node.first as usize..(node.first + node.count) as usize {
                let [a, b, c] = self.corners[place];
                if touches(a.min(b).min(c), a.max(b).max(c)) && on_face(self.faces[place], [a, b, c]) {
                    return;
                }
            }
        }
    }
}

impl Node {
    fn distance_squared(&self, point: Vec3) -> f32 {
        point.clamp(self.low, self.high).distance_squared(point)
    }

    /// Slab test. A ray in the plane of a slab gives NaN there, which `min` and `max` pass over.
    fn is_hit(&self, origin: Vec3, inverse: Vec3, from: f32, to: f32) -> bool {
        let (mut enter, mut leave) = (from, to);
        for axis in 0..3 {
            let a = (self.low[axis] - origin[axis]) * inverse[axis];
            let b = (self.high[axis] - origin[axis]) * inverse[axis];
            enter = enter.max(a.min(b));
            // A little wider, so that rounding never loses a triangle that lies in a face of its box.
            leave = leave.min(a.max(b) * 1.000_000_5);
        }
        enter <= leave
    }
}

/// Weights of the closest point of a triangle (Ericson, Real-Time Collision Detection, 5.1.5), also of one whose corners
/// coincide or lie in a line.
pub(crate) fn closest_barycentric(point: Vec3, [a, b, c]: [Vec3; 3]) -> Vec3 {
    let (ab, ac, ap) = (b - a, c - a, point - a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return Vec3::X;
    }
    let bp = point - b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return Vec3::Y;
    }
    // An edge without length has no closest point of its own: its ends are those of the other edges.
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 && d1 > d3 {
        let t = d1 / (d1 - d3);
        return Vec3::new(1.0 - t, t, 0.0);
    }
    let cp = point - c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return Vec3::Z;
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 && d2 > d6 {
        let t = d2 / (d2 - d6);
        return Vec3::new(1.0 - t, 0.0, t);
    }
    let va = d3 * d6 - d5 * d4;
    let (past_b, before_c) = (d4 - d3, d5 - d6);
    if va <= 0.0 && past_b >= 0.0 && before_c >= 0.0 && past_b + before_c > 0.0 {
        let t = past_b / (past_b + before_c);
        return Vec3::new(0.0, 1.0 - t, t);
    }
    let sum = va + vb + vc;
    if sum > 0.0 {
        Vec3::new(va, vb, vc) / sum
    } else {
        Vec3::X
    }
}

/// Distance along a ray to a triangle (Möller and Trumbore 1997), both sides.
fn ray_distance(origin: Vec3, direction: Vec3, [a, b, c]: [Vec3; 3]) -> Option<f32> {
    let (ab, ac) = (b - a, c - a);
    let p = direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant == 0.0 {
        return None;
    }
    let from_a = origin - a;
    let u = from_a.dot(p) / determinant;
    let q = from_a.cross(ab);
    let v = direction.dot(q) / determinant;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0).then(|| ac.dot(q) / determinant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    fn probes() -> impl Iterator<Item = Vec3> {
        (0..200).map(|i| {
            let f = i as f32;
            Vec3::new((f * 0.7).sin(), (f * 1.3).cos(), (f * 2.1).sin()) * (0.1 + 0.005 * f)
        })
    }

    #[test]
    fn a_triangle_without_area_has_a_closest_point_too() {
        let (a, b, c) = (Vec3::ZERO, Vec3::new(0.3, 0.1, 0.0), Vec3::new(-0.2, 0.4, 0.1));
        let triangles = [
            [a, a, b],
            [a, b, a],
            [b, a, a],
            [a, a, a],
            [a, b, b * 0.5],
            [b * 0.5, a, b],
            [a, b * 0.5, b],
            [c, c, b],
        ];
        let to_segment = |point: Vec3, from: Vec3, to: Vec3| {
            let along = to - from;
            let share = (point - from).dot(along) / along.length_squared().max(f32::MIN_POSITIVE);
            point.distance(from + along * share.clamp(0.0, 1.0))
        };
        for corners in triangles {
            for point in probes() {
                let weights = closest_barycentric(point, corners);
                assert!(
                    weights.is_finite() && weights.min_element() >= 0.0,
                    "{corners:?}: {weights}"
                );
                assert!((weights.element_sum() - 1.0).abs() < 1e-5, "{corners:?}: {weights}");
                let closest = corners[0] * weights.x + corners[1] * weights.y + corners[2] * weights.z;
                let expected = [(0, 1), (1, 2), (2, 0)].map(|(i, j)| to_segment(point, corners[i], corners[j]));
                let expected = expected.into_iter().fold(f32::INFINITY, f32::min);
                assert!((closest.distance(point) - expected).abs() < 1e-4, "{corners:?} {point}");
            }
        }
    }

    #[test]
    fn nearest_equals_trying_every_face() {
        let mesh = shapes::torus(0.3, 0.1, 40, 20);
        let tree = SearchTree::new(&mesh);
        for point in probes() {
            let found = tree.nearest(point).unwrap();
            let least = (0..mesh.triangles.len())
                .map(|face| {
                    let [a, b, c] = mesh.corners(face);
                    let w = closest_barycentric(point, [a, b, c]);
                    (a * w.x + b * w.y + c * w.z).distance_squared(point)
                })
                .fold(f32::INFINITY, f32::min);
            assert_eq!(found.distance_squared, least);
            for hint in [0, 17, found.face] {
                assert_eq!(tree.search(point, None, Some(hint)), Some(found));
            }
        }
    }

    #[test]
    fn rays_equal_trying_every_face() {
        let mesh = shapes::torus(0.3, 0.1, 40, 20);
        let tree = SearchTree::new(&mesh);
        let mut num_hits = 0;
        for origin in probes() {
            let direction = (Vec3::new(0.3, 0.02, 0.01) - origin).normalize();
            let expected = (0..mesh.triangles.len())
                .filter_map(|face| ray_distance(origin, direction, mesh.corners(face)))
                .any(|distance| (0.0..=10.0).contains(&distance));
            assert_eq!(tree.is_occluded(origin, direction, 0.0, 10.0), expected);
            num_hits += usize::from(expected);
        }
        assert!(num_hits > 50);
        // Along an axis, where two slabs divide by zero.
        assert!(tree.is_occluded(Vec3::new(0.3, 1.0, 0.0), Vec3::NEG_Y, 0.0, 2.0));
        assert!(!tree.is_occluded(Vec3::new(0.0, 1.0, 0.0), Vec3::NEG_Y, 0.0, 2.0));
    }

    #[test]
    fn the_facing_sheet_wins_over_the_closer_one() {
        let mut mesh = shapes::cube(Vec3::ZERO);
        for position in &mut mesh.positions {
            position.y *= 0.01;
        }
        let tree = SearchTree::new(&mesh);
        let point = Vec3::new(0.1, -0.001, 0.1);
        assert!(tree.nearest(point).unwrap().point.y < 0.0);
        assert!(tree.nearest_facing(point, Vec3::Y, 0.1, None).unwrap().point.y > 0.0);
        // Nothing faces this way within reach: any face will do.
        assert!(tree.nearest_facing(point, Vec3::Y, 0.001, None).is_some());
    }

    #[test]
    fn a_pile_of_equal_triangles_and_none() {
        let mesh = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]; 50_000]);
        let tree = SearchTree::new(&mesh);
        assert_eq!(tree.nearest(Vec3::Z).unwrap().face, 0);
        assert!(SearchTree::new(&TriMesh::default()).nearest(Vec3::Z).is_none());
    }

    #[test]
    fn a_tree_sorted_in_groups_answers_alike() {
        let mesh = shapes::torus(0.3, 0.1, 240, 120);
        let tree = SearchTree::new(&mesh);
        let items = (0..mesh.triangles.len())
            .map(|face| Item::new(face as u32, mesh.corners(face)))
            .collect();
        let (items, nodes) = build::on_this_thread(items);
        let corners = items.iter().map(|item| mesh.corners(item.face as usize)).collect();
        let alone = SearchTree::of_built(&items, nodes, corners);
        assert_ne!(tree.faces, alone.faces, "large enough for groups");
        for point in probes() {
            assert_eq!(tree.nearest(point), alone.nearest(point));
            let direction = (Vec3::new(0.3, 0.02, 0.01) - point).normalize();
            let occluded = |tree: &SearchTree| tree.is_occluded(point, direction, 0.0, 10.0);
            assert_eq!(occluded(&tree), occluded(&alone));
        }
    }
}
