//! The queue as the artist sees it: the engine room's events become rows, with honest progress and remaining times.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_asset::Asset;
use bozzetto_engine::{
    Engine, EngineError, EngineInfo, Event, Job, JobId, LogLevel, Preview, Runner, RunnerEvent, RunnerEventKind,
};

use super::state::{JobItem, JobStatus, JobsState, Problem};

/// Ended jobs that stay on the list.
const MAX_ENDED: usize = 30;

/// A job that has an end that matters to others.
pub enum JobOutcome {
    /// It gave a result.
    Done {
        /// The job as it was submitted.
        job: Box<Job>,
        /// What it made.
        asset: Asset,
        /// How long it took.
        duration: Duration,
    },
    /// Something to look at while it runs.
    Preview(Preview),
    /// It gave none.
    Failed {
        /// Name of the job.
        name: String,
        /// Why.
        problem: Problem,
    },
    /// It was stopped.
    Cancelled,
}

struct Running {
    began: Instant,
    stage: Option<(String, Instant)>,
    /// Seconds of each stage so far, by id.
    spent: BTreeMap<String, f64>,
}

struct Entry {
    runner_id: JobId,
    row: u64,
    job: Job,
    running: Option<Running>,
}

/// The inference thread and what is known of its jobs.
pub struct Jobs {
    runner: Runner,
    infos: Vec<EngineInfo>,
    entries: Vec<Entry>,
    last_row: u64,
    /// Whether an engine has begun a stage since its facts were last asked for.
    has_started: bool,
    /// How long each stage took lately, seconds, by `engine/stage`.
    stage_secs: BTreeMap<String, f64>,
}

impl Jobs {
    /// Starts the inference thread.
    pub fn start(
        engines: Vec<Box<dyn Engine>>,
        wake: Arc<dyn Fn() + Send + Sync>,
        stage_secs: BTreeMap<String, f64>,
    ) -> Result<Self, EngineError> {
        let runner = Runner::start(engines, wake)?;
        Ok(Self {
            infos: runner.engines(),
            runner,
            entries: Vec::new(),
            last_row: 0,
            has_started: false,
            stage_secs,
        })
    }

    /// What the engines are.
    pub fn engines(&self) -> &[EngineInfo] {
        &self.infos
    }

    /// Offers these engines beside the first one, in place of those that were offered before. Returns all.
    pub fn set_other_engines(&mut self, engines: Vec<Box<dyn Engine>>) -> Vec<EngineInfo> {
        self.runner.set_other_engines(engines);
        self.infos = self.runner.engines();
        self.infos.clone()
    }

    /// Asks the engines to free what they keep, once the running job has ended.
    pub fn release_engines(&self) {
        self.runner.release_engines();
    }

    /// What the engines are, when a worker that has started since the last call told more than was known of it.
    pub fn take_changed_engines(&mut self) -> Option<Vec<EngineInfo>> {
        if !std::mem::take(&mut self.has_started) {
            return None;
        }
        let infos = self.runner.engines();
        let is_changed = infos != self.infos;
        self.infos.clone_from(&infos);
        is_changed.then_some(infos)
    }

    /// How long each stage took lately, to be remembered.
    pub fn stage_secs(&self) -> &BTreeMap<String, f64> {
        &self.stage_secs
    }

    /// The job that runs.
    pub fn running(&self) -> Option<&Job> {
        let running = self.entries.iter().find(|entry| entry.running.is_some());
        running.map(|entry| &entry.job)
    }

    /// Puts a job at the end of the queue.
    pub fn submit(&mut self, job: Job, state: &mut JobsState) {
        self.last_row += 1;
        let info = self.info(&job.engine);
        state.items.push(JobItem {
            id: self.last_row,
            name: job_name(&job),
            engine_label: info.map_or_else(|| job.engine.clone(), |info| info.label.clone()),
            num_views: job.enabled_views().count(),
            stage_count: info.map_or(0, |info| info.stages.len()),
            ..JobItem::default()
        });
        forget_oldest(state);
        self.entries.push(Entry {
            runner_id: self.runner.submit(job.clone()),
            row: self.last_row,
            job,
            running: None,
        });
    }

