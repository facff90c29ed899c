#![expect(clippy::needless_pass_by_value, reason = "Python hands arguments over by value")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bozzetto_asset::{Asset as ModelAsset, Material};
use image::{ImageBuffer, Pixel};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods as _};
use pyo3::prelude::*;

use crate::arrays::{self, VertexArrays, VolumeArrays, wrong};
use crate::cameras;
use crate::splats::{self, SplatArrays};

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

    /// Sets the surface: positions `[V, 3]` in metres, corners `[F, 3]`; normals `[V, 3]`, UVs `[V, 2]` with the origin
    /// at the top left and sRGB colours `[V, 3]` where there are any.
    #[pyo3(signature = (positions, triangles, frame, *, normals=None, uvs=None, colors=None))]
    fn set_mesh(
        &mut self,
        positions: PyReadonlyArray2<'_, f32>,
        triangles: PyReadonlyArray2<'_, i32>,
        frame: &str,
        normals: Option<PyReadonlyArray2<'_, f32>>,
        uvs: Option<PyReadonlyArray2<'_, f32>>,
        colors: Option<PyReadonlyArray2<'_, f32>>,
    ) -> PyResult<()> {
        let vertices = VertexArrays {
            normals: normals.as_ref(),
            uvs: uvs.as_ref(),
            colors: colors.as_ref(),
        };
        let mesh = arrays::mesh(&positions, &triangles, &vertices, frame.parse()?)?;
        self.0.mesh = Some(Arc::new(mesh));
        Ok(())
    }

    /// Sets the splats: positions `[N, 3]` and standard deviations `[N, 3]` in metres, rotations `[N, 4]` as (w, x, y,
    /// z), opacities `[N]` in `[0, 1]`, spherical harmonics `[N, (degree + 1)^2, 3]`. `filter` is `mip` or `dilate`.
    #[pyo3(signature = (positions, *, scales, rotations, opacities, sh, filter, frame))]
    #[expect(clippy::too_many_arguments, reason = "they are named in Python")]
    fn set_splats(
        &mut self,
        positions: PyReadonlyArray2<'_, f32>,
        scales: PyReadonlyArray2<'_, f32>,
        rotations: PyReadonlyArray2<'_, f32>,
        opacities: PyReadonlyArray1<'_, f32>,
        sh: PyReadonlyArray3<'_, f32>,
        filter: &str,
        frame: &str,
    ) -> PyResult<()> {
        let arrays = SplatArrays {
            positions: &positions,
            scales: &scales,
            rotations: &rotations,
            opacities: &opacities,
            sh: &sh,
        };
        self.0.splats = Some(Arc::new(splats::splats(&arrays, filter, frame.parse()?)?));
        Ok(())
    }

    /// Sets one camera a view: matrices `[N, 4, 4]` from `frame` to `OpenCV`'s view space, vertical fields of view `[N]`
    /// in radians, widths over heights `[N]`.
    fn set_cameras(
        &mut self,
        view_from_world: PyReadonlyArray3<'_, f32>,
        fov_y_rad: PyReadonlyArray1<'_, f32>,
        aspect: PyReadonlyArray1<'_, f32>,
        frame: &str,
    ) -> PyResult<()> {
        self.0.cameras = cameras::cameras(&view_from_world, &fov_y_rad, &aspect, frame.parse()?)?;
        Ok(())
    }

    /// Sets the textures over the mesh's UVs: sRGB base colour with alpha `[H, W, 4]`, occlusion, roughness and metallic
    /// `[H, W, 3]`, and tangent-space normals with +Y up `[H, W, 3]`, top row first.
    #[pyo3(signature = (base_color, *, orm=None, normal=None, has_occlusion=false))]
    fn set_material(
        &mut self,
        base_color: PyReadonlyArray3<'_, u8>,
        orm: Option<PyReadonlyArray3<'_, u8>>,
        normal: Option<PyReadonlyArray3<'_, u8>>,
        has_occlusion: bool,
    ) -> PyResult<()> {
        let optional =
            |pixels: Option<PyReadonlyArray3<'_, u8>>| pixels.map(|pixels| picture(&pixels).map(Arc::new)).transpose();
        self.0.material = Some(Arc::new(Material {
            base_color: Arc::new(picture(&base_color)?),
            orm: optional(orm)?,
            normal: optional(normal)?,
            roughness_factor: 1.0,
            has_occlusion,
            ..Material::default()
        }));
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

fn picture<P: Pixel<Subpixel = u8>>(pixels: &PyReadonlyArray3<'_, u8>) -> PyResult<ImageBuffer<P, Vec<u8>>> {
    let &[height, width, channels] = pixels.shape() else {
        return Err(wrong("A picture has three dimensions."));
    };
    let (Ok(width_px), Ok(height_px)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(wrong("The picture is too large."));
    };
    let bytes = pixels.as_array().iter().copied().collect();
    let wanted = usize::from(P::CHANNEL_COUNT);
    ImageBuffer::from_raw(width_px, height_px, bytes)
        .filter(|_| channels == wanted)
        .ok_or_else(|| wrong(format!("A picture has {channels} channels where {wanted} belong.")))
}
