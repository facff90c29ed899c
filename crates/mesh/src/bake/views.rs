use bozzetto_asset::{Camera, PbrSample, PreparedView, Projection, TriMesh, color};
use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::vertex_colors::{VertexColorSampler, dielectric, interpolated};
use super::{Sampler, Surface};
use crate::control::Meter;
use crate::nearest::Nearest;
use crate::topology::{NONE, diagonal};
use crate::{Control, MeshError, Step};

/// Views at a flatter angle than this cosine do not count: their texels are stretched.
const MIN_COSINE: f32 = 0.15;
/// The steeper, the more the view that looks straight on wins over the others.
const SHARPNESS: i32 = 4;
/// Matte is looked at this far around a pixel, so that colour of the background does not bleed in at outlines.
const RIM_PX: f32 = 2.5;
/// What the colour of the unseen weighs against a view that looks straight on.
const FILL_WEIGHT: f32 = 1e-3;
/// Rounds of the fill; each reaches one edge further, and the start is spread along edges first.
const FILL_ROUNDS: usize = 48;

/// Blends views by how well they see a point.
pub struct ViewSampler<'a> {
    surface: Surface<'a>,
    views: &'a [(PreparedView, Camera)],
    ray_offset: f32,
    unseen: Unseen<'a>,
}

/// Where the colour of what no view sees comes from.
enum Unseen<'a> {
    /// From what lies around it: one colour a vertex of the dense mesh.
    Around(Vec<Vec3>),
    /// From elsewhere, as everything else than the base colour does then.
    Elsewhere(Box<dyn Sampler + 'a>),
}

impl<'a> ViewSampler<'a> {
    /// Looks at every vertex from every view and spreads colours to those that none sees.
    pub fn new(
        surface: Surface<'a>,
        views: &'a [(PreparedView, Camera)],
        control: &Control<'_>,
    ) -> Result<Self, MeshError> {
        let mut sampler = Self::over(surface, views, Box::new(VertexColorSampler::new(surface.mesh)));
        let mesh = surface.mesh;
        let meter = Meter::new(control, Step::Bake, mesh.positions.len());
        let seen = (0..mesh.positions.len())
            .into_par_iter()
            .map(|vertex| {
                if vertex % 256 == 0 {
                    meter.add(256.min(mesh.positions.len() - vertex))?;
                }
                Ok(sampler.blend(mesh.positions[vertex], mesh.normals[vertex]))
            })
            .collect::<Result<Vec<_>, MeshError>>()?;
        sampler.unseen = Unseen::Around(filled(mesh, &seen, control)?);
        Ok(sampler)
    }

    /// Base colours of the views over another material, which shows where none sees.
    pub fn over(surface: Surface<'a>, views: &'a [(PreparedView, Camera)], material: Box<dyn Sampler + 'a>) -> Self {
        Self {
            surface,
            views,
            ray_offset: diagonal(surface.mesh) * 2e-4,
            unseen: Unseen::Elsewhere(material),
        }
    }

    /// Sum of weighted colours, and of weights.
    fn blend(&self, point: Vec3, normal: Vec3) -> (Vec3, f32) {
        self.views
            .iter()
            .fold((Vec3::ZERO, 0.0), |(sum, total), (view, camera)| {
                match self.seen_by(view, camera, point, normal) {
                    Some((color, weight)) => (sum + color * weight, total + weight),
                    None => (sum, total),
                }
            })
    }

    fn seen_by(&self, view: &PreparedView, camera: &Camera, point: Vec3, normal: Vec3) -> Option<(Vec3, f32)> {
        let (toward_eye, distance) = match camera.projection {
            Projection::Perspective { .. } => {
                let offset = camera.eye() - point;
                (offset.try_normalize()?, offset.length())
            }
            Projection::Orthographic { .. } => (-camera.forward(), f32::MAX),
        };
        let cosine = normal.dot(toward_eye);
        if cosine <= MIN_COSINE || view.weight <= 0.0 {
            return None;
        }
        let (place, _) = camera.project(point)?;
        if !(place.cmpge(Vec2::ZERO).all() && place.cmple(Vec2::ONE).all()) {
            return None;
        }
        let matte = matte_around(view, place);
        if matte <= 0.0 {
            return None;
        }
        let origin = point + (normal + toward_eye) * self.ray_offset;
        if self.surface.tree.is_occluded(origin, toward_eye, 0.0, distance) {
            return None;
        }
        let straightness = (cosine - MIN_COSINE) / (1.0 - MIN_COSINE);
        Some((
            color_at(view, place),
            straightness.powi(SHARPNESS) * matte * view.weight,
        ))
    }
}

impl Sampler for ViewSampler<'_> {
    fn sample(&self, hit: &Nearest, normal: Vec3) -> PbrSample {
        let (sum, total) = self.blend(hit.point, normal);
        let unseen = match &self.unseen {
            Unseen::Around(colors) => dielectric(interpolated(colors, self.surface.mesh, hit)),
            Unseen::Elsewhere(material) => material.sample(hit, normal),
        };
        let color = (sum + Vec3::from_array(unseen.base_color) * FILL_WEIGHT) / (total + FILL_WEIGHT);
        PbrSample {
            base_color: color.to_array(),
            ..unseen
        }
    }
}

