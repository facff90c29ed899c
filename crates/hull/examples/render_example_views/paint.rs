//! The owl's glaze: painted patterns for every part, as sRGB colours.

use std::f32::consts::{PI, TAU};

use glam::{Vec2, Vec3};

use crate::owl::{self, EYE, Part};

const CREAM: Vec3 = Vec3::new(0.93, 0.87, 0.76);
const WHITE: Vec3 = Vec3::new(0.97, 0.94, 0.88);
const TERRACOTTA: Vec3 = Vec3::new(0.74, 0.34, 0.21);
const ROSE: Vec3 = Vec3::new(0.87, 0.56, 0.44);
const OCHRE: Vec3 = Vec3::new(0.89, 0.64, 0.25);
const TEAL: Vec3 = Vec3::new(0.10, 0.36, 0.40);
const TURQUOISE: Vec3 = Vec3::new(0.30, 0.60, 0.58);
const INK: Vec3 = Vec3::new(0.13, 0.14, 0.20);

/// Colour of a surface point, sRGB in `[0, 1]`.
pub fn color(p: Vec3) -> Vec3 {
    let painted = match owl::part(p) {
        Part::Body => body(p),
        Part::Brow => brow(p),
        Part::Tuft => tuft(p),
        Part::Eye => eye(p),
        Part::Beak => OCHRE.lerp(TERRACOTTA, ((0.15 - p.y) / 0.06).clamp(0.0, 1.0) * 0.6),
        Part::Wing => wing(p),
        Part::Tail => tail(p),
        Part::Foot => foot(p),
    };
    // Glaze is never quite even.
    (painted * (1.0 + 0.07 * (mottle(p * 11.0) - 0.5) + 0.05 * (mottle(p * 29.0) - 0.5))).clamp(Vec3::ZERO, Vec3::ONE)
}

fn body(p: Vec3) -> Vec3 {
    if p.y < owl::FLOOR + 0.004 {
        return TERRACOTTA * 0.8;
    }
    let at = owl::round_axis(p);
    if let Some(color) = face(p) {
        return color;
    }
    if let Some(color) = collar(at) {
        return color;
    }
    if p.y > 0.03 {
        return crown(p);
    }
    belly(at).unwrap_or_else(|| back(at))
}

/// Pale discs round the eyes with a rim of strokes like fine feathers.
fn face(p: Vec3) -> Option<Vec3> {
    if p.z < 0.0 {
        return None;
    }
    let from_eye = Vec2::new(p.x.abs() - EYE.x, p.y - EYE.y);
    let radius = from_eye.length();
    let angle = from_eye.y.atan2(from_eye.x);
    match radius {
        r if r < 0.076 => Some(INK),
        r if r < 0.118 => {
            let stroke = (angle * 14.0).cos() > 0.35 && r > 0.086;
            Some(if stroke { ROSE } else { WHITE })
        }
        r if r < 0.130 => Some(TERRACOTTA),
        _ => None,
    }
}

/// A band round the neck with a row of triangles.
fn collar(at: Vec2) -> Option<Vec3> {
    let (low, high) = (-0.012, 0.045);
    let height = (at.y - low) / (high - low);
    if !(0.0..1.0).contains(&height) {
        return None;
    }
    let is_rim = !(0.14..0.86).contains(&height);
    let tooth = (at.x / TAU * 36.0).rem_euclid(1.0);
    let is_tooth = (tooth - 0.5).abs() * 2.0 < 1.0 - (height - 0.14) / 0.72;
    Some(if is_rim {
        INK
    } else if is_tooth {
        TERRACOTTA
    } else {
        OCHRE
    })
}

/// The head's cap: strokes that run up to the crown, and a bright spot on top.
fn crown(p: Vec3) -> Vec3 {
    let top = Vec2::new(p.x, p.z - 0.015);
    let (radius, angle) = (top.length(), top.y.atan2(top.x));
    if p.y > 0.3 && radius < 0.045 {
        return OCHRE;
    }
    if p.y > 0.3 && radius < 0.058 {
        return INK;
    }
    let height = (p.y - 0.045) / 0.35;
    // Strokes that start as a point above the dots and widen upwards.
    let is_ray = (angle * 9.0).cos() > 1.0 - 0.42 * (height - 0.38);
    let is_dot = dots(Vec2::new(angle * 0.2, p.y), 0.044, 0.0075);
    let ground = TEAL.lerp(TURQUOISE, height.clamp(0.0, 1.0) * 0.55);
    if is_ray {
        CREAM
    } else if is_dot && p.y < 0.19 {
        OCHRE
    } else {
        ground
    }
}

