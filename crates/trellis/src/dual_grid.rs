//! The flexible dual grid: one vertex in each active voxel, one quad around each grid edge that crosses the surface.
//!
//! Follows `o-voxel/o_voxel/convert/flexible_dual_grid.py` and `trellis2/models/sc_vaes/fdg_vae.py` of microsoft/TRELLIS.2 at
//! 5565d24. A voxel stands for the three edges that start at its low corner and go along +x, +y and +z. The quad of an edge
//! joins the vertices of the four voxels around it, and exists where all four do.
//!
//! Coordinates of TRELLIS.2 are z-up; meshes and volumes are given in the model frame, `(x, y, z) -> (x, z, -y)`. That turns
//! nothing inside out, but a quad does not know which of its sides is the outer one: all quads of an axis face the same way,
//! and making them agree with their neighbours is the mesh crate's.

use bozzetto_asset::{PbrSample, PbrVolume, TriMesh};
use bytemuck::Pod;
use glam::{IVec3, Vec3};
use tch::kind::Element;
use tch::{Device, Kind, Tensor};

use crate::sparse::{Level, NeighbourMap};
use crate::{Result, TrellisError};

/// Half of a voxel's width: how far its vertex may lie outside it.
const VERTEX_MARGIN: f64 = 0.5;

/// For each axis the offsets of the four voxels around an edge, in order along the quad.
const QUAD_OFFSETS: [[[i64; 3]; 4]; 3] = [
    [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]],
    [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]],
    [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]],
];

/// A dual grid over the voxels of a [`Level`].
#[derive(Debug)]
pub struct DualGrid {
    /// Where in its voxel each vertex lies, in voxels from the low corner. `[N, 3]` f32
    pub offsets: Tensor,
    /// Which of a voxel's three edges cross the surface. `[N, 3]` bool
    pub intersected: Tensor,
    /// A quad is cut along the diagonal whose ends' weights have the greater product. `[N]` f32
    pub split_weights: Tensor,
}

impl DualGrid {
    /// From what the shape decoder makes, `[N, 7]`: offset, intersections, weight, before their activations.
    pub fn from_features(features: &Tensor) -> Result<Self> {
        let mut offsets = features
            .f_narrow(1, 0, 3)?
            .f_sigmoid()?
            .f_mul_scalar_(1.0 + 2.0 * VERTEX_MARGIN)?;
        Ok(Self {
            offsets: offsets.f_sub_scalar_(VERTEX_MARGIN)?,
            intersected: features.f_narrow(1, 3, 3)?.f_gt(0.0)?,
            split_weights: features.f_select(1, 6)?.f_softplus()?,
        })
    }

    /// The surface, in the model frame. `resolution`: voxels along the unit cube's edge.
    ///
    /// Every voxel gives a vertex, in order, whether a triangle uses it or not.
    pub fn mesh(&self, level: &Level, resolution: u32) -> Result<TriMesh> {
        let positions = in_model_frame(&self.positions(level, resolution)?)?;
        Ok(TriMesh::new(
            rows_of::<Vec3, f32>(&positions, 3)?,
            rows_of::<[u32; 3], i32>(&self.triangles(level)?, 3)?,
        ))
    }

    /// `[N, 3]` f32 in `[-0.5, 0.5]^3`, z up.
    fn positions(&self, level: &Level, resolution: u32) -> Result<Tensor> {
        let mut coords = level.coords().f_narrow(1, 1, 3)?.f_to_kind(Kind::Float)?;
        let voxel_size = f64::from(1.0 / resolution as f32);
        Ok(coords
            .f_add_(&self.offsets)?
            .f_mul_scalar_(voxel_size)?
            .f_sub_scalar_(0.5)?)
    }

    /// `[F, 3]` int32. In order of voxels, then of axes.
    fn triangles(&self, level: &Level) -> Result<Tensor> {
        let device = self.offsets.device();
        let columns: Vec<i64> = QUAD_OFFSETS
            .iter()
            .flatten()
            .map(|&[dx, dy, dz]| NeighbourMap::column(dx, dy, dz))
            .collect();
        let columns = Tensor::f_from_slice(&columns)?.f_to_device(device)?;
        let corners = level.neighbours().rows().f_index_select(1, &columns)?.f_view([-1, 4])?; // [3 N, 4]
        let is_whole = corners.f_lt(level.num_voxels())?.f_all_dim(1, false)?;
        let is_quad = self.intersected.f_flatten(0, 1)?.f_logical_and(&is_whole)?;
        let quads = corners.f_index_select(0, &is_quad.f_nonzero()?.f_squeeze_dim(1)?)?; // [Q, 4]

        let weights = self
            .split_weights
            .f_index_select(0, &quads.f_flatten(0, 1)?)?
            .f_view([-1, 4])?;
        let diagonal =
            |a: i64, b: i64| -> Result<Tensor> { Ok(weights.f_select(1, a)?.f_mul(&weights.f_select(1, b)?)?) };
        let is_first = diagonal(0, 2)?.f_gt_tensor(&diagonal(1, 3)?)?.f_unsqueeze(1)?;
        let cut = |order: [i64; 6]| -> Result<Tensor> {
            Ok(quads.f_index_select(1, &Tensor::f_from_slice(&order)?.f_to_device(device)?)?)
        };
        let triangles = cut([0, 1, 2, 0, 2, 3])?.f_where_self(&is_first, &cut([0, 1, 3, 3, 1, 2])?)?;
        Ok(triangles.f_view([-1, 3])?)
    }
}