    /// Stops a job, running or waiting; ends it by force when it was asked before and may take no longer.
    pub fn cancel(&self, row: u64, state: &mut JobsState) {
        let entry = self.entries.iter().find(|entry| entry.row == row);
        let item = state.items.iter_mut().find(|item| item.id == row);
        let (Some(entry), Some(item)) = (entry, item) else {
            return;
        };
        if item.status != JobStatus::Stopping {
            self.runner.cancel(entry.runner_id);
            item.status = JobStatus::Stopping;
            item.stop_asked = Some(item.elapsed);
        } else if item.can_be_stopped() {
            self.runner.cancel_at_once(entry.runner_id);
            item.stop_asked = None;
        }
    }

    /// Applies what happened since the last call to the rows; returns what matters to others.
    pub fn apply_events(&mut self, state: &mut JobsState) -> Vec<JobOutcome> {
        let events: Vec<_> = self.runner.events().try_iter().collect();
        events
            .into_iter()
            .filter_map(|event| self.apply(event, state))
            .collect()
    }

    /// Brings elapsed and remaining times up to date.
    pub fn tick(&self, state: &mut JobsState) {
        for entry in &self.entries {
            let Some(running) = &entry.running else { continue };
            let Some(item) = state.items.iter_mut().find(|item| item.id == entry.row) else {
                continue;
            };
            item.elapsed = running.began.elapsed();
            item.eta = self.remaining(entry, running, item);
        }
    }

    fn apply(&mut self, event: RunnerEvent, state: &mut JobsState) -> Option<JobOutcome> {
        let index = self.entries.iter().position(|entry| entry.runner_id == event.job)?;
        let row = self.entries[index].row;
        let item = state.items.iter_mut().find(|item| item.id == row)?;
        match event.kind {
            RunnerEventKind::Queued => None,
            RunnerEventKind::Started => {
                // A stop that was asked for before the start was heard of still holds.
                if item.status == JobStatus::Queued {
                    item.status = JobStatus::Running;
                }
                self.entries[index].running = Some(Running {
                    began: Instant::now(),
                    stage: None,
                    spent: BTreeMap::new(),
                });
                None
            }
            RunnerEventKind::Event(event) => self.apply_progress(index, event, item),
            RunnerEventKind::Done(asset) => {
                self.learn(index);
                let entry = self.entries.remove(index);
                let duration = entry.running.map_or(Duration::ZERO, |running| running.began.elapsed());
                item.status = JobStatus::Done;
                item.progress = 1.0;
                item.elapsed = duration;
                item.eta = None;
                Some(JobOutcome::Done {
                    job: Box::new(entry.job),
                    asset,
                    duration,
                })
            }
            RunnerEventKind::Failed(error) => {
                self.entries.remove(index);
                let problem = problem_of(&error);
                item.status = JobStatus::Failed(problem.clone());
                item.eta = None;
                let name = item.name.clone();
                Some(JobOutcome::Failed { name, problem })
            }
            RunnerEventKind::Cancelled => {
                self.entries.remove(index);
                item.status = JobStatus::Cancelled;
                item.eta = None;
                Some(JobOutcome::Cancelled)
            }
        }
    }

