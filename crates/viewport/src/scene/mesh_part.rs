use bozzetto_asset::{AlphaMode, Material, TexturedMesh, TriMesh};
use glam::Vec3;
use half::f16;
use image::{RgbImage, RgbaImage};
use rayon::prelude::*;
use wgpu::BufferUsages;

use crate::draw::shared;
use crate::error::caught;
use crate::ground_shadow::GroundShadow;
use crate::upload::write_texture_in_bands;
use crate::{Bounds, GpuError, Shading, gpu};

/// Albedo of a mesh that has no colours of its own, linear.
const PLAIN_COLOR: Vec3 = Vec3::splat(0.5);
const RAW_ROUGHNESS: f32 = 0.65;

/// Everything of a vertex but its position.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct MeshVertex {
    normal: [i16; 4],
    tangent: [i16; 4],
    uv: [f32; 2],
    color: [u16; 4],
}

/// `Material` in mesh.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct MaterialUniforms {
    alpha: [f32; 4],
    maps: [u32; 4],
    density: [f32; 4],
}

/// A mesh on the device.
pub struct MeshPart {
    pub bounds: Bounds,
    pub shadow: GroundShadow,
    pub positions: wgpu::Buffer,
    pub vertices: wgpu::Buffer,
    pub indices: wgpu::Buffer,
    pub num_indices: u32,
    pub material: wgpu::Buffer,
    is_blended: bool,
    base_color: wgpu::Texture,
    orm: wgpu::Texture,
    normal: wgpu::Texture,
    /// Smaller levels of the textures still have to be filled.
    pub needs_mips: bool,
    pub groups: Option<MeshGroups>,
}

/// The bindings of a mesh, made when it is first drawn.
pub struct MeshGroups {
    pub material: wgpu::BindGroup,
    pub wireframe: wgpu::BindGroup,
}

impl MeshPart {
    /// A finished mesh; `None` when it has no triangles.
    pub fn textured(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        textured: &TexturedMesh,
    ) -> Result<Option<Self>, GpuError> {
        Self::new(device, queue, &textured.mesh, Some(&textured.material))
    }

    /// A mesh with vertex colours; `None` when it has no triangles.
    pub fn raw(device: &wgpu::Device, queue: &wgpu::Queue, mesh: &TriMesh) -> Result<Option<Self>, GpuError> {
        Self::new(device, queue, mesh, None)
    }

    fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        mesh: &TriMesh,
        material: Option<&Material>,
    ) -> Result<Option<Self>, GpuError> {
        if mesh.triangles.is_empty() {
            return Ok(None);
        }
        check_mesh(device, mesh)?;
        let material = material.filter(|material| !mesh.uvs.is_empty() || is_plain(material));
        if let Some(material) = material {
            check_material(device, material)?;
        }
        let Some(bounds) = Bounds::from_pair(mesh.bounds()) else {
            return Ok(None);
        };
        let vertices = pack_vertices(mesh, material);
        let shadow = GroundShadow::of_mesh(mesh, &bounds);
        let default_material = Material {
            metallic_factor: 0.0,
            roughness_factor: RAW_ROUGHNESS,
            ..Material::default()
        };
        let material = material.unwrap_or(&default_material);
        caught(device, || {
            let buffer = |label, bytes: &[u8], usage| gpu::filled_buffer(device, queue, label, bytes, usage);
            let vertex_and_storage = BufferUsages::VERTEX | BufferUsages::STORAGE;
            let uniforms = material_uniforms(material, texels_a_metre(mesh, material));
            Some(Self {
                bounds,
                shadow,
                positions: buffer(
                    "mesh positions",
                    bytemuck::cast_slice(&mesh.positions),
                    vertex_and_storage,
                ),
                vertices: buffer("mesh vertices", bytemuck::cast_slice(&vertices), BufferUsages::VERTEX),
                indices: buffer(
                    "mesh indices",
                    bytemuck::cast_slice(&mesh.triangles),
                    BufferUsages::INDEX | BufferUsages::STORAGE,
                ),
                num_indices: mesh.triangles.len() as u32 * 3,
                material: buffer("material", bytemuck::bytes_of(&uniforms), BufferUsages::UNIFORM),
                is_blended: material.alpha_mode == AlphaMode::Blend,
                base_color: color_texture(device, queue, &material.base_color),
                orm: data_texture(device, queue, "occlusion, roughness, metallic", material.orm.as_deref()),
                normal: data_texture(device, queue, "normal map", material.normal.as_deref()),
                needs_mips: true,
                groups: None,
            })
        })
    }

    /// Whether it is seen through in this picture: those to judge it by show its surface.
    pub fn is_seen_through(&self, shading: Shading) -> bool {
        self.is_blended && matches!(shading, Shading::Pbr | Shading::BaseColor)
    }

    /// Base colour, ORM, normals.
    pub fn textures(&self) -> [&wgpu::Texture; 3] {
        [&self.base_color, &self.orm, &self.normal]
    }
}