/// The front: a pale oval of painted scales.
fn belly(at: Vec2) -> Option<Vec3> {
    let reach = (at.x / 0.86).hypot((at.y + 0.205) / 0.205);
    if reach > 1.0 || at.y < -0.42 {
        return None;
    }
    if reach > 0.945 {
        return Some(OCHRE);
    }
    if reach > 0.905 {
        return Some(INK);
    }
    let (row, edge, offset) = scale_at(Vec2::new(at.x * 0.265, -at.y), 0.068);
    let is_stroke = offset.x.abs() < 0.0035 && edge > 0.014 && offset.y > 0.008;
    Some(if edge < 0.0065 {
        TERRACOTTA
    } else if is_stroke {
        ROSE
    } else if row % 2 == 0 {
        WHITE
    } else {
        CREAM
    })
}

/// The back: a large flower among dots, darker towards the foot.
fn back(at: Vec2) -> Vec3 {
    let round = (at.x.abs() - PI) * at.x.signum();
    let from_flower = Vec2::new(round * 0.27, at.y + 0.165);
    if let Some(color) = flower(from_flower) {
        return color;
    }
    let ground = TURQUOISE.lerp(TEAL, ((-at.y - 0.02) / 0.4).clamp(0.0, 1.0) * 0.75 + 0.2);
    let is_hem = (-0.425..-0.405).contains(&at.y);
    if is_hem {
        OCHRE
    } else if dots(Vec2::new(at.x * 0.27, at.y), 0.056, 0.0105) && at.y > -0.4 && from_flower.length() > 0.15 {
        CREAM
    } else {
        ground
    }
}

fn flower(at: Vec2) -> Option<Vec3> {
    let (radius, angle) = (at.length(), at.y.atan2(at.x));
    let outer = 0.128 * (0.62 + 0.38 * (angle * 4.0).cos().abs().sqrt());
    let inner = 0.085 * (0.55 + 0.45 * ((angle + PI / 8.0) * 4.0).cos().abs().sqrt());
    match radius {
        r if r < 0.02 => Some(INK),
        r if r < 0.036 => Some(OCHRE),
        r if r < inner - 0.007 => Some(TERRACOTTA),
        r if r < inner => Some(INK),
        r if r < outer - 0.008 => Some(if (angle * 4.0).sin().abs() < 0.16 && r > 0.06 {
            ROSE
        } else {
            CREAM
        }),
        r if r < outer => Some(INK),
        _ => None,
    }
}

fn brow(p: Vec3) -> Vec3 {
    let along = (p.x.abs() - 0.01) / 0.16;
    if (along * 7.0).rem_euclid(1.0) < 0.3 && along > 0.1 {
        OCHRE
    } else {
        TERRACOTTA
    }
}

fn tuft(p: Vec3) -> Vec3 {
    let height = (p.y - 0.33) / 0.13;
    let is_inner = p.z > 0.035 && (p.x.abs() - 0.135 - (p.y - 0.31) * 0.53).abs() < 0.034 - height * 0.018;
    if height > 0.62 {
        INK
    } else if height > 0.5 {
        OCHRE
    } else if is_inner {
        ROSE
    } else {
        TEAL.lerp(TURQUOISE, 0.45)
    }
}

fn eye(p: Vec3) -> Vec3 {
    // The owl looks a little up and to the middle, which makes it friendly.
    let gaze = Vec3::new(-0.06, 0.05, 1.0).normalize();
    let out = Vec3::new(p.x.abs(), p.y, p.z) - EYE;
    let off = out.normalize_or(gaze).dot(gaze).clamp(-1.0, 1.0).acos();
    // The light's reflection lies on the same side of both eyes.
    let glint = Vec3::new(0.25, 0.36, 0.92).normalize();
    let unmirrored = Vec3::new(p.x - EYE.x * p.x.signum(), out.y, out.z);
    if unmirrored.normalize_or(gaze).dot(glint) > 0.978 {
        return WHITE;
    }
    match off {
        off if off < 0.46 => INK,
        off if off < 0.86 => {
            let ray = (out.y.atan2(out.x) * 20.0).cos() > 0.4;
            if ray { OCHRE } else { OCHRE.lerp(TERRACOTTA, 0.35) }
        }
        off if off < 0.95 => INK,
        _ => WHITE,
    }
}

