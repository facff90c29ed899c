//! Tells surfaces that enclose something from sheets.

use glam::{DVec3, Vec3};

use crate::topology::DisjointSets;

/// A component whose normals add up to more than this share of its area is a sheet. A half sphere has 0.5, a box
/// without its lid 0.2, a flat sheet 1.
const FLAT: f64 = 0.6;

/// Faces by what their component stands for. Faces of components without area are in neither list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kinds {
    /// Of components that enclose something, holes or not.
    pub(super) bodies: Vec<u32>,
    /// Of components that are nearly flat, or thinner than `least_thickness`.
    pub(super) sheets: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    area: f64,
    /// Normals times areas; zero for a closed surface.
    normal: DVec3,
    /// Middles times areas.
    moment: DVec3,
    /// Volume under the surface about the reference point.
    volume: f64,
}

impl Kinds {
    pub(super) fn of(positions: &[Vec3], triangles: &[[u32; 3]], least_thickness: f32) -> Self {
        let Some(&reference) = positions.first() else {
            return Self::default();
        };
        let mut sets = DisjointSets::new(positions.len());
        for &[a, b, c] in triangles {
            sets.unite(a, b);
            sets.unite(b, c);
        }
        let mut sums = vec![Sums::default(); positions.len()];
        for triangle in triangles {
            let corners = triangle.map(|vertex| (positions[vertex as usize] - reference).as_dvec3());
            sums[sets.find(triangle[0]) as usize].add(corners);
        }
        let is_sheet: Vec<Option<bool>> = sums.iter().map(|sums| sums.is_sheet(least_thickness.into())).collect();
        let mut kinds = Self::default();
        for (face, triangle) in (0..).zip(triangles) {
            match is_sheet[sets.find(triangle[0]) as usize] {
                Some(true) => kinds.sheets.push(face),
                Some(false) => kinds.bodies.push(face),
                None => {}
            }
        }
        kinds
    }
}

impl Sums {
    fn add(&mut self, [a, b, c]: [DVec3; 3]) {
        let normal = (b - a).cross(c - a) * 0.5;
        let area = normal.length();
        self.area += area;
        self.normal += normal;
        self.moment += (a + b + c) / 3.0 * area;
        self.volume += a.dot(b.cross(c)) / 6.0;
    }

    /// `None` without area.
    fn is_sheet(&self, least_thickness: f64) -> Option<bool> {
        if self.area <= 0.0 {
            return None;
        }
        // Moving the reference point to the component's own middle.
        let volume = self.volume - (self.moment / self.area).dot(self.normal) / 3.0;
        let thickness = 2.0 * volume.abs() / self.area;
        Some(self.normal.length() > FLAT * self.area || thickness < least_thickness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn sheets_and_bodies() {
        let kind = |mesh: &bozzetto_asset::TriMesh| {
            let kinds = Kinds::of(&mesh.positions, &mesh.triangles, 0.01);
            (kinds.bodies.len(), kinds.sheets.len())
        };
        let mut mesh = shapes::cube(Vec3::splat(7.0));
        assert_eq!(kind(&mesh), (12, 0));
        let open = bozzetto_asset::TriMesh::new(mesh.positions.clone(), mesh.triangles[2..].to_vec());
        assert_eq!(kind(&open), (10, 0));
        let wall = bozzetto_asset::TriMesh::new(mesh.positions.clone(), mesh.triangles[..2].to_vec());
        assert_eq!(kind(&wall), (0, 2));
        mesh.positions.iter_mut().for_each(|position| position.y *= 0.005);
        assert_eq!(kind(&mesh), (0, 12));
        assert_eq!(kind(&shapes::together(shapes::cube(Vec3::ZERO), &mesh)), (12, 12));
    }
}
