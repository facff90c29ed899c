//! Renders the example object that comes with the program: an owl of our own, from known cameras.
//!
//! ```text
//! cargo run -p bozzetto-hull --example render_example_views [FOLDER] [SIZE_PX]
//! ```
//!
//! Writes eight turntable views (RGBA with true alpha, elevations 10 and 30 degrees in turn), `transforms.json` with
//! their cameras in the NeRF convention, and the licence note. The light is soft and turns with the owl, so a point of
//! its surface has the same colour in every view.

mod owl;
mod paint;

use std::path::{Path, PathBuf};

use bozzetto_asset::color::{linear_from_srgb, srgb_u8_from_linear};
use bozzetto_asset::{Camera, Projection};
use glam::{Vec2, Vec3};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageEncoder, Rgba, RgbaImage};
use rayon::prelude::*;

const NUM_VIEWS: usize = 8;
const ELEVATIONS_DEG: [f32; 2] = [10.0, 30.0];
const FOV_DEG: f32 = 30.0;
const DISTANCE: f32 = 2.25;
/// Rays for a pixel are this number squared.
const RAYS_PER_SIDE: usize = 3;

const LICENSE: &str = "These pictures and transforms.json were made for this project by its own program
crates/hull/examples/render_example_views and are dedicated to the public domain under CC0 1.0:
https://creativecommons.org/publicdomain/zero/1.0/
";

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let mut args = std::env::args_os().skip(1);
    let folder = args.next().map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/examples/owl"),
        PathBuf::from,
    );
    let size_px = match args.next() {
        Some(text) => text.to_string_lossy().parse()?,
        None => 768,
    };
    std::fs::create_dir_all(&folder)?;
    let mut frames = Vec::new();
    for index in 0..NUM_VIEWS {
        let azimuth_deg = index as f32 * 360.0 / NUM_VIEWS as f32;
        let elevation_deg = ELEVATIONS_DEG[index % 2];
        let projection = Projection::Perspective {
            fov_y_rad: FOV_DEG.to_radians(),
        };
        let camera = Camera::orbit(
            azimuth_deg.to_radians(),
            elevation_deg.to_radians(),
            DISTANCE,
            projection,
            1.0,
        );
        let name = format!("owl_az{azimuth_deg:03}_el{elevation_deg:02}.png");
        save(&folder.join(&name), &render(&camera, size_px))?;
        frames.push(serde_json::json!({ "file_path": name, "transform_matrix": nerf_matrix(&camera) }));
    }
    let transforms = serde_json::json!({
        "camera_angle_x": f64::from(FOV_DEG).to_radians(),
        "w": size_px,
        "h": size_px,
        "frames": frames,
    });
    std::fs::write(
        folder.join("transforms.json"),
        serde_json::to_string_pretty(&transforms)? + "\n",
    )?;
    std::fs::write(folder.join("LICENSE.txt"), LICENSE)?;
    Ok(())
}

/// Camera-to-world rows in the file's z-up world: our (x, y, z) is its (x, -z, y).
fn nerf_matrix(camera: &Camera) -> [[f32; 4]; 4] {
    let to_world = camera.world_from_view;
    let columns: [Vec3; 4] = [
        to_world.matrix3.x_axis.into(),
        to_world.matrix3.y_axis.into(),
        to_world.matrix3.z_axis.into(),
        to_world.translation.into(),
    ];
    [
        columns.map(|column| column.x),
        columns.map(|column| -column.z),
        columns.map(|column| column.y),
        [0.0, 0.0, 0.0, 1.0],
    ]
}

fn render(camera: &Camera, size_px: u32) -> RgbaImage {
    let pixels: Vec<Rgba<u8>> = (0..size_px * size_px)
        .into_par_iter()
        .map(|index| {
            pixel(
                camera,
                Vec2::new((index % size_px) as f32, (index / size_px) as f32),
                size_px,
            )
        })
        .collect();
    RgbaImage::from_fn(size_px, size_px, |x, y| pixels[(y * size_px + x) as usize])
}

/// The mean colour of the rays that hit, with the share of those rays as alpha.
fn pixel(camera: &Camera, corner: Vec2, size_px: u32) -> Rgba<u8> {
    let num_rays = RAYS_PER_SIDE * RAYS_PER_SIDE;
    let mut sum = Vec3::ZERO;
    let mut num_hits = 0;
    for ray in 0..num_rays {
        let within = Vec2::new((ray % RAYS_PER_SIDE) as f32, (ray / RAYS_PER_SIDE) as f32) + 0.5;
        let position = (corner + within / RAYS_PER_SIDE as f32) / size_px as f32;
        let (origin, direction) = camera.ray(position);
        if let Some(point) = owl::hit(origin, direction) {
            sum += shaded(point);
            num_hits += 1;
        }
    }
    if num_hits == 0 {
        return Rgba([0; 4]);
    }
    let [r, g, b] = (sum / num_hits as f32).to_array().map(srgb_u8_from_linear);
    Rgba([r, g, b, (255 * num_hits / num_rays) as u8])
}

/// Linear colour of a surface point in the studio: a large soft key from the front above, sky and floor all around.
fn shaded(point: Vec3) -> Vec3 {
    let normal = owl::normal(point);
    let paint = Vec3::from(paint::color(point).to_array().map(linear_from_srgb));
    let open = owl::openness(point, normal);
    let key_direction = Vec3::new(0.3, 0.75, 0.6).normalize();
    // A lamp as large as this one reaches round the edge of its shadow.
    let key = ((normal.dot(key_direction) + 0.45) / 1.45).max(0.0).powf(1.3);
    let up = normal.y * 0.5 + 0.5;
    let fill = Vec3::new(0.36, 0.34, 0.32).lerp(Vec3::new(0.50, 0.53, 0.56), up);
    let light = Vec3::new(0.70, 0.67, 0.62) * key * (0.45 + 0.55 * open) + fill * (0.25 + 0.75 * open);
    // Paint in a crevice is lit by the paint beside it.
    let bounce = paint * paint * (1.0 - open) * 0.22;
    paint * light + bounce
}

fn save(path: &Path, picture: &RgbaImage) -> Result<(), AnyError> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive).write_image(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        image::ExtendedColorType::Rgba8,
    )?;
    std::fs::write(path, bytes)?;
    Ok(())
}
