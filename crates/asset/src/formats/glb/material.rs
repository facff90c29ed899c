//! Materials of a GLB: factors and textures become the pictures of a [`Material`].

use std::path::PathBuf;
use std::sync::Arc;

use gltf::json;
use image::imageops::FilterType;
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use json::validation::Checked::Valid;
use json::{Index, Root};

use super::WEBP_EXTENSION;
use super::accessor::{Scene, get};
use crate::color::{linear_from_srgb_u8, srgb_u8_from_linear};
use crate::formats::{FormatError, pictures};
use crate::{AlphaMode, Material};

/// Texels that all pictures of a material are brought to, 8K by 8K at most: a wide and a tall one of a few bytes each
/// must not take all memory.
const MAX_TEXELS: u64 = 1 << 26;

type MaterialIndex = Option<Index<json::Material>>;

/// The material of that index; glTF's default one where there is none.
fn material_of(root: &Root, index: MaterialIndex) -> json::Material {
    index
        .and_then(|index| root.materials.get(index.value()))
        .cloned()
        .unwrap_or_default()
}

/// Whether a material has no textures at all.
pub(super) fn is_plain(root: &Root, index: MaterialIndex) -> bool {
    let material = material_of(root, index);
    let pbr = &material.pbr_metallic_roughness;
    pbr.base_color_texture.is_none()
        && pbr.metallic_roughness_texture.is_none()
        && material.normal_texture.is_none()
        && material.occlusion_texture.is_none()
}

/// Linear base colour and alpha that multiply the texture.
pub(super) fn base_color_factor(root: &Root, index: MaterialIndex) -> [f32; 4] {
    material_of(root, index)
        .pbr_metallic_roughness
        .base_color_factor
        .0
        .map(unit)
}

/// Which set of texture coordinates the base colour uses.
pub(super) fn uv_set(root: &Root, index: MaterialIndex) -> u32 {
    let texture = material_of(root, index).pbr_metallic_roughness.base_color_texture;
    texture.map_or(0, |info| info.tex_coord)
}

/// A white material with the factors of another, for meshes that carry their colours.
pub(super) fn white(root: &Root, index: MaterialIndex) -> Material {
    let material = material_of(root, index);
    Material {
        base_color: Arc::new(RgbaImage::from_pixel(1, 1, Rgba([255; 4]))),
        metallic_factor: unit(material.pbr_metallic_roughness.metallic_factor.0),
        roughness_factor: unit(material.pbr_metallic_roughness.roughness_factor.0),
        ..Material::default()
    }
}

/// A material with its textures decoded, all of one size.
pub(super) fn read(scene: &Scene<'_>, index: MaterialIndex) -> Result<Material, FormatError> {
    let source = material_of(scene.root, index);
    let pbr = &source.pbr_metallic_roughness;
    let slots = [
        pbr.base_color_texture.as_ref().map(|info| info.index),
        pbr.metallic_roughness_texture.as_ref().map(|info| info.index),
        source.normal_texture.as_ref().map(|info| info.index),
        source.occlusion_texture.as_ref().map(|info| info.index),
    ];
    let [base_color, rough_metal, normal, occlusion] = decode_slots(scene, slots)?;
    let size = [&base_color, &rough_metal, &normal, &occlusion]
        .into_iter()
        .flatten()
        .fold((1, 1), |(width, height), picture| {
            (width.max(picture.width()), height.max(picture.height()))
        });
    let num_texels = u64::from(size.0) * u64::from(size.1);
    if num_texels > MAX_TEXELS {
        return Err(FormatError::TooLarge {
            path: PathBuf::new(),
            what: "texels in a texture",
            claimed: num_texels,
            limit: MAX_TEXELS,
        });
    }
    let alpha_mode = match source.alpha_mode {
        Valid(json::material::AlphaMode::Mask) => AlphaMode::Mask {
            cutoff: unit(source.alpha_cutoff.unwrap_or_default().0),
        },
        Valid(json::material::AlphaMode::Blend) => AlphaMode::Blend,
        _ => AlphaMode::Opaque,
    };
    let factors = [unit(pbr.roughness_factor.0), unit(pbr.metallic_factor.0)];
    let strength = source
        .occlusion_texture
        .as_ref()
        .map_or(0.0, |info| unit(info.strength.0));
    let has_orm = rough_metal.is_some() || occlusion.is_some();
    let orm = has_orm.then(|| {
        let (rough_metal, occlusion) = (resized(rough_metal, size), resized(occlusion, size));
        Arc::new(merged_orm(
            rough_metal.as_ref(),
            occlusion.as_ref(),
            size,
            factors,
            strength,
        ))
    });
    Ok(Material {
        base_color: Arc::new(tinted(
            base_color,
            size,
            base_color_factor(scene.root, index),
            alpha_mode,
        )),
        orm,
        normal: resized(normal, size).map(|picture| Arc::new(image::DynamicImage::from(picture).into_rgb8())),
        alpha_mode,
        metallic_factor: factors[1],
        roughness_factor: factors[0],
        has_occlusion: slots[3].is_some(),
    })
}

