//! From the raw surface to the textured mesh, on threads of their own: the newest settings win, and what the settings
//! leave alone is kept from one finish to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bozzetto_asset::{Asset, TriMesh, View};
use bozzetto_mesh::{Control, FinishSettings, Finished, MeshHealth, Prepared, Simplifier, Step, StepProgress};
use parking_lot::Mutex;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};
use super::state::Problem;
use crate::pictures::{self, Pictures};

/// A result with its number: another number is another surface.
#[derive(Clone)]
pub struct Source {
    /// Number of the result.
    pub result: u64,
    /// Its parts.
    pub asset: Asset,
    /// The views that it was made of, one for each of its cameras.
    pub views: Vec<View>,
}

impl Source {
    fn applicable(&self, settings: FinishSettings) -> FinishSettings {
        pictures::applicable(settings, &self.views, &self.asset.cameras)
    }
}

/// What became of a surface.
pub enum FinishEvent {
    /// Finished, or why not. Nothing is sent for a request that a newer one replaced.
    Done {
        /// Number of the request.
        number: u64,
        /// The mesh.
        result: Result<Arc<Finished>, Problem>,
    },
    /// The result that another one is compared with, finished, or why not.
    Other {
        /// Number of the request.
        number: u64,
        /// The mesh.
        result: Result<Arc<Finished>, Problem>,
    },
    /// Simplified for a slider that moves.
    Simplified {
        /// Number of the request.
        number: u64,
        /// The mesh.
        mesh: Arc<TriMesh>,
    },
    /// The mesh that was simplified last was looked over.
    Examined {
        /// Number of the request.
        number: u64,
        /// What is sound and broken about it.
        health: MeshHealth,
    },
}

/// How far finishing is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What it does, as in `Baking textures`.
    pub label: String,
    /// Share of the whole that is done, `[0, 1]`.
    pub fraction: f32,
}

/// The finish thread, the one that simplifies while a slider moves, and one for the result that is compared with.
pub struct Finish {
    texture: LatestWins<(Source, FinishSettings)>,
    simplify: LatestWins<(Source, FinishSettings)>,
    other: LatestWins<(Source, FinishSettings)>,
    progress: Arc<Mutex<Option<Progress>>>,
    /// Previews up to this number are not wanted any more.
    last_unwanted: AtomicU64,
}

impl Finish {
    /// Starts the threads.
    pub fn start(mailbox: &Mailbox) -> std::io::Result<Self> {
        let progress = Arc::new(Mutex::new(None));
        let prepared = Arc::default();
        Ok(Self {
            texture: start_finish(mailbox, &progress, &prepared)?,
            simplify: start_simplify(mailbox, &prepared)?,
            other: start_other(mailbox)?,
            progress,
            last_unwanted: AtomicU64::new(0),
        })
    }

    /// Finishes a surface; whatever was being finished is forgotten.
    pub fn request(&self, source: Source, settings: FinishSettings) {
        *self.progress.lock() = None;
        let settings = source.applicable(settings);
        self.texture.request((source, settings));
    }

    /// Simplifies a surface for a slider that moves.
    pub fn preview(&self, source: Source, settings: FinishSettings) {
        self.simplify.request((source, settings));
    }

    /// Finishes the result that another one is compared with.
    pub fn request_other(&self, source: Source, settings: FinishSettings) {
        let settings = source.applicable(settings);
        self.other.request((source, settings));
    }

    /// Forgets the result that is compared with.
    pub fn cancel_other(&self) {
        self.other.cancel();
    }

    /// Forgets whatever is being done to the result on the stage.
    pub fn cancel(&self) {
        self.texture.cancel();
        self.cancel_preview();
    }

    /// Forgets the preview that is being made.
    pub fn cancel_preview(&self) {
        self.simplify.cancel();
        self.last_unwanted.store(self.simplify.newest(), Ordering::Relaxed);
    }

    /// Whether an answer is to the newest request. While a slider moves, every mesh counts: it was right a moment ago, and the
    /// next one is on its way.
    pub fn is_current(&self, event: &FinishEvent) -> bool {
        match event {
            FinishEvent::Done { number, .. } => *number == self.texture.newest(),
            FinishEvent::Other { number, .. } => *number == self.other.newest(),
            FinishEvent::Simplified { number, .. } => *number > self.last_unwanted.load(Ordering::Relaxed),
            FinishEvent::Examined { number, .. } => *number == self.simplify.newest(),
        }
    }

    /// How far finishing is; `None` before its first step.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.lock().clone()
    }
}

/// The newest surface's preparation, kept from one finish to the next.
struct Kept<T> {
    result: u64,
    settings: FinishSettings,
    value: T,
}