fn check_mesh(device: &wgpu::Device, mesh: &TriMesh) -> Result<(), GpuError> {
    if !mesh.is_consistent() {
        return Err(GpuError::BadContent {
            what: "The mesh",
            reason: "its triangles name vertices that are not there, or some positions are not numbers",
        });
    }
    let size = |count: usize, item: usize| count as u64 * item as u64;
    gpu::check_storage(device, "The mesh", size(mesh.positions.len(), 12))?;
    gpu::check_storage(device, "The mesh", size(mesh.triangles.len(), 12))?;
    gpu::check_buffer(device, "The mesh", size(mesh.positions.len(), size_of::<MeshVertex>()))
}

fn check_material(device: &wgpu::Device, material: &Material) -> Result<(), GpuError> {
    let maps = [
        Some(material.base_color.dimensions()),
        material.orm.as_ref().map(|map| map.dimensions()),
        material.normal.as_ref().map(|map| map.dimensions()),
    ];
    maps.into_iter()
        .flatten()
        .try_for_each(|(width, height)| gpu::check_texture(device, "The texture", [width, height]))
}

/// Whether the base colour differs from place to place; one texel is a factor.
fn is_textured(material: &Material) -> bool {
    !material.base_color.is_empty() && material.base_color.dimensions() != (1, 1)
}

/// Whether a material is the same everywhere, so that it needs no texture coordinates.
fn is_plain(material: &Material) -> bool {
    material.base_color.dimensions() == (1, 1) && material.orm.is_none() && material.normal.is_none()
}

fn material_uniforms(material: &Material, texels_a_metre: f32) -> MaterialUniforms {
    let (mode, cutoff) = match material.alpha_mode {
        AlphaMode::Opaque => (shared::ALPHA_OPAQUE, 0.0),
        AlphaMode::Mask { cutoff } => (shared::ALPHA_MASK, cutoff),
        AlphaMode::Blend => (shared::ALPHA_BLEND, 0.0),
    };
    MaterialUniforms {
        alpha: [mode, cutoff, material.metallic_factor, material.roughness_factor],
        maps: [
            u32::from(material.orm.is_some()),
            u32::from(material.has_occlusion),
            u32::from(material.normal.is_some()),
            0,
        ],
        density: [texels_a_metre, 0.0, 0.0, 0.0],
    }
}

