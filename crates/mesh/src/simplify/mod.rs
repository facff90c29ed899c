//! Brings a surface down to a face count by quadric error (Garland and Heckbert 1997), with its normals, colours and borders
//! taken into account.

pub(crate) mod curve;
mod numbering;
mod order;
mod part;
mod quadric;
mod queue;
mod rings;

use std::sync::{Arc, PoisonError, RwLock};

use bozzetto_asset::TriMesh;

use crate::control::Stopwatch;
use crate::topology::{compacted, weighted_normals};
use crate::{Control, FinishSettings, MeshError, clean_surface};
use order::CollapseOrder;

/// A surface prepared for the face-count slider: cleaned once, then any target quickly. [`crate::finish`] takes the
/// same path, so that what the slider shows is what is exported.
///
/// The order in which edges collapse is found once, as far down as was asked for; from then on a mesh of any face count is
/// looked up. What a target gives depends on the surface and the target alone, not on what was asked before. Clones share
/// the order.
#[derive(Clone, Debug)]
pub struct Simplifier {
    source: Arc<TriMesh>,
    order: Arc<RwLock<CollapseOrder>>,
}

impl Default for Simplifier {
    fn default() -> Self {
        Self::of_clean(TriMesh::default())
    }
}

impl Simplifier {
    /// Prepares a raw surface with the default settings. A surface that cannot be cleaned gives an empty result.
    pub fn new(mesh: &TriMesh) -> Self {
        Self::prepared(mesh, &FinishSettings::default(), &Control::silent()).unwrap_or_default()
    }

    /// Prepares a raw surface: the same cleaning as in [`crate::finish`].
    pub fn prepared(mesh: &TriMesh, settings: &FinishSettings, control: &Control<'_>) -> Result<Self, MeshError> {
        clean_surface(mesh, settings, control, &mut Stopwatch::default()).map(Self::of_clean)
    }

    /// Takes a surface as [`crate::clean_surface`] leaves it: with normals.
    pub(crate) fn of_clean(mesh: TriMesh) -> Self {
        Self {
            order: Arc::new(RwLock::new(CollapseOrder::new(&mesh))),
            source: Arc::new(mesh),
        }
    }

    /// The cleaned surface in full.
    pub fn source(&self) -> &TriMesh {
        &self.source
    }

    /// The surface with at most `target_faces` faces where its topology allows, with normals (and colours, where the
    /// source has them).
    pub fn simplified(&self, target_faces: usize) -> TriMesh {
        self.simplified_under(target_faces, &Control::silent())
            .unwrap_or_else(|_| self.source().clone())
    }

    /// As [`Simplifier::simplified`], cancellable while the order of collapses is not known so far down yet.
    pub fn simplified_under(&self, target_faces: usize, control: &Control<'_>) -> Result<TriMesh, MeshError> {
        if self.source.triangles.len() <= target_faces {
            return Ok(TriMesh::clone(&self.source));
        }
        self.find_order(target_faces, control)?;
        // An order is only ever appended to, round by round: also one that a panic left behind can be read.
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        let mut simplified = compacted(&self.source, order.triangles_at(&self.source, target_faces));
        drop(order);
        simplified.normals = weighted_normals(&simplified.positions, &simplified.triangles);
        Ok(simplified)
    }

    /// Finds the order of collapses down to a face count, so that targets above it need no waiting.
    fn find_order(&self, target_faces: usize, control: &Control<'_>) -> Result<(), MeshError> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        if order.reaches(target_faces) {
            return Ok(());
        }
        drop(order);
        let mut order = self.order.write().unwrap_or_else(PoisonError::into_inner);
        order.extend(&self.source, target_faces, control)
    }
}