    fn apply_progress(&mut self, index: usize, event: Event, item: &mut JobItem) -> Option<JobOutcome> {
        match event {
            Event::Stage {
                id,
                label,
                index: place,
                count,
            } => {
                self.enter_stage(index, Some(&id));
                self.has_started = true;
                item.stage_label = label;
                item.stage_index = place;
                item.stage_count = count;
                item.stage_progress = None;
                self.advance(index, item, 0.0);
            }
            Event::Progress { stage, done, total } => {
                let share = (total > 0).then(|| (done as f32 / total as f32).clamp(0.0, 1.0));
                let is_running_stage = self.stage_of(index).is_none_or(|running| running == stage);
                if is_running_stage {
                    item.stage_progress = share;
                    self.advance(index, item, share.unwrap_or(0.0));
                }
            }
            Event::Reused { .. } => item.num_reused_stages += 1,
            Event::Preview(preview) => return Some(JobOutcome::Preview(preview)),
            Event::Memory { .. } => {}
            Event::Log { level, message } => match level {
                LogLevel::Debug => tracing::debug!("{message}"),
                LogLevel::Info => tracing::info!("{message}"),
                LogLevel::Warning => tracing::warn!("{message}"),
            },
        }
        None
    }

    fn stage_of(&self, index: usize) -> Option<&str> {
        let running = self.entries[index].running.as_ref()?;
        running.stage.as_ref().map(|(id, _)| id.as_str())
    }

    fn enter_stage(&mut self, index: usize, id: Option<&str>) {
        let Some(running) = &mut self.entries[index].running else {
            return;
        };
        if let Some((left, since)) = running.stage.take() {
            *running.spent.entry(left).or_default() += since.elapsed().as_secs_f64();
        }
        running.stage = id.map(|id| (id.to_owned(), Instant::now()));
    }

    /// Remembers how long the stages took, half the new time and half the old, so that one odd run does not spoil it.
    fn learn(&mut self, index: usize) {
        self.enter_stage(index, None);
        let entry = &self.entries[index];
        let Some(running) = &entry.running else { return };
        for (stage, &secs) in &running.spent {
            // A stage that took no time was taken from the last run: that says nothing about the next.
            if secs > 0.01 {
                let known = self
                    .stage_secs
                    .entry(stage_key(&entry.job.engine, stage))
                    .or_insert(secs);
                *known = f64::midpoint(*known, secs);
            }
        }
    }

    /// Share of the whole job that is done when its stage is done by `share`.
    fn advance(&self, index: usize, item: &mut JobItem, share: f32) {
        let Some(info) = self.info(&self.entries[index].job.engine) else {
            return;
        };
        let weights = self.weights(info);
        let all: f64 = weights.iter().sum();
        let before: f64 = weights.iter().take(item.stage_index).sum();
        let within = weights.get(item.stage_index).copied().unwrap_or(0.0) * f64::from(share);
        if all > 0.0 {
            item.progress = item.progress.max(((before + within) / all) as f32).min(1.0);
        }
    }

    /// What each stage weighs: its usual time, or as much as the others on average where it is not known.
    fn weights(&self, info: &EngineInfo) -> Vec<f64> {
        let known = |stage: &str| self.stage_secs.get(&stage_key(&info.id, stage)).copied();
        let times: Vec<_> = info.stages.iter().filter_map(|stage| known(&stage.id)).collect();
        let average = if times.is_empty() {
            1.0
        } else {
            times.iter().sum::<f64>() / times.len() as f64
        };
        info.stages
            .iter()
            .map(|stage| known(&stage.id).unwrap_or(average))
            .collect()
    }

    /// Remaining time, as this run's pace so far suggests.
    fn remaining(&self, entry: &Entry, running: &Running, item: &JobItem) -> Option<Duration> {
        let elapsed = running.began.elapsed().as_secs_f64();
        let is_known = self.info(&entry.job.engine).is_some_and(|info| {
            info.stages
                .iter()
                .any(|stage| self.stage_secs.contains_key(&stage_key(&info.id, &stage.id)))
        });
        // Without a history the first moments say little about the rest.
        let least = if is_known { 0.02 } else { 0.1 };
        remaining_secs(elapsed, f64::from(item.progress), least).and_then(|secs| Duration::try_from_secs_f64(secs).ok())
    }

    fn info(&self, engine: &str) -> Option<&EngineInfo> {
        self.infos.iter().find(|info| info.id == engine)
    }
}

