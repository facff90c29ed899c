//! Gives every view a camera, so that the outlines agree in one frame.

mod align;
mod extents;
mod frame;
mod placement;

use std::sync::Arc;

use bozzetto_asset::{Camera, PreparedView};
use bozzetto_engine::{EngineError, Event, Preview};
use rayon::prelude::*;

use crate::directions::resolve_directions;
use crate::params::Settings;
use crate::progress::Progress;
use crate::projector::Projector;
use crate::silhouette::Silhouette;
use placement::Placement;

/// A view with its camera and measured outline.
#[derive(Clone, Debug)]
pub(crate) struct FittedView {
    pub view: PreparedView,
    pub camera: Camera,
    pub projector: Projector,
    pub silhouette: Arc<Silhouette>,
    /// The camera was given, not fitted.
    pub is_exact: bool,
}

/// All views in one frame.
#[derive(Clone, Debug)]
pub(crate) struct Fitted {
    pub views: Vec<FittedView>,
}

/// Places every view about the object. Fails when a picture holds no object.
pub(crate) fn fit(views: &[PreparedView], settings: &Settings, progress: &Progress<'_>) -> Result<Fitted, EngineError> {
    let part = progress.part(0, 200, views.len());
    let silhouettes = views
        .par_iter()
        .map(|view| {
            let silhouette = measured(view, progress)?;
            part.advance(1)?;
            Ok(silhouette)
        })
        .collect::<Result<Vec<_>, EngineError>>()?;
    let mut placements = initial_placements(views, &silhouettes, settings);
    extents::fit_scales(&mut placements);
    frame::place_among_known(&mut placements);
    if settings.refines_alignment && views.len() > 1 && placements.iter().any(|placement| !placement.is_exact()) {
        align::refine(&mut placements, progress)?;
    }
    let cameras = frame::normalized_cameras(&placements, progress)?;
    (progress.context.emit)(Event::Preview(Preview::Cameras(cameras.clone())));
    let views = views
        .iter()
        .zip(&placements)
        .zip(cameras)
        .map(|((view, placement), camera)| FittedView {
            view: view.clone(),
            camera,
            projector: Projector::new(&camera, view.matte.width(), view.matte.height()),
            silhouette: placement.silhouette.clone(),
            is_exact: placement.is_exact(),
        })
        .collect();
    progress.part(999, 1000, 1).advance(1)?;
    Ok(Fitted { views })
}

fn measured(view: &PreparedView, progress: &Progress<'_>) -> Result<Arc<Silhouette>, EngineError> {
    let bad = |reason: &str| EngineError::BadView {
        name: view.name.clone(),
        reason: reason.to_owned(),
    };
    if view.color.dimensions() != view.matte.dimensions() {
        return Err(bad("its colours and its matte differ in size"));
    }
    if let Some(camera) = &view.camera
        && !camera.is_usable()
    {
        return Err(bad("its camera holds numbers that make no sense"));
    }
    Silhouette::new(&view.matte, view.camera.is_some(), progress)?
        .map(Arc::new)
        .ok_or_else(|| bad("no object was found in it"))
}

fn initial_placements(views: &[PreparedView], silhouettes: &[Arc<Silhouette>], settings: &Settings) -> Vec<Placement> {
    let named: Vec<_> = views.iter().map(|view| (view.name.clone(), view.direction)).collect();
    views
        .iter()
        .zip(silhouettes)
        .zip(resolve_directions(&named))
        .map(|((view, silhouette), direction)| match view.camera {
            Some(camera) => Placement::exact(camera, silhouette.clone(), view.weight),
            None => Placement::guessed(direction, silhouette.clone(), view.weight, settings.field_of_view_rad),
        })
        .collect()
}
