//! A clay owl as a signed distance function: metres, +Y up, looking along +Z, inside the unit cube.

use glam::{Quat, Vec2, Vec3};

/// What a point of the surface belongs to; the paint depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Body,
    Brow,
    Tuft,
    Eye,
    Beak,
    Wing,
    Tail,
    Foot,
}

/// Height of the flat underside that the owl stands on.
pub const FLOOR: f32 = -0.465;
/// Centre of the right half's eye; the owl is its own mirror image.
pub const EYE: Vec3 = Vec3::new(0.098, 0.2, 0.2);

/// Signed distance to the owl's surface.
pub fn distance(point: Vec3) -> f32 {
    let p = Vec3::new(point.x.abs(), point.y, point.z);
    let mut d = smooth_min(body(p), brow(p), 0.035);
    d = smooth_min(d, tuft(p), 0.05);
    d = smooth_min(d, wing(p), 0.018);
    d = smooth_min(d, tail(p), 0.03);
    d = smooth_min(d, foot(p), 0.02);
    d = smooth_min(d, eye(p), 0.008);
    d = smooth_min(d, beak(p), 0.014);
    -smooth_min(-d, p.y - FLOOR, 0.02)
}

/// The part that a point on the surface belongs to.
pub fn part(point: Vec3) -> Part {
    let p = Vec3::new(point.x.abs(), point.y, point.z);
    let parts = [
        (Part::Body, body(p)),
        (Part::Brow, brow(p)),
        (Part::Tuft, tuft(p)),
        (Part::Eye, eye(p)),
        (Part::Beak, beak(p)),
        (Part::Wing, wing(p)),
        (Part::Tail, tail(p)),
        (Part::Foot, foot(p)),
    ];
    parts
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(Part::Body, |part| part.0)
}

/// A point in the wing's own frame: x outwards, y up along the wing, z forwards.
pub fn in_wing(point: Vec3) -> Vec3 {
    let p = Vec3::new(point.x.abs(), point.y, point.z) - Vec3::new(0.262, -0.105, -0.025);
    Quat::from_rotation_x(-0.22) * (Quat::from_rotation_z(-0.13) * p)
}

fn body(p: Vec3) -> f32 {
    let trunk = ellipsoid(p - Vec3::new(0.0, -0.165, 0.0), Vec3::new(0.282, 0.315, 0.262));
    let head = ellipsoid(p - Vec3::new(0.0, 0.185, 0.015), Vec3::new(0.252, 0.215, 0.222));
    smooth_min(trunk, head, 0.05)
}

fn brow(p: Vec3) -> f32 {
    cone(
        p,
        Vec3::new(0.012, 0.225, 0.222),
        0.026,
        Vec3::new(0.165, 0.335, 0.105),
        0.034,
    )
}

fn tuft(p: Vec3) -> f32 {
    cone(
        p,
        Vec3::new(0.135, 0.31, 0.02),
        0.078,
        Vec3::new(0.208, 0.447, 0.0),
        0.021,
    )
}

fn eye(p: Vec3) -> f32 {
    (p - EYE).length() - 0.064
}

fn beak(p: Vec3) -> f32 {
    cone(
        p,
        Vec3::new(0.0, 0.165, 0.226),
        0.038,
        Vec3::new(0.0, 0.098, 0.272),
        0.014,
    )
}

fn wing(p: Vec3) -> f32 {
    let q = in_wing(p);
    let feathers = ellipsoid(q, Vec3::new(0.062, 0.255, 0.168));
    // The tip draws out downwards and back.
    let tip = cone(
        q,
        Vec3::new(0.0, -0.13, -0.05),
        0.055,
        Vec3::new(-0.012, -0.245, -0.125),
        0.022,
    );
    smooth_min(feathers, tip, 0.05)
}

fn tail(p: Vec3) -> f32 {
    let q = Quat::from_rotation_x(0.5) * (p - Vec3::new(0.0, -0.345, -0.235));
    ellipsoid(q, Vec3::new(0.125, 0.052, 0.135))
}

