//! Shapes, a shared device and picture measures for the tests.
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part of this")]

use std::sync::{Arc, OnceLock};

use bozzetto_asset::{AlphaMode, Camera, Material, Projection, TexturedMesh, TriMesh};
use bozzetto_viewport::{Background, Offscreen, RenderSettings, RendererOptions, Scene};
use glam::{Vec2, Vec3};
use image::{Rgba, RgbaImage};

/// One device for all tests of a file.
pub fn offscreen() -> &'static Offscreen {
    static SHARED: OnceLock<Offscreen> = OnceLock::new();
    SHARED.get_or_init(|| match Offscreen::new() {
        Ok(offscreen) => offscreen,
        Err(error) => panic!("{error}"),
    })
}

/// A device and a renderer of its own.
pub fn offscreen_with(options: RendererOptions) -> Offscreen {
    Offscreen::with_options(options, |_| ()).expect("opened")
}

pub const PERSPECTIVE: Projection = Projection::Perspective { fov_y_rad: 0.7 };

/// Sees the front from two metres.
pub fn front() -> Camera {
    Camera::orbit(0.0, 0.0, 2.0, PERSPECTIVE, 1.0)
}

/// A scene of a finished mesh.
pub fn scene_of(mesh: &TexturedMesh) -> Scene {
    let mut scene = Scene::new();
    scene
        .set_textured_mesh(offscreen().device(), offscreen().queue(), Some(mesh))
        .expect("uploaded");
    scene
}

pub fn draw(scene: &mut Scene, camera: &Camera, size_px: [u32; 2], settings: &RenderSettings) -> RgbaImage {
    offscreen().render(scene, camera, size_px, settings).expect("drawn")
}

/// No ground, one colour behind (linear).
pub fn plain(color: [f32; 3]) -> RenderSettings {
    RenderSettings {
        background: Background::Gradient {
            top: color,
            bottom: color,
        },
        ..RenderSettings::cutout()
    }
}

/// A sphere of quads with smooth normals and UVs.
pub fn sphere(center: Vec3, radius: f32) -> TriMesh {
    const RINGS: u32 = 48;
    const SEGMENTS: u32 = 96;
    let mut mesh = TriMesh::default();
    for ring in 0..=RINGS {
        for segment in 0..=SEGMENTS {
            let uv = Vec2::new(segment as f32 / SEGMENTS as f32, ring as f32 / RINGS as f32);
            let (sin_polar, cos_polar) = (uv.y * std::f32::consts::PI).sin_cos();
            let (sin_turn, cos_turn) = (uv.x * std::f32::consts::TAU).sin_cos();
            let normal = Vec3::new(sin_polar * sin_turn, cos_polar, sin_polar * cos_turn);
            mesh.positions.push(center + normal * radius);
            mesh.normals.push(normal);
            mesh.uvs.push(uv);
        }
    }
    for ring in 0..RINGS {
        for segment in 0..SEGMENTS {
            let a = ring * (SEGMENTS + 1) + segment;
            let b = a + SEGMENTS + 1;
            mesh.triangles.push([a, b, b + 1]);
            mesh.triangles.push([a, b + 1, a + 1]);
        }
    }
    mesh
}

/// A box with flat faces and one linear colour.
pub fn colored_box(center: Vec3, half: Vec3, color: Vec3) -> TriMesh {
    let mut mesh = TriMesh::default();
    for axis in 0..3 {
        for sign in [-1.0_f32, 1.0] {
            let mut normal = Vec3::ZERO;
            normal[axis] = sign;
            let (mut across, mut up) = (Vec3::ZERO, Vec3::ZERO);
            across[(axis + 1) % 3] = 1.0;
            up[(axis + 2) % 3] = sign;
            let base = mesh.positions.len() as u32;
            for (u, v) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
                mesh.positions.push(center + (normal + across * u + up * v) * half);
                mesh.normals.push(normal);
                mesh.colors.push(color);
            }
            mesh.triangles.push([base, base + 1, base + 2]);
            mesh.triangles.push([base, base + 2, base + 3]);
        }
    }
    mesh
}

pub fn merged(meshes: &[TriMesh]) -> TriMesh {
    let mut all = TriMesh::default();
    for mesh in meshes {
        let base = all.positions.len() as u32;
        all.positions.extend(&mesh.positions);
        all.normals.extend(&mesh.normals);
        all.colors.extend(&mesh.colors);
        all.triangles
            .extend(mesh.triangles.iter().map(|triangle| triangle.map(|index| index + base)));
    }
    all
}

pub fn textured(mesh: TriMesh, color: [u8; 4], alpha_mode: AlphaMode, metallic: f32, roughness: f32) -> TexturedMesh {
    TexturedMesh {
        mesh: Arc::new(mesh),
        material: Material {
            base_color: Arc::new(RgbaImage::from_pixel(4, 4, Rgba(color))),
            alpha_mode,
            metallic_factor: metallic,
            roughness_factor: roughness,
            ..Material::default()
        },
        ..TexturedMesh::default()
    }
}

/// Peak signal-to-noise ratio of two lists of values in `[0, 1]`, decibels.
pub fn psnr(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64;
    -10.0 * error.max(1e-12).log10()
}

/// Asserts that a pixel is close to a colour.
#[track_caller]
pub fn assert_close(image: &RgbaImage, at: [u32; 2], expected: [u8; 4], tolerance: u8) {
    let found = image.get_pixel(at[0], at[1]).0;
    let is_close = found
        .iter()
        .zip(expected)
        .all(|(&found, expected)| found.abs_diff(expected) <= tolerance);
    assert!(is_close, "{found:?} at {at:?}, expected {expected:?}");
}

/// Numbers in `[0, 1)`, the same on every run.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }

    pub fn signed(&mut self) -> f32 {
        self.next() * 2.0 - 1.0
    }

    pub fn vector(&mut self) -> Vec3 {
        Vec3::new(self.signed(), self.signed(), self.signed())
    }
}

/// Submits the commands and reads a texture of 64 pixels' width back.
pub fn read(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    mut encoder: wgpu::CommandEncoder,
    texture: &wgpu::Texture,
) -> RgbaImage {
    let size = texture.size();
    assert_eq!(size.width, 64, "rows need no padding at this width");
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(size.width * size.height * 4),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let target = wgpu::TexelCopyBufferInfo {
        buffer: &buffer,
        layout: wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(size.width * 4),
            rows_per_image: None,
        },
    };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), target, size);
    queue.submit([encoder.finish()]);
    buffer
        .slice(..)
        .map_async(wgpu::MapMode::Read, |mapped| mapped.expect("mapped"));
    device.poll(wgpu::PollType::wait_indefinitely()).expect("polled");
    let bytes = buffer.slice(..).get_mapped_range().expect("mapped").to_vec();
    RgbaImage::from_raw(size.width, size.height, bytes).expect("whole")
}
