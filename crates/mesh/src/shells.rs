//! Components that lie wholly inside another one: nobody sees them, printers and simplifying waste effort on them.
//!
//! A component is inside a closed one when its box is, and the outermost vertices along each axis are by most of three
//! rays, which leave through an odd number of its walls.

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use crate::clean::components_by;
use crate::control::Meter;
use crate::nearest::SearchTree;
use crate::topology::{NONE, Side, compacted, edges, sorted_sides};
use crate::{Control, MeshError, Step};

/// Neither along an axis nor a diagonal: rays rarely graze the edges of regular meshes.
const DIRECTIONS: [Vec3; 3] = [
    Vec3::new(0.836, 0.312, 0.451),
    Vec3::new(-0.273, 0.911, 0.309),
    Vec3::new(0.178, -0.462, -0.869),
];

/// Drops components that lie wholly inside a closed one, the walls of cavities included. The mesh must be consistent.
pub fn remove_inner_shells(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let sides = sorted_sides(&mesh.triangles);
    let shells = Shells::new(mesh, &sides);
    let is_inner = shells.inner(control)?;
    if !is_inner.contains(&true) {
        return Ok(mesh.clone());
    }
    let faces = mesh.triangles.iter().zip(&shells.component_of);
    let kept = faces.filter(|&(_, &id)| !is_inner[id as usize]).map(|(&face, _)| face);
    Ok(compacted(mesh, kept.collect()))
}

/// How many components [`remove_inner_shells`] would drop.
pub(crate) fn num_inner_shells(mesh: &TriMesh, sides: &[Side]) -> usize {
    let is_inner = Shells::new(mesh, sides).inner(&Control::silent()).unwrap_or_default();
    is_inner.iter().filter(|&&is_inner| is_inner).count()
}

struct Shell {
    low: Vec3,
    high: Vec3,
    /// The vertices of least and largest x, y and z.
    outermost: [u32; 6],
    is_closed: bool,
}

struct Shells<'a> {
    mesh: &'a TriMesh,
    /// By face, counted from 0.
    component_of: Vec<u32>,
    list: Vec<Shell>,
}

impl<'a> Shells<'a> {
    fn new(mesh: &'a TriMesh, sides: &[Side]) -> Self {
        let mut component_of = components_by(sides, mesh.triangles.len());
        let mut list: Vec<Shell> = Vec::new();
        // A component is named after its lowest face, which comes first.
        let mut number_of = vec![NONE; mesh.triangles.len()];
        for (triangle, id) in mesh.triangles.iter().zip(&mut component_of) {
            let number = &mut number_of[*id as usize];
            if *number == NONE {
                *number = list.len() as u32;
                list.push(Shell::at(mesh.positions[triangle[0] as usize], triangle[0]));
            }
            *id = *number;
            for &vertex in triangle {
                list[*id as usize].reach(mesh.positions[vertex as usize], vertex);
            }
        }
        for edge in edges(sides).filter(|edge| edge.len() % 2 == 1) {
            list[component_of[edge[0].face()] as usize].is_closed = false;
        }
        Self {
            mesh,
            component_of,
            list,
        }
    }

    /// Whether each component lies inside another one.
    fn inner(&self, control: &Control<'_>) -> Result<Vec<bool>, MeshError> {
        let meter = Meter::new(control, Step::RemoveShells, self.list.len());
        if self.list.len() < 2 || !self.list.iter().any(|shell| shell.is_closed) {
            return Ok(vec![false; self.list.len()]);
        }
        let tree = SearchTree::new(self.mesh);
        (0..self.list.len())
            .into_par_iter()
            .map(|id| {
                let is_inner = self.is_inner(id, &tree);
                meter.add(1)?;
                Ok(is_inner)
            })
            .collect()
    }

    fn is_inner(&self, id: usize, tree: &SearchTree) -> bool {
        let shell = &self.list[id];
        let mut around: Option<Vec<u32>> = None;
        for vertex in shell.outermost {
            let mut found = self.around(self.mesh.positions[vertex as usize], id, tree);
            if let Some(before) = &around {
                found.retain(|other| before.contains(other));
            }
            if found.is_empty() {
                return false;
            }
            around = Some(found);
        }
        true
    }