/// The least matte at a place and on a ring around it, squared so that the blend starts softly.
fn matte_around(view: &PreparedView, place: Vec2) -> f32 {
    let size = Vec2::new(view.matte.width() as f32, view.matte.height() as f32);
    if size.min_element() < 1.0 {
        return 0.0;
    }
    let last = size - 1.0;
    let at = |offset: Vec2| {
        let pixel = (place * size - 0.5 + offset).round().clamp(Vec2::ZERO, last);
        f32::from(view.matte.get_pixel(pixel.x as u32, pixel.y as u32).0[0]) / 255.0
    };
    let least = [
        (0.0, 0.0),
        (1.0, 0.0),
        (-1.0, 0.0),
        (0.0, 1.0),
        (0.0, -1.0),
        (0.7, 0.7),
        (0.7, -0.7),
        (-0.7, 0.7),
        (-0.7, -0.7),
    ]
    .iter()
    .map(|&(x, y)| at(Vec2::new(x, y) * RIM_PX))
    .fold(1.0, f32::min);
    least * least
}

/// Bilinear, in linear light.
fn color_at(view: &PreparedView, place: Vec2) -> Vec3 {
    let size = Vec2::new(view.color.width() as f32, view.color.height() as f32);
    if size.min_element() < 1.0 {
        return Vec3::ZERO;
    }
    let pixel = (place * size - 0.5).clamp(Vec2::ZERO, size - 1.0);
    let base = pixel.floor();
    let fraction = pixel - base;
    let (x, y) = (base.x as u32, base.y as u32);
    let at = |x: u32, y: u32| {
        let pixel = view
            .color
            .get_pixel(x.min(view.color.width() - 1), y.min(view.color.height() - 1));
        Vec3::from_array(pixel.0.map(color::linear_from_srgb_u8))
    };
    let upper = at(x, y).lerp(at(x + 1, y), fraction.x);
    let lower = at(x, y + 1).lerp(at(x + 1, y + 1), fraction.x);
    upper.lerp(lower, fraction.y)
}

/// Colours of seen vertices, and for the others a smooth continuation over the surface: first each takes the colour
/// of the closest seen one along edges, then the unseen relax towards the mean of their neighbours.
fn filled(mesh: &TriMesh, seen: &[(Vec3, f32)], control: &Control<'_>) -> Result<Vec<Vec3>, MeshError> {
    let neighbors = VertexNeighbors::of(mesh);
    let is_known: Vec<bool> = seen.iter().map(|&(_, weight)| weight > 1e-3).collect();
    let known: Vec<Vec3> = seen
        .iter()
        .zip(&is_known)
        .filter(|&(_, &known)| known)
        .map(|((sum, total), _)| *sum / *total)
        .collect();
    let mean = if known.is_empty() {
        Vec3::splat(0.5)
    } else {
        known.iter().sum::<Vec3>() / known.len() as f32
    };
    let mut colors: Vec<Vec3> = seen
        .iter()
        .zip(&is_known)
        .map(|(&(sum, total), &known)| if known { sum / total } else { mean })
        .collect();
    let mut is_reached = is_known.clone();
    let mut front: Vec<u32> = (0..seen.len() as u32)
        .filter(|&vertex| is_known[vertex as usize])
        .collect();
    while !front.is_empty() {
        control.check(Step::Bake)?;
        let mut next = Vec::new();
        for &vertex in &front {
            for &neighbor in neighbors.of_vertex(vertex) {
                if !is_reached[neighbor as usize] {
                    is_reached[neighbor as usize] = true;
                    colors[neighbor as usize] = colors[vertex as usize];
                    next.push(neighbor);
                }
            }
        }
        front = next;
    }
    for _ in 0..FILL_ROUNDS {
        control.check(Step::Bake)?;
        colors = (0..seen.len() as u32)
            .into_par_iter()
            .map(|vertex| {
                let around = neighbors.of_vertex(vertex);
                if is_known[vertex as usize] || around.is_empty() {
                    return colors[vertex as usize];
                }
                let sum: Vec3 = around.iter().map(|&neighbor| colors[neighbor as usize]).sum();
                sum / around.len() as f32
            })
            .collect();
    }
    Ok(colors)
}

/// The vertices at the other ends of each vertex' edges, once for each face side.
pub(super) struct VertexNeighbors {
    starts: Vec<u32>,
    neighbors: Vec<u32>,
}

impl VertexNeighbors {
    pub(super) fn of(mesh: &TriMesh) -> Self {
        let mut starts = vec![0_u32; mesh.positions.len() + 1];
        for &vertex in mesh.triangles.as_flattened() {
            starts[vertex as usize + 1] += 2;
        }
        for vertex in 0..mesh.positions.len() {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        let mut neighbors = vec![NONE; mesh.triangles.len() * 6];
        for triangle in &mesh.triangles {
            for corner in 0..3 {
                for other in [triangle[(corner + 1) % 3], triangle[(corner + 2) % 3]] {
                    let place = &mut next[triangle[corner] as usize];
                    neighbors[*place as usize] = other;
                    *place += 1;
                }
            }
        }
        Self { starts, neighbors }
    }

    pub(super) fn of_vertex(&self, vertex: u32) -> &[u32] {
        let vertex = vertex as usize;
        &self.neighbors[self.starts[vertex] as usize..self.starts[vertex + 1] as usize]
    }
}