/// Long feathers in bands of colour below a shoulder of small scales.
fn wing(p: Vec3) -> Vec3 {
    const BANDS: [Vec3; 5] = [TURQUOISE, CREAM, OCHRE, TERRACOTTA, TEAL];
    let q = owl::in_wing(p);
    let at = Vec2::new(q.z + 0.35 * q.y.min(0.0) * 0.4, -q.y);
    let (row, edge, offset) = scale_at(at + Vec2::new(0.0, 0.3), 0.092);
    let band = BANDS[row.rem_euclid(5) as usize];
    let is_quill = offset.x.abs() < 0.0035 && offset.y > 0.004 && edge > 0.014;
    if edge < 0.006 {
        INK
    } else if edge < 0.0135 {
        WHITE
    } else if is_quill {
        INK.lerp(band, 0.35)
    } else {
        band
    }
}

fn tail(p: Vec3) -> Vec3 {
    let along = (-p.z - 0.2) / 0.16;
    let is_barb = (p.x.abs() * 26.0).rem_euclid(1.0) < 0.1;
    let stripe = (along * 4.2 - p.x.abs() * 2.5).rem_euclid(1.0);
    if is_barb {
        INK
    } else if stripe < 0.45 {
        TERRACOTTA
    } else if stripe < 0.55 {
        INK
    } else {
        OCHRE
    }
}

fn foot(p: Vec3) -> Vec3 {
    if p.z > 0.262 {
        INK
    } else {
        let is_ring = ((p.z - 0.18) * 42.0).rem_euclid(1.0) < 0.22;
        if is_ring { TERRACOTTA } else { OCHRE }
    }
}

/// Overlapping scales, rows downwards: the row, how deep inside its scale the point lies, and the offset from the
/// scale's centre, all in the units of `at`.
fn scale_at(at: Vec2, pitch: f32) -> (i32, f32, Vec2) {
    let height = pitch * 0.5;
    let radius = pitch * 0.56;
    let nearest_row = (at.y / height).floor() as i32;
    for row in nearest_row - 1..=nearest_row + 1 {
        let shift = if row.rem_euclid(2) == 0 { 0.0 } else { 0.5 };
        let column = (at.x / pitch - shift).round() + shift;
        let offset = at - Vec2::new(column * pitch, row as f32 * height);
        if offset.length() < radius {
            return (row, radius - offset.length(), offset);
        }
    }
    (nearest_row, 0.0, Vec2::ZERO)
}

/// Whether a point lies in one of a field of dots, each row shifted by half a step.
fn dots(at: Vec2, pitch: f32, radius: f32) -> bool {
    let row = (at.y / (pitch * 0.866)).round();
    let shift = if (row as i32).rem_euclid(2) == 0 { 0.0 } else { 0.5 };
    let column = (at.x / pitch - shift).round() + shift;
    (at - Vec2::new(column * pitch, row * pitch * 0.866)).length() < radius
}

/// Smooth noise in `[0, 1]` with features of about unit size.
fn mottle(p: Vec3) -> f32 {
    let cell = p.floor();
    let f = p - cell;
    let f = f * f * (Vec3::splat(3.0) - 2.0 * f);
    let corner = |dx: f32, dy: f32, dz: f32| hash(cell + Vec3::new(dx, dy, dz));
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let low = mix(
        mix(corner(0.0, 0.0, 0.0), corner(1.0, 0.0, 0.0), f.x),
        mix(corner(0.0, 1.0, 0.0), corner(1.0, 1.0, 0.0), f.x),
        f.y,
    );
    let high = mix(
        mix(corner(0.0, 0.0, 1.0), corner(1.0, 0.0, 1.0), f.x),
        mix(corner(0.0, 1.0, 1.0), corner(1.0, 1.0, 1.0), f.x),
        f.y,
    );
    mix(low, high, f.z)
}

fn hash(cell: Vec3) -> f32 {
    let [x, y, z] = [cell.x, cell.y, cell.z].map(|value| value as i32 as u32);
    let mut state = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ z.wrapping_mul(0xC2B2_AE3D);
    state ^= state >> 15;
    state = state.wrapping_mul(0x2C1B_3C6D);
    state ^= state >> 13;
    (state & 0xFFFF) as f32 / 65535.0
}