/// The pictures of four texture slots, decoded side by side; slots that share a picture decode it once each.
fn decode_slots(
    scene: &Scene<'_>,
    slots: [Option<Index<json::Texture>>; 4],
) -> Result<[Option<RgbaImage>; 4], FormatError> {
    let decode = |slot: usize| {
        slots[slot]
            .map(|texture| pictures::decode(picture_bytes(scene, texture)?))
            .transpose()
    };
    let ((base_color, rough_metal), (normal, occlusion)) = rayon::join(
        || rayon::join(|| decode(0), || decode(1)),
        || rayon::join(|| decode(2), || decode(3)),
    );
    Ok([base_color?, rough_metal?, normal?, occlusion?])
}

/// The compressed picture of a texture: WebP where that extension names one.
fn picture_bytes<'a>(scene: &Scene<'a>, texture: Index<json::Texture>) -> Result<&'a [u8], FormatError> {
    let texture = get(&scene.root.textures, texture)?;
    let webp = texture
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.others.get(WEBP_EXTENSION)?.get("source")?.as_u64());
    let source = match webp {
        Some(source) => Index::new(u32::try_from(source).unwrap_or(u32::MAX)),
        None if texture.source.value() == u32::MAX as usize => {
            return Err(FormatError::unsupported(
                "a texture in a format other than PNG, JPEG and WebP",
            ));
        }
        None => texture.source,
    };
    let picture = get(&scene.root.images, source)?;
    let view = picture
        .buffer_view
        .ok_or_else(|| FormatError::unsupported("textures in other files (save it as a single GLB)"))?;
    scene.view(view)
}

fn resized(picture: Option<RgbaImage>, (width, height): (u32, u32)) -> Option<RgbaImage> {
    picture.map(|picture| {
        if picture.dimensions() == (width, height) {
            picture
        } else {
            image::imageops::resize(&picture, width, height, FilterType::Triangle)
        }
    })
}

/// The base colour times its linear factor, or a picture of the factor alone.
fn tinted(picture: Option<RgbaImage>, size: (u32, u32), factor: [f32; 4], alpha_mode: AlphaMode) -> RgbaImage {
    let has_picture = picture.is_some();
    let mut picture = resized(picture, size).unwrap_or_else(|| RgbaImage::from_pixel(size.0, size.1, Rgba([255; 4])));
    if factor != [1.0; 4] || !has_picture {
        let tables: [[u8; 256]; 3] = std::array::from_fn(|channel| {
            std::array::from_fn(|value| srgb_u8_from_linear(linear_from_srgb_u8(value as u8) * factor[channel]))
        });
        for Rgba([red, green, blue, alpha]) in picture.pixels_mut() {
            *red = tables[0][usize::from(*red)];
            *green = tables[1][usize::from(*green)];
            *blue = tables[2][usize::from(*blue)];
            *alpha = scaled(*alpha, factor[3]);
        }
    }
    if alpha_mode == AlphaMode::Opaque {
        picture.pixels_mut().for_each(|pixel| pixel.0[3] = 255);
    }
    picture
}

/// Occlusion, roughness and metallic in one picture, their factors multiplied in.
fn merged_orm(
    rough_metal: Option<&RgbaImage>,
    occlusion: Option<&RgbaImage>,
    size: (u32, u32),
    [roughness, metallic]: [f32; 2],
    occlusion_strength: f32,
) -> RgbImage {
    RgbImage::from_fn(size.0, size.1, |x, y| {
        let [_, rough, metal, _] = rough_metal.map_or([255; 4], |picture| picture.get_pixel(x, y).0);
        let occluded = occlusion.map_or(255, |picture| picture.get_pixel(x, y).0[0]);
        // glTF: 1 + strength * (sampled - 1).
        let occluded = 255 - scaled(255 - occluded, occlusion_strength);
        Rgb([occluded, scaled(rough, roughness), scaled(metal, metallic)])
    })
}

fn scaled(value: u8, factor: f32) -> u8 {
    (f32::from(value) * factor + 0.5) as u8
}

/// A factor within `[0, 1]`; what is no number becomes zero.
pub(super) fn unit(factor: f32) -> f32 {
    if factor.is_nan() { 0.0 } else { factor.clamp(0.0, 1.0) }
}
