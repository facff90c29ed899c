use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bozzetto_asset::{Asset, Camera, PreparedView, Provenance, View, ViewRecord, files};
use bozzetto_engine::{
    Engine, EngineError, EngineInfo, Event, Job, LogLevel, ParamValues, Preview, RunContext, StageCache, StageInfo,
    StageKey,
};
use rayon::prelude::*;

use crate::carve::carve;
use crate::colour::{Painted, paint};
use crate::field::Field;
use crate::fit::{Fitted, FittedView, fit};
use crate::params::{Settings, specs};
use crate::prepare_view_with;
use crate::progress::Progress;
use crate::surface::{Surface, draw};

/// Outputs kept between runs, in bytes.
const CACHE_BYTES: u64 = 1 << 30;
/// Ids of the stages in their order, with what the artist reads.
const STAGES: [(&str, &str); 5] = [
    ("matte", "Cutting out the pictures"),
    ("fit", "Fitting the views together"),
    ("carve", "Carving the shape"),
    ("surface", "Drawing the surface"),
    ("colour", "Painting from the pictures"),
];

/// The built-in engine: a rounded solid from one silhouette, a soft visual hull from several, coloured from the
/// pictures. Needs no graphics card, weights or Python. Same views and parameters give the same bytes, whatever the
/// number of threads.
pub struct HullEngine {
    cache: StageCache,
}

impl HullEngine {
    /// An engine that keeps nothing yet.
    pub fn new() -> Self {
        Self {
            cache: StageCache::with_capacity_bytes(CACHE_BYTES),
        }
    }

    /// Runs the stages after the matte on views that are cut out already. `parameters` may leave keys out.
    /// The asset's provenance names the views by their labels alone.
    pub fn run_views(
        &mut self,
        views: &[PreparedView],
        parameters: &ParamValues,
        context: &RunContext<'_>,
    ) -> Result<Asset, EngineError> {
        if views.is_empty() {
            return Err(EngineError::NoViews);
        }
        let parameters = parameters.validated(&specs())?;
        let key = views.iter().fold(StageKey::new("views"), with_view);
        self.run_from_fit(views, key, &parameters, context)
    }

    fn run_from_fit(
        &mut self,
        views: &[PreparedView],
        matte_key: StageKey,
        parameters: &ParamValues,
        context: &RunContext<'_>,
    ) -> Result<Asset, EngineError> {
        let mut chain = Chain {
            cache: &mut self.cache,
            info: info(),
            key: matte_key,
            parameters,
            context,
        };
        let settings = Settings::from_values(parameters);
        let fitted = chain.stage(1, fitted_bytes, |progress| fit(views, &settings, progress))?;
        let field = chain.stage(2, Field::num_bytes, |progress| carve(&fitted, &settings, progress))?;
        let surface = chain.stage(3, Surface::num_bytes, |progress| draw(&field, &settings, progress))?;
        let painted = chain.stage(4, Painted::num_bytes, |progress| {
            paint(&fitted, &surface, &settings, progress)
        })?;
        Ok(asset(&fitted, &painted, parameters))
    }

    /// Cuts the views out, or takes them from an earlier run on the same files.
    fn prepared(&mut self, views: &[&View], context: &RunContext<'_>) -> Result<Prepared, EngineError> {
        context.stage(&info(), 0);
        let records = views
            .par_iter()
            .map(|view| record(view))
            .collect::<Result<Vec<_>, _>>()?;
        let mut key = StageKey::new("matte");
        for (view, record) in views.iter().zip(&records) {
            // What else is said of a view changes nothing about its cut.
            let settings = serde_json::to_vec(&view.matte).map_err(|error| EngineError::Internal {
                reason: error.to_string(),
            })?;
            key = key.with_bytes(record.sha256.as_bytes()).with_bytes(&settings);
        }
        let num_bytes = |views: &Vec<PreparedView>| views.iter().map(view_bytes).sum();
        let prepared = self.cache.get_or_run_sized("matte", key, context, num_bytes, || {
            let progress = Progress::new(context, "matte");
            let part = progress.part(0, 1000, views.len());
            views
                .par_iter()
                .map(|view| {
                    let prepared = prepare_view_with(view, &context.cancel)?;
                    part.advance(1)?;
                    Ok(prepared)
                })
                .collect()
        })?;
        let prepared: Vec<PreparedView> = views
            .iter()
            .zip(prepared.iter())
            .map(|(view, cut)| PreparedView {
                name: view.name(),
                direction: view.direction,
                camera: view.camera,
                weight: view.weight,
                ..cut.clone()
            })
            .collect();
        let key = prepared
            .iter()
            .fold(key, |key, view| key.with_bytes(facts(view).as_bytes()));
        (context.emit)(Event::Preview(Preview::Views(prepared.clone())));
        Ok(Prepared {
            views: prepared,
            key,
            records,
        })
    }
}

