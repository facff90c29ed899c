//! Faces that pass through each other.
//!
//! Pairs are found through the search tree and tested by the signs of tetrahedra (Guigue and Devillers 2003), computed
//! in 64 bits with Shewchuk's bound on the rounding error: a sign that rounding could have turned counts as zero, as
//! contact. So faces of a sound surface, however fine, are never taken for crossing ones. Limits: contact alone
//! (a corner that ends exactly on a face) does not count, and neither do faces without area.

use bozzetto_asset::TriMesh;
use glam::{DVec2, DVec3, Vec3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::control::Meter;
use crate::nearest::SearchTree;
use crate::topology::{area_normal, sound_faces};
use crate::{Control, MeshError, Step, weld};

/// Pairs of faces that are tested before the count becomes an estimate.
const MAX_TESTS: usize = 16_000_000;
/// Partners that one face is tested against: thousands of faces can lie on one another.
const MAX_PARTNERS: usize = 4096;
/// Faces that tell how many tests all would take.
const NUM_PROBES: usize = 1000;
/// Faces that a thread looks at between two reports.
const CHUNK: usize = 1024;

/// How often a surface passes through itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfIntersections {
    /// Pairs of faces that cross or lie on one another over some area or length.
    pub count: u64,
    /// Whether the mesh was too large to test every pair: then the count was projected from some of the faces, or, where
    /// thousands lie on one another, is too low.
    pub is_estimate: bool,
}

impl SelfIntersections {
    /// Counts them. Takes any mesh; vertices at the very same place count as one.
    pub fn of(mesh: &TriMesh, control: &Control<'_>) -> Result<Self, MeshError> {
        Self::within(mesh, MAX_TESTS, control)
    }

    fn within(mesh: &TriMesh, max_tests: usize, control: &Control<'_>) -> Result<Self, MeshError> {
        control.check(Step::Examine)?;
        let sound = TriMesh::new(mesh.positions.clone(), sound_faces(mesh));
        let mut mesh = weld(&sound, 0.0, &Control::silent())?;
        let corners = |triangle: &[u32; 3]| triangle.map(|vertex| mesh.positions[vertex as usize]);
        mesh.triangles = mesh
            .triangles
            .par_iter()
            .copied()
            .filter(|triangle| area_normal(corners(triangle)).length_squared() > 0.0)
            .collect();
        control.check(Step::Examine)?;
        let search = Search {
            tree: SearchTree::new(&mesh),
            mesh: &mesh,
        };
        search.count(max_tests, control)
    }
}

struct Search<'a> {
    mesh: &'a TriMesh,
    tree: SearchTree,
}

/// What a face was tested against.
#[derive(Clone, Copy, Default)]
struct Tally {
    num_tests: u64,
    num_crossing: u64,
    /// Whether it had more partners than are tested.
    is_cut: bool,
}

impl Tally {
    fn with(self, other: Self) -> Self {
        Self {
            num_tests: self.num_tests + other.num_tests,
            num_crossing: self.num_crossing + other.num_crossing,
            is_cut: self.is_cut || other.is_cut,
        }
    }
}

impl Search<'_> {
    fn count(&self, max_tests: usize, control: &Control<'_>) -> Result<SelfIntersections, MeshError> {
        let num_faces = self.mesh.triangles.len();
        let num_probes = NUM_PROBES.min(num_faces);
        let probed = self.tally(num_probes, &Meter::new(control, Step::Examine, 0))?;
        let tests_of_all = probed.num_tests as f64 * num_faces as f64 / num_probes.max(1) as f64;
        let share = (max_tests as f64 / tests_of_all.max(1.0)).min(1.0);
        let num_tested = ((num_faces as f64 * share) as usize).clamp(num_probes, num_faces);
        let tally = self.tally(num_tested, &Meter::new(control, Step::Examine, num_tested))?;
        // Every pair is met from both sides, so a sample sees each of its pairs once or twice and a whole one twice.
        let pairs = tally.num_crossing as f64 * 0.5 * num_faces as f64 / num_tested.max(1) as f64;
        Ok(SelfIntersections {
            count: pairs.round() as u64,
            is_estimate: num_tested < num_faces || tally.is_cut,
        })
    }

    /// Tests so many faces, spread evenly, against all others.
    fn tally(&self, num_tested: usize, meter: &Meter<'_>) -> Result<Tally, MeshError> {
        let num_faces = self.mesh.triangles.len();
        (0..num_tested.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let samples = chunk * CHUNK..((chunk + 1) * CHUNK).min(num_tested);
                let num_samples = samples.len();
                let mut tally = Tally::default();
                for sample in samples {
                    // Faces that many others lie on take long: a cancel must not wait for a whole chunk of them.
                    meter.add(0)?;
                    let face = (sample as u64 * num_faces as u64 / num_tested as u64) as u32;
                    tally = tally.with(self.tally_of(face));
                }
                meter.add(num_samples)?;
                Ok(tally)
            })
            .try_reduce(Tally::default, |a, b| Ok(a.with(b)))
    }

    fn tally_of(&self, face: u32) -> Tally {
        let mut tally = Tally::default();
        self.meet(face, |_, crosses| {
            tally.num_tests += 1;
            tally.num_crossing += u64::from(crosses);
            tally.is_cut = tally.num_tests as usize >= MAX_PARTNERS;
            tally.is_cut
        });
        tally
    }

    /// Tests a face against all whose boxes meet its own, until `met` says enough. It is told the other face and whether
    /// the two cross.
    fn meet(&self, face: u32, mut met: impl FnMut(u32, bool) -> bool) {
        let triangle = self.mesh.triangles[face as usize];
        let corners = self.mesh.corners(face as usize);
        let own = Triangle::new(triangle, corners);
        let [a, b, c] = corners;
        self.tree
            .overlapping(a.min(b).min(c), a.max(b).max(c), |other, other_corners| {
                other != face && {
                    let triangle = self.mesh.triangles[other as usize];
                    met(other, own.crosses(&Triangle::new(triangle, other_corners)))
                }
            });
    }
}

