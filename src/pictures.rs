//! The pictures of a result beside the cameras that its engine found, for colours straight from them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bozzetto_asset::formats::generation::Generation;
use bozzetto_asset::{Asset, Camera, PreparedView, TexturedMesh, View};
use bozzetto_engine::{CancelToken, EngineError, Job};
use bozzetto_hull::prepare_view_with;
use bozzetto_mesh::{
    ColorSource, Control, FinishSettings, Finished, MeshError, MeshHealth, Prepared, Step, StepProgress,
};
use rayon::prelude::*;

/// Pictures with their cameras.
pub type Pictures = Arc<Vec<(PreparedView, Camera)>>;

/// Why there are no pictures.
#[derive(Debug, thiserror::Error)]
pub enum PicturesError {
    /// A picture could not be read or cut out.
    #[error(transparent)]
    Picture(#[from] EngineError),
    /// There are none, or their cameras are not known; or the caller asked to stop.
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

/// The job of a saved result, with the pictures that the library keeps; `None` when it was written by something else.
pub fn job_of(generation: &Generation) -> Option<Job> {
    let mut job = serde_json::from_value::<Job>(generation.job.clone()).ok()?;
    for (view, file) in job.views.iter_mut().zip(&generation.view_files) {
        view.path.clone_from(file);
    }
    Some(job)
}

/// The views of a job that took part, which its cameras belong to.
pub fn views_of(job: Option<&Job>) -> Vec<View> {
    job.map_or_else(Vec::new, |job| job.enabled_views().cloned().collect())
}

/// What of the settings applies to a result: settings outlive results, and not every result has pictures to take colours
/// from.
pub fn applicable(settings: FinishSettings, views: &[View], cameras: &[Camera]) -> FinishSettings {
    FinishSettings {
        colors_from: if have_cameras(views, cameras) {
            settings.colors_from
        } else {
            ColorSource::Asset
        },
        ..settings
    }
}

/// The pictures that the settings ask for: none where colours come from the asset.
pub fn wanted(
    settings: &FinishSettings,
    views: &[View],
    cameras: &[Camera],
    control: &Control<'_>,
) -> Result<Pictures, PicturesError> {
    match settings.colors_from {
        ColorSource::Asset => Ok(Arc::default()),
        ColorSource::Pictures => prepared(views, cameras, control),
    }
}

/// Finishes an asset, with colours from the pictures of its views where the settings say so. What its engine made with
/// textures keeps them.
pub fn finish(
    asset: &Asset,
    views: &[View],
    settings: &FinishSettings,
    control: &Control<'_>,
) -> Result<Finished, PicturesError> {
    if let Some(textured) = asset.textured() {
        return Ok(as_made(textured, control)?);
    }
    let pictures = wanted(settings, views, &asset.cameras, control)?;
    let prepared = Prepared::new(asset, settings, control)?;
    Ok(prepared.with_pictures(pictures).finish(settings, control)?)
}

/// A mesh that its engine made with textures.
pub fn as_made(textured: TexturedMesh, control: &Control<'_>) -> Result<Finished, MeshError> {
    let health = MeshHealth::examined(&textured.mesh, control)?;
    Ok(Finished::as_made(textured, health))
}

/// Whether colours can be taken from these views: each has its camera.
pub fn have_cameras(views: &[View], cameras: &[Camera]) -> bool {
    !views.is_empty() && views.len() == cameras.len()
}

/// Reads the pictures of the views that took part and cuts the object out, as the built-in engine does. `cameras` are in
/// the order of `views`.
fn prepared(views: &[View], cameras: &[Camera], control: &Control<'_>) -> Result<Pictures, PicturesError> {
    if !have_cameras(views, cameras) {
        return Err(MeshError::NoPictures.into());
    }
    let num_done = AtomicUsize::new(0);
    let tell = |done: usize| {
        (control.progress)(StepProgress {
            step: Step::Pictures,
            done: done as u64,
            total: views.len() as u64,
        });
    };
    tell(0);
    let prepared = views
        .par_iter()
        .zip(cameras)
        .map(|(view, camera)| {
            control.check(Step::Pictures)?;
            let prepared = prepare_view_with(view, &CancelToken::new())?;
            tell(num_done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok((prepared, *camera))
        })
        .collect::<Result<Vec<_>, PicturesError>>()?;
    Ok(Arc::new(prepared))
}