/// What the matte stage hands on.
struct Prepared {
    views: Vec<PreparedView>,
    /// Takes in the cuts and what is said of the views.
    key: StageKey,
    records: Vec<ViewRecord>,
}

/// The stages of one run: each key takes in the one before it.
struct Chain<'a> {
    cache: &'a mut StageCache,
    info: EngineInfo,
    key: StageKey,
    parameters: &'a ParamValues,
    context: &'a RunContext<'a>,
}

impl Chain<'_> {
    fn stage<T: Send + Sync + 'static>(
        &mut self,
        index: usize,
        num_bytes: impl FnOnce(&T) -> u64,
        make: impl FnOnce(&Progress<'_>) -> Result<T, EngineError>,
    ) -> Result<Arc<T>, EngineError> {
        let (id, _) = STAGES[index];
        self.context.stage(&self.info, index);
        self.key = StageKey::new(id)
            .with_key(&self.key)
            .with_params(self.parameters, id, &self.info.params);
        let context = self.context;
        let started = Instant::now();
        let output = self.cache.get_or_run_sized(id, self.key, context, num_bytes, || {
            let output = make(&Progress::new(context, id))?;
            (context.emit)(Event::Log {
                level: LogLevel::Debug,
                message: format!("Stage '{id}' took {:.2} s", started.elapsed().as_secs_f32()),
            });
            Ok(output)
        })?;
        context.cancel.check()?;
        Ok(output)
    }
}

impl Default for HullEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for HullEngine {
    fn info(&self) -> EngineInfo {
        info()
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        let started = Instant::now();
        let job = job.validated(&info())?;
        let views: Vec<&View> = job.enabled_views().collect();
        let prepared = self.prepared(&views, context)?;
        let mut asset = self.run_from_fit(&prepared.views, prepared.key, &job.params, context)?;
        asset.provenance.seed = job.seed;
        asset.provenance.views = prepared.records;
        asset.provenance.created_unix_secs = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs().saturating_sub(started.elapsed().as_secs()));
        asset.provenance.duration_secs = started.elapsed().as_secs_f64();
        Ok(asset)
    }

    fn release(&mut self) {
        self.cache.clear();
    }
}

fn info() -> EngineInfo {
    EngineInfo {
        id: "hull".to_owned(),
        label: "Built-in".to_owned(),
        summary: "Shapes a solid from the outlines of your pictures in seconds, on any computer.".to_owned(),
        stages: STAGES
            .map(|(id, label)| StageInfo {
                id: id.to_owned(),
                label: label.to_owned(),
            })
            .into(),
        params: specs(),
        max_views: None,
        uses_seed: false,
        device: format!("CPU, {} threads", rayon::current_num_threads()),
        licences: Vec::new(),
    }
}

fn asset(fitted: &Fitted, painted: &Painted, parameters: &ParamValues) -> Asset {
    let record = |fitted: &FittedView| ViewRecord {
        name: fitted.view.name.clone(),
        sha256: String::new(),
        direction: fitted
            .view
            .direction
            .map_or_else(String::new, |direction| direction.to_string()),
        camera: fitted.view.camera,
        weight: fitted.view.weight,
        ..ViewRecord::default()
    };
    let parameters = parameters
        .0
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), serde_json::to_value(value).ok()?)))
        .collect();
    Asset {
        splats: Some(painted.splats.clone()),
        mesh: Some(painted.mesh.clone()),
        volume: Some(painted.volume.clone()),
        cameras: fitted.views.iter().map(|view| view.camera).collect::<Vec<Camera>>(),
        provenance: Provenance {
            generator: concat!("Bozzetto ", env!("CARGO_PKG_VERSION")).to_owned(),
            engine: "hull".to_owned(),
            parameters,
            views: fitted.views.iter().map(record).collect(),
            ..Provenance::default()
        },
    }
}

fn record(view: &View) -> Result<ViewRecord, EngineError> {
    let sha256 = files::sha256_of_file(&view.path).map_err(|error| EngineError::BadView {
        name: view.name(),
        reason: error.to_string().trim_end_matches('.').to_owned(),
    })?;
    Ok(ViewRecord::of(view, sha256))
}

/// What is said of a view besides its pixels.
fn facts(view: &PreparedView) -> String {
    serde_json::json!({
        "name": view.name,
        "size": view.matte.dimensions(),
        "direction": view.direction,
        "camera": view.camera,
        "weight": view.weight,
    })
    .to_string()
}

fn with_view(key: StageKey, view: &PreparedView) -> StageKey {
    key.with_bytes(facts(view).as_bytes())
        .with_bytes(view.color.as_raw())
        .with_bytes(view.matte.as_raw())
}

fn view_bytes(view: &PreparedView) -> u64 {
    (view.color.as_raw().len() + view.matte.as_raw().len()) as u64
}

/// Pictures are shared with the matte stage; the distance images are this stage's own.
fn fitted_bytes(fitted: &Fitted) -> u64 {
    fitted.views.iter().map(|view| view_bytes(&view.view)).sum()
}