fn foot(p: Vec3) -> f32 {
    let heel = Vec3::new(0.105, -0.425, 0.165);
    [-0.052, 0.0, 0.052]
        .into_iter()
        .map(|spread: f32| {
            let toe = heel + Vec3::new(spread, -0.012, 0.108 - spread.abs() * 0.45);
            cone(p, heel, 0.042, toe, 0.031)
        })
        .reduce(|a, b| smooth_min(a, b, 0.008))
        .unwrap_or(f32::MAX)
}

/// A bound on the distance to an ellipsoid, exact on its surface (Inigo Quilez, "Ellipsoid SDF").
fn ellipsoid(p: Vec3, radii: Vec3) -> f32 {
    let scaled = (p / radii).length();
    let gradient = (p / (radii * radii)).length();
    if gradient < 1e-6 {
        return -radii.min_element();
    }
    scaled * (scaled - 1.0) / gradient
}

/// A capsule whose radius runs from `ra` at `a` to `rb` at `b`.
fn cone(p: Vec3, a: Vec3, ra: f32, b: Vec3, rb: f32) -> f32 {
    let axis = b - a;
    let along = (p - a).dot(axis) / axis.length_squared();
    let plain = along.clamp(0.0, 1.0);
    // The nearest point of a cone's flank lies further along than the foot of the perpendicular.
    let slope = (rb - ra) / axis.length();
    let across = (p - a - axis * along).length();
    let t = (along + across * slope / axis.length()).clamp(0.0, 1.0);
    let exact = |t: f32| (p - a - axis * t).length() - (ra + (rb - ra) * t);
    exact(t).min(exact(plain))
}

/// The lesser of two distances with a rounding of radius `k` where they meet (Inigo Quilez, "Smooth minimum").
fn smooth_min(a: f32, b: f32, k: f32) -> f32 {
    let h = (1.0 - (a - b).abs() / (2.0 * k)).max(0.0);
    a.min(b) - h * h * k * 0.5
}

/// Unit normal of the surface at a point, by central differences.
pub fn normal(p: Vec3) -> Vec3 {
    let step = 4e-4;
    let along = |axis: Vec3| distance(p + axis * step) - distance(p - axis * step);
    Vec3::new(along(Vec3::X), along(Vec3::Y), along(Vec3::Z)).normalize_or(Vec3::Y)
}

/// How open the surroundings of a surface point are, 1 for open: distances along the normal fall short of the steps
/// taken where something is near.
pub fn openness(p: Vec3, normal: Vec3) -> f32 {
    let mut closed = 0.0;
    for step in 1..=6 {
        let away = step as f32 * 0.028;
        closed += (away - distance(p + normal * away)).max(0.0) / (1.0 + step as f32 * 0.6);
    }
    (1.0 - 4.2 * closed).clamp(0.0, 1.0)
}

/// The first point of the owl on a ray, by sphere tracing; `None` when the ray misses it.
pub fn hit(origin: Vec3, direction: Vec3) -> Option<Vec3> {
    // Between the tangent planes of a sphere round the owl.
    let middle = -origin.dot(direction);
    let radius = 0.66_f32;
    let miss = (origin + direction * middle).length();
    if miss > radius {
        return None;
    }
    let half = (radius * radius - miss * miss).sqrt();
    let (mut t, end) = (middle - half, middle + half);
    for _ in 0..160 {
        let gap = distance(origin + direction * t);
        if gap < 2e-4 {
            return Some(origin + direction * t);
        }
        // Blends and ellipsoids bend the distance a little, so the steps keep a margin.
        t += gap * 0.85;
        if t > end {
            return None;
        }
    }
    None
}

/// Where a surface point lies round the owl's axis: azimuth from the front in radians, and height.
pub fn round_axis(p: Vec3) -> Vec2 {
    Vec2::new(p.x.atan2(p.z), p.y)
}
