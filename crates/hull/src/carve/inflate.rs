//! One outline becomes a rounded solid whose thickness follows the local width.
//!
//! Half the thickness is `h = sqrt(u)` with `u` from a Poisson equation on the outline's inside: a disc gives a
//! sphere, an arm a tube, and what joins them is smooth. The solid is `{ z^2 < u }`, with `z` the depth from the
//! middle plane; `u - z^2` is smooth across the outline, where `h` itself would have a vertical tangent, so a grid
//! follows it to a fraction of a cell.

use bozzetto_engine::EngineError;
use glam::{Vec2, Vec3};

use super::poisson::{Domain, solve};
use super::relief::Relief;
use crate::fit::FittedView;
use crate::params::Settings;
use crate::progress::Progress;

/// Nodes along the longer side of the outline's bounds.
const NODES: f32 = 448.0;
/// Depth compared with the Poisson solution at thickness 1: a long tube of the solution is 1.41 times as deep as wide.
const DEPTH: f32 = 0.8;
/// Height of relief 1, metres.
const RELIEF_HEIGHT: f32 = 0.05;
/// Half thickness below which relief fades, metres.
const RELIEF_FADE: f32 = 0.06;

/// A solid over one outline.
pub(super) struct Inflated<'a> {
    view: &'a FittedView,
    low: Vec2,
    /// Picture pixels between nodes.
    spacing: f32,
    width: usize,
    height: usize,
    /// Half thickness squared and the length of its gradient over the picture, in picture pixels.
    squared: Vec<Vec2>,
    relief: Option<(Relief, f32)>,
    middle_depth: f32,
    depth_factor: f32,
}

impl<'a> Inflated<'a> {
    pub fn new(view: &'a FittedView, settings: &Settings, progress: &Progress<'_>) -> Result<Self, EngineError> {
        let silhouette = &view.silhouette;
        let spacing = (silhouette.extent().max_element() / NODES).max(0.5);
        let low = silhouette.bounds.0 - spacing * 4.0;
        let size = (silhouette.extent() / spacing).ceil() + 9.0;
        let (width, height) = (size.x as usize, size.y as usize);
        let distance: Vec<f32> = (0..width * height)
            .map(|index| {
                let node = Vec2::new((index % width) as f32, (index / width) as f32);
                silhouette.distance(low + node * spacing) / spacing
            })
            .collect();
        let widest = -distance.iter().fold(0.0f32, |least, value| least.min(*value));
        let domain = Domain {
            width,
            height,
            distance,
        };
        let part = progress.part(0, 300, 1);
        let u = solve(&domain, screen_length(settings.rounding, widest), &part)?;
        part.advance(1)?;
        let relief = (settings.relief > 0.0).then(|| (Relief::new(&view.view), settings.relief * RELIEF_HEIGHT));
        Ok(Self {
            view,
            low,
            spacing,
            width,
            height,
            squared: with_gradient(&u, width, height, spacing),
            relief,
            middle_depth: view.projector.project(Vec3::ZERO).depth,
            depth_factor: DEPTH * settings.thickness,
        })
    }

    /// Distance to the surface to first order, metres; negative inside.
    pub fn distance(&self, point: Vec3) -> f32 {
        let seen = self.view.projector.project(point);
        let scale = seen.metres_per_px;
        let outline = self.view.silhouette.distance(seen.pixel) * scale;
        let z = self.middle_depth - seen.depth;
        if outline > 4.0 * self.spacing * scale {
            return outline;
        }
        let at = self.squared_at(seen.pixel);
        let mut squared = at.x * scale * scale * self.depth_factor * self.depth_factor;
        let slope = at.y * scale * self.depth_factor * self.depth_factor;
        if let Some((relief, amplitude)) = &self.relief
            && z > 0.0
            && squared > 0.0
        {
            // The height changes by a factor, so the sign of the field, and with it the outline, stays.
            let half = squared.sqrt();
            let fade = (half / RELIEF_FADE).min(1.0);
            let raised = half + relief.at(seen.pixel) * amplitude * fade * fade;
            let raised = raised.max(half * 0.4);
            squared = raised * raised;
        }
        let inside = squared - z * z;
        let gradient = (slope * slope + 4.0 * z * z).sqrt();
        let solid = -inside / (gradient + inside.max(0.0).sqrt()).max(1e-6);
        solid.max(outline)
    }

    fn squared_at(&self, pixel: Vec2) -> Vec2 {
        let limit = Vec2::new(self.width as f32, self.height as f32) - 1.001;
        let at = ((pixel - self.low) / self.spacing).clamp(Vec2::ZERO, limit);
        let base = at.floor();
        let f = at - base;
        let index = base.y as usize * self.width + base.x as usize;
        let row = |index: usize| self.squared[index].lerp(self.squared[index + 1], f.x);
        row(index).lerp(row(index + self.width), f.y)
    }
}

/// Length beyond which the Poisson solution flattens: without end at full rounding, a small part of the widest
/// place's radius at none.
fn screen_length(rounding: f32, widest: f32) -> f32 {
    if rounding >= 0.999 {
        f32::INFINITY
    } else {
        widest * (0.12 + 0.5 * rounding / (1.0 - rounding))
    }
}

fn with_gradient(u: &[f32], width: usize, height: usize, spacing: f32) -> Vec<Vec2> {
    (0..width * height)
        .map(|index| {
            let (x, y) = (index % width, index / width);
            let at = |x: usize, y: usize| u[y * width + x];
            let along_x = at((x + 1).min(width - 1), y) - at(x.saturating_sub(1), y);
            let along_y = at(x, (y + 1).min(height - 1)) - at(x, y.saturating_sub(1));
            let gradient = Vec2::new(along_x, along_y).length() * 0.5;
            Vec2::new(u[index] * spacing * spacing, gradient * spacing)
        })
        .collect()
}
