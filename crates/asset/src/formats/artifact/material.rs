//! Textures over a mesh's UVs: pictures as they are in memory.

use std::sync::Arc;

use image::{ImageBuffer, Pixel, RgbImage, RgbaImage};
use serde::{Deserialize, Serialize};

use super::Notes;
use super::tensors::{TensorFile, TensorList};
use crate::formats::FormatError;
use crate::{AlphaMode, Material, TriMesh};

const BASE_COLOR: &str = "material.base_color";
const ORM: &str = "material.orm";
const NORMAL: &str = "material.normal";

/// What a material has besides its pictures.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct MaterialNotes {
    alpha_mode: AlphaMode,
    metallic_factor: f32,
    roughness_factor: f32,
    has_occlusion: bool,
}

pub(super) fn push<'a>(list: &mut TensorList<'a>, notes: &mut Notes, material: &'a Material) {
    notes.material = Some(MaterialNotes {
        alpha_mode: material.alpha_mode,
        metallic_factor: material.metallic_factor,
        roughness_factor: material.roughness_factor,
        has_occlusion: material.has_occlusion,
    });
    push_picture(list, BASE_COLOR, &material.base_color);
    for (name, picture) in [(ORM, &material.orm), (NORMAL, &material.normal)] {
        if let Some(picture) = picture {
            push_picture(list, name, picture);
        }
    }
}

pub(super) fn of(file: &TensorFile<'_>, notes: Option<&MaterialNotes>) -> Result<Option<Material>, FormatError> {
    let Some(notes) = notes else {
        return Ok(None);
    };
    let optional = |name: &str| -> Result<Option<Arc<RgbImage>>, FormatError> {
        file.has(name).then(|| picture(file, name).map(Arc::new)).transpose()
    };
    let base_color: RgbaImage = picture(file, BASE_COLOR)?;
    Ok(Some(Material {
        base_color: Arc::new(base_color),
        orm: optional(ORM)?,
        normal: optional(NORMAL)?,
        alpha_mode: notes.alpha_mode,
        metallic_factor: notes.metallic_factor,
        roughness_factor: notes.roughness_factor,
        has_occlusion: notes.has_occlusion,
    }))
}

/// What must hold of a material, whichever way it goes.
pub(super) fn check(mesh: Option<&TriMesh>, material: Option<&Material>) -> Result<(), &'static str> {
    let Some(material) = material else {
        return Ok(());
    };
    let size = material.base_color.dimensions();
    let has_size = |picture: &Option<Arc<RgbImage>>| picture.as_ref().is_none_or(|each| each.dimensions() == size);
    if mesh.is_none_or(|mesh| mesh.uvs.is_empty()) {
        Err("it has textures and no mesh with UVs for them")
    } else if size.0 == 0 || size.1 == 0 || !has_size(&material.orm) || !has_size(&material.normal) {
        Err("its textures are empty or differ in size")
    } else if !material.metallic_factor.is_finite() || !material.roughness_factor.is_finite() {
        Err("its material holds values that are not finite numbers")
    } else {
        Ok(())
    }
}

fn push_picture<'a, P: Pixel<Subpixel = u8>>(
    list: &mut TensorList<'a>,
    name: &str,
    picture: &'a ImageBuffer<P, Vec<u8>>,
) {
    let (width, height) = picture.dimensions();
    let shape = [height as usize, width as usize, usize::from(P::CHANNEL_COUNT)];
    list.push_picture(name.to_owned(), &shape, picture.as_raw());
}

fn picture<P: Pixel<Subpixel = u8>>(file: &TensorFile<'_>, name: &str) -> Result<ImageBuffer<P, Vec<u8>>, FormatError> {
    let ([height, width, num_channels], bytes) = file.picture::<3>(name)?;
    let size = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    size.filter(|_| num_channels == usize::from(P::CHANNEL_COUNT))
        .and_then(|(width, height)| ImageBuffer::from_raw(width, height, bytes))
        .ok_or_else(|| FormatError::damaged(format!("its '{name}' is {width} x {height} x {num_channels}")))
}
