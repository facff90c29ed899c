//! From a field to a smooth closed mesh.

use std::sync::Arc;

use bozzetto_asset::TriMesh;
use bozzetto_engine::{EngineError, Event, Preview};

use crate::field::Field;
use crate::nets;
use crate::params::Settings;
use crate::parts::without_small_parts;
use crate::progress::{Part, Progress};

/// Smoothing passes at full strength.
const MOST_PASSES: f32 = 24.0;
/// Taubin's pair of factors: the second undoes the shrinking of the first.
const SHRINK: f32 = 0.5;
const GROW: f32 = -0.526;

/// The surface and the field it was drawn from.
#[derive(Debug)]
pub(crate) struct Surface {
    pub field: Field,
    pub mesh: Arc<TriMesh>,
}

impl Surface {
    pub fn num_bytes(&self) -> u64 {
        self.field.num_bytes() + (self.mesh.positions.len() * 24 + self.mesh.triangles.len() * 12) as u64
    }
}

/// Smooths the field, draws its zero surface and drops loose crumbs.
pub(crate) fn draw(field: &Field, settings: &Settings, progress: &Progress<'_>) -> Result<Surface, EngineError> {
    let mut field = field.clone();
    let num_passes = (settings.smoothing * MOST_PASSES * 0.5).round() as usize * 2;
    let part = progress.part(0, 500, num_passes * field.bricks.len());
    for pass in 0..num_passes {
        smooth(&mut field, if pass % 2 == 0 { SHRINK } else { GROW }, &part)?;
    }
    let part = progress.part(500, 950, field.bricks.len() * 2);
    let mesh = nets::extract(&mut field, &part)?;
    let mesh = Arc::new(without_small_parts(mesh, settings.smallest_part));
    if mesh.triangles.is_empty() {
        return Err(EngineError::NoResult {
            reason: "No surface was found".to_owned(),
            advice: "Raise the resolution, or check the cut-out pictures.".to_owned(),
        });
    }
    (progress.context.emit)(Event::Preview(Preview::Mesh(mesh.clone())));
    progress.part(950, 1000, 1).advance(1)?;
    Ok(Surface { field, mesh })
}

/// Moves every sample towards the mean of its neighbours (away from it for a negative factor); samples at the edge
/// of what is kept stay.
fn smooth(field: &mut Field, factor: f32, part: &Part<'_, '_>) -> Result<(), EngineError> {
    field.map(
        &|field, sample, value| match field.sum_of_neighbors(sample) {
            Some(sum) => value + factor * (sum / 6.0 - value),
            None => value,
        },
        part,
    )
}
