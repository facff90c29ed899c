use bozzetto_asset::{Camera, Projection, TexturedMesh, TriMesh, color};
use glam::{Vec2, Vec3};
use image::{ImageBuffer, Pixel};
use rayon::prelude::*;

use crate::bake::{Sampler, Surface};
use crate::nearest::{Nearest, SearchTree, closest_barycentric};

const FOV_Y_RAD: f32 = 0.6;
/// Where in a pixel rays go through: four, as graphics cards smooth edges, without which outlines would be jagged and
/// their jags compared.
const RAYS: [Vec2; 4] = [
    Vec2::new(0.375, 0.125),
    Vec2::new(0.875, 0.375),
    Vec2::new(0.125, 0.625),
    Vec2::new(0.625, 0.875),
];
/// Towards the light, and the share of it that comes from everywhere.
const TOWARDS_LIGHT: Vec3 = Vec3::new(-0.4, 0.7, 0.6);
const AMBIENT: f32 = 0.2;

/// A finished mesh beside its original.
pub(super) struct Pair<'a> {
    pub(super) original: Surface<'a>,
    pub(super) sampler: &'a dyn Sampler,
    pub(super) finished: &'a TexturedMesh,
    pub(super) tree: &'a SearchTree,
}

/// How alike both look.
pub(super) struct Likeness {
    pub(super) normal_deviation: f32,
    pub(super) vertex_normal_deviation: f32,
    pub(super) base_color_psnr: f32,
    pub(super) shaded_psnr: f32,
}

/// What a ray meets: linear base colour, the unit normal that is shown, and that of the vertices alone.
#[derive(Clone, Copy, Default)]
struct Seen {
    base_color: Vec3,
    normal: Vec3,
    vertex_normal: Vec3,
}

impl Seen {
    fn shaded(&self) -> Vec3 {
        let light = self.normal.dot(TOWARDS_LIGHT.normalize()).max(0.0);
        self.base_color * (AMBIENT + (1.0 - AMBIENT) * light)
    }
}

/// Sums over pixels that show something, and over rays that meet both.
#[derive(Clone, Copy, Default)]
struct Sums {
    base_color_error: f64,
    shaded_error: f64,
    num_pixels: f64,
    angle: f64,
    vertex_angle: f64,
    num_rays: f64,
}

impl Sums {
    /// Adds a pixel: what its rays see of the original and of the finished mesh.
    fn add(&mut self, pairs: &[(Option<Seen>, Option<Seen>); RAYS.len()]) {
        if pairs
            .iter()
            .all(|(original, finished)| original.is_none() && finished.is_none())
        {
            return;
        }
        let (mut base_color, mut shaded) = (Vec3::ZERO, Vec3::ZERO);
        for &(original, finished) in pairs {
            let (a, b) = (original.unwrap_or_default(), finished.unwrap_or_default());
            base_color += a.base_color - b.base_color;
            shaded += a.shaded() - b.shaded();
            if original.is_some() && finished.is_some() {
                self.num_rays += 1.0;
                self.angle += f64::from(a.normal.angle_between(b.normal));
                self.vertex_angle += f64::from(a.normal.angle_between(b.vertex_normal));
            }
        }
        let share = 1.0 / RAYS.len() as f32;
        self.num_pixels += 1.0;
        self.base_color_error += f64::from((base_color * share).length_squared());
        self.shaded_error += f64::from((shaded * share).length_squared());
    }

    fn plus(self, other: Self) -> Self {
        Self {
            base_color_error: self.base_color_error + other.base_color_error,
            shaded_error: self.shaded_error + other.shaded_error,
            num_pixels: self.num_pixels + other.num_pixels,
            angle: self.angle + other.angle,
            vertex_angle: self.vertex_angle + other.vertex_angle,
            num_rays: self.num_rays + other.num_rays,
        }
    }

    fn likeness(self) -> Likeness {
        // Of three channels with a peak of 1.
        let psnr = |error: f64| (-10.0 * (error / (3.0 * self.num_pixels)).log10()) as f32;
        Likeness {
            normal_deviation: (self.angle / self.num_rays) as f32,
            vertex_normal_deviation: (self.vertex_angle / self.num_rays) as f32,
            base_color_psnr: psnr(self.base_color_error),
            shaded_psnr: psnr(self.shaded_error),
        }
    }
}