/// Pairs of faces that pass through each other, the first of each one of `faces`, in their order. Vertices must have been
/// welded.
pub(crate) fn crossing_pairs(mesh: &TriMesh, faces: &[u32]) -> Vec<[u32; 2]> {
    let search = Search {
        mesh,
        tree: SearchTree::new(mesh),
    };
    faces
        .par_iter()
        .flat_map_iter(|&face| {
            let mut pairs = Vec::new();
            search.meet(face, |other, crosses| {
                if crosses {
                    pairs.push([face, other]);
                }
                false
            });
            pairs
        })
        .collect()
}

struct Triangle {
    vertices: [u32; 3],
    corners: [DVec3; 3],
}

impl Triangle {
    fn new(vertices: [u32; 3], corners: [Vec3; 3]) -> Self {
        Self {
            vertices,
            corners: corners.map(Vec3::as_dvec3),
        }
    }

    /// Whether the two have more than isolated points, a common corner or a common edge in common.
    fn crosses(&self, other: &Self) -> bool {
        let num_shared = self.vertices.iter().filter(|v| other.vertices.contains(v)).count();
        let other_sides = self.sides_of(other);
        let is_through = |sides: [i8; 3]| sides.contains(&1) && sides.contains(&-1);
        if other_sides == [0; 3] {
            return self.overlaps_in_plane(other);
        }
        // Two planes that share two points share their line alone: the triangles meet in their common edge.
        if num_shared >= 2 || !is_through(other_sides) {
            return false;
        }
        let own_sides = other.sides_of(self);
        is_through(own_sides) && {
            let (a, b) = (self.turned(own_sides), other.turned(other_sides));
            cross_on_line(a, b)
        }
    }

    /// On which side of this plane the corners of another triangle lie: 1, 0 or -1. Common corners lie in it.
    fn sides_of(&self, other: &Self) -> [i8; 3] {
        let [a, b, c] = self.corners;
        std::array::from_fn(|corner| {
            if self.vertices.contains(&other.vertices[corner]) {
                0
            } else {
                orientation(a, b, c, other.corners[corner])
            }
        })
    }

    /// The corners, starting with the one that is alone on its side, and whether that is the negative one.
    fn turned(&self, sides: [i8; 3]) -> ([DVec3; 3], bool) {
        let alone_at = |sign: i8| {
            let mut at = (0..3).filter(|&corner| sides[corner] == sign);
            at.next().filter(|_| at.next().is_none())
        };
        let (first, is_negative) = match alone_at(1) {
            Some(first) => (first, false),
            None => (alone_at(-1).unwrap_or_default(), true),
        };
        let corners = std::array::from_fn(|corner| self.corners[(first + corner) % 3]);
        (corners, is_negative)
    }

    /// For two triangles in one plane: no edge of either has the other one beyond it.
    fn overlaps_in_plane(&self, other: &Self) -> bool {
        let [a, b, c] = self.corners;
        let normal = (b - a).cross(c - a).abs();
        let flat = |point: DVec3| {
            if normal.z >= normal.x && normal.z >= normal.y {
                DVec2::new(point.x, point.y)
            } else if normal.y >= normal.x {
                DVec2::new(point.z, point.x)
            } else {
                DVec2::new(point.y, point.z)
            }
        };
        let (own, others) = (self.corners.map(flat), other.corners.map(flat));
        let is_beyond = |[a, b, c]: [DVec2; 3], points: [DVec2; 3]| {
            let inside = turn(a, b, c);
            (0..3).any(|i| {
                let [from, to] = [[a, b], [b, c], [c, a]][i];
                points.iter().all(|&point| turn(from, to, point) * inside <= 0)
            })
        };
        !is_beyond(own, others) && !is_beyond(others, own)
    }
}

