//! Generalised winding number of a triangle soup (Jacobson et al. 2013), fast by a tree of dipoles (Barill et al.
//! 2018): 1 inside a closed surface, 0 outside, in between where the surface has holes, and 2 inside of two.

use std::f32::consts::PI;

use glam::Vec3;
use rayon::prelude::*;

use super::stage::Stage;
use crate::{MeshError, Step};

/// A cluster of triangles counts as one dipole beyond this many of its radii. The errors then add up to 0.03 at most.
const FAR: f32 = 2.3;
/// Finest levels of the tree: bits an axis of the Morton code.
const MAX_LEVELS: u32 = 10;
const FACES_PER_LEAF: f64 = 12.0;
const STACK: usize = 128;

/// Inside is where the winding number is above this.
pub(super) const THRESHOLD: f32 = 0.5;

#[derive(Clone, Copy, Debug)]
struct Node {
    center: Vec3,
    radius: f32,
    /// Sum of the triangles' normals times their areas.
    dipole: Vec3,
    area: f32,
    first: u32,
    count: u32,
}

/// The tree. Level 0 holds the leaves.
pub(super) struct Winding<'a> {
    positions: &'a [Vec3],
    triangles: &'a [[u32; 3]],
    /// In order of the leaves.
    faces: Vec<u32>,
    levels: Vec<Vec<Node>>,
}

impl<'a> Winding<'a> {
    /// Sorts the given faces of a mesh.
    pub(super) fn new(
        positions: &'a [Vec3],
        triangles: &'a [[u32; 3]],
        faces: &[u32],
        stage: &Stage<'_>,
    ) -> Result<Self, MeshError> {
        let mut winding = Self {
            positions,
            triangles,
            faces: Vec::new(),
            levels: Vec::new(),
        };
        let num_levels = ((faces.len() as f64 / FACES_PER_LEAF).max(1.0).log2() / 2.0).round() as u32 + 1;
        let num_levels = num_levels.min(MAX_LEVELS);
        let mut coded = winding.coded(faces, num_levels);
        stage.control().check(Step::Remesh)?;
        coded.par_sort_unstable();
        winding.faces = coded.par_iter().map(|&pair| pair as u32).collect();
        let mut codes: Vec<u32> = coded.par_iter().map(|&pair| (pair >> 32) as u32).collect();
        drop(coded);
        for level in 0..=num_levels {
            stage.control().check(Step::Remesh)?;
            let groups = groups(&codes);
            let nodes = groups
                .par_iter()
                .map(|&(first, count)| match level {
                    0 => winding.leaf(first, count),
                    _ => parent(&winding.levels[level as usize - 1], first, count),
                })
                .collect();
            winding.levels.push(nodes);
            codes = groups.iter().map(|&(first, _)| codes[first as usize] >> 3).collect();
        }
        stage.add(faces.len())?;
        Ok(winding)
    }

    /// Morton code of each face's middle in the high half, the face in the low half.
    fn coded(&self, faces: &[u32], num_levels: u32) -> Vec<u64> {
        let middle = |face: u32| self.corners(face).iter().sum::<Vec3>() / 3.0;
        let (low, high) = faces.par_iter().map(|&face| (middle(face), middle(face))).reduce(
            || (Vec3::INFINITY, Vec3::NEG_INFINITY),
            |a, b| (a.0.min(b.0), a.1.max(b.1)),
        );
        let side = (1 << num_levels) as f32;
        let scale = side / (high - low).max_element().max(f32::MIN_POSITIVE);
        faces
            .par_iter()
            .map(|&face| {
                let cell = ((middle(face) - low) * scale).min(Vec3::splat(side - 1.0)).as_uvec3();
                let code = spread_bits(cell.x) | spread_bits(cell.y) << 1 | spread_bits(cell.z) << 2;
                u64::from(code) << 32 | u64::from(face)
            })
            .collect()
    }

    fn corners(&self, face: u32) -> [Vec3; 3] {
        self.triangles[face as usize].map(|vertex| self.positions[vertex as usize])
    }

    fn leaf(&self, first: u32, count: u32) -> Node {
        let faces = &self.faces[first as usize..(first + count) as usize];
        let (mut dipole, mut area, mut weighted, mut plain) = (Vec3::ZERO, 0.0, Vec3::ZERO, Vec3::ZERO);
        for &face in faces {
            let [a, b, c] = self.corners(face);
            let normal = (b - a).cross(c - a) * 0.5;
            let middle = (a + b + c) / 3.0;
            dipole += normal;
            area += normal.length();
            weighted += middle * normal.length();
            plain += middle;
        }
        let center = center_of(weighted, area, plain, count);
        let radius = faces
            .iter()
            .flat_map(|&face| self.corners(face))
            .map(|corner| corner.distance_squared(center))
            .fold(0.0, f32::max)
            .sqrt();
        Node {
            center,
            radius,
            dipole,
            area,
            first,
            count,
        }
    }