impl<T> Kept<T> {
    fn fits(&self, source: &Source, settings: &FinishSettings) -> bool {
        self.result == source.result && self.settings.prepares_like(settings)
    }
}

/// The newest surface cleaned and with the order of its collapses as far as it is known, for whoever needs it next.
type SharedSimplifier = Arc<Mutex<Option<Kept<Simplifier>>>>;

fn start_finish(
    mailbox: &Mailbox,
    progress: &Arc<Mutex<Option<Progress>>>,
    simplifier: &SharedSimplifier,
) -> std::io::Result<LatestWins<(Source, FinishSettings)>> {
    let (for_work, for_panic) = (mailbox.clone(), mailbox.clone());
    let progress = Arc::clone(progress);
    let simplifier = Arc::clone(simplifier);
    let mut kept = KeptForFinish::default();
    let work = move |(source, settings): (Source, FinishSettings), ticket: &Ticket| {
        let meter = Meter::new(Arc::clone(&progress), for_work.wake(), ticket.clone());
        let is_cancelled = || ticket.is_outdated();
        let tell = |step: StepProgress| meter.tell(step);
        let control = Control {
            is_cancelled: &is_cancelled,
            progress: &tell,
        };
        let outcome = finish(&mut kept, &simplifier, &source, &settings, &control);
        if ticket.is_outdated() {
            return;
        }
        let result = outcome.map(Arc::new);
        let number = ticket.number();
        for_work.post(Message::Finish(FinishEvent::Done { number, result }));
    };
    let failed = move |ticket: &Ticket, reason: String| {
        let problem = Problem::with_hint(
            format!("The mesh could not be finished: {reason}."),
            "Try another number of faces. Please copy the log and report it.",
        );
        let number = ticket.number();
        for_panic.post(Message::Finish(FinishEvent::Done {
            number,
            result: Err(problem),
        }));
    };
    LatestWins::start("finish", work, failed)
}

/// What one finish leaves for the next.
#[derive(Default)]
struct KeptForFinish {
    prepared: Option<Kept<Prepared>>,
    /// With the number of their result.
    pictures: Option<(u64, Pictures)>,
}

fn finish(
    kept: &mut KeptForFinish,
    simplifier: &SharedSimplifier,
    source: &Source,
    settings: &FinishSettings,
    control: &Control<'_>,
) -> Result<Finished, Problem> {
    if let Some(textured) = source.asset.textured() {
        return pictures::as_made(textured, control).map_err(problem_of);
    }
    // Taken out, so that a panic on the way leaves nothing half made behind.
    let prepared = match kept.prepared.take().filter(|kept| kept.fits(source, settings)) {
        Some(kept) => kept.value,
        None => Prepared::new(&source.asset, settings, control).map_err(problem_of)?,
    };
    *simplifier.lock() = Some(Kept {
        result: source.result,
        settings: settings.clone(),
        value: prepared.simplifier().clone(),
    });
    let pictures = match kept.pictures.take().filter(|(result, _)| *result == source.result) {
        Some((_, pictures)) if !pictures.is_empty() => Ok(pictures),
        _ => pictures::wanted(settings, &source.views, &source.asset.cameras, control).map_err(problem_of),
    };
    let finished = pictures.and_then(|pictures| {
        kept.pictures = Some((source.result, Arc::clone(&pictures)));
        let prepared = prepared.clone().with_pictures(pictures);
        prepared.finish(settings, control).map_err(problem_of)
    });
    kept.prepared = Some(Kept {
        result: source.result,
        settings: settings.clone(),
        value: prepared,
    });
    finished
}

fn start_other(mailbox: &Mailbox) -> std::io::Result<LatestWins<(Source, FinishSettings)>> {
    let (for_work, for_panic) = (mailbox.clone(), mailbox.clone());
    let work = move |(source, settings): (Source, FinishSettings), ticket: &Ticket| {
        let is_cancelled = || ticket.is_outdated();
        let control = Control {
            is_cancelled: &is_cancelled,
            ..Control::silent()
        };
        let finished = pictures::finish(&source.asset, &source.views, &settings, &control);
        let result = finished.map(Arc::new).map_err(problem_of);
        let number = ticket.number();
        for_work.post(Message::Finish(FinishEvent::Other { number, result }));
    };
    let failed = move |ticket: &Ticket, reason: String| {
        let (number, result) = (ticket.number(), Err(Problem::new(reason)));
        for_panic.post(Message::Finish(FinishEvent::Other { number, result }));
    };
    LatestWins::start("finish other", work, failed)
}

