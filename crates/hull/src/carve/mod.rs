//! From outlines to a solid, as a field that is negative inside.

mod dense;
mod hull_field;
mod inflate;
mod medial;
mod poisson;
mod relief;
mod rounding;

use std::sync::Arc;

use bozzetto_engine::{EngineError, Event, Preview};
use glam::Vec3;

use crate::field::{Field, Lattice};
use crate::fit::Fitted;
use crate::nets;
use crate::params::Settings;
use crate::progress::Progress;
use hull_field::HullField;
use inflate::Inflated;
use rounding::Rounding;

/// Cells along a side of the shape shown first.
const PREVIEW_RESOLUTION: usize = 72;

/// Carves the solid: inflates one outline, or intersects several and rounds what they leave boxy.
pub(crate) fn carve(fitted: &Fitted, settings: &Settings, progress: &Progress<'_>) -> Result<Field, EngineError> {
    let lattice = Lattice::unit_cube(settings.resolution);
    if let [view] = fitted.views.as_slice() {
        let solid = Inflated::new(view, settings, progress)?;
        return evaluated(lattice, 1.6, &|point| solid.distance(point), progress);
    }
    let hull = HullField::new(&fitted.views, lattice.step);
    preview(&|point| hull.distance(point), 1.2, progress)?;
    let rounding = Rounding::new(&hull, settings, progress)?;
    let solid = |point: Vec3| {
        let outline = hull.distance(point);
        rounding
            .as_ref()
            .map_or(outline, |rounding| rounding.rounded(point, outline))
    };
    evaluated(lattice, 1.4, &solid, progress)
}

fn evaluated(
    lattice: Lattice,
    steepness: f32,
    solid: &(dyn Fn(Vec3) -> f32 + Sync),
    progress: &Progress<'_>,
) -> Result<Field, EngineError> {
    preview(solid, steepness, progress)?;
    // About a tenth of the bricks meet the surface; the rest of the share is reached at the end.
    let expected = (lattice.num_bricks as usize).pow(2) * 4;
    let field = Field::evaluate(
        lattice,
        steepness,
        &|point| solid(point).max(beyond_the_cube(point, lattice.step)),
        &progress.part(400, 990, expected),
    )?;
    progress.part(990, 1000, 1).advance(1)?;
    if field.bricks.is_empty() {
        return Err(EngineError::NoResult {
            reason: "The outlines of the pictures leave no solid".to_owned(),
            advice: "Check the direction of each view, or raise the resolution for very thin objects.".to_owned(),
        });
    }
    Ok(field)
}

/// Distance to the cube that the object fits: what closes the surface where an outline leaves the cube.
fn beyond_the_cube(point: Vec3, step: f32) -> f32 {
    point.abs().max_element() - (0.5 + step)
}

fn preview(solid: &(dyn Fn(Vec3) -> f32 + Sync), steepness: f32, progress: &Progress<'_>) -> Result<(), EngineError> {
    let lattice = Lattice::unit_cube(PREVIEW_RESOLUTION);
    let silent = progress.part(0, 0, 1);
    let closed = |point: Vec3| solid(point).max(beyond_the_cube(point, lattice.step));
    let mut field = Field::evaluate(lattice, steepness, &closed, &silent)?;
    let mesh = nets::extract(&mut field, &silent)?;
    (progress.context.emit)(Event::Preview(Preview::Mesh(Arc::new(mesh))));
    Ok(())
}

/// Maximum of two fields with the crease rounded over a width of `softness` (polynomial, Quilez 2013).
fn smooth_max(a: f32, b: f32, softness: f32) -> f32 {
    let overlap = (softness - (a - b).abs()).max(0.0);
    a.max(b) + overlap * overlap / (4.0 * softness)
}

/// Minimum of two fields with the crease filled over a width of `softness`.
fn smooth_min(a: f32, b: f32, softness: f32) -> f32 {
    -smooth_max(-a, -b, softness)
}
