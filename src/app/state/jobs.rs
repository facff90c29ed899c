use std::time::Duration;

use super::Problem;

/// How a job stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum JobStatus {
    /// Waits for those before it.
    #[default]
    Queued,
    /// Runs.
    Running,
    /// Was asked to stop and has not stopped yet.
    Stopping,
    /// Gave a result.
    Done,
    /// Gave none.
    Failed(Problem),
    /// Was stopped by the artist.
    Cancelled,
}

/// A job in the queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobItem {
    /// Its identity, growing with each job of this start.
    pub id: u64,
    /// Named after its first picture.
    pub name: String,
    /// The engine's label.
    pub engine_label: String,
    /// Pictures that take part.
    pub num_views: usize,
    /// How it stands.
    pub status: JobStatus,
    /// Label of the stage that runs; empty before the first.
    pub stage_label: String,
    /// Place of that stage, from 0.
    pub stage_index: usize,
    /// How many stages there are; 0 before the first.
    pub stage_count: usize,
    /// Share of that stage that is done, `[0, 1]`; `None` when it cannot be told.
    pub stage_progress: Option<f32>,
    /// Share of the whole job that is done, `[0, 1]`, never falling.
    pub progress: f32,
    /// Time since it began (or that it took).
    pub elapsed: Duration,
    /// Time it likely still needs.
    pub eta: Option<Duration>,
    /// How many stages were taken from the last run instead of being computed again.
    pub num_reused_stages: usize,
}

impl JobItem {
    /// Whether it runs or waits.
    pub fn is_active(&self) -> bool {
        matches!(
            self.status,
            JobStatus::Queued | JobStatus::Running | JobStatus::Stopping
        )
    }
}

/// The queue, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobsState {
    /// Jobs that ended stay until they are cleared.
    pub items: Vec<JobItem>,
    /// Whether the shape on the stage is one that is still forming.
    pub is_preview_shown: bool,
}

impl JobsState {
    /// The job that runs.
    pub fn running(&self) -> Option<&JobItem> {
        self.items
            .iter()
            .find(|job| matches!(job.status, JobStatus::Running | JobStatus::Stopping))
    }

    /// The job that runs, or else the next to run.
    pub fn current(&self) -> Option<&JobItem> {
        self.running().or_else(|| self.items.iter().find(|job| job.is_active()))
    }

    /// How many wait.
    pub fn num_queued(&self) -> usize {
        self.items.iter().filter(|job| job.status == JobStatus::Queued).count()
    }
}
