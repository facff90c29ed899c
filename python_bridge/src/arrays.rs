//! Arrays of upstream pipelines in the model frame.
//!
//! Arrays are borrowed from Python as they are, in any memory layout. The one pass that turns frame, colour space and
//! order of channels is also the only copy.

use std::str::FromStr;
use std::sync::Arc;

use bozzetto_asset::color::linear_from_srgb;
use bozzetto_asset::{PbrSample, PbrVolume, PreparedView, SparseStructure, TriMesh};
use glam::{IVec3, Mat3, Quat, Vec2, Vec3};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods as _};
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The axes that an array's points are given in.
#[derive(Clone, Copy)]
pub(crate) enum Frame {
    /// The model frame itself: +Y up, front +Z.
    Model,
    /// +Z up, front -Y, as TRELLIS has it.
    ZUp,
}

impl FromStr for Frame {
    type Err = PyErr;

    fn from_str(name: &str) -> PyResult<Self> {
        match name {
            "model" => Ok(Self::Model),
            "z_up" => Ok(Self::ZUp),
            other => Err(wrong(format!("There is no frame '{other}': say 'model' or 'z_up'."))),
        }
    }
}

impl Frame {
    pub(crate) fn point(self, x: f32, y: f32, z: f32) -> Vec3 {
        match self {
            Self::Model => Vec3::new(x, y, z),
            Self::ZUp => Vec3::new(x, z, -y),
        }
    }

    /// The rotation that takes this frame's axes to the model frame's.
    pub(crate) fn rotation(self) -> Quat {
        match self {
            Self::Model => Quat::IDENTITY,
            Self::ZUp => Quat::from_mat3(&Mat3::from_cols(Vec3::X, Vec3::NEG_Z, Vec3::Y)),
        }
    }

    /// A voxel of a cubic grid; the axis that is turned round counts from its other end.
    fn voxel(self, x: i32, y: i32, z: i32, resolution: i32) -> IVec3 {
        match self {
            Self::Model => IVec3::new(x, y, z),
            Self::ZUp => IVec3::new(x, z, resolution.wrapping_sub(1).wrapping_sub(y)),
        }
    }
}

/// A cubic grid about the origin, one metre wide: low corner and edge of a voxel. It is the same in every frame.
fn unit_grid(resolution: u32) -> (Vec3, f32) {
    (Vec3::splat(-0.5), 1.0 / resolution as f32)
}

/// What a mesh may have a vertex.
pub(crate) struct VertexArrays<'a, 'py> {
    /// Unit normals `[V, 3]`.
    pub(crate) normals: Option<&'a PyReadonlyArray2<'py, f32>>,
    /// `[V, 2]`, origin at the top left.
    pub(crate) uvs: Option<&'a PyReadonlyArray2<'py, f32>>,
    /// sRGB `[V, 3]`.
    pub(crate) colors: Option<&'a PyReadonlyArray2<'py, f32>>,
}

pub(crate) fn mesh(
    positions: &PyReadonlyArray2<'_, f32>,
    triangles: &PyReadonlyArray2<'_, i32>,
    vertices: &VertexArrays<'_, '_>,
    frame: Frame,
) -> PyResult<TriMesh> {
    has_columns("positions", positions.shape(), 3)?;
    has_columns("triangles", triangles.shape(), 3)?;
    let positions = positions.as_array();
    let triangles = triangles.as_array();
    let mut mesh = TriMesh::new(
        positions
            .rows()
            .into_iter()
            .map(|row| frame.point(row[0], row[1], row[2]))
            .collect(),
        // A negative index becomes one that is out of range.
        triangles
            .rows()
            .into_iter()
            .map(|row| [row[0] as u32, row[1] as u32, row[2] as u32])
            .collect(),
    );
    let is_finite = add_vertex_attributes(&mut mesh, vertices, frame)?;
    if is_finite && mesh.is_consistent() {
        Ok(mesh)
    } else {
        Err(wrong(
            "The mesh has positions that are not finite, or corners that do not exist.",
        ))
    }
}

/// Gives whether all of them are finite; their number is for the mesh to check.
fn add_vertex_attributes(mesh: &mut TriMesh, vertices: &VertexArrays<'_, '_>, frame: Frame) -> PyResult<bool> {
    if let Some(normals) = vertices.normals {
        has_columns("normals", normals.shape(), 3)?;
        let rows = normals.as_array();
        let turned = rows.rows().into_iter().map(|row| frame.point(row[0], row[1], row[2]));
        mesh.normals = turned.collect();
    }
    if let Some(uvs) = vertices.uvs {
        has_columns("uvs", uvs.shape(), 2)?;
        let rows = uvs.as_array();
        mesh.uvs = rows.rows().into_iter().map(|row| Vec2::new(row[0], row[1])).collect();
    }
    if let Some(colors) = vertices.colors {
        has_columns("colors", colors.shape(), 3)?;
        let linear = |row: usize, channel: usize| linear_from_srgb(colors.as_array()[[row, channel]].clamp(0.0, 1.0));
        mesh.colors = (0..colors.shape()[0])
            .map(|row| Vec3::new(linear(row, 0), linear(row, 1), linear(row, 2)))
            .collect();
    }
    Ok(mesh.normals.iter().chain(&mesh.colors).all(|vector| vector.is_finite())
        && mesh.uvs.iter().all(|uv| uv.is_finite()))
}

