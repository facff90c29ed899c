//! A [`TexturedMesh`] as a GLB: one node, one mesh, one primitive, one material.

use std::collections::BTreeMap;

use glam::Vec3;
use gltf::json;
use json::validation::Checked::Valid;
use json::{Index, Root};
use rayon::prelude::*;

use super::container::Chunks;
use super::material::unit;
use super::{EXTRAS_KEY, TextureFormat, WEBP_EXTENSION};
use crate::color::linear_from_srgb_u8;
use crate::formats::pictures::Pixels;
use crate::formats::{FormatError, compact};
use crate::{AlphaMode, Material, Provenance, TexturedMesh, TriMesh};

/// Vertices up to here are indexed with 16 bits; index 65535 is reserved.
const MAX_U16_VERTICES: usize = 65_535;

pub(super) fn encode(textured: &TexturedMesh, format: TextureFormat) -> Result<Vec<u8>, FormatError> {
    let mesh = &*textured.mesh;
    check(mesh)?;
    let mesh = &*compact::without_unused_vertices(mesh);
    let textures = Textures::of(&textured.material, !mesh.uvs.is_empty());
    let mut builder = Builder::default();
    builder.root.asset = asset(&textured.provenance)?;
    let material = builder.push_material(&textured.material, mesh, &textures, format)?;
    let primitive = builder.push_primitive(mesh, &textures, material);
    let mesh = builder.root.push(json::Mesh {
        extensions: None,
        extras: None,
        name: Some("model".to_owned()),
        primitives: vec![primitive],
        weights: None,
    });
    let node = builder.root.push(json::Node {
        mesh: Some(mesh),
        name: Some("model".to_owned()),
        ..json::Node::default()
    });
    let scene = builder.root.push(json::Scene {
        extensions: None,
        extras: None,
        name: None,
        nodes: vec![node],
    });
    builder.root.scene = Some(scene);
    builder.finish()
}

fn check(mesh: &TriMesh) -> Result<(), FormatError> {
    if mesh.triangles.is_empty() {
        return Err(FormatError::unwritable("there is no surface to write"));
    }
    if !mesh.is_consistent() {
        return Err(FormatError::unwritable("the mesh contradicts itself"));
    }
    if !mesh.uvs.iter().all(|uv| uv.is_finite()) {
        return Err(FormatError::unwritable(
            "some texture coordinates are not finite numbers",
        ));
    }
    Ok(())
}

fn asset(provenance: &Provenance) -> Result<json::Asset, FormatError> {
    let generator = if provenance.generator.is_empty() {
        concat!("Bozzetto ", env!("CARGO_PKG_VERSION")).to_owned()
    } else {
        provenance.generator.clone()
    };
    let extras = serde_json::value::to_raw_value(&BTreeMap::from([(EXTRAS_KEY, provenance)]))
        .map_err(|error| FormatError::unwritable(format!("its provenance has no JSON form ({error})")))?;
    Ok(json::Asset {
        generator: Some(generator),
        extras: Some(extras),
        ..json::Asset::default()
    })
}

/// The pictures of a material that are stored as textures. A picture of one texel is a factor instead.
struct Textures<'a> {
    base_color: Option<Pixels<'a>>,
    orm: Option<Pixels<'a>>,
    normal: Option<Pixels<'a>>,
}

