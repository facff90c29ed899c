use std::mem::discriminant;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bozzetto_asset::formats::artifact;
use bozzetto_asset::{Asset, View};
use bozzetto_engine::{Job, ParamValues, Preview};
use bozzetto_mesh::{FinishSettings, MeshHealth};

use super::super::finish::{FinishEvent, Source};
use super::super::import::Opened;
use super::super::jobs::{JobOutcome, job_name};
use super::super::stage::{Slot, StageRequest};
use super::super::state::{Counts, ExportStatus, FinishStatus, NoticeLevel, Problem, ResultState, ViewportMode};
use super::{BozzettoApp, Forming};
use crate::pictures;

impl BozzettoApp {
    /// The job that "Generate" would submit.
    fn current_job(&self) -> Job {
        let views = self.state.views.items.iter().map(|item| View {
            // What the list shows is what the engine is told, so that both mean the same.
            direction: item.direction(),
            ..item.view.clone()
        });
        Job {
            engine: self.state.engine.selected.clone(),
            params: self.state.engine.values.clone(),
            views: views.collect(),
            mesh: self.mesh_to_work_on(),
            seed: self.state.engine.seed,
        }
    }

    /// The file of the mesh on the stage, for an engine that works on one. Only a saved result has a file of its own; an
    /// engine that is given none says what it lacks.
    fn mesh_to_work_on(&self) -> Option<PathBuf> {
        self.state.engine.info().filter(|info| info.needs_mesh)?;
        let result = self.state.result.as_ref()?;
        result.asset.mesh.as_ref()?;
        let folder = self.folders.library().join(result.library_id.as_ref()?);
        Some(folder.join(artifact::ASSET_FILE))
    }

    pub(super) fn generate(&mut self) {
        if let Some(obstacle) = self.state.generate_obstacle() {
            self.say(NoticeLevel::Warning, &Problem::new(obstacle));
            return;
        }
        if !self.are_licences_agreed() {
            return;
        }
        let uses_seed = self.state.engine.info().is_some_and(|info| info.uses_seed);
        if uses_seed && !self.state.engine.is_seed_locked {
            self.roll_seed();
        }
        let job = self.current_job();
        self.state.shows_first_hint = false;
        if let Some(jobs) = &mut self.jobs {
            jobs.submit(job, &mut self.state.jobs);
        }
    }

    pub(super) fn cancel_job(&mut self, id: u64) {
        if let Some(jobs) = &self.jobs {
            jobs.cancel(id, &mut self.state.jobs);
        }
    }

    pub(super) fn apply_job_events(&mut self) {
        let Some(jobs) = &mut self.jobs else { return };
        let outcomes = jobs.apply_events(&mut self.state.jobs);
        jobs.tick(&mut self.state.jobs);
        if let Some(engines) = jobs.take_changed_engines() {
            self.state.engine.engines = engines;
        }
        for outcome in outcomes {
            match outcome {
                JobOutcome::Preview(preview) => self.take_preview(preview),
                JobOutcome::Done { job, asset, duration } => {
                    self.stop_forming();
                    self.remember();
                    self.take_result(*job, asset, duration);
                }
                JobOutcome::Failed { name, problem } => {
                    self.stop_forming();
                    let sentence = format!("'{name}' could not be made. {}", problem.sentence);
                    self.say(NoticeLevel::Error, &Problem { sentence, ..problem });
                    self.update_stage();
                }
                JobOutcome::Cancelled => {
                    self.stop_forming();
                    self.update_stage();
                }
            }
        }
    }

    fn take_preview(&mut self, preview: Preview) {
        let previews = &mut self.forming.previews;
        previews.retain(|old| !is_replaced(old, &preview));
        let shows_shape = is_shape(&preview);
        previews.push(preview);
        if shows_shape {
            self.state.jobs.is_preview_shown = true;
            self.update_stage();
        }
    }

    fn stop_forming(&mut self) {
        self.forming = Forming::default();
        self.state.jobs.is_preview_shown = false;
    }