/// The materials of voxels, in the model frame.
///
/// `attributes`: `[N, 6]`, base colour (sRGB), metallic, roughness, alpha. What lies outside `[0, 1]` is clamped.
pub fn material_volume(level: &Level, attributes: &Tensor, resolution: u32) -> Result<PbrVolume> {
    let last = i64::from(resolution) - 1;
    let axes = |axis: i64| level.coords().f_select(1, axis);
    let coords = Tensor::f_stack(&[axes(1)?, axes(3)?, axes(2)?.f_neg()?.f_add_scalar_(last)?], 1)?;
    let color = linear_from_srgb(&attributes.f_narrow(1, 0, 3)?.f_clamp(0.0, 1.0)?)?;
    // `PbrSample` has alpha before metallic and roughness.
    let rest = attributes.f_narrow(1, 3, 3)?.f_clamp(0.0, 1.0)?.f_roll([1], [1])?;
    let samples = Tensor::f_cat(&[color, rest], 1)?;
    let volume = PbrVolume {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / resolution as f32,
        resolution,
        coords: rows_of::<IVec3, i32>(&coords, 3)?,
        samples: rows_of::<PbrSample, f32>(&samples, 6)?,
    };
    if volume.is_consistent() && bool::try_from(samples.f_isfinite()?.f_all()?)? {
        Ok(volume)
    } else {
        let reason = "Voxels lie outside their grid, or their materials are no numbers";
        Err(TrellisError::Invalid(reason.to_owned()))
    }
}

/// `[N, 3]` from z up to y up.
fn in_model_frame(positions: &Tensor) -> Result<Tensor> {
    let axis = |axis: i64| positions.f_select(1, axis);
    Ok(Tensor::f_stack(&[axis(0)?, axis(2)?, axis(1)?.f_neg()?], 1)?)
}

/// [`bozzetto_asset::color::linear_from_srgb`] of every number.
fn linear_from_srgb(encoded: &Tensor) -> Result<Tensor> {
    let power = encoded.f_add_scalar(0.055)?.f_div_scalar_(1.055)?.f_pow_(2.4)?;
    Ok(encoded
        .f_div_scalar(12.92)?
        .f_where_self(&encoded.f_le(0.04045)?, &power)?)
}

/// Rows of a tensor, `[N, width]` of numbers `T`, as `Row`s of as many, on the host.
fn rows_of<Row: Pod, T: Pod + Element>(tensor: &Tensor, width: usize) -> Result<Vec<Row>> {
    let &[num_rows, columns] = tensor.size().as_slice() else {
        return Err(TrellisError::Invalid(format!(
            "{:?} numbers are no rows",
            tensor.size()
        )));
    };
    if columns != width as i64 || tensor.kind() != T::KIND || size_of::<Row>() != width * size_of::<T>() {
        return Err(TrellisError::Invalid(format!(
            "{columns} {:?} are no row",
            tensor.kind()
        )));
    }
    let tensor = tensor.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut rows = vec![Row::zeroed(); num_rows as usize];
    tensor.f_copy_data(bytemuck::cast_slice_mut::<Row, T>(&mut rows), tensor.numel())?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_decoded_as_everywhere_else() {
        let encoded: Vec<f32> = (0..=1000).map(|step| step as f32 / 1000.0).collect();
        let found = linear_from_srgb(&Tensor::from_slice(&encoded)).expect("numbers");
        let found = Vec::<f32>::try_from(found).expect("numbers");
        for (encoded, found) in encoded.into_iter().zip(found) {
            let expected = bozzetto_asset::color::linear_from_srgb(encoded);
            assert!((found - expected).abs() < 1e-6, "{encoded}: {found} and {expected}");
        }
    }

    #[test]
    fn rows_of_another_kind_are_refused() {
        let numbers = Tensor::zeros([4, 3], (Kind::Float, Device::Cpu));
        assert_eq!(rows_of::<Vec3, f32>(&numbers, 3).expect("rows"), [Vec3::ZERO; 4]);
        assert!(rows_of::<IVec3, i32>(&numbers, 3).is_err());
        assert!(rows_of::<PbrSample, f32>(&numbers, 6).is_err());
        assert!(rows_of::<Vec3, f32>(&numbers.view([-1]), 3).is_err());
    }
}
