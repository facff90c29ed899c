//! The pictures of a result beside the cameras that its engine found, for colours straight from them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bozzetto_asset::formats::generation::Generation;
use bozzetto_asset::{Camera, PreparedView, View};
use bozzetto_engine::{CancelToken, EngineError, Job};
use bozzetto_hull::prepare_view_with;
use bozzetto_mesh::{Control, MeshError, Step, StepProgress};
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

/// Whether colours can be taken from these views: each has its camera.
pub fn have_cameras(views: &[View], cameras: &[Camera]) -> bool {
    !views.is_empty() && views.len() == cameras.len()
}

/// Reads the pictures of the views that took part and cuts the object out, as the built-in engine does. `cameras` are in
/// the order of `views`.
pub fn prepared(views: &[View], cameras: &[Camera], control: &Control<'_>) -> Result<Pictures, PicturesError> {
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