    fn take_result(&mut self, job: Job, asset: Asset, duration: Duration) {
        let name = job_name(&job);
        self.last_result += 1;
        self.save_to_library(&name, &job, &asset);
        let engine_label = self.engine_label(&job.engine);
        let seconds = duration.as_secs_f32();
        self.result_job = Some(job);
        self.show_result(ResultState {
            name: name.clone(),
            library_id: None,
            engine_label,
            duration,
            views: pictures::views_of(self.result_job.as_ref()),
            asset,
            finished: None,
            simplified: None,
            counts: Counts::default(),
            health: None,
            is_outdated: false,
            can_finish: true,
        });
        self.say(
            NoticeLevel::Success,
            &Problem::new(format!("'{name}' is ready after {seconds:.1} s.")),
        );
    }

    /// Puts a result on the stage and finishes its mesh, if it has one.
    pub(super) fn show_result(&mut self, result: ResultState) {
        self.drop_pending_export();
        if let Some(older) = self.state.result.take() {
            self.keep_previous(&older);
        }
        let viewport = &mut self.state.viewport;
        let (has_mesh, has_splats) = (
            result.asset.mesh.is_some() || result.finished.is_some(),
            result.asset.splats.is_some(),
        );
        if !has_mesh && has_splats {
            viewport.mode = ViewportMode::Splats;
        } else if has_mesh && !has_splats && viewport.mode.shows().has_splats() {
            viewport.mode = ViewportMode::Mesh;
        }
        let needs_finish = result.can_finish && result.asset.mesh.is_some();
        let is_finished = result.finished.is_some();
        self.state.result = Some(result);
        self.update_outdated();
        if needs_finish {
            self.request_finish();
        } else {
            if let Some(finish) = &self.finish {
                finish.cancel();
            }
            self.is_finishing = false;
            self.state.finish.status = if is_finished {
                FinishStatus::Ready
            } else {
                FinishStatus::Idle
            };
        }
        self.update_counts();
        self.update_stage();
    }

    /// Shows a 3D file as it is.
    pub(super) fn show_opened(&mut self, opened: Opened) {
        self.last_result += 1;
        self.result_job = None;
        self.frames_next_scene = true;
        let engine = opened.asset.provenance.engine.clone();
        let can_finish = opened.finished.is_none();
        self.show_result(ResultState {
            name: opened.name,
            library_id: None,
            engine_label: if engine.is_empty() {
                "File".to_owned()
            } else {
                self.engine_label(&engine)
            },
            duration: Duration::ZERO,
            views: Vec::new(),
            asset: opened.asset,
            finished: opened.finished,
            simplified: None,
            counts: Counts::default(),
            health: None,
            is_outdated: false,
            can_finish,
        });
    }

    pub(super) fn engine_label(&self, id: &str) -> String {
        let engine = self.state.engine.engines.iter().find(|engine| engine.id == id);
        engine.map_or_else(|| id.to_owned(), |engine| engine.label.clone())
    }

    /// Takes over engine, parameters and seed of an earlier run; one step of undo.
    pub(super) fn apply_settings(&mut self, engine: &str, params: &ParamValues, seed: u64) {
        let before = self.snapshot();
        let Some(info) = self.state.engine.engines.iter().find(|info| info.id == engine) else {
            return;
        };
        let values = info.params.iter().map(|spec| {
            let value = params.0.get(&spec.key).and_then(|value| spec.validated(value).ok());
            (spec.key.clone(), value.unwrap_or_else(|| spec.default_value()))
        });
        let values = ParamValues(values.collect());
        let engine = engine.to_owned();
        let after = super::super::undo::Snapshot { engine, values, seed };
        if after != before {
            self.undo.record("restored", "Restored settings", before, true);
            self.apply_snapshot(after);
        }
    }