fn remaining_secs(elapsed_secs: f64, progress: f64, least_progress: f64) -> Option<f64> {
    (progress >= least_progress && elapsed_secs > 0.2).then(|| elapsed_secs * (1.0 - progress) / progress)
}

fn stage_key(engine: &str, stage: &str) -> String {
    format!("{engine}/{stage}")
}

/// Named after the first picture that takes part, without the words and numbers that tell its side.
pub fn job_name(job: &Job) -> String {
    let first = job.enabled_views().next();
    let stem = first.and_then(|view| Some(view.path.file_stem()?.to_string_lossy().into_owned()));
    let stem = stem.unwrap_or_else(|| "Object".to_owned());
    let mut object = stem.as_str();
    while let Some(place) = object.rfind(SEPARATORS)
        && tells_side(&object[place + 1..])
    {
        object = object[..place].trim_end_matches(SEPARATORS);
    }
    // What a camera calls every picture is no name for an object.
    let says_nothing = object.is_empty() || GENERIC_WORDS.contains(&object.to_lowercase().as_str());
    if says_nothing { stem.clone() } else { object.to_owned() }
}

const SEPARATORS: [char; 4] = ['_', '-', ' ', '.'];
const SIDE_WORDS: [&str; 9] = [
    "front", "left", "back", "right", "top", "bottom", "side", "view", "cutout",
];
const GENERIC_WORDS: [&str; 8] = ["img", "image", "picture", "photo", "pic", "dsc", "view", "screenshot"];