fn start_simplify(
    mailbox: &Mailbox,
    simplifier: &SharedSimplifier,
) -> std::io::Result<LatestWins<(Source, FinishSettings)>> {
    let mailbox = mailbox.clone();
    let shared = Arc::clone(simplifier);
    let work = move |(source, settings): (Source, FinishSettings), ticket: &Ticket| {
        let Some(mesh) = &source.asset.mesh else { return };
        // Not told of newer requests: those are for the same surface nearly always, and want the same preparation.
        let Some(simplifier) = simplifier_for(&shared, &source, &settings, mesh) else {
            return;
        };
        let number = ticket.number();
        let mesh = Arc::new(simplifier.simplified(settings.target_faces as usize));
        let shown = Arc::clone(&mesh);
        mailbox.post(Message::Finish(FinishEvent::Simplified { number, mesh: shown }));
        // Takes longer than simplifying, and a slider that moves has no time for it.
        if ticket.is_outdated() {
            return;
        }
        let health = MeshHealth::of(&mesh);
        mailbox.post(Message::Finish(FinishEvent::Examined { number, health }));
    };
    // A preview that fails is no loss: the finish that follows says what is wrong.
    LatestWins::start("simplify", work, |_, reason| {
        tracing::warn!("The live preview failed: {reason}.");
    })
}

/// The surface as it was prepared before, or prepared now; `None` where it cannot be.
fn simplifier_for(
    shared: &SharedSimplifier,
    source: &Source,
    settings: &FinishSettings,
    mesh: &TriMesh,
) -> Option<Simplifier> {
    let kept = shared.lock();
    if let Some(kept) = kept.as_ref().filter(|kept| kept.fits(source, settings)) {
        return Some(kept.value.clone());
    }
    drop(kept);
    let value = Simplifier::prepared(mesh, settings, &Control::silent()).ok()?;
    *shared.lock() = Some(Kept {
        result: source.result,
        settings: settings.clone(),
        value: value.clone(),
    });
    Some(value)
}

fn problem_of(error: impl std::error::Error) -> Problem {
    Problem::new(error.to_string())
}

/// Turns steps into one rising share of the whole.
struct Meter {
    progress: Arc<Mutex<Option<Progress>>>,
    wake: Arc<dyn Fn() + Send + Sync>,
    ticket: Ticket,
    last_wake: Mutex<Instant>,
}

impl Meter {
    const BETWEEN_WAKES: Duration = Duration::from_millis(50);

    fn new(progress: Arc<Mutex<Option<Progress>>>, wake: Arc<dyn Fn() + Send + Sync>, ticket: Ticket) -> Self {
        Self {
            progress,
            wake,
            ticket,
            last_wake: Mutex::new(Instant::now()),
        }
    }

    fn tell(&self, step: StepProgress) {
        if self.ticket.is_outdated() {
            return;
        }
        {
            let mut progress = self.progress.lock();
            let before = progress.as_ref().map_or(0.0, |progress| progress.fraction);
            *progress = Some(Progress {
                label: step.step.label().to_owned(),
                fraction: fraction_of(step).max(before),
            });
        }
        let mut last_wake = self.last_wake.lock();
        if last_wake.elapsed() >= Self::BETWEEN_WAKES {
            *last_wake = Instant::now();
            (self.wake)();
        }
    }
}

/// Share of the whole at which a step begins, and its own share. Measured at 50,000 faces and 2048 px; they need not be
/// exact, only rise.
fn span_of(step: Step) -> (f32, f32) {
    match step {
        Step::Weld => (0.0, 0.02),
        Step::Clean => (0.02, 0.02),
        Step::Orient => (0.04, 0.02),
        Step::Split => (0.06, 0.02),
        Step::RemoveSpecks => (0.08, 0.02),
        Step::FillHoles => (0.10, 0.01),
        Step::RemoveShells => (0.11, 0.005),
        Step::Part => (0.115, 0.005),
        Step::Remesh => (0.12, 0.03),
        Step::Simplify => (0.15, 0.05),
        Step::Unwrap => (0.20, 0.30),
        Step::Tangents => (0.50, 0.05),
        Step::Index => (0.55, 0.05),
        Step::Occlusion => (0.60, 0.08),
        Step::Pictures => (0.68, 0.02),
        Step::Bake => (0.70, 0.25),
        Step::Dilate => (0.95, 0.04),
        Step::Examine => (0.99, 0.01),
    }
}

fn fraction_of(progress: StepProgress) -> f32 {
    let (start, share) = span_of(progress.step);
    let within = if progress.total == 0 {
        0.0
    } else {
        (progress.done as f32 / progress.total as f32).clamp(0.0, 1.0)
    };
    start + share * within
}