    pub(super) fn set_finish(&mut self, settings: FinishSettings, is_final: bool) {
        if let Err(error) = settings.validate() {
            self.say(NoticeLevel::Warning, &Problem::new(error.to_string()));
            return;
        }
        let changes_faces = settings.target_faces != self.state.finish.settings.target_faces;
        self.state.finish.settings = settings;
        self.remember();
        if is_final {
            self.request_finish();
        } else if changes_faces && let (Some(finish), Some(source)) = (&self.finish, self.finish_source()) {
            finish.preview(source, self.state.finish.settings.clone());
        }
    }

    pub(super) fn request_finish(&mut self) {
        let (Some(finish), Some(source)) = (&self.finish, self.finish_source()) else {
            return;
        };
        finish.cancel_preview();
        finish.request(source, self.state.finish.settings.clone());
        self.is_finishing = true;
        self.follow_finish();
    }

    fn finish_source(&self) -> Option<Source> {
        let result = self.state.result.as_ref().filter(|result| result.can_finish)?;
        result.asset.mesh.as_ref()?;
        Some(Source {
            result: self.last_result,
            asset: result.asset.clone(),
            views: result.views.clone(),
        })
    }

    /// Shows how far the finish thread is.
    pub(super) fn follow_finish(&mut self) {
        let Some(finish) = self.finish.as_ref().filter(|_| self.is_finishing) else {
            return;
        };
        let progress = finish.progress();
        self.state.finish.status = FinishStatus::Working {
            label: progress
                .as_ref()
                .map_or_else(|| "Preparing the mesh".to_owned(), |progress| progress.label.clone()),
            progress: progress.map_or(0.0, |progress| progress.fraction),
        };
    }

    pub(super) fn apply_finish(&mut self, event: FinishEvent) {
        if !self.finish.as_ref().is_some_and(|finish| finish.is_current(&event)) {
            return;
        }
        let Some(result) = &mut self.state.result else { return };
        match event {
            FinishEvent::Other { result, .. } => return self.apply_other_finished(result),
            FinishEvent::Simplified { mesh, .. } => result.simplified = Some(mesh),
            FinishEvent::Examined { health, .. } => result.health = Some(health),
            FinishEvent::Done {
                result: Ok(finished), ..
            } => {
                self.is_finishing = false;
                result.simplified = None;
                result.health = Some(finished.health.clone());
                result.finished = Some(finished);
                self.state.finish.status = FinishStatus::Ready;
            }
            FinishEvent::Done {
                result: Err(problem), ..
            } => {
                self.is_finishing = false;
                result.simplified = None;
                self.state.finish.status = FinishStatus::Failed(problem.clone());
                if self.pending_export.take().is_some() {
                    self.state.export.status = ExportStatus::Failed(problem.clone());
                }
                self.say(NoticeLevel::Error, &problem);
            }
        }
        self.update_counts();
        self.update_stage();
        self.write_pending_export();
    }

    fn update_counts(&mut self) {
        let Some(result) = &mut self.state.result else { return };
        let finished = result.finished.as_deref();
        let shown = result
            .simplified
            .as_ref()
            .or_else(|| finished.map(|finished| &finished.textured.mesh))
            .or(result.asset.mesh.as_ref());
        let raw_faces = result.asset.mesh.as_ref().map_or(0, |mesh| mesh.triangles.len());
        result.counts = Counts {
            num_faces: shown.map_or(0, |mesh| mesh.triangles.len()),
            num_vertices: shown.map_or(0, |mesh| mesh.positions.len()),
            num_source_faces: finished.map_or(raw_faces, |finished| finished.num_source_faces.max(raw_faces)),
            num_texels: finished.map_or(0, |finished| {
                let texture = &finished.textured.material.base_color;
                texture.width() as usize * texture.height() as usize
            }),
            num_splats: result.asset.splats.as_ref().map_or(0, |splats| splats.len()),
            longest_side: shown
                .and_then(|mesh| mesh.bounds())
                .map_or(0.0, |(low, high)| (high - low).max_element()),
        };
        if result.simplified.is_none() && result.health.is_none() {
            result.health = finished
                .map(|finished| finished.health.clone())
                .filter(|health| *health != MeshHealth::default());
        }
    }