/// Average texel density of the base colour: the root of texture area over surface area. 1 where there is none.
fn texels_a_metre(mesh: &TriMesh, material: &Material) -> f32 {
    if mesh.uvs.is_empty() {
        return 1.0;
    }
    let (width, height) = material.base_color.dimensions();
    let areas = mesh.triangles.par_iter().map(|triangle| {
        let [a, b, c] = triangle.map(|index| mesh.positions[index as usize]);
        let surface = (b - a).cross(c - a).length();
        let [a, b, c] = triangle.map(|index| mesh.uvs.get(index as usize).copied().unwrap_or_default());
        (f64::from((b - a).perp_dot(c - a).abs()), f64::from(surface))
    });
    let (texture, surface) = areas.reduce(|| (0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    let density = (texture * f64::from(width) * f64::from(height) / surface).sqrt() as f32;
    if density.is_finite() && density > 0.0 {
        density
    } else {
        1.0
    }
}

fn pack_vertices(mesh: &TriMesh, material: Option<&Material>) -> Vec<MeshVertex> {
    let computed;
    let normals = if mesh.normals.is_empty() {
        let mut bare = TriMesh::new(mesh.positions.clone(), mesh.triangles.clone());
        bare.compute_normals();
        computed = bare.normals;
        &computed
    } else {
        &mesh.normals
    };
    // The colour of a textured mesh is in its picture; its vertex colours would tint it twice.
    let colors = match material {
        Some(material) if is_textured(material) => &[],
        _ => mesh.colors.as_slice(),
    };
    let filler = if material.is_some() { Vec3::ONE } else { PLAIN_COLOR };
    let color_of = |index: usize| colors.get(index).copied().unwrap_or(filler);
    (0..mesh.positions.len())
        .into_par_iter()
        .map(|index| MeshVertex {
            normal: snorm16(normals[index].extend(0.0).to_array()),
            tangent: snorm16(mesh.tangents.get(index).copied().unwrap_or_default()),
            uv: mesh.uvs.get(index).copied().unwrap_or_default().to_array(),
            color: color_of(index)
                .extend(1.0)
                .to_array()
                .map(|value| f16::from_f32(value).to_bits()),
        })
        .collect()
}

fn snorm16(values: [f32; 4]) -> [i16; 4] {
    values.map(|value| (value.clamp(-1.0, 1.0) * 32767.0).round() as i16)
}

fn color_texture(device: &wgpu::Device, queue: &wgpu::Queue, picture: &RgbaImage) -> wgpu::Texture {
    let format = wgpu::TextureFormat::Rgba8UnormSrgb;
    if picture.is_empty() {
        return texture(device, queue, "base colour", format, [1, 1], &[255; 4]);
    }
    texture(
        device,
        queue,
        "base colour",
        format,
        picture.dimensions().into(),
        picture,
    )
}

fn data_texture(device: &wgpu::Device, queue: &wgpu::Queue, label: &str, picture: Option<&RgbImage>) -> wgpu::Texture {
    let format = wgpu::TextureFormat::Rgba8Unorm;
    let Some(picture) = picture.filter(|picture| !picture.is_empty()) else {
        return texture(device, queue, label, format, [1, 1], &[255; 4]);
    };
    let mut texels = vec![255_u8; picture.as_raw().len() / 3 * 4];
    let rows = texels.par_chunks_mut(4096).zip(picture.as_raw().par_chunks(3072));
    rows.for_each(|(wide, narrow)| {
        for (wide, narrow) in wide.chunks_exact_mut(4).zip(narrow.chunks_exact(3)) {
            wide[..3].copy_from_slice(narrow);
        }
    });
    texture(device, queue, label, format, picture.dimensions().into(), &texels)
}

fn texture(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    label: &str,
    format: wgpu::TextureFormat,
    size_px: [u32; 2],
    texels: &[u8],
) -> wgpu::Texture {
    let size = wgpu::Extent3d {
        width: size_px[0],
        height: size_px[1],
        depth_or_array_layers: 1,
    };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size,
        mip_level_count: size.max_mips(wgpu::TextureDimension::D2),
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_DST
            | wgpu::TextureUsages::RENDER_ATTACHMENT,
        view_formats: &[],
    });
    write_texture_in_bands(queue, &texture, texels);
    texture
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use glam::Vec2;
    use image::Rgba;

    use super::*;

    fn material(size: u32) -> Material {
        Material {
            base_color: Arc::new(RgbaImage::from_pixel(size, size, Rgba([255, 0, 0, 255]))),
            ..Material::default()
        }
    }

    #[test]
    fn vertex_colors_count_unless_a_picture_has_them() {
        let mut mesh = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]);
        mesh.uvs = vec![Vec2::ZERO; 3];
        let color = |mesh: &TriMesh, material: Option<&Material>| {
            let [red, green, blue, _] = pack_vertices(mesh, material)[0].color;
            [red, green, blue].map(|bits| f16::from_bits(bits).to_f32())
        };
        assert_eq!(color(&mesh, None), [0.5; 3]);
        assert_eq!(color(&mesh, Some(&material(1))), [1.0; 3]);
        mesh.colors = vec![Vec3::Y; 3];
        assert_eq!(color(&mesh, None), [0.0, 1.0, 0.0]);
        assert_eq!(color(&mesh, Some(&material(1))), [0.0, 1.0, 0.0]);
        assert_eq!(color(&mesh, Some(&material(2))), [1.0; 3]);
    }

    #[test]
    fn only_materials_without_pictures_need_no_uvs() {
        assert!(is_plain(&material(1)));
        assert!(!is_plain(&material(2)) && !is_plain(&Material::default()));
        let bumpy = Material {
            normal: Some(Arc::new(RgbImage::new(2, 2))),
            ..material(1)
        };
        assert!(!is_plain(&bumpy));
    }
}