    /// The closed components whose box holds a component's box and whose walls hold one of its vertices.
    fn around(&self, origin: Vec3, id: usize, tree: &SearchTree) -> Vec<u32> {
        let mut votes: Vec<u32> = Vec::new();
        for direction in DIRECTIONS {
            let mut walls: Vec<u32> = Vec::new();
            tree.traverse(origin, direction.normalize(), 0.0, f32::INFINITY, |face, _| {
                let other = self.component_of[face as usize];
                if self.list[other as usize].surrounds(&self.list[id]) {
                    walls.push(other);
                }
                false
            });
            walls.sort_unstable();
            let odd = walls.chunk_by(|a, b| a == b).filter(|hits| hits.len() % 2 == 1);
            votes.extend(odd.map(|hits| hits[0]));
        }
        votes.sort_unstable();
        let elected = votes.chunk_by(|a, b| a == b).filter(|votes| votes.len() >= 2);
        elected.map(|votes| votes[0]).collect()
    }
}

impl Shell {
    /// A single vertex, to begin with.
    fn at(position: Vec3, vertex: u32) -> Self {
        Self {
            low: position,
            high: position,
            outermost: [vertex; 6],
            is_closed: true,
        }
    }

    fn reach(&mut self, position: Vec3, vertex: u32) {
        for axis in 0..3 {
            if position[axis] < self.low[axis] {
                self.outermost[axis * 2] = vertex;
            }
            if position[axis] > self.high[axis] {
                self.outermost[axis * 2 + 1] = vertex;
            }
        }
        self.low = self.low.min(position);
        self.high = self.high.max(position);
    }

    /// Strictly, so that no two can surround each other.
    fn surrounds(&self, other: &Self) -> bool {
        self.is_closed && self.low.cmplt(other.low).all() && self.high.cmpgt(other.high).all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes};

    fn ball_at(radius: f32, center: Vec3) -> TriMesh {
        let mut ball = shapes::icosphere(radius, 3);
        ball.positions.iter_mut().for_each(|position| *position += center);
        ball
    }

    #[test]
    fn what_lies_inside_goes_whichever_way_it_faces() {
        let outer = ball_at(0.5, Vec3::ZERO);
        let mut wall = ball_at(0.3, Vec3::ZERO);
        wall.triangles.iter_mut().for_each(|face| face.swap(1, 2));
        let mut mesh = shapes::together(outer.clone(), &wall);
        mesh = shapes::together(mesh, &ball_at(0.1, Vec3::X * 0.05));
        mesh = shapes::together(mesh, &ball_at(0.1, Vec3::X * 2.0));
        assert_eq!(MeshHealth::of(&mesh).num_inner_shells, 2);
        let kept = remove_inner_shells(&mesh, &Control::silent()).unwrap();
        assert_eq!(kept, shapes::together(outer, &ball_at(0.1, Vec3::X * 2.0)));
    }

    #[test]
    fn what_sticks_out_or_lies_in_something_open_stays() {
        let outer = ball_at(0.5, Vec3::ZERO);
        let sticking_out = shapes::together(outer.clone(), &ball_at(0.2, Vec3::X * 0.4));
        // In the hole of a ring: its box is inside, its vertices are not.
        let in_a_ring = shapes::together(shapes::torus(0.4, 0.1, 48, 24), &ball_at(0.05, Vec3::ZERO));
        let mut open = shapes::together(outer, &ball_at(0.2, Vec3::ZERO));
        open.triangles.remove(0);
        for mesh in [sticking_out, in_a_ring, open] {
            assert_eq!(MeshHealth::of(&mesh).num_inner_shells, 0);
            assert_eq!(remove_inner_shells(&mesh, &Control::silent()).unwrap(), mesh);
        }
    }

    #[test]
    fn a_thousand_specks_inside_are_all_found() {
        let mut mesh = ball_at(0.5, Vec3::ZERO);
        for i in 0..1000 {
            let place = Vec3::new((i % 10) as f32, (i / 10 % 10) as f32, (i / 100) as f32) - 4.5;
            let mut speck = shapes::cube(Vec3::ZERO);
            speck
                .positions
                .iter_mut()
                .for_each(|position| *position = *position * 0.01 + place * 0.05);
            mesh = shapes::together(mesh, &speck);
        }
        assert_eq!(MeshHealth::of(&mesh).num_inner_shells, 1000);
    }
}
