use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::MeshError;

/// One link of the chain from a raw surface to a textured mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Vertices at the same place become one.
    Weld,
    /// Faces without area and repeated faces go.
    Clean,
    /// Faces of a component agree on a side, and that side is outside.
    Orient,
    /// Sheets that touch in an edge or a vertex are parted.
    Split,
    /// Specks go.
    RemoveSpecks,
    /// Small holes are closed.
    FillHoles,
    /// Pieces inside others go.
    RemoveShells,
    /// Vertices at one place move apart.
    Part,
    /// The surface is rebuilt as one closed manifold.
    Remesh,
    /// The face count is brought down.
    Simplify,
    /// The surface is cut and laid flat.
    Unwrap,
    /// Vertex normals and tangents.
    Tangents,
    /// The dense surface is sorted for distance and ray queries.
    Index,
    /// Short-range occlusion of the dense surface.
    Occlusion,
    /// Pictures for colours are read, by whoever gives them; see [`crate::Prepared::with_pictures`].
    Pictures,
    /// Textures are computed.
    Bake,
    /// Colours grow beyond their charts, so that seams don't show.
    Dilate,
    /// The finished surface is looked over.
    Examine,
}

impl Step {
    /// What the artist reads while the step runs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Weld => "Joining vertices",
            Self::Clean => "Removing empty faces",
            Self::Orient => "Turning faces outwards",
            Self::Split => "Parting touching sheets",
            Self::RemoveSpecks => "Removing specks",
            Self::FillHoles => "Closing holes",
            Self::RemoveShells => "Removing inner shells",
            Self::Part => "Moving touching parts apart",
            Self::Remesh => "Rebuilding the surface",
            Self::Simplify => "Simplifying",
            Self::Unwrap => "Laying out the texture",
            Self::Tangents => "Computing tangents",
            Self::Index => "Sorting the surface",
            Self::Occlusion => "Computing occlusion",
            Self::Pictures => "Cutting out pictures",
            Self::Bake => "Baking textures",
            Self::Dilate => "Padding textures",
            Self::Examine => "Looking for faults",
        }
    }
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepProgress {
    /// The step that runs.
    pub step: Step,
    /// Units done; never falls within a step.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
}

/// How long a step took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTiming {
    /// The step.
    pub step: Step,
    /// Wall time in seconds.
    pub duration_secs: f64,
}

/// The caller's hold on a running chain. Both functions may be called from any thread.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Asked often; `true` ends the chain with [`MeshError::Cancelled`].
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Told now and then how far the running step is.
    pub progress: &'a (dyn Fn(StepProgress) + Sync),
}

impl Control<'static> {
    /// Never cancels and tells nobody.
    pub fn silent() -> Self {
        Self {
            is_cancelled: &|| false,
            progress: &|_| (),
        }
    }
}

impl Control<'_> {
    /// For a step within another one: its own progress would look like a fall back.
    pub(crate) fn told_to_nobody(&self) -> Self {
        Self {
            progress: &|_| (),
            ..*self
        }
    }

    /// An error when the caller asked to stop.
    pub fn check(&self, step: Step) -> Result<(), MeshError> {
        if (self.is_cancelled)() {
            Err(MeshError::Cancelled { step })
        } else {
            Ok(())
        }
    }
}

/// Counts units of parallel work, reports them in order and passes a cancel on.
pub(crate) struct Meter<'a> {
    control: &'a Control<'a>,
    step: Step,
    total: u64,
    done: AtomicU64,
    reported: Mutex<u64>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(control: &'a Control<'a>, step: Step, total: usize) -> Self {
        (control.progress)(StepProgress {
            step,
            done: 0,
            total: total as u64,
        });
        Self {
            control,
            step,
            total: total as u64,
            done: AtomicU64::new(0),
            reported: Mutex::new(0),
        }
    }

    /// Adds units; an error when the caller asked to stop.
    pub(crate) fn add(&self, units: usize) -> Result<(), MeshError> {
        self.control.check(self.step)?;
        let done = self.done.fetch_add(units as u64, Ordering::Relaxed) + units as u64;
        // A thread that finds another one reporting goes on with its work.
        if let Ok(mut reported) = self.reported.try_lock()
            && done > *reported
        {
            *reported = done;
            (self.control.progress)(StepProgress {
                step: self.step,
                done,
                total: self.total,
            });
        }
        Ok(())
    }
}

/// Collects the time of each step; a step that runs twice is summed.
#[derive(Default)]
pub(crate) struct Stopwatch {
    pub(crate) timings: Vec<StepTiming>,
}

impl Stopwatch {
    pub(crate) fn time<T>(
        &mut self,
        step: Step,
        control: &Control<'_>,
        work: impl FnOnce() -> Result<T, MeshError>,
    ) -> Result<T, MeshError> {
        (control.progress)(StepProgress {
            step,
            done: 0,
            total: 0,
        });
        control.check(step)?;
        let start = Instant::now();
        let result = work()?;
        let duration_secs = start.elapsed().as_secs_f64();
        tracing::debug!(step = step.label(), duration_secs, "mesh step");
        match self.timings.iter_mut().find(|timing| timing.step == step) {
            Some(timing) => timing.duration_secs += duration_secs,
            None => self.timings.push(StepTiming { step, duration_secs }),
        }
        Ok(result)
    }
}
