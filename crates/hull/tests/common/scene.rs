use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::color::linear_from_srgb_u8;
use bozzetto_asset::{Camera, PreparedView, Projection, TriMesh};
use glam::{Vec2, Vec3};
use image::RgbImage;

use super::raster::{self, Hit};

/// A mesh with something to paint it by.
pub struct Scene {
    pub mesh: TriMesh,
    pub texture: Option<RgbImage>,
}

impl Scene {
    /// Reads a textured OBJ and scales it into the model frame's cube.
    pub fn read(obj: &Path, texture: &Path) -> Self {
        let mut mesh = read_obj(obj);
        let (low, high) = mesh.bounds().expect("not empty");
        let scale = 0.96 / (high - low).max_element();
        for position in &mut mesh.positions {
            *position = (*position - (low + high) * 0.5) * scale;
        }
        mesh.compute_normals();
        Self {
            mesh,
            texture: Some(image::open(texture).expect("the texture can be read").to_rgb8()),
        }
    }

    /// A striped torus-like bean: convex parts, a saddle, nothing that a turntable cannot see.
    pub fn synthetic() -> Self {
        let (rings, segments) = (96u32, 128u32);
        let mut mesh = TriMesh::default();
        for ring in 0..=rings {
            let v = ring as f32 / rings as f32 * std::f32::consts::PI;
            for segment in 0..segments {
                let u = segment as f32 / segments as f32 * std::f32::consts::TAU;
                let waist = 0.30 + 0.07 * (2.0 * v).cos();
                let direction = Vec3::new(u.sin() * v.sin(), v.cos(), u.cos() * v.sin());
                let radius = Vec3::new(waist, 0.46, waist * 0.8 + 0.03 * u.cos() * v.sin());
                mesh.positions.push(direction * radius);
                let stripes = 0.5 + 0.5 * (9.0 * v).sin();
                mesh.colors.push(Vec3::new(
                    0.1 + 0.8 * stripes,
                    0.3 + 0.3 * (3.0 * u).cos(),
                    0.7 - 0.6 * stripes,
                ));
            }
        }
        for ring in 0..rings {
            for segment in 0..segments {
                let at = |ring: u32, segment: u32| ring * segments + segment % segments;
                let [a, b] = [at(ring, segment), at(ring, segment + 1)];
                let [c, d] = [at(ring + 1, segment), at(ring + 1, segment + 1)];
                if ring > 0 {
                    mesh.triangles.push([a, c, b]);
                }
                if ring + 1 < rings {
                    mesh.triangles.push([b, c, d]);
                }
            }
        }
        mesh.compute_normals();
        Self { mesh, texture: None }
    }

    /// Linear colour at a hit, without light: so that a painted result can be compared.
    pub fn color(&self, hit: &Hit) -> Vec3 {
        let corners = self.mesh.triangles[hit.triangle as usize].map(|vertex| vertex as usize);
        let blend = |at: &dyn Fn(usize) -> Vec3| {
            at(corners[0]) * hit.weights.x + at(corners[1]) * hit.weights.y + at(corners[2]) * hit.weights.z
        };
        match &self.texture {
            None => blend(&|vertex| self.mesh.colors[vertex]),
            Some(texture) => {
                let uv = blend(&|vertex| self.mesh.uvs[vertex].extend(0.0)).truncate();
                let size = Vec2::new(texture.width() as f32, texture.height() as f32);
                let pixel = (uv * size).clamp(Vec2::ZERO, size - 1.0).as_uvec2();
                Vec3::from(texture.get_pixel(pixel.x, pixel.y).0.map(linear_from_srgb_u8))
            }
        }
    }

    /// Views from a turntable with known cameras: evenly spaced azimuths, elevations in turn.
    pub fn turntable(&self, count: usize, elevations_deg: &[f32], side: u32) -> Vec<PreparedView> {
        let projection = Projection::Perspective { fov_y_rad: 0.6 };
        (0..count)
            .map(|index| {
                let azimuth = index as f32 / count as f32 * std::f32::consts::TAU;
                let elevation = elevations_deg[index % elevations_deg.len()].to_radians();
                self.view(
                    Camera::orbit(azimuth, elevation, 2.2, projection, 1.0),
                    side,
                    &format!("{index}.png"),
                )
            })
            .collect()
    }

    /// One view with a known camera, on a grey background.
    pub fn view(&self, camera: Camera, side: u32, name: &str) -> PreparedView {
        let color = raster::picture(&self.mesh, &camera, side, side, Vec3::splat(0.2), &|hit| {
            self.color(hit)
        });
        PreparedView {
            name: name.to_owned(),
            color: Arc::new(color),
            matte: Arc::new(raster::silhouette(&self.mesh, &camera, side, side)),
            direction: None,
            camera: Some(camera),
            weight: 1.0,
        }
    }
}

/// Positions, texture coordinates and faces (fans for polygons) of an OBJ; a vertex for each pair that is used.
fn read_obj(path: &Path) -> TriMesh {
    let text = std::fs::read_to_string(path).expect("the OBJ can be read");
    let (mut positions, mut uvs) = (Vec::new(), Vec::new());
    let mut mesh = TriMesh::default();
    let mut known = std::collections::HashMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let kind = words.next();
        let words: Vec<&str> = words.collect();
        let number = |index: usize| words[index].parse::<f32>().expect("a number");
        match kind {
            Some("v") => positions.push(Vec3::new(number(0), number(1), number(2))),
            Some("vt") => uvs.push(Vec2::new(number(0), 1.0 - number(1))),
            Some("f") => {
                let corners: Vec<u32> = words
                    .iter()
                    .map(|word| {
                        let mut parts = word.split('/').map(|part| part.parse::<usize>().unwrap_or(1));
                        let key = (
                            parts.next().expect("a position"),
                            parts.next().expect("a texture coordinate"),
                        );
                        *known.entry(key).or_insert_with(|| {
                            mesh.positions.push(positions[key.0 - 1]);
                            mesh.uvs.push(uvs[key.1 - 1]);
                            mesh.positions.len() as u32 - 1
                        })
                    })
                    .collect();
                for i in 1..corners.len() - 1 {
                    mesh.triangles.push([corners[0], corners[i], corners[i + 1]]);
                }
            }
            _ => {}
        }
    }
    mesh
}
