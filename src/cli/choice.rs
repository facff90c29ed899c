use std::path::{Path, PathBuf};

use bozzetto_engine::{Engine, EngineError, EngineInfo};
use bozzetto_hull::HullEngine;

use super::UsageError;
use crate::engines::{self, PythonEnvironment, PythonError};

/// What every engine of a Python environment is called like.
const OF_PYTHON: &str = "-python";

/// Where engines other than the built-in one are.
#[derive(Debug, clap::Args)]
pub(super) struct Python {
    /// A Python environment with upstream pipelines: its folder, or its interpreter.
    #[arg(long = "python", value_name = "PATH")]
    environment: Option<PathBuf>,

    /// A folder of a pipeline's code that is not installed as a package in it.
    #[arg(long = "source", value_name = "FOLDER", requires = "environment")]
    sources: Vec<PathBuf>,
}

impl Python {
    /// The environment that was named.
    pub(super) fn environment(&self) -> anyhow::Result<Option<PythonEnvironment>> {
        let path = self.environment.as_deref();
        let found = path.map(|path| PythonEnvironment::at(path, self.sources.clone()));
        Ok(found.transpose()?)
    }

    /// The engine of this id, with weights of one's own.
    pub(super) fn engine(&self, id: &str, weights: Option<&Path>) -> anyhow::Result<Box<dyn Engine>> {
        let hull = HullEngine::new();
        let weights = weights.map(engines::weights).transpose()?;
        if hull.info().id == id {
            if weights.is_some() {
                return Err(UsageError(format!("The engine '{id}' has no weights: leave --weights out.")).into());
            }
            return Ok(Box::new(hull));
        }
        if id.ends_with(OF_PYTHON) {
            let mut python = self.environment()?.ok_or_else(|| {
                UsageError(format!(
                    "Say with --python where the environment is that '{id}' runs in."
                ))
            })?;
            python.weights.extend(weights.map(|weights| (id.to_owned(), weights)));
            return Ok(Box::new(python.engine(id)));
        }
        if let Some(given) = weights.clone().filter(|weights| !weights.is_dir()) {
            return Err(PythonError::NoWeights { given }.into());
        }
        let native = engines::native(weights.as_deref()).filter(|engine| engine.info().id == id);
        let unknown = || EngineError::UnknownEngine {
            id: id.to_owned(),
            known: vec![hull.info().id],
        };
        Ok(native.ok_or_else(unknown)?)
    }
}

/// Says under which licences an engine uses what others made; an error unless the caller agrees to those that do not
/// permit commercial use.
pub(super) fn check_licences(info: &EngineInfo, agrees: bool) -> anyhow::Result<()> {
    let restricted: Vec<_> = info
        .licences
        .iter()
        .filter(|licence| !licence.permits_commercial_use)
        .map(|licence| format!("  {}: {} ({})", licence.part, licence.licence, licence.page))
        .collect();
    if restricted.is_empty() || agrees {
        return Ok(());
    }
    let listed = restricted.join("\n");
    Err(UsageError(format!(
        "{} uses parts that may not be used commercially:\n{listed}\nAdd --agree if you agree to their licences.",
        info.label
    ))
    .into())
}