impl Pair<'_> {
    /// Compares square pictures from cameras spread all around.
    pub(super) fn likeness(&self, num_cameras: usize, picture_px: u32) -> Likeness {
        let sums: Vec<Sums> = cameras(self.original.mesh, num_cameras)
            .iter()
            .flat_map(|camera| (0..picture_px).map(move |row| (camera, row)))
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(camera, row)| {
                let mut sums = Sums::default();
                for column in 0..picture_px {
                    sums.add(&RAYS.map(|within| {
                        let place = (Vec2::new(column as f32, row as f32) + within) / picture_px as f32;
                        let (origin, direction) = camera.ray(place);
                        (self.original_at(origin, direction), self.finished_at(origin, direction))
                    }));
                }
                sums
            })
            .collect();
        // In order, so that the result is the same on any number of threads.
        sums.into_iter().fold(Sums::default(), Sums::plus).likeness()
    }

    fn original_at(&self, origin: Vec3, direction: Vec3) -> Option<Seen> {
        let mesh = self.original.mesh;
        let hit = first_hit(mesh, self.original.tree, origin, direction)?;
        let normal = mixed(mesh, &hit, |vertex| mesh.normals[vertex]).normalize_or(-direction);
        Some(Seen {
            base_color: self.sampler.sample(&hit, normal).base_color.into(),
            normal,
            vertex_normal: normal,
        })
    }

    fn finished_at(&self, origin: Vec3, direction: Vec3) -> Option<Seen> {
        let (mesh, material) = (&*self.finished.mesh, &self.finished.material);
        let hit = first_hit(mesh, self.tree, origin, direction)?;
        let uv = mixed(mesh, &hit, |vertex| mesh.uvs[vertex].extend(0.0)).truncate();
        let vertex_normal = mixed(mesh, &hit, |vertex| mesh.normals[vertex]);
        let normal = material.normal.as_deref().map_or(vertex_normal, |picture| {
            // As MikkTSpace wants it decoded: the interpolated vectors are not normalised.
            let tangent = mixed(mesh, &hit, |vertex| Vec3::from_slice(&mesh.tangents[vertex][..3]));
            let sign = mesh.tangents[mesh.triangles[hit.face as usize][0] as usize][3];
            let local = bilinear(picture, uv, |value| f32::from(value) / 127.5 - 1.0);
            tangent * local.x + vertex_normal.cross(tangent) * sign * local.y + vertex_normal * local.z
        });
        Some(Seen {
            base_color: bilinear(&*material.base_color, uv, color::linear_from_srgb_u8),
            normal: normal.normalize_or(-direction),
            vertex_normal: vertex_normal.normalize_or(-direction),
        })
    }
}

/// On a Fibonacci sphere about the mesh, so that each fills the picture with it.
fn cameras(mesh: &TriMesh, count: usize) -> Vec<Camera> {
    let (low, high) = mesh.bounds().unwrap_or_default();
    let center = (low + high) * 0.5;
    let radius = mesh
        .positions
        .iter()
        .map(|position| position.distance(center))
        .fold(0.0, f32::max);
    let distance = radius / (FOV_Y_RAD * 0.5).sin();
    (0..count)
        .map(|index| {
            let y = 1.0 - (2 * index + 1) as f32 / count as f32;
            let (sin, cos) = (index as f32 * 2.399_963_1).sin_cos();
            let direction = Vec3::new((1.0 - y * y).sqrt() * sin, y, (1.0 - y * y).sqrt() * cos);
            let lens = Projection::Perspective { fov_y_rad: FOV_Y_RAD };
            Camera::look_at(center + direction * distance, center, lens, 1.0)
        })
        .collect()
}

fn first_hit(mesh: &TriMesh, tree: &SearchTree, origin: Vec3, direction: Vec3) -> Option<Nearest> {
    let mut first = (f32::INFINITY, u32::MAX);
    tree.traverse(origin, direction, 0.0, f32::MAX, |face, distance| {
        // The lower of two faces that share an edge, whatever the order.
        if (distance, face) < first {
            first = (distance, face);
        }
        false
    });
    let (distance, face) = first;
    distance.is_finite().then(|| {
        let point = origin + direction * distance;
        Nearest {
            face,
            point,
            barycentric: closest_barycentric(point, mesh.corners(face as usize)),
            distance_squared: 0.0,
        }
    })
}

fn mixed(mesh: &TriMesh, hit: &Nearest, value: impl Fn(usize) -> Vec3) -> Vec3 {
    let corners = mesh.triangles[hit.face as usize];
    (0..3)
        .map(|corner| value(corners[corner] as usize) * hit.barycentric[corner])
        .sum()
}

/// The first three channels at a place in `[0, 1]^2`, decoded before they are mixed.
fn bilinear<P: Pixel<Subpixel = u8>>(picture: &ImageBuffer<P, Vec<u8>>, uv: Vec2, decoded: impl Fn(u8) -> f32) -> Vec3 {
    let last = Vec2::new(picture.width() as f32, picture.height() as f32) - 1.0;
    let pixel = (uv * (last + 1.0) - 0.5).clamp(Vec2::ZERO, last);
    let (base, fraction) = (pixel.floor(), pixel.fract());
    let at = |x: f32, y: f32| {
        let place = (base + Vec2::new(x, y)).min(last);
        let pixel = picture.get_pixel(place.x as u32, place.y as u32);
        let [red, green, blue] = pixel.to_rgb().0;
        Vec3::new(decoded(red), decoded(green), decoded(blue))
    };
    let upper = at(0.0, 0.0).lerp(at(1.0, 0.0), fraction.x);
    let lower = at(0.0, 1.0).lerp(at(1.0, 1.0), fraction.x);
    upper.lerp(lower, fraction.y)
}
