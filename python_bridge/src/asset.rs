#![expect(clippy::needless_pass_by_value, reason = "Python hands arguments over by value")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bozzetto_asset::Asset as ModelAsset;
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays::{self, VolumeArrays};

/// What a job makes. `frame` is `model` or `z_up`.
#[pyclass]
#[derive(Default)]
pub(crate) struct Asset(ModelAsset);

impl Asset {
    pub(crate) fn take(&mut self) -> ModelAsset {
        std::mem::take(&mut self.0)
    }
}

#[pymethods]
impl Asset {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Sets the surface: positions `[V, 3]` in metres, corners `[F, 3]`.
    fn set_mesh(
        &mut self,
        positions: PyReadonlyArray2<'_, f32>,
        triangles: PyReadonlyArray2<'_, i32>,
        frame: &str,
    ) -> PyResult<()> {
        self.0.mesh = Some(Arc::new(arrays::mesh(&positions, &triangles, frame.parse()?)?));
        Ok(())
    }

    /// Sets the materials: voxels of a cube about the origin with `resolution` voxels along its edge of one metre, each
    /// with an sRGB base colour, alpha, metallic and roughness in `[0, 1]`. Values outside are clamped.
    #[pyo3(signature = (coords, *, base_color, alpha, metallic, roughness, resolution, frame))]
    #[expect(clippy::too_many_arguments, reason = "they are named in Python")]
    fn set_volume(
        &mut self,
        coords: PyReadonlyArray2<'_, i32>,
        base_color: PyReadonlyArray2<'_, f32>,
        alpha: PyReadonlyArray1<'_, f32>,
        metallic: PyReadonlyArray1<'_, f32>,
        roughness: PyReadonlyArray1<'_, f32>,
        resolution: u32,
        frame: &str,
    ) -> PyResult<()> {
        let arrays = VolumeArrays {
            coords: &coords,
            base_color: &base_color,
            alpha: &alpha,
            metallic: &metallic,
            roughness: &roughness,
        };
        self.0.volume = Some(Arc::new(arrays::volume(&arrays, resolution, frame.parse()?)?));
        Ok(())
    }

    /// Remembers the SHA-256 of each weight file, by file name.
    fn set_weights(&mut self, weights: BTreeMap<String, String>) {
        self.0.provenance.weights = weights;
    }
}
