use std::path::PathBuf;

use bozzetto_asset::View;
use serde::{Deserialize, Serialize};

use crate::{EngineError, EngineInfo, ParamValues};

/// Everything a run needs; the same JSON from window, command line, worker protocol and farm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Engine id.
    pub engine: String,
    /// Parameters that differ from their defaults, by key.
    #[serde(default)]
    pub params: ParamValues,
    /// The pictures.
    pub views: Vec<View>,
    /// The mesh to start from, for engines that need one: a file in the model frame, of any format that is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh: Option<PathBuf>,
    /// Seed for whatever is random.
    #[serde(default)]
    pub seed: u64,
}

impl Job {
    /// The views that are switched on.
    pub fn enabled_views(&self) -> impl Iterator<Item = &View> {
        self.views.iter().filter(|view| view.enabled)
    }

    /// Checks views and parameters against an engine and fills in the defaults of every parameter.
    pub fn validated(&self, info: &EngineInfo) -> Result<Self, EngineError> {
        let given = self.enabled_views().count();
        if given == 0 {
            return Err(EngineError::NoViews);
        }
        if let Some(max) = info.max_views.filter(|&max| given > max) {
            return Err(EngineError::TooManyViews { given, max });
        }
        if info.needs_mesh && self.mesh.is_none() {
            return Err(EngineError::NoResult {
                reason: format!("{} works on a mesh, and none was given", info.label),
                advice: "Make one from the pictures first, or open a file with one.".to_owned(),
            });
        }
        Ok(Self {
            params: self.params.validated(&info.params)?,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine as _;
    use crate::test_support::TestEngine;

    #[test]
    fn an_engine_that_works_on_a_mesh_is_given_one() {
        let mut info = TestEngine::new("test", |_, _| Err(EngineError::NoViews)).info();
        let mut job = Job {
            engine: "test".to_owned(),
            params: ParamValues::default(),
            views: vec![View::new("view.png")],
            mesh: None,
            seed: 0,
        };
        assert!(job.validated(&info).is_ok());
        info.needs_mesh = true;
        let error = job.validated(&info).expect_err("there is no mesh");
        assert!(error.to_string().contains("works on a mesh"), "{error}");
        job.mesh = Some("result.glb".into());
        let checked = job.validated(&info).expect("there is one");
        assert_eq!(checked.mesh, job.mesh);
    }
}
