use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bozzetto_asset::formats::FormatError;
use bozzetto_asset::{Asset, FileRecord, Provenance, View, ViewRecord, files};

use crate::{Engine, EngineError, Job, ParamValue, ParamValues, RunContext};

/// Name and version of the program, as provenance remembers them.
pub const GENERATOR: &str = concat!("Bozzetto ", env!("CARGO_PKG_VERSION"));

/// Checks a job against an engine, runs it, and writes down in the asset where it came from: engine, every parameter
/// with its value, seed, names and hashes of the views and of the mesh that it worked on, time. The engine's own word
/// stays on `weights`, and on `generator` where it is not empty.
///
/// Files are hashed before the run, so that one that cannot be read fails at once.
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
    let mesh = job.mesh.as_deref().filter(|_| info.needs_mesh);
    let mesh = mesh.map(record_file).transpose()?;
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
        mesh,
        weights: told.weights,
        created_unix_secs,
        duration_secs: started.elapsed().as_secs_f64(),
    };
    Ok(asset)
}

fn record(view: &View) -> Result<ViewRecord, EngineError> {
    let sha256 = files::sha256_of_file(&view.path).map_err(|error| EngineError::BadView {
        name: view.name(),
        reason: in_words(&error),
    })?;
    Ok(ViewRecord::of(view, sha256))
}

fn record_file(path: &Path) -> Result<FileRecord, EngineError> {
    let sha256 = files::sha256_of_file(path).map_err(|error| EngineError::Io {
        operation: "read".to_owned(),
        path: path.to_owned(),
        reason: in_words(&error),
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(FileRecord { name, sha256 })
}

fn in_words(error: &FormatError) -> String {
    match error {
        FormatError::Read { source, .. } => source.to_string(),
        other => other.to_string().trim_end_matches('.').to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::TestEngine;
    use crate::{CancelToken, EngineInfo};

    /// Says of itself that it works on a mesh.
    struct OnMesh(TestEngine);

    impl Engine for OnMesh {
        fn info(&self) -> EngineInfo {
            EngineInfo {
                needs_mesh: true,
                ..self.0.info()
            }
        }

        fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
            self.0.run(job, context)
        }
    }

    #[test]
    fn the_mesh_that_an_engine_worked_on_is_remembered_beside_the_views() {
        let folder = tempfile::tempdir().expect("a folder");
        let (view, mesh) = (folder.path().join("view.png"), folder.path().join("base.glb"));
        for path in [&view, &mesh] {
            std::fs::write(path, b"abc").expect("written");
        }
        let job = Job {
            engine: "test".to_owned(),
            params: ParamValues::default(),
            views: vec![View::new(&view)],
            mesh: Some(mesh.clone()),
            seed: 0,
        };
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|_| {},
        };
        let engine = || TestEngine::new("test", |_, _| Ok(Asset::default()));
        let provenance = |engine: &mut dyn Engine| Ok(run_recorded(engine, &job, &context)?.provenance);
        let made = provenance(&mut OnMesh(engine())).expect("an asset");
        let wanted = FileRecord {
            name: "base.glb".to_owned(),
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
        };
        assert_eq!(made.views[0].sha256, wanted.sha256);
        assert_eq!(made.mesh, Some(wanted));
        // Others do not look at it.
        assert_eq!(provenance(&mut engine()).expect("an asset").mesh, None);
        std::fs::remove_file(&mesh).expect("it was there");
        let error = provenance(&mut OnMesh(engine())).expect_err("it cannot be read");
        assert!(
            matches!(&error, EngineError::Io { path, .. } if *path == mesh),
            "{error}"
        );
    }
}
