//! Gaussians of upstream pipelines as splats in the model frame.
//!
//! Arrays are borrowed as they are; turning the frame and taking logarithms is the one pass over them.

use bozzetto_asset::{GaussianSplats, SplatFilter};
use glam::{Quat, Vec3};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods as _};
use pyo3::prelude::*;

use crate::arrays::{Frame, has_columns, wrong};

/// Arrays of [`GaussianSplats`], one row a splat, with upstream's activations applied.
pub(crate) struct SplatArrays<'a, 'py> {
    /// Metres. `[N, 3]`
    pub(crate) positions: &'a PyReadonlyArray2<'py, f32>,
    /// Standard deviations, metres. `[N, 3]`
    pub(crate) scales: &'a PyReadonlyArray2<'py, f32>,
    /// Quaternions (w, x, y, z) of any length but zero. `[N, 4]`
    pub(crate) rotations: &'a PyReadonlyArray2<'py, f32>,
    /// In `[0, 1]`. `[N]`
    pub(crate) opacities: &'a PyReadonlyArray1<'py, f32>,
    /// Spherical harmonics of degree 0 to 3. `[N, (degree + 1)^2, 3]`
    pub(crate) sh: &'a PyReadonlyArray3<'py, f32>,
}

pub(crate) fn splats(arrays: &SplatArrays<'_, '_>, filter: &str, frame: Frame) -> PyResult<GaussianSplats> {
    has_columns("positions", arrays.positions.shape(), 3)?;
    has_columns("scales", arrays.scales.shape(), 3)?;
    has_columns("rotations", arrays.rotations.shape(), 4)?;
    let turn = frame.rotation();
    let scales = arrays.scales.as_array();
    let rotations = arrays.rotations.as_array();
    let splats = GaussianSplats {
        positions: (arrays.positions.as_array().rows().into_iter())
            .map(|row| frame.point(row[0], row[1], row[2]))
            .collect(),
        log_scales: (scales.rows().into_iter())
            .map(|row| Vec3::new(row[0], row[1], row[2]).map(f32::ln))
            .collect(),
        // One of no length stays that, and is found below.
        rotations: (rotations.rows().into_iter())
            .map(|row| (turn * Quat::from_xyzw(row[1], row[2], row[3], row[0])).normalize())
            .collect(),
        opacities: arrays.opacities.as_array().to_vec(),
        sh_degree: sh_degree(arrays.sh.shape(), frame)?,
        sh: (arrays.sh.as_array().rows().into_iter())
            .map(|row| [row[0], row[1], row[2]])
            .collect(),
        filter: filter_named(filter)?,
    };
    let mut vectors = splats.positions.iter().chain(&splats.log_scales);
    let is_finite = vectors.all(|vector| vector.is_finite())
        && splats.rotations.iter().all(|rotation| rotation.is_finite())
        && splats.opacities.iter().all(|opacity| (0.0..=1.0).contains(opacity))
        && splats.sh.iter().flatten().all(|value| value.is_finite());
    if is_finite && splats.is_consistent() {
        Ok(splats)
    } else {
        Err(wrong(
            "The splats have arrays of different lengths, or values that no splat can have.",
        ))
    }
}

/// Coefficients above degree 0 depend on directions; no upstream pipeline gives them in another frame than ours.
fn sh_degree(shape: &[usize], frame: Frame) -> PyResult<u8> {
    let degree = match *shape {
        [_, 1, 3] => 0,
        [_, 4, 3] => 1,
        [_, 9, 3] => 2,
        [_, 16, 3] => 3,
        _ => {
            return Err(wrong(format!(
                "'sh' has the shape {shape:?} where [any, (degree + 1)^2, 3] belongs."
            )));
        }
    };
    match (degree, frame) {
        (0, _) | (_, Frame::Model) => Ok(degree),
        _ => Err(wrong(
            "Splats whose colour depends on the direction must be in the model frame.",
        )),
    }
}

fn filter_named(name: &str) -> PyResult<SplatFilter> {
    match name {
        "dilate" => Ok(SplatFilter::Dilate),
        "mip" => Ok(SplatFilter::Mip),
        other => Err(wrong(format!("There is no filter '{other}': say 'dilate' or 'mip'."))),
    }
}
