use bozzetto_asset::color::srgb_u8_from_linear;
use bozzetto_asset::{Camera, TriMesh};
use glam::{Vec2, Vec3};
use image::{GrayImage, Luma, Rgb, RgbImage};

/// Samples along each side of a pixel where edges are to be soft.
const SUPER: u32 = 3;

/// What a pixel's ray meets first.
#[derive(Clone, Copy)]
pub struct Hit {
    pub triangle: u32,
    /// Barycentric weights of the triangle's corners.
    pub weights: Vec3,
    depth: f32,
}

/// The nearest triangle for each pixel of a picture.
pub fn hits(mesh: &TriMesh, camera: &Camera, width: u32, height: u32) -> Vec<Option<Hit>> {
    let size = Vec2::new(width as f32, height as f32);
    let seen: Vec<Option<(Vec2, f32)>> = mesh
        .positions
        .iter()
        .map(|&position| camera.project(position).map(|(at, depth)| (at * size, depth)))
        .collect();
    let is_pinhole = matches!(camera.projection, bozzetto_asset::Projection::Perspective { .. });
    let mut buffer: Vec<Option<Hit>> = vec![None; (width * height) as usize];
    for (index, triangle) in mesh.triangles.iter().enumerate() {
        let [Some((a, da)), Some((b, db)), Some((c, dc))] = triangle.map(|vertex| seen[vertex as usize]) else {
            continue;
        };
        let area = (b - a).perp_dot(c - a);
        if area == 0.0 {
            continue;
        }
        let low = (a.min(b).min(c) - 0.5).ceil().max(Vec2::ZERO);
        let high = (a.max(b).max(c) - 0.5).floor().min(size - 1.0);
        for y in low.y as i64..=high.y as i64 {
            for x in low.x as i64..=high.x as i64 {
                let pixel = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                let mut weights = Vec3::new(
                    (c - b).perp_dot(pixel - b),
                    (a - c).perp_dot(pixel - c),
                    (b - a).perp_dot(pixel - a),
                ) / area;
                if weights.min_element() < -1e-5 {
                    continue;
                }
                if is_pinhole {
                    weights /= Vec3::new(da, db, dc);
                    weights /= weights.element_sum();
                }
                let depth = weights.dot(Vec3::new(da, db, dc));
                let slot = &mut buffer[(y as u32 * width + x as u32) as usize];
                if slot.is_none_or(|hit| depth < hit.depth) {
                    *slot = Some(Hit {
                        triangle: index as u32,
                        weights,
                        depth,
                    });
                }
            }
        }
    }
    buffer
}

/// The mesh's matte with soft edges.
pub fn silhouette(mesh: &TriMesh, camera: &Camera, width: u32, height: u32) -> GrayImage {
    let hits = hits(mesh, camera, width * SUPER, height * SUPER);
    GrayImage::from_fn(width, height, |x, y| {
        let count = (0..SUPER * SUPER)
            .filter(|i| {
                let (sx, sy) = (x * SUPER + i % SUPER, y * SUPER + i / SUPER);
                hits[(sy * width * SUPER + sx) as usize].is_some()
            })
            .count();
        Luma([(count * 255 / (SUPER * SUPER) as usize) as u8])
    })
}

/// Colours by a function of the hit, linear, over a background, sRGB-encoded, with soft edges.
pub fn picture(
    mesh: &TriMesh,
    camera: &Camera,
    width: u32,
    height: u32,
    background: Vec3,
    color: &dyn Fn(&Hit) -> Vec3,
) -> RgbImage {
    let hits = hits(mesh, camera, width * SUPER, height * SUPER);
    RgbImage::from_fn(width, height, |x, y| {
        let sum: Vec3 = (0..SUPER * SUPER)
            .map(|i| {
                let (sx, sy) = (x * SUPER + i % SUPER, y * SUPER + i / SUPER);
                hits[(sy * width * SUPER + sx) as usize]
                    .as_ref()
                    .map_or(background, color)
            })
            .sum();
        Rgb((sum / (SUPER * SUPER) as f32).to_array().map(srgb_u8_from_linear))
    })
}

/// Intersection over union of two mattes at half coverage.
pub fn iou(a: &GrayImage, b: &GrayImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let (both, either) = a.pixels().zip(b.pixels()).fold((0u64, 0u64), |(both, either), (a, b)| {
        let (a, b) = (a.0[0] > 127, b.0[0] > 127);
        (both + u64::from(a && b), either + u64::from(a || b))
    });
    both as f64 / either.max(1) as f64
}

/// Pictures of a mesh from all sides in one sheet: vertex colours with a little light, and clay below.
pub fn sheet(mesh: &TriMesh, azimuths_deg: &[f32], elevation_deg: f32, side: u32) -> RgbImage {
    let mut sheet = RgbImage::new(side * azimuths_deg.len() as u32, side * 2);
    for (column, azimuth) in azimuths_deg.iter().enumerate() {
        let projection = bozzetto_asset::Projection::Perspective { fov_y_rad: 0.5 };
        let camera = Camera::orbit(azimuth.to_radians(), elevation_deg.to_radians(), 2.7, projection, 1.0);
        let light = camera
            .world_from_view
            .transform_vector3(Vec3::new(-0.4, 0.6, 0.7))
            .normalize();
        let interpolate = |values: &[Vec3], hit: &Hit| -> Vec3 {
            let [a, b, c] = mesh.triangles[hit.triangle as usize].map(|vertex| values[vertex as usize]);
            a * hit.weights.x + b * hit.weights.y + c * hit.weights.z
        };
        let shade = |hit: &Hit| 0.25 + 0.75 * interpolate(&mesh.normals, hit).normalize_or_zero().dot(light).max(0.0);
        let background = Vec3::splat(0.15);
        let painted = picture(mesh, &camera, side, side, background, &|hit| {
            interpolate(&mesh.colors, hit) * (0.6 + 0.4 * shade(hit))
        });
        let clay = picture(mesh, &camera, side, side, background, &|hit| {
            Vec3::splat(0.7) * shade(hit)
        });
        image::imageops::replace(&mut sheet, &painted, i64::from(side) * column as i64, 0);
        image::imageops::replace(&mut sheet, &clay, i64::from(side) * column as i64, i64::from(side));
    }
    sheet
}