/// Brings a mesh down to a face count.
///
/// Borders keep their shape, vertices are a subset of the given ones, normals are computed anew. A closed 2-manifold
/// stays one. The target is missed only where the topology leaves nothing to collapse.
pub fn simplify(mesh: &TriMesh, target_faces: usize, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let mut source = TriMesh {
        uvs: Vec::new(),
        tangents: Vec::new(),
        ..mesh.clone()
    };
    if source.normals.is_empty() {
        source.normals = weighted_normals(&mesh.positions, &mesh.triangles);
    }
    Simplifier::of_clean(source).simplified_under(target_faces, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes};
    use glam::Vec3;

    #[test]
    fn closed_stays_closed_at_every_target() {
        for (mesh, euler) in [
            (shapes::noisy_sphere(5, 0.05, 20.0, 0.01), 2),
            (shapes::torus(0.3, 0.1, 96, 48), 0),
        ] {
            let simplifier = Simplifier::new(&mesh);
            for target in [8000, 3000, 1000, 300, 100] {
                let simplified = simplifier.simplified(target);
                let health = MeshHealth::of(&simplified);
                assert!(health.is_watertight, "{target}: {health:?}");
                assert_eq!(health.euler_characteristic, euler, "{target}");
                assert!(simplified.triangles.len() <= target && simplified.triangles.len() * 10 > target * 9);
                assert_eq!(simplified.normals.len(), simplified.positions.len());
            }
        }
    }

    #[test]
    fn the_shape_is_kept() {
        let simplified = Simplifier::new(&shapes::icosphere(0.4, 5)).simplified(1000);
        for face in 0..simplified.triangles.len() {
            let center = simplified.corners(face).iter().sum::<Vec3>() / 3.0;
            assert!((center.length() - 0.4).abs() < 0.008, "{center}");
        }
    }

    #[test]
    fn a_target_gives_the_same_mesh_whatever_came_before() {
        let mesh = shapes::noisy_sphere(5, 0.05, 20.0, 0.01);
        let asked_often = Simplifier::new(&mesh);
        for target in [12_000, 500, 7000] {
            asked_often.simplified(target);
        }
        assert_eq!(asked_often.simplified(4321), Simplifier::new(&mesh).simplified(4321));
    }

    #[test]
    fn borders_keep_their_shape() {
        let side = 40;
        let positions = (0..=side * side + 2 * side)
            .map(|i| Vec3::new((i % (side + 1)) as f32, 0.0, (i / (side + 1)) as f32) / side as f32)
            .collect();
        let triangles = (0..side * side)
            .flat_map(|i| {
                let a = (i / side) * (side + 1) + i % side;
                [[a, a + side + 1, a + 1], [a + 1, a + side + 1, a + side + 2]]
            })
            .collect();
        let sheet = TriMesh::new(positions, triangles);
        let simplified = simplify(&sheet, 10, &Control::silent()).unwrap();
        let area: f32 = (0..simplified.triangles.len())
            .map(|face| crate::topology::area_normal(simplified.corners(face)).length() * 0.5)
            .sum();
        assert!(simplified.triangles.len() <= 10 && (area - 1.0).abs() < 1e-4, "{area}");
    }

    #[test]
    fn parted_sheets_stay_parted() {
        let both = shapes::together(shapes::cube(Vec3::ZERO), &shapes::cube(Vec3::ONE));
        let simplified = simplify(&both, 16, &Control::silent()).unwrap();
        assert!(MeshHealth::by_index(&simplified).is_watertight);
    }

    #[test]
    fn parts_of_a_large_surface_stay_together() {
        let mesh = shapes::noisy_sphere(7, 0.02, 40.0, 0.0);
        let tree = crate::nearest::SearchTree::new(&mesh);
        let simplifier = Simplifier::new(&mesh);
        for target in [250_000, 100_000, 20_000] {
            let simplified = simplifier.simplified(target);
            assert!((target - 1..=target).contains(&simplified.triangles.len()));
            let health = MeshHealth::by_index(&simplified);
            assert!(health.is_watertight && health.euler_characteristic == 2, "{health:?}");
            for face in 0..simplified.triangles.len() {
                let center = simplified.corners(face).iter().sum::<Vec3>() / 3.0;
                let distance = tree.nearest(center).map_or(f32::MAX, |hit| hit.distance_squared.sqrt());
                assert!(distance < 1e-3, "{target}: {distance}");
            }
        }
    }

    #[test]
    fn threads_do_not_show() {
        let mesh = shapes::noisy_sphere(6, 0.02, 40.0, 0.0);
        let with = |num_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(num_threads)
                .build()
                .unwrap();
            pool.install(|| Simplifier::new(&mesh).simplified(10_000))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn flat_regions_give_what_detailed_ones_need() {
        // Bumps on one half only.
        let mut mesh = shapes::torus(0.3, 0.1, 400, 200);
        for position in &mut mesh.positions {
            if position.x > 0.0 {
                position.y += 0.01 * (position.x * 80.0).sin() * (position.z * 80.0).sin();
            }
        }
        let simplified = Simplifier::new(&mesh).simplified(20_000);
        let is_bumpy = |face: usize| simplified.corners(face).iter().all(|corner| corner.x > 0.0);
        let num_bumpy = (0..simplified.triangles.len()).filter(|&face| is_bumpy(face)).count();
        assert!(num_bumpy > 14_000, "{num_bumpy}");
    }

    #[test]
    fn a_tip_of_many_faces_is_no_trap() {
        let count = 30_000;
        let rim = |i: u32| {
            let angle = i as f32 / count as f32 * std::f32::consts::TAU;
            Vec3::new(angle.cos(), 0.0, angle.sin())
        };
        let mut positions: Vec<Vec3> = (0..count).map(rim).collect();
        positions.extend([Vec3::Y, Vec3::NEG_Y]);
        let triangles = (0..count)
            .flat_map(|i| {
                let next = (i + 1) % count;
                [[count, next, i], [count + 1, i, next]]
            })
            .collect();
        let simplified = Simplifier::new(&TriMesh::new(positions, triangles)).simplified(500);
        assert!(MeshHealth::by_index(&simplified).is_watertight && simplified.triangles.len() <= 500);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(
            Simplifier::new(&TriMesh::default())
                .simplified(100)
                .triangles
                .is_empty()
        );
        assert!(Simplifier::default().source().triangles.is_empty());
    }
}
