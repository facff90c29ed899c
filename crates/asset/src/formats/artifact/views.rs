//! Prepared views: pictures and mattes as they are in memory, so that a worker decodes nothing twice.

use std::path::Path;
use std::sync::Arc;

use image::{GrayImage, RgbImage};
use serde::{Deserialize, Serialize};

use super::Notes;
use super::tensors::{TensorFile, TensorList};
use crate::formats::FormatError;
use crate::{Camera, Direction, PreparedView};

/// What a view has besides its pictures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ViewNotes {
    name: String,
    direction: Option<Direction>,
    camera: Option<Camera>,
    weight: f32,
}

pub(super) fn write(path: &Path, views: &[PreparedView]) -> Result<(), FormatError> {
    let mut list = TensorList::default();
    let mut notes = Notes::default();
    for (index, view) in views.iter().enumerate() {
        let (width, height) = view.color.dimensions();
        if view.matte.dimensions() != (width, height) {
            let reason = format!("the matte of {} has another size than its picture", view.name);
            return Err(FormatError::unwritable(reason).at(path));
        }
        let [color, matte] = tensor_names(index);
        let (width, height) = (width as usize, height as usize);
        list.push_picture(color, &[height, width, 3], view.color.as_raw());
        list.push_picture(matte, &[height, width], view.matte.as_raw());
        notes.views.push(ViewNotes {
            name: view.name.clone(),
            direction: view.direction,
            camera: view.camera,
            weight: view.weight,
        });
    }
    list.write(path, &notes)
}

pub(super) fn read(file: &TensorFile<'_>, notes: Vec<ViewNotes>) -> Result<Vec<PreparedView>, FormatError> {
    let cameras: Vec<Camera> = notes.iter().filter_map(|view| view.camera).collect();
    super::check_cameras(&cameras).map_err(FormatError::damaged)?;
    notes
        .into_iter()
        .enumerate()
        .map(|(index, notes)| read_one(file, index, notes))
        .collect()
}

fn read_one(file: &TensorFile<'_>, index: usize, notes: ViewNotes) -> Result<PreparedView, FormatError> {
    let [color_name, matte_name] = tensor_names(index);
    let ([height, width, num_channels], color) = file.picture::<3>(&color_name)?;
    let ([matte_height, matte_width], matte) = file.picture::<2>(&matte_name)?;
    let wrong = || {
        FormatError::damaged(format!(
            "its view {index} has a picture of {width} x {height} x {num_channels} and a matte of {matte_width} x {matte_height}"
        ))
    };
    if num_channels != 3 || (width, height) != (matte_width, matte_height) || !notes.weight.is_finite() {
        return Err(wrong());
    }
    let (width, height) = (
        u32::try_from(width).map_err(|_| wrong())?,
        u32::try_from(height).map_err(|_| wrong())?,
    );
    Ok(PreparedView {
        name: notes.name,
        color: Arc::new(RgbImage::from_raw(width, height, color).ok_or_else(wrong)?),
        matte: Arc::new(GrayImage::from_raw(width, height, matte).ok_or_else(wrong)?),
        direction: notes.direction,
        camera: notes.camera,
        weight: notes.weight,
    })
}

fn tensor_names(index: usize) -> [String; 2] {
    ["color", "matte"].map(|part| format!("view.{index:04}.{part}"))
}
