use bozzetto_asset::{Asset, PreparedView};
use bozzetto_engine::{Engine, EngineError, EngineInfo, Job, RunContext, StageCache, StageInfo};

use crate::params::specs;

/// Outputs kept between runs, in bytes.
const CACHE_BYTES: u64 = 1 << 30;

/// The built-in engine: a rounded solid from one silhouette, a soft visual hull from several, coloured from the
/// pictures. Needs no graphics card, weights or Python. Same views, parameters and seed give the same bytes.
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
}

impl Default for HullEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for HullEngine {
    fn info(&self) -> EngineInfo {
        let stages = [
            ("matte", "Cutting out the pictures"),
            ("fit", "Fitting the views together"),
            ("carve", "Carving the shape"),
            ("surface", "Drawing the surface"),
            ("colour", "Painting from the pictures"),
        ];
        EngineInfo {
            id: "hull".to_owned(),
            label: "Built-in".to_owned(),
            summary: "Shapes a solid from the outlines of your pictures in seconds, on any computer.".to_owned(),
            stages: stages
                .map(|(id, label)| StageInfo {
                    id: id.to_owned(),
                    label: label.to_owned(),
                })
                .into(),
            params: specs(),
            max_views: None,
            uses_seed: false,
            device: format!("CPU, {} threads", rayon::current_num_threads()),
        }
    }

    fn run(&mut self, _job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        let _: Vec<PreparedView> = Vec::new();
        context.cancel.check()?;
        Err(EngineError::NoViews)
    }

    fn release(&mut self) {
        self.cache.clear();
    }
}
