use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bozzetto_asset::formats::FormatError;
use bozzetto_asset::{Asset, Provenance, View, ViewRecord, files};

use crate::{Engine, EngineError, Job, ParamValue, ParamValues, RunContext};

/// Name and version of the program, as provenance remembers them.
pub const GENERATOR: &str = concat!("Bozzetto ", env!("CARGO_PKG_VERSION"));

/// Checks a job against an engine, runs it, and writes down in the asset where it came from: engine, every parameter
/// with its value, seed, names and hashes of the views, time. The engine's own word stays on `weights`, and on
/// `generator` where it is not empty.
///
/// Views are hashed before the run, so that a picture that cannot be read fails at once.
pub fn run_recorded(engine: &mut dyn Engine, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
    let info = engine.prepare(&context.cancel)?;
    let job = job.validated(&info)?;
    let started = Instant::now();
    let created_unix_secs = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since_epoch| since_epoch.as_secs());
    let views = job
        .enabled_views()
        .map(|view| {
            context.cancel.check()?;
            record(view)
        })
        .collect::<Result<_, _>>()?;
    let mut asset = engine.run(&job, context)?;
    let told = asset.provenance;
    asset.provenance = Provenance {
        generator: if told.generator.is_empty() {
            GENERATOR.to_owned()
        } else {
            told.generator
        },
        engine: info.id,
        parameters: json_values(&job.params),
        seed: job.seed,
        views,
        weights: told.weights,
        created_unix_secs,
        duration_secs: started.elapsed().as_secs_f64(),
    };
    Ok(asset)
}

fn record(view: &View) -> Result<ViewRecord, EngineError> {
    let sha256 = files::sha256_of_file(&view.path).map_err(|error| EngineError::BadView {
        name: view.name(),
        reason: match error {
            FormatError::Read { source, .. } => source.to_string(),
            other => other.to_string().trim_end_matches('.').to_owned(),
        },
    })?;
    Ok(ViewRecord::of(view, sha256))
}

fn json_values(params: &ParamValues) -> std::collections::BTreeMap<String, serde_json::Value> {
    let json = |value: &ParamValue| match value {
        ParamValue::Bool(value) => (*value).into(),
        ParamValue::Int(value) => (*value).into(),
        ParamValue::Float(value) => (*value).into(),
        ParamValue::Choice(value) => value.clone().into(),
    };
    params.0.iter().map(|(key, value)| (key.clone(), json(value))).collect()
}
