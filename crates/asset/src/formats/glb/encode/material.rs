//! Materials and their textures, compressed side by side.

use gltf::json;
use json::Index;
use json::validation::Checked::Valid;
use rayon::prelude::*;

use super::super::material::unit;
use super::super::{TextureFormat, WEBP_EXTENSION};
use super::Builder;
use crate::color::linear_from_srgb_u8;
use crate::formats::FormatError;
use crate::formats::pictures::Pixels;
use crate::{AlphaMode, Material, TriMesh};

/// The pictures of a material that are stored as textures. A picture of one texel is a factor instead.
pub(super) struct Textures<'a> {
    pub(super) base_color: Option<Pixels<'a>>,
    orm: Option<Pixels<'a>>,
    pub(super) normal: Option<Pixels<'a>>,
}

impl<'a> Textures<'a> {
    pub(super) fn of(material: &'a Material, has_uvs: bool) -> Self {
        let is_texture = |(width, height): (u32, u32)| has_uvs && width * height > 1;
        let rgb = |picture: &'a Option<_>| -> Option<Pixels<'a>> {
            let picture: &std::sync::Arc<image::RgbImage> = picture.as_ref()?;
            is_texture(picture.dimensions()).then_some(Pixels::Rgb(picture))
        };
        let base_color = is_texture(material.base_color.dimensions()).then(|| match material.alpha_mode {
            AlphaMode::Opaque => Pixels::Opaque(&material.base_color),
            AlphaMode::Mask { .. } | AlphaMode::Blend => Pixels::Rgba(&material.base_color),
        });
        Self {
            base_color,
            orm: rgb(&material.orm),
            normal: rgb(&material.normal),
        }
    }
}

impl Builder {
    pub(super) fn push_material(
        &mut self,
        material: &Material,
        mesh: &TriMesh,
        format: TextureFormat,
    ) -> Result<Index<json::Material>, FormatError> {
        let textures = Textures::of(material, !mesh.uvs.is_empty());
        let [base_color, orm, normal] = self.push_textures(mesh, &textures, format)?;
        let info = |index| json::texture::Info {
            index,
            tex_coord: 0,
            extensions: None,
            extras: None,
        };
        let [metallic, roughness] = metallic_roughness(material, orm.is_some());
        let (alpha_mode, alpha_cutoff) = match material.alpha_mode {
            AlphaMode::Opaque => (json::material::AlphaMode::Opaque, None),
            AlphaMode::Mask { cutoff } => {
                let cutoff = json::material::AlphaCutoff(unit(cutoff));
                (json::material::AlphaMode::Mask, Some(cutoff))
            }
            AlphaMode::Blend => (json::material::AlphaMode::Blend, None),
        };
        Ok(self.root.push(json::Material {
            alpha_cutoff,
            alpha_mode: Valid(alpha_mode),
            // What is seen through holes and glass is the inside.
            double_sided: material.alpha_mode != AlphaMode::Opaque,
            name: Some("material".to_owned()),
            pbr_metallic_roughness: json::material::PbrMetallicRoughness {
                base_color_factor: json::material::PbrBaseColorFactor(base_color_factor(
                    material,
                    base_color.is_some(),
                )),
                base_color_texture: base_color.map(info),
                metallic_factor: json::material::StrengthFactor(metallic),
                roughness_factor: json::material::StrengthFactor(roughness),
                metallic_roughness_texture: orm.map(info),
                extensions: None,
                extras: None,
            },
            normal_texture: normal.map(|index| json::material::NormalTexture {
                index,
                scale: 1.0,
                tex_coord: 0,
                extensions: None,
                extras: None,
            }),
            occlusion_texture: orm
                .filter(|_| material.has_occlusion)
                .map(|index| json::material::OcclusionTexture {
                    index,
                    strength: json::material::StrengthFactor(1.0),
                    tex_coord: 0,
                    extensions: None,
                    extras: None,
                }),
            ..json::Material::default()
        }))
    }