/// Arrays of a [`PbrVolume`], one row or entry a voxel.
pub(crate) struct VolumeArrays<'a, 'py> {
    pub(crate) coords: &'a PyReadonlyArray2<'py, i32>,
    /// sRGB.
    pub(crate) base_color: &'a PyReadonlyArray2<'py, f32>,
    pub(crate) alpha: &'a PyReadonlyArray1<'py, f32>,
    pub(crate) metallic: &'a PyReadonlyArray1<'py, f32>,
    pub(crate) roughness: &'a PyReadonlyArray1<'py, f32>,
}

pub(crate) fn volume(arrays: &VolumeArrays<'_, '_>, resolution: u32, frame: Frame) -> PyResult<PbrVolume> {
    let count = arrays.coords.shape()[0];
    has_columns("base_color", arrays.base_color.shape(), 3)?;
    for (name, length) in [
        ("base_color", arrays.base_color.shape()[0]),
        ("alpha", arrays.alpha.len()),
        ("metallic", arrays.metallic.len()),
        ("roughness", arrays.roughness.len()),
    ] {
        if length != count {
            return Err(wrong(format!(
                "There are {count} voxels, and {length} entries of '{name}'."
            )));
        }
    }
    let base_color = arrays.base_color.as_array();
    let (alpha, metallic, roughness) = (
        arrays.alpha.as_array(),
        arrays.metallic.as_array(),
        arrays.roughness.as_array(),
    );
    // Networks overshoot a little; NaN stays NaN and is refused below.
    let unit = |value: f32| value.clamp(0.0, 1.0);
    let samples: Vec<PbrSample> = (0..count)
        .map(|i| PbrSample {
            base_color: std::array::from_fn(|channel| linear_from_srgb(unit(base_color[[i, channel]]))),
            alpha: unit(alpha[i]),
            metallic: unit(metallic[i]),
            roughness: unit(roughness[i]),
        })
        .collect();
    let is_finite = samples.iter().all(|sample| {
        let [red, green, blue] = sample.base_color;
        (red + green + blue + sample.alpha + sample.metallic + sample.roughness).is_finite()
    });
    let (origin, voxel_size) = unit_grid(resolution);
    let volume = PbrVolume {
        origin,
        voxel_size,
        resolution,
        coords: voxels(arrays.coords, resolution, frame)?,
        samples,
    };
    if is_finite && volume.is_consistent() {
        Ok(volume)
    } else {
        Err(wrong(
            "The volume has voxels outside its grid, or samples that are not finite.",
        ))
    }
}

pub(crate) fn structure(
    coords: &PyReadonlyArray2<'_, i32>,
    resolution: u32,
    frame: Frame,
) -> PyResult<SparseStructure> {
    let (origin, voxel_size) = unit_grid(resolution);
    let structure = SparseStructure {
        origin,
        voxel_size,
        resolution,
        coords: voxels(coords, resolution, frame)?,
        colors: Vec::new(),
    };
    if structure.is_consistent() {
        Ok(structure)
    } else {
        Err(wrong("The structure has voxels outside its grid."))
    }
}

pub(crate) fn prepared_view(
    name: &str,
    color: &PyReadonlyArray3<'_, u8>,
    matte: &PyReadonlyArray2<'_, u8>,
) -> PyResult<PreparedView> {
    let &[height, width, channels] = color.shape() else {
        return Err(wrong("A picture has three dimensions."));
    };
    let (Ok(width_px), Ok(height_px)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(wrong("The picture is too large."));
    };
    let color = image::RgbImage::from_raw(width_px, height_px, color.as_array().iter().copied().collect());
    let mask = image::GrayImage::from_raw(width_px, height_px, matte.as_array().iter().copied().collect());
    match (color, mask) {
        (Some(color), Some(mask)) if channels == 3 && *matte.shape() == [height, width] => Ok(PreparedView {
            name: name.to_owned(),
            color: Arc::new(color),
            matte: Arc::new(mask),
            direction: None,
            camera: None,
            weight: 1.0,
        }),
        _ => Err(wrong("A picture is [H, W, 3], and its matte [H, W].")),
    }
}

fn voxels(coords: &PyReadonlyArray2<'_, i32>, resolution: u32, frame: Frame) -> PyResult<Vec<IVec3>> {
    has_columns("coords", coords.shape(), 3)?;
    let resolution = i32::try_from(resolution).map_err(|_| wrong("The grid is too fine."))?;
    let coords = coords.as_array();
    Ok(coords
        .rows()
        .into_iter()
        .map(|row| frame.voxel(row[0], row[1], row[2], resolution))
        .collect())
}

pub(crate) fn has_columns(name: &str, shape: &[usize], wanted: usize) -> PyResult<()> {
    if shape.get(1) == Some(&wanted) {
        Ok(())
    } else {
        Err(wrong(format!(
            "'{name}' has the shape {shape:?} where [any, {wanted}] belongs."
        )))
    }
}

pub(crate) fn wrong(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}
