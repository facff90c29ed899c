//! Pictures for the fixtures: a small clay figure, drawn by marching rays through a distance field.

use std::collections::BTreeMap;
use std::sync::Arc;

use bozzetto::app::state::Picture;
use egui::{Color32, ColorImage};
use glam::{Vec2, Vec3};
use parking_lot::Mutex;

/// How a figure is seen.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Turn about the vertical, radians.
    pub azimuth: f32,
    /// Colour of the figure, linear-ish.
    pub tint: Vec3,
    /// Colour of the ground; `None` for transparent.
    pub ground: Option<u8>,
}

/// Distance to the figure: a body, a head, two ears, a foot.
fn distance(at: Vec3) -> f32 {
    let ball = |center: Vec3, radius: f32| (at - center).length() - radius;
    let blend = |a: f32, b: f32, soft: f32| {
        let h = (0.5 + 0.5 * (b - a) / soft).clamp(0.0, 1.0);
        b + (a - b) * h - soft * h * (1.0 - h)
    };
    let body = ball(Vec3::new(0.0, -0.18, 0.0), 0.3);
    let head = ball(Vec3::new(0.0, 0.22, 0.08), 0.2);
    let nose = ball(Vec3::new(0.0, 0.18, 0.3), 0.06);
    let ear = |x: f32| ball(Vec3::new(x, 0.42, 0.04), 0.075);
    let foot = |x: f32| ball(Vec3::new(x, -0.42, 0.14), 0.12);
    let tail = ball(Vec3::new(0.0, -0.3, -0.36), 0.1);
    [nose, ear(0.14), ear(-0.14), foot(0.18), foot(-0.18), tail]
        .into_iter()
        .fold(blend(body, head, 0.12), |sum, part| blend(sum, part, 0.06))
}

fn shade(look: Look, point: Vec2) -> Option<Vec3> {
    let (sin, cos) = look.azimuth.sin_cos();
    let turn = |v: Vec3| Vec3::new(v.x * cos + v.z * sin, v.y, v.z * cos - v.x * sin);
    let direction = turn(Vec3::new(0.0, 0.0, -1.0));
    let mut at = turn(Vec3::new(point.x, point.y, 1.0));
    if point.length() > 0.62 {
        return None;
    }
    for _ in 0..28 {
        let step = distance(at);
        if step < 0.002 {
            let e = 0.003;
            let slope = |axis: Vec3| distance(at + axis * e) - distance(at - axis * e);
            let normal = Vec3::new(slope(Vec3::X), slope(Vec3::Y), slope(Vec3::Z)).normalize_or(Vec3::Y);
            let light = turn(Vec3::new(0.45, 0.7, 0.55).normalize());
            let key = normal.dot(light).max(0.0);
            let sky = normal.y * 0.5 + 0.5;
            return Some(look.tint * (0.22 + 0.25 * sky + 0.75 * key));
        }
        at += direction * step;
    }
    None
}

/// The figure as a picture. Drawn once a process: the tests open many windows, and marching rays takes its time.
pub fn figure(ctx: &egui::Context, name: &str, size: [usize; 2], look: Look) -> Picture {
    static DRAWN: Mutex<BTreeMap<String, Arc<ColorImage>>> = Mutex::new(BTreeMap::new());
    let image = DRAWN
        .lock()
        .entry(format!("{size:?} {look:?}"))
        .or_insert_with(|| Arc::new(draw(size, look)))
        .clone();
    Picture::new(ctx, name, image)
}

fn draw(size: [usize; 2], look: Look) -> ColorImage {
    let pixels = (0..size[0] * size[1])
        .map(|index| {
            let (x, y) = ((index % size[0]) as f32 + 0.5, (index / size[0]) as f32 + 0.5);
            let scale = 1.2 / size[1] as f32;
            let point = Vec2::new(x - size[0] as f32 * 0.5, size[1] as f32 * 0.5 - y) * scale;
            match (shade(look, point), look.ground) {
                (Some(color), _) => {
                    let [r, g, b] = color.to_array().map(|v| (v.clamp(0.0, 1.0).powf(0.8) * 255.0) as u8);
                    Color32::from_rgba_premultiplied(r, g, b, 255)
                }
                (None, Some(gray)) => Color32::from_gray(gray),
                (None, None) => Color32::TRANSPARENT,
            }
        })
        .collect();
    ColorImage::new(size, pixels)
}

/// Clay red.
pub const CLAY: Vec3 = Vec3::new(0.74, 0.42, 0.3);

/// What stands in for the 3D scene.
pub fn stage(ctx: &egui::Context) -> Picture {
    let look = Look {
        azimuth: 0.6,
        tint: CLAY,
        ground: None,
    };
    figure(ctx, "stage", [560, 560], look)
}