impl<'a> Textures<'a> {
    fn of(material: &'a Material, has_uvs: bool) -> Self {
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

#[derive(Default)]
struct Builder {
    root: Root,
    binary: Vec<u8>,
}

impl Builder {
    fn finish(mut self) -> Result<Vec<u8>, FormatError> {
        self.root.push(json::Buffer {
            byte_length: self.binary.len().into(),
            name: None,
            uri: None,
            extensions: None,
            extras: None,
        });
        let json = serde_json::to_vec(&self.root)
            .map_err(|error| FormatError::unwritable(format!("its description has no JSON form ({error})")))?;
        Chunks {
            json: &json,
            binary: &self.binary,
        }
        .join()
    }

    fn push_view(&mut self, bytes: &[u8], target: Option<json::buffer::Target>) -> Index<json::buffer::View> {
        self.binary.resize(self.binary.len().next_multiple_of(4), 0);
        let offset = self.binary.len();
        self.binary.extend_from_slice(bytes);
        self.root.push(json::buffer::View {
            buffer: Index::new(0),
            byte_length: bytes.len().into(),
            byte_offset: Some(offset.into()),
            byte_stride: None,
            name: None,
            target: target.map(Valid),
            extensions: None,
            extras: None,
        })
    }

    fn push_accessor(
        &mut self,
        bytes: &[u8],
        count: usize,
        component_type: json::accessor::ComponentType,
        type_: json::accessor::Type,
        target: json::buffer::Target,
    ) -> Index<json::Accessor> {
        let view = self.push_view(bytes, Some(target));
        self.root.push(json::Accessor {
            buffer_view: Some(view),
            byte_offset: None,
            count: count.into(),
            component_type: Valid(json::accessor::GenericComponentType(component_type)),
            extensions: None,
            extras: None,
            type_: Valid(type_),
            min: None,
            max: None,
            name: None,
            normalized: component_type == json::accessor::ComponentType::U16
                && target == json::buffer::Target::ArrayBuffer,
            sparse: None,
        })
    }

    fn push_floats(&mut self, bytes: &[u8], count: usize, type_: json::accessor::Type) -> Index<json::Accessor> {
        let component_type = json::accessor::ComponentType::F32;
        self.push_accessor(bytes, count, component_type, type_, json::buffer::Target::ArrayBuffer)
    }

    fn push_primitive(
        &mut self,
        mesh: &TriMesh,
        textures: &Textures<'_>,
        material: Index<json::Material>,
    ) -> json::mesh::Primitive {
        use json::accessor::Type;
        let count = mesh.positions.len();
        let mut attributes = BTreeMap::new();
        let positions = self.push_floats(bytemuck::cast_slice(&mesh.positions), count, Type::Vec3);
        if let Some((low, high)) = mesh.bounds() {
            let accessor = &mut self.root.accessors[positions.value()];
            accessor.min = Some(low.to_array().to_vec().into());
            accessor.max = Some(high.to_array().to_vec().into());
        }
        attributes.insert(Valid(json::mesh::Semantic::Positions), positions);
        let normals: Vec<Vec3> = mesh.normals.iter().map(|normal| normal.normalize_or(Vec3::Y)).collect();
        if !normals.is_empty() {
            let accessor = self.push_floats(bytemuck::cast_slice(&normals), count, Type::Vec3);
            attributes.insert(Valid(json::mesh::Semantic::Normals), accessor);
        }
        // Without a normal map nothing reads tangents.
        if textures.normal.is_some() && !mesh.tangents.is_empty() && !normals.is_empty() {
            let tangents: Vec<[f32; 4]> = (mesh.tangents.iter().zip(&normals))
                .map(|(&tangent, &normal)| unit_tangent(tangent, normal))
                .collect();
            let accessor = self.push_floats(bytemuck::cast_slice(&tangents), count, Type::Vec4);
            attributes.insert(Valid(json::mesh::Semantic::Tangents), accessor);
        }
        if !mesh.uvs.is_empty() {
            let accessor = self.push_floats(bytemuck::cast_slice(&mesh.uvs), count, Type::Vec2);
            attributes.insert(Valid(json::mesh::Semantic::TexCoords(0)), accessor);
        }
        // Vertex colours multiply the texture that was baked from them.
        if textures.base_color.is_none() && !mesh.colors.is_empty() {
            let colors: Vec<[u16; 4]> = mesh.colors.iter().map(|&color| color_u16(color)).collect();
            let accessor = self.push_accessor(
                bytemuck::cast_slice(&colors),
                count,
                json::accessor::ComponentType::U16,
                Type::Vec4,
                json::buffer::Target::ArrayBuffer,
            );
            attributes.insert(Valid(json::mesh::Semantic::Colors(0)), accessor);
        }
        json::mesh::Primitive {
            attributes,
            extensions: None,
            extras: None,
            indices: Some(self.push_indices(mesh)),
            material: Some(material),
            mode: Valid(json::mesh::Mode::Triangles),
            targets: None,
        }
    }

    fn push_indices(&mut self, mesh: &TriMesh) -> Index<json::Accessor> {
        use json::accessor::ComponentType;
        let count = mesh.triangles.len() * 3;
        let (bytes, component_type) = if mesh.positions.len() <= MAX_U16_VERTICES {
            let narrow: Vec<u16> = mesh.triangles.iter().flatten().map(|&index| index as u16).collect();
            (bytemuck::cast_slice(&narrow).to_vec(), ComponentType::U16)
        } else {
            (bytemuck::cast_slice(&mesh.triangles).to_vec(), ComponentType::U32)
        };
        let target = json::buffer::Target::ElementArrayBuffer;
        self.push_accessor(&bytes, count, component_type, json::accessor::Type::Scalar, target)
    }

    fn push_material(
        &mut self,
        material: &Material,
        mesh: &TriMesh,
        textures: &Textures<'_>,
        format: TextureFormat,
    ) -> Result<Index<json::Material>, FormatError> {
        let [base_color, orm, normal] = self.push_textures(mesh, textures, format)?;
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
        let encoded: Vec<Option<Vec<u8>>> = named
            .par_iter()
            .map(|(_, pixels)| pixels.as_ref().map(|pixels| pixels.encode(format)).transpose())
            .collect::<Result<_, _>>()?;
        if encoded.iter().all(Option::is_none) {
            return Ok([None; 3]);
        }
        if format == TextureFormat::WebP {
            self.root.extensions_used.push(WEBP_EXTENSION.to_owned());
            self.root.extensions_required.push(WEBP_EXTENSION.to_owned());
        }
        let sampler = self.root.push(sampler(mesh));
        let mut indices = [None; 3];
        for (slot, (bytes, (name, _))) in encoded.into_iter().zip(named).enumerate() {
            indices[slot] = bytes.map(|bytes| self.push_texture(name, &bytes, sampler, format));
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
        let view = self.push_view(bytes, None);
        let mime_type = match format {
            TextureFormat::Png => "image/png",
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
            TextureFormat::Png => (image, None),
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

fn unit_tangent([x, y, z, handedness]: [f32; 4], normal: Vec3) -> [f32; 4] {
    let tangent = Vec3::new(x, y, z)
        .try_normalize()
        .unwrap_or_else(|| normal.any_orthonormal_vector());
    [
        tangent.x,
        tangent.y,
        tangent.z,
        if handedness < 0.0 { -1.0 } else { 1.0 },
    ]
}

fn color_u16(color: Vec3) -> [u16; 4] {
    let [red, green, blue] = color
        .to_array()
        .map(|channel| (channel.clamp(0.0, 1.0) * 65_535.0 + 0.5) as u16);
    [red, green, blue, u16::MAX]
}
