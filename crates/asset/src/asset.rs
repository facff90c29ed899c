use std::sync::Arc;

use crate::{Camera, GaussianSplats, Material, PbrVolume, Provenance, TexturedMesh, TriMesh};

/// What an engine makes: any of splats, a mesh, a volume and cameras, with where it came from.
///
/// Parts are shared, so that the viewport, the finish thread and the library hold the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Asset {
    /// Gaussian splats in the model frame.
    pub splats: Option<Arc<GaussianSplats>>,
    /// The raw surface, before finishing.
    pub mesh: Option<Arc<TriMesh>>,
    /// Textures over the surface's own UVs, from engines that paint or refine a mesh that has them.
    pub material: Option<Arc<Material>>,
    /// Material samples near the surface; what finishing bakes textures from.
    pub volume: Option<Arc<PbrVolume>>,
    /// One camera for each view that took part, in the order of the job's enabled views.
    pub cameras: Vec<Camera>,
    /// Engine, parameters, seed and views.
    pub provenance: Provenance,
}

impl Asset {
    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.splats.is_none() && self.mesh.is_none() && self.volume.is_none()
    }

    /// The surface with its textures, where the engine made both and there is nothing left to bake.
    pub fn textured(&self) -> Option<TexturedMesh> {
        let (mesh, material) = (self.mesh.as_ref()?, self.material.as_ref()?);
        Some(TexturedMesh {
            mesh: Arc::clone(mesh),
            material: Material::clone(material),
            provenance: self.provenance.clone(),
            ..TexturedMesh::default()
        })
    }
}
