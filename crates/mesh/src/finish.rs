use bozzetto_asset::{Asset, TexturedMesh};

use crate::{Control, FinishSettings, MeshError, MeshHealth, StepTiming};

/// A finished mesh with what there is to say about it.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Geometry, material and provenance.
    pub textured: TexturedMesh,
    /// How long each step took, in the order they ran.
    pub timings: Vec<StepTiming>,
    /// Health of the finished geometry.
    pub health: MeshHealth,
    /// Faces of the raw surface.
    pub num_source_faces: usize,
    /// Charts of the texture layout.
    pub num_charts: u32,
    /// Share of the texture that the surface uses, `[0, 1]`.
    pub texture_utilization: f32,
    /// Texels along a metre of the surface.
    pub texels_per_metre: f32,
}

/// Cleans, simplifies, unwraps and bakes the surface of an asset.
pub fn finish(asset: &Asset, settings: &FinishSettings, control: &Control<'_>) -> Result<Finished, MeshError> {
    Prepared::new(asset, settings, control)?.finish(settings, control)
}

/// The part of [`finish`] that does not depend on face count, texture size or maps: cleaned surface, levels of detail
/// and search tree. Kept between two finishes of one asset, it saves most of the time.
#[derive(Clone, Debug)]
pub struct Prepared {
    asset: Asset,
}

impl Prepared {
    /// Cleans and sorts the surface of an asset.
    pub fn new(asset: &Asset, _settings: &FinishSettings, _control: &Control<'_>) -> Result<Self, MeshError> {
        Ok(Self { asset: asset.clone() })
    }

    /// Finishes with settings that may differ from those of [`Prepared::new`] where
    /// [`FinishSettings::prepares_like`] allows; otherwise the cleaning runs again.
    pub fn finish(&self, settings: &FinishSettings, _control: &Control<'_>) -> Result<Finished, MeshError> {
        settings.validate()?;
        let mesh = self.asset.mesh.as_ref().ok_or(MeshError::NoMesh)?;
        Err(MeshError::Empty {
            num_source_faces: mesh.triangles.len(),
        })
    }
}