    /// The winding number about a point.
    pub(super) fn at(&self, point: Vec3) -> f32 {
        let Some(top) = self.levels.len().checked_sub(1) else {
            return 0.0;
        };
        let mut stack = [(0_u8, 0_u32); STACK];
        stack[0] = (top as u8, 0);
        let mut depth = usize::from(!self.levels[top].is_empty());
        let mut sum = 0.0;
        while depth > 0 {
            depth -= 1;
            let (level, index) = stack[depth];
            let node = &self.levels[level as usize][index as usize];
            let away = node.center - point;
            let squared = away.length_squared();
            let reach = FAR * node.radius;
            if squared > reach * reach {
                sum += node.dipole.dot(away) / (squared * squared.sqrt());
            } else if level == 0 {
                for &face in &self.faces[node.first as usize..(node.first + node.count) as usize] {
                    sum += solid_angle(self.corners(face).map(|corner| corner - point));
                }
            } else {
                for child in node.first..node.first + node.count {
                    stack[depth] = (level - 1, child);
                    depth += 1;
                }
            }
        }
        sum / (4.0 * PI)
    }
}

fn parent(children: &[Node], first: u32, count: u32) -> Node {
    let children = &children[first as usize..(first + count) as usize];
    let area = children.iter().map(|child| child.area).sum();
    let weighted = children.iter().map(|child| child.center * child.area).sum();
    let plain = children.iter().map(|child| child.center).sum();
    let center = center_of(weighted, area, plain, count);
    Node {
        center,
        radius: children
            .iter()
            .map(|child| child.center.distance(center) + child.radius)
            .fold(0.0, f32::max),
        dipole: children.iter().map(|child| child.dipole).sum(),
        area,
        first,
        count,
    }
}

/// Middle by area, where the first moment of a flat cluster vanishes; plain where there is no area.
fn center_of(weighted: Vec3, area: f32, plain: Vec3, count: u32) -> Vec3 {
    if area > 0.0 {
        weighted / area
    } else {
        plain / count as f32
    }
}

/// Runs of equal codes as first index and length.
fn groups(codes: &[u32]) -> Vec<(u32, u32)> {
    let mut first = 0;
    codes
        .chunk_by(|a, b| a == b)
        .map(|group| {
            let run = (first, group.len() as u32);
            first += run.1;
            run
        })
        .collect()
}

/// Two zeros between every two of the lowest ten bits.
fn spread_bits(value: u32) -> u32 {
    let mut bits = value & 0x3FF;
    bits = (bits | bits << 16) & 0x0300_00FF;
    bits = (bits | bits << 8) & 0x0300_F00F;
    bits = (bits | bits << 4) & 0x030C_30C3;
    (bits | bits << 2) & 0x0924_9249
}

/// Signed solid angle of a triangle seen from the origin (Van Oosterom and Strackee 1983).
fn solid_angle([a, b, c]: [Vec3; 3]) -> f32 {
    let (la, lb, lc) = (a.length(), b.length(), c.length());
    let above = a.dot(b.cross(c));
    let below = la * lb * lc + a.dot(b) * lc + b.dot(c) * la + c.dot(a) * lb;
    if above == 0.0 && below == 0.0 {
        return 0.0;
    }
    2.0 * above.atan2(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remesh::stage::Course;
    use crate::{Control, shapes};

    fn check(mesh: &bozzetto_asset::TriMesh, expected: impl Fn(Vec3) -> Option<f32>, tolerance: f32) {
        let control = Control::silent();
        let course = Course::new(&control);
        let faces: Vec<u32> = (0..mesh.triangles.len() as u32).collect();
        let winding = Winding::new(
            &mesh.positions,
            &mesh.triangles,
            &faces,
            &course.stage(1000, faces.len()),
        )
        .unwrap();
        for i in 0..400 {
            let f = i as f32;
            let point = Vec3::new((f * 0.7).sin(), (f * 1.3).cos(), (f * 2.1).sin()) * (0.002 * f);
            if let Some(expected) = expected(point) {
                let found = winding.at(point);
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{point}: {found}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn closed_surfaces_count_their_windings() {
        let clear = |distance: f32| distance.abs() > 2e-3;
        check(
            &shapes::icosphere(0.4, 5),
            |p| clear(p.length() - 0.4).then_some(f32::from(p.length() < 0.4)),
            0.03,
        );
        check(
            &shapes::together(shapes::icosphere(0.4, 4), &shapes::icosphere(0.2, 4)),
            |p| {
                let radius = p.length();
                let count = f32::from(radius < 0.4) + f32::from(radius < 0.2);
                (clear(radius - 0.4) && clear(radius - 0.2)).then_some(count)
            },
            0.06,
        );
    }

    #[test]
    fn far_triangles_are_no_worse_than_near_ones() {
        let mut open = shapes::icosphere(0.4, 4);
        open.triangles.truncate(3000);
        let exact = |point: Vec3| {
            let angles = (0..open.triangles.len()).map(|face| solid_angle(open.corners(face).map(|c| c - point)));
            angles.sum::<f32>() / (4.0 * PI)
        };
        check(&open, |point| Some(exact(point)), 0.03);
        check(&bozzetto_asset::TriMesh::default(), |_| Some(0.0), 0.0);
    }
}
