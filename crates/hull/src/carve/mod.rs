//! From outlines to a solid, as a field that is negative inside.

mod dense;
mod forming;
mod hull_field;
mod inflate;
mod medial;
mod poisson;
mod relief;
mod rounding;

use bozzetto_engine::EngineError;
use glam::Vec3;

use crate::field::{Field, Lattice};
use crate::fit::Fitted;
use crate::params::Settings;
use crate::progress::Progress;
use forming::show_forming;
use hull_field::HullField;
use inflate::Inflated;
use rounding::Rounding;

/// Carves the solid: inflates one outline, or intersects several and rounds what they leave boxy.
pub(crate) fn carve(fitted: &Fitted, settings: &Settings, progress: &Progress<'_>) -> Result<Field, EngineError> {
    let lattice = Lattice::unit_cube(settings.resolution);
    if let [view] = fitted.views.as_slice() {
        let solid = Inflated::new(view, settings, progress)?;
        let solid = |point: Vec3| solid.distance(point);
        show_forming(&solid, 1.6, progress)?;
        return evaluated(lattice, 1.6, &solid, progress);
    }
    let hull = HullField::new(&fitted.views, lattice.step);
    show_forming(&|point| hull.distance(point), 1.2, progress)?;
    let rounding = Rounding::new(&hull, settings, progress)?;
    let solid = |point: Vec3| {
        let outline = hull.distance(point);
        rounding
            .as_ref()
            .map_or(outline, |rounding| rounding.rounded(point, outline))
    };
    if rounding.is_some() {
        show_forming(&solid, 1.4, progress)?;
    }
    evaluated(lattice, 1.4, &solid, progress)
}

fn evaluated(
    lattice: Lattice,
    steepness: f32,
    solid: &(dyn Fn(Vec3) -> f32 + Sync),
    progress: &Progress<'_>,
) -> Result<Field, EngineError> {
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

/// Maximum of two fields with the crease rounded over a width of `softness` (polynomial, Quilez 2013).
fn smooth_max(a: f32, b: f32, softness: f32) -> f32 {
    let overlap = (softness - (a - b).abs()).max(0.0);
    a.max(b) + overlap * overlap / (4.0 * softness)
}

/// Minimum of two fields with the crease filled over a width of `softness`.
fn smooth_min(a: f32, b: f32, softness: f32) -> f32 {
    -smooth_max(-a, -b, softness)
}
