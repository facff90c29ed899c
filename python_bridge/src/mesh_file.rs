//! Meshes that a job brings, read with the program's own readers.

use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::TriMesh;
use bozzetto_asset::formats::{FormatError, artifact, glb, obj, ply, stl};
use glam::{Vec2, Vec3};
use numpy::{PyArray2, PyArrayMethods as _};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Positions `[V, 3]`, corners `[F, 3]` and UVs `[V, 2]` or `None`, as Python has them.
type MeshArrays<'py> = (
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray2<i32>>,
    Option<Bound<'py, PyArray2<f32>>>,
);

/// Reads a mesh: GLB, OBJ, PLY, STL, or a result's own file. In the model frame.
#[pyfunction]
pub(crate) fn read_mesh<'py>(py: Python<'py>, path: &str) -> PyResult<MeshArrays<'py>> {
    let mesh = py
        .detach(|| read(Path::new(path)))
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let positions: Vec<f32> = mesh.positions.iter().flat_map(Vec3::to_array).collect();
    // A mesh has fewer vertices than an index of 31 bits can name, or the next call refuses it.
    let triangles: Vec<i32> = mesh.triangles.iter().flatten().map(|&corner| corner as i32).collect();
    let uvs: Vec<f32> = mesh.uvs.iter().flat_map(Vec2::to_array).collect();
    let num_vertices = mesh.positions.len();
    Ok((
        rows(py, positions, num_vertices, 3)?,
        rows(py, triangles, mesh.triangles.len(), 3)?,
        (!mesh.uvs.is_empty())
            .then(|| rows(py, uvs, num_vertices, 2))
            .transpose()?,
    ))
}

fn read(path: &Path) -> Result<Arc<TriMesh>, FormatError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    Ok(match ending.as_str() {
        "glb" => glb::read(path)?.mesh,
        "ply" => Arc::new(ply::read_mesh(path)?),
        "stl" => Arc::new(stl::read(path)?),
        "safetensors" => Arc::new(artifact::read_mesh(path)?),
        _ => Arc::new(obj::read(path)?),
    })
}

fn rows<T: numpy::Element>(
    py: Python<'_>,
    values: Vec<T>,
    count: usize,
    columns: usize,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    numpy::PyArray1::from_vec(py, values).reshape([count, columns])
}