    /// Base colour, ORM and normal textures, compressed side by side.
    fn push_textures(
        &mut self,
        mesh: &TriMesh,
        textures: &Textures<'_>,
        format: TextureFormat,
    ) -> Result<[Option<Index<json::Texture>>; 3], FormatError> {
        let named = [
            ("base_color", &textures.base_color),
            ("occlusion_roughness_metallic", &textures.orm),
            ("normal", &textures.normal),
        ];
        let encoded: Vec<Option<(TextureFormat, Vec<u8>)>> = named
            .par_iter()
            .map(|(_, pixels)| pixels.as_ref().map(|pixels| pixels.encode(format)).transpose())
            .collect::<Result<_, _>>()?;
        if encoded.iter().all(Option::is_none) {
            return Ok([None; 3]);
        }
        if format == TextureFormat::WebP {
            self.require(WEBP_EXTENSION);
        }
        let sampler = self.root.push(sampler(mesh));
        let mut indices = [None; 3];
        for (slot, (encoded, (name, _))) in encoded.into_iter().zip(named).enumerate() {
            indices[slot] = encoded.map(|(format, bytes)| self.push_texture(name, &bytes, sampler, format));
        }
        Ok(indices)
    }

    fn push_texture(
        &mut self,
        name: &str,
        bytes: &[u8],
        sampler: Index<json::texture::Sampler>,
        format: TextureFormat,
    ) -> Index<json::Texture> {
        let view = self.push_view(bytes);
        let mime_type = match format {
            TextureFormat::Png => "image/png",
            TextureFormat::Jpeg => "image/jpeg",
            TextureFormat::WebP => "image/webp",
        };
        let image = self.root.push(json::Image {
            buffer_view: Some(view),
            mime_type: Some(json::image::MimeType(mime_type.to_owned())),
            name: Some(name.to_owned()),
            uri: None,
            extensions: None,
            extras: None,
        });
        let (source, extensions) = match format {
            TextureFormat::Png | TextureFormat::Jpeg => (image, None),
            // The source stands in the extension alone: there is no second picture to fall back to.
            TextureFormat::WebP => {
                let source = serde_json::json!({ "source": image.value() });
                let others = [(WEBP_EXTENSION.to_owned(), source)].into_iter().collect();
                (
                    Index::new(u32::MAX),
                    Some(json::extensions::texture::Texture { others }),
                )
            }
        };
        self.root.push(json::Texture {
            name: Some(name.to_owned()),
            sampler: Some(sampler),
            source,
            extensions,
            extras: None,
        })
    }
}

/// Smooth with mip levels; atlases end at their border, only tiled pictures repeat.
fn sampler(mesh: &TriMesh) -> json::texture::Sampler {
    use json::texture::{MagFilter, MinFilter, WrappingMode};
    let is_tiled = mesh
        .uvs
        .iter()
        .any(|uv| uv.min_element() < 0.0 || uv.max_element() > 1.0);
    let wrap = if is_tiled {
        WrappingMode::Repeat
    } else {
        WrappingMode::ClampToEdge
    };
    json::texture::Sampler {
        mag_filter: Some(Valid(MagFilter::Linear)),
        min_filter: Some(Valid(MinFilter::LinearMipmapLinear)),
        wrap_s: Valid(wrap),
        wrap_t: Valid(wrap),
        ..json::texture::Sampler::default()
    }
}

/// White with a texture; the colour of a picture that is a single texel; else white.
fn base_color_factor(material: &Material, has_texture: bool) -> [f32; 4] {
    match material.base_color.pixels().next() {
        Some(pixel) if !has_texture && material.base_color.len() == 4 => {
            let [red, green, blue, alpha] = pixel.0;
            let [red, green, blue] = [red, green, blue].map(linear_from_srgb_u8);
            [red, green, blue, f32::from(alpha) / 255.0]
        }
        _ => [1.0; 4],
    }
}

fn metallic_roughness(material: &Material, has_texture: bool) -> [f32; 2] {
    if has_texture {
        return [1.0; 2];
    }
    match material
        .orm
        .as_ref()
        .filter(|picture| picture.len() == 3)
        .and_then(|picture| picture.pixels().next())
    {
        Some(texel) => [texel.0[2], texel.0[1]].map(|value| f32::from(value) / 255.0),
        None => [material.metallic_factor, material.roughness_factor].map(unit),
    }
}
