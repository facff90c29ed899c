use bozzetto_asset::Asset;
use serde::{Deserialize, Serialize};

use crate::{CancelToken, EngineError, Event, Job, ParamSpec};

/// A step of an engine, in the order they run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageInfo {
    /// Short id as in parameter keys, such as `carve`.
    pub id: String,
    /// What the artist reads, such as `Carving the shape`.
    pub label: String,
}

/// What an engine is and what can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// Stable id, as in `hull`.
    pub id: String,
    /// Name the artist reads.
    pub label: String,
    /// One sentence on what it is good for.
    pub summary: String,
    /// Stages in the order they run.
    pub stages: Vec<StageInfo>,
    /// Every parameter; `seed` is not among them, it belongs to the job.
    pub params: Vec<ParamSpec>,
    /// Most views that take part; `None` for any number.
    pub max_views: Option<usize>,
    /// Whether the seed changes the result.
    pub uses_seed: bool,
    /// What it runs on, as in `CPU, 8 threads`.
    pub device: String,
    /// Licences of the parts that it uses and that don't come with the program, to be shown before its first job.
    /// Empty when all of them come with the program. An older worker names none.
    #[serde(default)]
    pub licences: Vec<PartLicence>,
}

/// Under which licence an engine uses a part that somebody else made: a library, a model's code or its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartLicence {
    /// What carries it, as in `nvdiffrast`.
    pub part: String,
    /// Its name, as in `MIT`.
    pub licence: String,
    /// Whether it permits commercial use. Where that isn't settled it is `false`.
    pub permits_commercial_use: bool,
    /// Where its text is.
    pub page: String,
}

/// What a run reports to and listens to.
pub struct RunContext<'a> {
    /// Ask it often: the artist waits for a cancelled run.
    pub cancel: CancelToken,
    /// Takes events; cheap, never blocks for long.
    pub emit: &'a (dyn Fn(Event) + Sync),
}

impl RunContext<'_> {
    /// Announces the next stage.
    pub fn stage(&self, info: &EngineInfo, index: usize) {
        (self.emit)(Event::Stage {
            id: info.stages[index].id.clone(),
            label: info.stages[index].label.clone(),
            index,
            count: info.stages.len(),
        });
    }

    /// Reports progress within a stage and stops the run when it was cancelled.
    pub fn progress(&self, stage: &str, done: u64, total: u64) -> Result<(), EngineError> {
        (self.emit)(Event::Progress {
            stage: stage.to_owned(),
            done,
            total,
        });
        self.cancel.check()
    }
}

/// Something that turns views into an asset. Keeps stage outputs between runs, so that a changed parameter costs
/// only the stages that depend on it.
pub trait Engine: Send {
    /// What it is and what can be set.
    fn info(&self) -> EngineInfo;

    /// Makes it ready to run and says what it is. An engine in another process starts it here; `cancel` stops that.
    fn prepare(&mut self, cancel: &CancelToken) -> Result<EngineInfo, EngineError> {
        cancel.check()?;
        Ok(self.info())
    }

    /// Runs a job whose parameters were validated against [`EngineInfo::params`]. Emits `Stage`, `Progress`,
    /// `Preview`, `Memory` and `Log`; the end is the return value, never an event.
    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError>;

    /// Frees what it keeps between runs.
    fn release(&mut self) {}
}