/// Whether the stretches that two triangles cut out of the line where their planes meet overlap. Both start with the
/// corner that is alone on its side of the other's plane.
fn cross_on_line((a, a_is_negative): ([DVec3; 3], bool), (b, b_is_negative): ([DVec3; 3], bool)) -> bool {
    // Each must be seen from the other's first corner in the same sense: swapping two corners turns a plane round.
    let [p1, q1, r1] = if b_is_negative { [a[0], a[2], a[1]] } else { a };
    let [p2, q2, r2] = if a_is_negative { [b[0], b[2], b[1]] } else { b };
    // The paper's "at most zero" takes contact for crossing too.
    orientation(p1, q1, p2, q2) < 0 && orientation(p1, r1, r2, p2) < 0
}

/// 1 when `d` lies on the side of the plane from which `a`, `b`, `c` run counter-clockwise, -1 on the other, 0 in it or
/// too close to tell.
fn orientation(a: DVec3, b: DVec3, c: DVec3, d: DVec3) -> i8 {
    // Shewchuk 1997: (7 + 56 eps) eps with eps = 2^-53.
    const BOUND: f64 = 7.8e-16;
    let (a, b, c) = (a - d, b - d, c - d);
    let ((bc1, bc2), (ca1, ca2), (ab1, ab2)) = ((b.x * c.y, c.x * b.y), (c.x * a.y, a.x * c.y), (a.x * b.y, b.x * a.y));
    let determinant = a.z * (bc1 - bc2) + b.z * (ca1 - ca2) + c.z * (ab1 - ab2);
    let size =
        a.z.abs() * (bc1.abs() + bc2.abs()) + b.z.abs() * (ca1.abs() + ca2.abs()) + c.z.abs() * (ab1.abs() + ab2.abs());
    // The determinant is negative for a point above a counter-clockwise triangle.
    sign(-determinant, BOUND * size)
}

/// 1 when `a`, `b`, `c` run counter-clockwise, -1 when clockwise, 0 on a line or too close to tell.
fn turn(a: DVec2, b: DVec2, c: DVec2) -> i8 {
    // Shewchuk 1997: (3 + 16 eps) eps.
    const BOUND: f64 = 3.4e-16;
    let (left, right) = ((a.x - c.x) * (b.y - c.y), (a.y - c.y) * (b.x - c.x));
    sign(left - right, BOUND * (left.abs() + right.abs()))
}