    /// Whether the raw mesh of the scene is what is to be seen.
    pub(super) fn prefers_raw_mesh(&self) -> bool {
        self.state.jobs.is_preview_shown
            || self
                .state
                .result
                .as_ref()
                .is_some_and(|result| result.simplified.is_some())
    }

    /// Shows what there is: the shape that is forming, or the result.
    pub(super) fn update_stage(&mut self) {
        let request = self.marked_request();
        self.state.viewport.frusta = self.frusta(&request);
        self.state.viewport.has_content = !request.is_empty();
        self.state.viewport.num_voxels = request.voxels.as_ref().map_or(0, |voxels| voxels.coords.len());
        if request.is_empty() {
            // Nobody tells that the pointer lets go of what is gone.
            self.state.viewport.pivot = None;
        }
        if let Some(viewport) = &mut self.viewport {
            viewport.show(Slot::Result, request);
        }
    }

    /// What is on the stage, with its flaws where they are looked for.
    pub(super) fn marked_request(&self) -> StageRequest {
        let mut request = self.stage_request();
        request.marks_flaws = self.shows_health();
        request
    }

    pub(super) fn stage_request(&self) -> StageRequest {
        if self.state.jobs.is_preview_shown {
            self.forming_request()
        } else {
            self.result_request()
        }
    }

    fn forming_request(&self) -> StageRequest {
        let mut request = StageRequest {
            is_forming: true,
            ..StageRequest::default()
        };
        for preview in &self.forming.previews {
            match preview {
                Preview::Mesh(mesh) => request.raw = Some(Arc::clone(mesh)),
                Preview::Splats(splats) => request.splats = Some(Arc::clone(splats)),
                Preview::Structure(structure) => request.voxels = Some(Arc::clone(structure)),
                Preview::Cameras(cameras) => {
                    request.cameras = self.camera_pictures(cameras, self.running_job());
                }
                Preview::Views(_) => {}
            }
        }
        request
    }

    fn result_request(&self) -> StageRequest {
        let Some(result) = &self.state.result else {
            return StageRequest::default();
        };
        // While a slider moves, what it makes is seen in place of the finished mesh.
        let finished = result.finished.as_ref().filter(|_| result.simplified.is_none());
        let raw = result.simplified.as_ref().or(result.asset.mesh.as_ref());
        StageRequest {
            raw: raw.cloned().filter(|_| finished.is_none()),
            splats: result.asset.splats.clone(),
            finished: finished.cloned(),
            cameras: self.camera_pictures(&result.asset.cameras, self.result_job.as_ref()),
            ..StageRequest::default()
        }
    }

    pub(super) fn update_outdated(&mut self) {
        let is_outdated = self.result_job.as_ref().is_some_and(|made_by| {
            let now = self.current_job();
            let uses_seed = self.state.engine.info().is_some_and(|info| info.uses_seed);
            let on = |job: &Job| job.enabled_views().cloned().collect::<Vec<_>>();
            now.engine != made_by.engine
                || now.params != made_by.params
                || on(&now) != on(made_by)
                || (uses_seed && self.state.engine.is_seed_locked && now.seed != made_by.seed)
        });
        if let Some(result) = &mut self.state.result {
            result.is_outdated = is_outdated;
        }
    }
}

/// Whether a preview tells what the object looks like.
fn is_shape(preview: &Preview) -> bool {
    matches!(preview, Preview::Structure(_) | Preview::Mesh(_) | Preview::Splats(_))
}

/// Whether an older preview gives way to a newer one: each kind to its own, and voxels to whatever comes of them; voxels
/// that come after a surface begin the shape anew.
fn is_replaced(old: &Preview, new: &Preview) -> bool {
    let is_structure = |preview: &Preview| matches!(preview, Preview::Structure(_));
    discriminant(old) == discriminant(new) || is_shape(old) && is_shape(new) && (is_structure(old) || is_structure(new))
}
