//! Vertex data and triangles: as they are, quantised, compressed, or both.

use std::collections::BTreeMap;

use bytemuck::NoUninit;
use glam::Vec3;
use gltf::json;
use json::Index;
use json::accessor::{ComponentType, Type};
use json::buffer::Target;
use json::mesh::Semantic;
use json::validation::Checked::Valid;
use serde_json::Value;

use super::super::meshopt::{self, Mode};
use super::super::{GlbOptions, QUANTIZATION_EXTENSION, quantize};
use super::material::Textures;
use super::{Builder, Entries};
use crate::formats::FormatError;
use crate::{Material, TriMesh};

/// Vertices up to here are indexed with 16 bits; index 65535 is reserved.
const MAX_U16_VERTICES: usize = 65_535;

/// One attribute of all vertices as it lies in the file.
struct Attribute {
    semantic: Semantic,
    bytes: Vec<u8>,
    /// Bytes of an entry, padding included.
    stride: usize,
    component: ComponentType,
    type_: Type,
    /// Smallest and largest numbers as stored, where the format wants them.
    bounds: Option<[Value; 2]>,
}

impl Attribute {
    fn new<T: NoUninit>(semantic: Semantic, entries: &[T], component: ComponentType, type_: Type) -> Self {
        Self {
            semantic,
            bytes: bytemuck::cast_slice(entries).to_vec(),
            stride: size_of::<T>(),
            component,
            type_,
            bounds: None,
        }
    }

    fn is_padded(&self) -> bool {
        self.stride != self.component.size() * self.type_.multiplicity()
    }
}

impl Builder {
    /// The primitive, and what the node must scale it by.
    pub(super) fn push_primitive(
        &mut self,
        mesh: &TriMesh,
        source: &Material,
        material: Index<json::Material>,
        options: &GlbOptions,
    ) -> Result<(json::mesh::Primitive, f32), FormatError> {
        let textures = Textures::of(source, !mesh.uvs.is_empty());
        let (attributes, scale) = if options.is_quantized {
            self.require(QUANTIZATION_EXTENSION);
            quantized_attributes(mesh, &textures)
        } else {
            (exact_attributes(mesh, &textures), 1.0)
        };
        let mut indices_of = BTreeMap::new();
        for attribute in attributes {
            let accessor = self.push_attribute(&attribute, mesh.positions.len(), options.is_compressed)?;
            indices_of.insert(Valid(attribute.semantic), accessor);
        }
        let primitive = json::mesh::Primitive {
            attributes: indices_of,
            extensions: None,
            extras: None,
            indices: Some(self.push_triangles(mesh, options.is_compressed)?),
            material: Some(material),
            mode: Valid(json::mesh::Mode::Triangles),
            targets: None,
        };
        Ok((primitive, scale))
    }

    fn push_attribute(
        &mut self,
        attribute: &Attribute,
        count: usize,
        is_compressed: bool,
    ) -> Result<Index<json::Accessor>, FormatError> {
        let view = if is_compressed {
            let encoded = meshopt::encode_attributes(&attribute.bytes, attribute.stride)?;
            let entries = Entries {
                bytes: &attribute.bytes,
                count,
                stride: attribute.stride,
                mode: Mode::Attributes,
            };
            self.push_compressed(&encoded, &entries, Target::ArrayBuffer)?
        } else {
            let stride = attribute.is_padded().then_some(attribute.stride);
            self.push_array(&attribute.bytes, stride, Target::ArrayBuffer)
        };
        let [min, max] = match attribute.bounds.clone() {
            Some(bounds) => bounds.map(Some),
            None => [None, None],
        };
        Ok(self.root.push(json::Accessor {
            min,
            max,
            // All whole numbers stand for a share of what they can be.
            normalized: attribute.component != ComponentType::F32,
            ..accessor(view, count, attribute.component, attribute.type_)
        }))
    }

    fn push_triangles(&mut self, mesh: &TriMesh, is_compressed: bool) -> Result<Index<json::Accessor>, FormatError> {
        let count = mesh.triangles.len() * 3;
        let (bytes, component) = if mesh.positions.len() <= MAX_U16_VERTICES {
            let narrow: Vec<u16> = mesh.triangles.iter().flatten().map(|&index| index as u16).collect();
            (bytemuck::cast_slice(&narrow).to_vec(), ComponentType::U16)
        } else {
            (bytemuck::cast_slice(&mesh.triangles).to_vec(), ComponentType::U32)
        };
        let view = if is_compressed {
            let encoded = meshopt::encode_triangles(&mesh.triangles, mesh.positions.len())?;
            let entries = Entries {
                bytes: &bytes,
                count,
                stride: component.size(),
                mode: Mode::Triangles,
            };
            self.push_compressed(&encoded, &entries, Target::ElementArrayBuffer)?
        } else {
            self.push_array(&bytes, None, Target::ElementArrayBuffer)
        };
        Ok(self.root.push(accessor(view, count, component, Type::Scalar)))
    }
}

