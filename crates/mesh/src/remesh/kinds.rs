//! Tells surfaces that enclose something from sheets.

use std::collections::HashMap;

use glam::{DVec3, Vec3};
use rayon::prelude::*;

use crate::topology::ConcurrentSets;

/// A component whose normals add up to more than this share of its area is a sheet. A half sphere has 0.5, a box
/// without its lid 0.2, a flat sheet 1.
const FLAT: f64 = 0.6;
/// Faces that one thread takes in a row. Sums depend on it, not on the number of threads.
const CHUNK: usize = 1 << 14;

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
        let sets = ConcurrentSets::new(positions.len());
        triangles.par_iter().for_each(|&[a, b, c]| {
            sets.unite(a, b);
            sets.unite(b, c);
        });
        let names = sets.into_names();
        let component = |triangle: &[u32; 3]| names[triangle[0] as usize];
        // Runs of faces of one component: few, for a component's faces lie together.
        let runs: Vec<Vec<(u32, Sums)>> = triangles
            .par_chunks(CHUNK)
            .map(|faces| {
                let runs = faces.chunk_by(|a, b| component(a) == component(b));
                runs.map(|run| (component(&run[0]), Sums::of(positions, reference, run)))
                    .collect()
            })
            .collect();
        let mut sums: HashMap<u32, Sums> = HashMap::new();
        for (component, run) in runs.into_iter().flatten() {
            sums.entry(component).or_default().add(&run);
        }
        let is_sheet: HashMap<u32, Option<bool>> = sums
            .into_iter()
            .map(|(component, sums)| (component, sums.is_sheet(least_thickness.into())))
            .collect();
        let of_kind = |kind: bool| -> Vec<u32> {
            let faces = (0..triangles.len() as u32).into_par_iter();
            faces
                .filter(|&face| is_sheet[&component(&triangles[face as usize])] == Some(kind))
                .collect()
        };
        if is_sheet.values().all(|kind| *kind == Some(false)) {
            return Self {
                bodies: (0..triangles.len() as u32).collect(),
                sheets: Vec::new(),
            };
        }
        Self {
            bodies: of_kind(false),
            sheets: of_kind(true),
        }
    }
}

impl Sums {
    /// Of some faces, about a reference point.
    fn of(positions: &[Vec3], reference: Vec3, triangles: &[[u32; 3]]) -> Self {
        let mut sums = Self::default();
        for triangle in triangles {
            let [a, b, c] = triangle.map(|vertex| (positions[vertex as usize] - reference).as_dvec3());
            let normal = (b - a).cross(c - a) * 0.5;
            let area = normal.length();
            sums.add(&Self {
                area,
                normal,
                moment: (a + b + c) / 3.0 * area,
                volume: a.dot(b.cross(c)) / 6.0,
            });
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.area += other.area;
        self.normal += other.normal;
        self.moment += other.moment;
        self.volume += other.volume;
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
