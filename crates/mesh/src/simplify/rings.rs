//! Which faces lie around each vertex, while vertices are drawn into one another.

use std::iter;

use crate::topology::NONE;

/// Faces with lists of the corners at each vertex. A corner is `3 * face + place`.
pub(super) struct Rings {
    triangles: Vec<[u32; 3]>,
    first_corner: Vec<u32>,
    next_corner: Vec<u32>,
    num_faces_at: Vec<u32>,
}

impl Rings {
    pub(super) fn new(triangles: Vec<[u32; 3]>, num_vertices: usize) -> Self {
        let mut rings = Self {
            first_corner: vec![NONE; num_vertices],
            next_corner: vec![NONE; triangles.len() * 3],
            num_faces_at: vec![0; num_vertices],
            triangles,
        };
        for corner in (0..rings.next_corner.len() as u32).rev() {
            rings.link(corner);
        }
        rings
    }

    pub(super) fn triangles(&self) -> &[[u32; 3]] {
        &self.triangles
    }

    pub(super) fn num_faces_at(&self, vertex: u32) -> u32 {
        self.num_faces_at[vertex as usize]
    }

    /// The corners of all faces at a vertex.
    pub(super) fn corners_at(&self, vertex: u32) -> impl Iterator<Item = u32> {
        let some = |corner: u32| (corner != NONE).then_some(corner);
        iter::successors(some(self.first_corner[vertex as usize]), move |&corner| {
            some(self.next_corner[corner as usize])
        })
    }

    fn vertex_at(&self, corner: u32) -> u32 {
        self.triangles.as_flattened()[corner as usize]
    }

    /// The two vertices after a corner's own, in the face's order.
    pub(super) fn others(&self, corner: u32) -> [u32; 2] {
        let [a, b, c] = self.triangles[corner as usize / 3];
        match corner % 3 {
            0 => [b, c],
            1 => [c, a],
            _ => [a, b],
        }
    }

    /// Draws a vertex into another one and calls for each face that goes: those that have both.
    pub(super) fn draw(&mut self, from: u32, to: u32, mut on_gone: impl FnMut(u32)) {
        let mut corner = self.first_corner[from as usize];
        self.first_corner[from as usize] = NONE;
        self.num_faces_at[from as usize] = 0;
        while corner != NONE {
            let next = self.next_corner[corner as usize];
            let others = self.others(corner);
            if others.contains(&to) {
                for vertex in others {
                    self.unlink(vertex, corner / 3);
                }
                on_gone(corner / 3);
            } else {
                self.triangles.as_flattened_mut()[corner as usize] = to;
                self.link(corner);
            }
            corner = next;
        }
    }

    fn link(&mut self, corner: u32) {
        let vertex = self.vertex_at(corner) as usize;
        self.next_corner[corner as usize] = self.first_corner[vertex];
        self.first_corner[vertex] = corner;
        self.num_faces_at[vertex] += 1;
    }

    fn unlink(&mut self, vertex: u32, face: u32) {
        let mut before = None;
        let mut corner = self.first_corner[vertex as usize];
        while corner != NONE && corner / 3 != face {
            before = Some(corner);
            corner = self.next_corner[corner as usize];
        }
        if corner == NONE {
            return;
        }
        let next = self.next_corner[corner as usize];
        match before {
            Some(before) => self.next_corner[before as usize] = next,
            None => self.first_corner[vertex as usize] = next,
        }
        self.num_faces_at[vertex as usize] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn rings_stay_true_while_vertices_are_drawn_together() {
        let sphere = shapes::icosphere(0.4, 2);
        let mut rings = Rings::new(sphere.triangles.clone(), sphere.positions.len());
        let mut gone = Vec::new();
        for corner in [0, 60, 200, 333] {
            let [a, b] = rings.others(corner);
            rings.draw(a, b, |face| gone.push(face));
        }
        assert_eq!(gone.len(), 8);
        for vertex in 0..sphere.positions.len() as u32 {
            let mut faces: Vec<u32> = rings.corners_at(vertex).map(|corner| corner / 3).collect();
            faces.sort_unstable();
            let expected: Vec<u32> = (0..sphere.triangles.len() as u32)
                .filter(|face| !gone.contains(face) && rings.triangles()[*face as usize].contains(&vertex))
                .collect();
            assert_eq!(faces, expected);
            assert_eq!(rings.num_faces_at(vertex) as usize, faces.len());
        }
    }
}