fn sign(value: f64, error: f64) -> i8 {
    i8::from(value > error) - i8::from(value < -error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;
    use proptest::prelude::*;

    fn count(mesh: &TriMesh) -> SelfIntersections {
        SelfIntersections::of(mesh, &Control::silent()).unwrap()
    }

    fn moved(mut mesh: TriMesh, by: Vec3) -> TriMesh {
        mesh.positions.iter_mut().for_each(|position| *position += by);
        mesh
    }

    #[test]
    fn sound_surfaces_have_none() {
        for mesh in [
            TriMesh::default(),
            shapes::icosphere(0.5, 5),
            shapes::torus(0.3, 0.1, 64, 32),
            shapes::cube(Vec3::ZERO),
            moved(shapes::icosphere(0.5, 5), Vec3::splat(1000.0)),
        ] {
            assert_eq!(count(&mesh), SelfIntersections::default());
        }
    }

    #[test]
    fn contact_does_not_count_and_crossing_does() {
        let cube = || shapes::cube(Vec3::ZERO);
        // Sharing an edge, sharing a corner, a corner on a face, standing on a face with another grid.
        let mut tip = shapes::cube(Vec3::ZERO);
        tip.positions
            .iter_mut()
            .for_each(|p| *p = Vec3::new(p.x * 0.2, p.y + 1.0, p.z * 0.2));
        for position in tip.positions.iter_mut().filter(|p| p.y < 1.0) {
            *position = Vec3::new(0.1, 0.5, 0.0);
        }
        for other in [shapes::cube(Vec3::new(1.0, 1.0, 0.0)), shapes::cube(Vec3::ONE), tip] {
            assert_eq!(count(&shapes::together(cube(), &other)).count, 0);
        }
        let through = shapes::together(cube(), &moved(cube(), Vec3::new(0.31, 0.23, 0.17)));
        assert!(count(&through).count >= 12);
        // On the same plane, over some area.
        let stacked = shapes::together(cube(), &moved(cube(), Vec3::new(0.31, 1.0, 0.17)));
        assert!(count(&stacked).count >= 2);
        let apart = shapes::together(cube(), &moved(cube(), Vec3::new(3.0, 0.0, 0.0)));
        assert_eq!(count(&apart).count, 0);
    }

    #[test]
    fn neighbours_that_fold_over_count() {
        let fan = |points: [Vec3; 3]| {
            let mut positions = vec![Vec3::ZERO, Vec3::X, Vec3::Y];
            positions.extend(points);
            positions
        };
        // Common edge, folded flat onto its neighbour; the same but bent up a little.
        let flat = TriMesh::new(
            fan([Vec3::new(0.9, 0.9, 0.0), Vec3::ONE, Vec3::ONE]),
            vec![[0, 1, 2], [0, 1, 3]],
        );
        assert_eq!(count(&flat).count, 1);
        let bent = TriMesh::new(
            fan([Vec3::new(0.9, 0.9, 0.1), Vec3::ONE, Vec3::ONE]),
            vec![[0, 1, 2], [0, 1, 3]],
        );
        assert_eq!(count(&bent).count, 0);
        // Common corner, the other one passes through, or ends before.
        for (height, expected) in [(-0.2, 1), (0.2, 0)] {
            let points = [Vec3::new(0.3, 0.3, 0.5), Vec3::new(0.4, 0.3, height), Vec3::ONE];
            let mesh = TriMesh::new(fan(points), vec![[0, 1, 2], [0, 3, 4]]);
            assert_eq!(count(&mesh).count, expected, "{height}");
        }
    }

    #[test]
    fn what_is_too_large_is_estimated() {
        // Each tube of a knot of two tori passes through the other.
        let one = shapes::torus(0.3, 0.1, 96, 48);
        let two = shapes::together(one.clone(), &moved(one, Vec3::new(0.301, 0.013, 0.007)));
        let exact = count(&two);
        assert!(exact.count > 100 && !exact.is_estimate, "{exact:?}");
        let sampled = SelfIntersections::within(&two, 60_000, &Control::silent()).unwrap();
        assert!(sampled.is_estimate);
        let ratio = sampled.count as f64 / exact.count as f64;
        assert!((0.7..1.4).contains(&ratio), "{sampled:?} against {exact:?}");
        let pile = TriMesh::new(
            (0..30_000)
                .map(|i| [Vec3::ZERO, Vec3::X, Vec3::Y][i % 3] * (1.0 + i as f32 * 1e-3))
                .collect(),
            (0..10_000).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect(),
        );
        let pile = count(&pile);
        assert!(pile.is_estimate && pile.count > 1_000_000, "{pile:?}");
    }

    #[test]
    fn counting_can_be_cancelled() {
        let control = Control {
            is_cancelled: &|| true,
            progress: &|_| (),
        };
        let cancelled = SelfIntersections::of(&shapes::cube(Vec3::ZERO), &control);
        assert_eq!(cancelled, Err(MeshError::Cancelled { step: Step::Examine }));
    }

    /// Whether a segment passes through the inside of a triangle: where it meets the plane, by barycentrics.
    fn pierces([from, to]: [DVec3; 2], [a, b, c]: [DVec3; 3]) -> bool {
        let normal = (b - a).cross(c - a);
        let along = normal.dot(a - from) / normal.dot(to - from);
        let hit = from + (to - from) * along;
        let inside = |p: DVec3, q: DVec3| normal.dot((q - p).cross(hit - p)) > 0.0;
        (0.0..1.0).contains(&along) && inside(a, b) && inside(b, c) && inside(c, a)
    }

    proptest! {
        #[test]
        fn crossing_is_an_edge_through_the_other(points in prop::array::uniform6(prop::array::uniform3(-1.0_f32..1.0)), shares in any::<bool>()) {
            let mut points = points.map(Vec3::from_array);
            if shares {
                points[3] = points[0];
            }
            let corners = points.map(Vec3::as_dvec3);
            let (a, b) = ([corners[0], corners[1], corners[2]], [corners[3], corners[4], corners[5]]);
            // Edges at a common corner touch the other face there; whether they count is rounding's guess.
            let edges_of = |t: [DVec3; 3]| {
                let from = usize::from(shares);
                [[t[1], t[2]], [t[0], t[1]], [t[2], t[0]]].into_iter().take(3 - 2 * from)
            };
            let expected = edges_of(a).any(|edge| pierces(edge, b)) || edges_of(b).any(|edge| pierces(edge, a));
            let third = if shares { 0 } else { 3 };
            let own = Triangle { vertices: [0, 1, 2], corners: a };
            let other = Triangle { vertices: [third, 4, 5], corners: b };
            prop_assert_eq!(own.crosses(&other), expected);
            prop_assert_eq!(other.crosses(&own), expected);
        }
    }
}
