//! Cameras of upstream pipelines in the model frame.

use bozzetto_asset::{Camera, Projection};
use glam::{Affine3A, Mat3, Vec3};
use numpy::{PyReadonlyArray1, PyReadonlyArray3, PyUntypedArrayMethods as _};
use pyo3::prelude::*;

use crate::arrays::{Frame, wrong};

/// Cameras from their matrices `[N, 4, 4]` that take points of `frame` to `OpenCV`'s view space (+X right, +Y down, +Z
/// forward), their vertical fields of view `[N]` in radians, and widths over heights `[N]`. The principal point is the
/// centre of the picture.
pub(crate) fn cameras(
    view_from_world: &PyReadonlyArray3<'_, f32>,
    fov_y_rad: &PyReadonlyArray1<'_, f32>,
    aspect: &PyReadonlyArray1<'_, f32>,
    frame: Frame,
) -> PyResult<Vec<Camera>> {
    let count = view_from_world.shape()[0];
    if view_from_world.shape()[1..] != [4, 4] || fov_y_rad.len() != count || aspect.len() != count {
        return Err(wrong("Cameras are matrices [N, 4, 4], angles [N] and aspects [N]."));
    }
    let (fov_y_rad, aspect) = (fov_y_rad.as_array(), aspect.as_array());
    let matrices = view_from_world.as_array();
    let cameras: Vec<Camera> = matrices
        .outer_iter()
        .enumerate()
        .map(|(index, matrix)| {
            let column = |column: usize| Vec3::new(matrix[[0, column]], matrix[[1, column]], matrix[[2, column]]);
            let rotation = Mat3::from_cols(column(0), column(1), column(2));
            let world_from_view = rotation.transpose();
            let eye = -(world_from_view * column(3));
            // OpenGL's view space has up and back where OpenCV's has down and forward.
            let axes = Mat3::from_cols(world_from_view.x_axis, -world_from_view.y_axis, -world_from_view.z_axis);
            let turn = frame.rotation();
            Camera {
                world_from_view: Affine3A::from_mat3_translation(Mat3::from_quat(turn) * axes, turn * eye),
                projection: Projection::Perspective {
                    fov_y_rad: fov_y_rad[index],
                },
                aspect: aspect[index],
            }
        })
        .collect();
    if cameras.iter().all(is_rigid) {
        Ok(cameras)
    } else {
        Err(wrong(
            "A camera's matrix is no rotation and translation, or its lens makes no sense.",
        ))
    }
}

fn is_rigid(camera: &Camera) -> bool {
    let axes = Mat3::from(camera.world_from_view.matrix3);
    let is_rotation = (axes.transpose() * axes).abs_diff_eq(Mat3::IDENTITY, 1e-3) && axes.determinant() > 0.0;
    camera.is_usable() && is_rotation
}
