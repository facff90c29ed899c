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
    /// Was asked to stop and has not stopped yet. If it takes its time, it can be ended by force.
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
    /// What [`JobItem::elapsed`] was when it was asked to stop; `None` again once it is ended by force.
    pub stop_asked: Option<Duration>,
}

/// How long a job that was asked to stop is left alone, so that a double click does not end it by force.
const LEFT_ALONE: Duration = Duration::from_secs(1);

impl JobItem {
    /// Whether it runs or waits.
    pub fn is_active(&self) -> bool {
        matches!(
            self.status,
            JobStatus::Queued | JobStatus::Running | JobStatus::Stopping
        )
    }

    /// Whether it can be asked to stop, or ended by force when it was and takes its time.
    pub fn can_be_stopped(&self) -> bool {
        match self.status {
            JobStatus::Queued | JobStatus::Running => true,
            JobStatus::Stopping => self.stop_asked.is_some_and(|asked| self.elapsed >= asked + LEFT_ALONE),
            JobStatus::Done | JobStatus::Failed(_) | JobStatus::Cancelled => false,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopping_job_is_ended_by_force_no_sooner_than_after_a_double_click() {
        let secs = Duration::from_secs;
        let mut job = JobItem {
            status: JobStatus::Running,
            elapsed: secs(5),
            ..JobItem::default()
        };
        assert!(job.can_be_stopped());
        (job.status, job.stop_asked) = (JobStatus::Stopping, Some(secs(5)));
        assert!(!job.can_be_stopped());
        job.elapsed = secs(6);
        assert!(job.can_be_stopped());
        job.status = JobStatus::Cancelled;
        assert!(!job.can_be_stopped());
    }
}