fn accessor(view: Index<json::buffer::View>, count: usize, component: ComponentType, type_: Type) -> json::Accessor {
    json::Accessor {
        buffer_view: Some(view),
        byte_offset: None,
        count: count.into(),
        component_type: Valid(json::accessor::GenericComponentType(component)),
        extensions: None,
        extras: None,
        type_: Valid(type_),
        min: None,
        max: None,
        name: None,
        normalized: false,
        sparse: None,
    }
}

fn exact_attributes(mesh: &TriMesh, textures: &Textures<'_>) -> Vec<Attribute> {
    let floats = ComponentType::F32;
    let mut positions = Attribute::new(Semantic::Positions, &mesh.positions, floats, Type::Vec3);
    positions.bounds = mesh
        .bounds()
        .map(|(low, high)| [low, high].map(|corner| corner.to_array().to_vec().into()));
    let mut attributes = vec![positions];
    let normals = unit_normals(mesh);
    if !normals.is_empty() {
        attributes.push(Attribute::new(Semantic::Normals, &normals, floats, Type::Vec3));
    }
    let tangents = unit_tangents(mesh, &normals, textures);
    if !tangents.is_empty() {
        attributes.push(Attribute::new(Semantic::Tangents, &tangents, floats, Type::Vec4));
    }
    if !mesh.uvs.is_empty() {
        attributes.push(Attribute::new(Semantic::TexCoords(0), &mesh.uvs, floats, Type::Vec2));
    }
    attributes.extend(colors(mesh, textures));
    attributes
}

/// The same in fewer bits, and what the node must scale positions by.
fn quantized_attributes(mesh: &TriMesh, textures: &Textures<'_>) -> (Vec<Attribute>, f32) {
    let quantized = quantize::positions(&mesh.positions);
    let mut positions = Attribute::new(Semantic::Positions, &quantized.entries, ComponentType::I16, Type::Vec3);
    positions.bounds = Some(quantized.bounds().map(|corner| corner.to_vec().into()));
    let mut attributes = vec![positions];
    let normals = unit_normals(mesh);
    if !normals.is_empty() {
        let entries: Vec<_> = normals.iter().map(|&normal| quantize::normal(normal)).collect();
        attributes.push(Attribute::new(
            Semantic::Normals,
            &entries,
            ComponentType::I16,
            Type::Vec3,
        ));
    }
    let tangents = unit_tangents(mesh, &normals, textures);
    if !tangents.is_empty() {
        let entries: Vec<_> = tangents.into_iter().map(quantize::tangent).collect();
        attributes.push(Attribute::new(
            Semantic::Tangents,
            &entries,
            ComponentType::I8,
            Type::Vec4,
        ));
    }
    if !mesh.uvs.is_empty() {
        let semantic = Semantic::TexCoords(0);
        attributes.push(match quantize::uvs(&mesh.uvs) {
            Some(entries) => Attribute::new(semantic, &entries, ComponentType::U16, Type::Vec2),
            None => Attribute::new(semantic, &mesh.uvs, ComponentType::F32, Type::Vec2),
        });
    }
    attributes.extend(colors(mesh, textures));
    (attributes, quantized.scale)
}

fn unit_normals(mesh: &TriMesh) -> Vec<Vec3> {
    mesh.normals.iter().map(|normal| normal.normalize_or(Vec3::Y)).collect()
}

/// Nothing without a normal map: nothing reads tangents then.
fn unit_tangents(mesh: &TriMesh, normals: &[Vec3], textures: &Textures<'_>) -> Vec<[f32; 4]> {
    if textures.normal.is_none() || normals.is_empty() {
        return Vec::new();
    }
    let tangents = mesh.tangents.iter().zip(normals);
    tangents
        .map(|(&tangent, &normal)| unit_tangent(tangent, normal))
        .collect()
}

fn unit_tangent([x, y, z, handedness]: [f32; 4], normal: Vec3) -> [f32; 4] {
    let tangent = Vec3::new(x, y, z)
        .try_normalize()
        .unwrap_or_else(|| normal.any_orthonormal_vector());
    let handedness = if handedness < 0.0 { -1.0 } else { 1.0 };
    [tangent.x, tangent.y, tangent.z, handedness]
}

/// Nothing with a texture: vertex colours multiply the texture that was baked from them.
fn colors(mesh: &TriMesh, textures: &Textures<'_>) -> Option<Attribute> {
    if textures.base_color.is_some() || mesh.colors.is_empty() {
        return None;
    }
    let entries: Vec<[u16; 4]> = mesh.colors.iter().map(|&color| color_u16(color)).collect();
    Some(Attribute::new(
        Semantic::Colors(0),
        &entries,
        ComponentType::U16,
        Type::Vec4,
    ))
}

fn color_u16(color: Vec3) -> [u16; 4] {
    let [red, green, blue] = color
        .to_array()
        .map(|channel| (channel.clamp(0.0, 1.0) * 65_535.0 + 0.5) as u16);
    [red, green, blue, u16::MAX]
}