/// Whether a word of a file name is a side, a number, or an angle such as `az045`.
fn tells_side(word: &str) -> bool {
    let word = word.to_lowercase();
    let digits = ["az", "el", ""]
        .iter()
        .find_map(|angle| word.strip_prefix(angle))
        .unwrap_or(&word);
    SIDE_WORDS.contains(&word.as_str()) || digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn problem_of(error: &EngineError) -> Problem {
    let mut problem = Problem::of(error);
    if let EngineError::WorkerDied { last_lines, .. } = error {
        for line in last_lines {
            tracing::info!("engine: {line}");
        }
    }
    if problem.sentence.is_empty() {
        "The engine failed.".clone_into(&mut problem.sentence);
    }
    problem
}

fn forget_oldest(state: &mut JobsState) {
    let num_ended = state.items.iter().filter(|item| !item.is_active()).count();
    if num_ended > MAX_ENDED
        && let Some(oldest) = state.items.iter().position(|item| !item.is_active())
    {
        state.items.remove(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bozzetto_asset::View;
    use bozzetto_engine::{InProcessEngine, ParamValues, RunContext, StageInfo};

    /// Runs two stages and waits in the second one for as long as `hold` is there.
    struct TwoStages {
        hold: crossbeam_channel::Receiver<()>,
    }

    impl Engine for TwoStages {
        fn info(&self) -> EngineInfo {
            let stage = |id: &str| StageInfo {
                id: id.to_owned(),
                label: format!("Doing {id}"),
            };
            EngineInfo {
                id: "two".into(),
                label: "Two".into(),
                summary: String::new(),
                stages: vec![stage("a"), stage("b")],
                params: Vec::new(),
                max_views: None,
                uses_seed: false,
                device: String::new(),
                licences: Vec::new(),
                needs_mesh: false,
            }
        }

        fn run(&mut self, _: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
            let info = self.info();
            context.stage(&info, 0);
            context.progress("a", 1, 1)?;
            context.stage(&info, 1);
            context.progress("b", 1, 4)?;
            while let Err(crossbeam_channel::TryRecvError::Empty) = self.hold.try_recv() {
                context.cancel.check()?;
                std::thread::yield_now();
            }
            context.progress("b", 4, 4)?;
            Ok(Asset::default())
        }
    }

    fn job(picture: impl Into<std::path::PathBuf>) -> Job {
        Job {
            engine: "two".into(),
            params: ParamValues::default(),
            views: vec![View::new(picture)],
            mesh: None,
            seed: 0,
        }
    }

    /// A picture file, whose content is noted in the result's provenance.
    fn picture() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("chair_front.png");
        std::fs::write(&path, "not looked at").expect("can be written");
        (folder, path)
    }

    fn jobs(history: &[(&str, f64)]) -> (Jobs, JobsState, crossbeam_channel::Sender<()>) {
        let (go, hold) = crossbeam_channel::bounded(8);
        let engine = InProcessEngine::new(Box::new(TwoStages { hold }));
        let history = history.iter().map(|&(key, secs)| (key.to_owned(), secs)).collect();
        let jobs = Jobs::start(vec![Box::new(engine)], Arc::new(|| {}), history).expect("can be started");
        (jobs, JobsState::default(), go)
    }

    fn wait(jobs: &mut Jobs, state: &mut JobsState, until: impl Fn(&JobsState) -> bool) -> Vec<JobOutcome> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut outcomes = Vec::new();
        loop {
            outcomes.extend(jobs.apply_events(state));
            jobs.tick(state);
            if until(state) {
                return outcomes;
            }
            assert!(Instant::now() < deadline, "{state:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn progress_weighs_stages_by_the_time_they_usually_take() {
        let (mut jobs, mut state, go) = jobs(&[("two/a", 9.0), ("two/b", 1.0)]);
        let (_folder, picture) = picture();
        jobs.submit(job(picture), &mut state);
        wait(&mut jobs, &mut state, |state| {
            state.items[0].stage_progress == Some(0.25) && state.items[0].stage_index == 1
        });
        let item = &state.items[0];
        assert!((item.progress - 0.925).abs() < 1e-4, "{}", item.progress);
        assert_eq!(
            (item.name.as_str(), item.stage_label.as_str(), item.stage_count),
            ("chair", "Doing b", 2)
        );
        go.send(()).expect("the engine listens");
        let outcomes = wait(&mut jobs, &mut state, |state| state.items[0].status == JobStatus::Done);
        assert!(matches!(outcomes.last(), Some(JobOutcome::Done { .. })));
    }

    #[test]
    fn a_running_and_a_waiting_job_can_be_stopped_and_the_next_one_runs() {
        let (mut jobs, mut state, go) = jobs(&[]);
        let (_folder, picture) = picture();
        for _ in 0..3 {
            jobs.submit(job(&picture), &mut state);
        }
        wait(&mut jobs, &mut state, |state| state.items[0].stage_index == 1);
        jobs.cancel(1, &mut state);
        jobs.cancel(2, &mut state);
        wait(&mut jobs, &mut state, |state| {
            state.items[0].status == JobStatus::Cancelled
        });
        go.send(()).expect("the engine listens");
        wait(&mut jobs, &mut state, |state| {
            state.items.iter().all(|item| !item.is_active())
        });
        let ended: Vec<_> = state.items.iter().map(|item| item.status.clone()).collect();
        assert_eq!(ended, [JobStatus::Cancelled, JobStatus::Cancelled, JobStatus::Done]);
    }

    #[test]
    fn remaining_time_follows_the_pace_and_is_silent_at_first() {
        assert_eq!(remaining_secs(1.0, 0.25, 0.1), Some(3.0));
        assert_eq!(remaining_secs(1.0, 0.05, 0.1), None);
        assert_eq!(remaining_secs(0.1, 0.5, 0.1), None);
    }

    #[test]
    fn jobs_are_named_after_the_object_and_not_after_its_side() {
        let name = |file: &str| job_name(&job(file));
        assert_eq!(name("/x/tiger_left.png"), "tiger");
        assert_eq!(name("Blue Chair-front.jpg"), "Blue Chair");
        assert_eq!(name("front.png"), "front");
        assert_eq!(name("laptop.png"), "laptop");
        assert_eq!(name("my owl_az045_el30.png"), "my owl");
        assert_eq!(name("IMG_20261103_143022.jpg"), "IMG_20261103_143022");
        assert_eq!(name("000.png"), "000");
    }
}
