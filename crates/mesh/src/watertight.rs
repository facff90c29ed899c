use bozzetto_asset::TriMesh;

use crate::control::Stopwatch;
use crate::{Control, FinishSettings, MeshError, MeshHealth, StepTiming, clean_surface};

/// A closed surface, and what was measured on it.
#[derive(Clone, Debug)]
pub struct Watertight {
    /// Closed, oriented 2-manifold: every edge has two faces that agree on the outside, the faces around every vertex
    /// form one fan, and no two vertices lie at one place.
    pub mesh: TriMesh,
    /// Its health; nothing of what would break the promise is in it.
    pub health: MeshHealth,
    /// How long each step took, in the order they ran.
    pub timings: Vec<StepTiming>,
}

/// Makes a closed, oriented 2-manifold of any surface, or says what stands in the way.
///
/// Joins vertices, drops repeated faces and specks, turns faces outwards, parts sheets that touch, closes all holes,
/// whatever their size, and moves apart what touches; inner shells go when the settings say so. What a patch can't
/// give a volume, single faces and flat sheets, is dropped. The surface may still pass through itself: see
/// [`crate::SelfIntersections`].
pub fn make_watertight(
    mesh: &TriMesh,
    settings: &FinishSettings,
    control: &Control<'_>,
) -> Result<Watertight, MeshError> {
    settings.validate()?;
    let settings = FinishSettings {
        closes_all_holes: true,
        parts_touching: true,
        ..settings.clone()
    };
    let mut watch = Stopwatch::default();
    let mesh = clean_surface(mesh, &settings, control, &mut watch)?;
    let health = MeshHealth::of(&mesh);
    if !health.is_closed_manifold() {
        return Err(MeshError::NotClosable {
            what: format!(
                "{} open, {} crowded and {} contradicting edges and {} touching vertices are left",
                health.num_boundary_edges,
                health.num_non_manifold_edges,
                health.num_inconsistent_edges,
                health.num_touching_vertices
            ),
        });
    }
    Ok(Watertight {
        mesh,
        health,
        timings: watch.timings,
    })
}
