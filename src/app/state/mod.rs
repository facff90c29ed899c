//! Everything the window shows, as plain data.
//!
//! [`crate::app::BozzettoApp`] owns one [`AppState`] and is the only one to change it: in `logic`, from queued commands and
//! from the messages of background threads. Panels read it and send [`crate::app::Command`]s.

mod capture;
mod comparison;
mod engine;
mod export;
mod jobs;
mod library;
mod notices;
mod python;
mod result;
mod viewport;
mod views;

pub use capture::{CaptureFormat, CaptureSettings, CaptureState, CaptureStatus};
pub use comparison::{Compared, Comparison, ComparisonLayout, Pane};
pub use engine::{EngineState, Preset};
pub use export::{ExportFormat, ExportSettings, ExportState, ExportStatus};
pub use jobs::{JobItem, JobStatus, JobsState};
pub use library::{LibraryEntry, LibraryState, LibraryStatus};
pub use notices::{LogLine, LogState, NoticeLevel, Problem, Toast};
pub use python::{PythonState, PythonStatus};
pub use result::{Counts, FinishState, FinishStatus, ResultState};
pub use viewport::{Frustum, GpuStatus, OtherResult, Overlay, ViewportMode, ViewportState};
pub use views::{DropState, MattePreview, Picture, ViewId, ViewItem, ViewStatus, ViewsState};

use serde::{Deserialize, Serialize};

/// Every fact that a panel shows.
#[derive(Debug, Default)]
pub struct AppState {
    /// The pictures on the left.
    pub views: ViewsState,
    /// Engines, parameters, seed and presets.
    pub engine: EngineState,
    /// The environment that upstream's pipelines run in.
    pub python: PythonState,
    /// The queue.
    pub jobs: JobsState,
    /// What is on the stage; `None` before the first result.
    pub result: Option<ResultState>,
    /// Finish settings and how far finishing is.
    pub finish: FinishState,
    /// Formats and how the last export went.
    pub export: ExportState,
    /// Pictures of the stage.
    pub capture: CaptureState,
    /// How the stage is looked at.
    pub viewport: ViewportState,
    /// Saved results.
    pub library: LibraryState,
    /// The graphics card's load; `None` where it cannot be known.
    pub telemetry: Option<Telemetry>,
    /// The log panel.
    pub log: LogState,
    /// Notices that float over the window for a few seconds, oldest first.
    pub toasts: Vec<Toast>,
    /// Files held over the window, and whether this platform can drop them.
    pub drop: DropState,
    /// Which parts of the window are open, and the colours.
    pub layout: Layout,
    /// The dialog in front of everything, if any.
    pub modal: Option<Modal>,
    /// Whether the one hint of the first start is shown.
    pub shows_first_hint: bool,
    /// One line at the bottom: what goes on, or what happened last.
    pub status: String,
}

impl AppState {
    /// Why "Generate" cannot be pressed right now, as a sentence; `None` when it can.
    pub fn generate_obstacle(&self) -> Option<&'static str> {
        if self.engine.info().is_none() {
            return Some("No engine is ready.");
        }
        if self.views.items.is_empty() {
            return Some("Add a picture first.");
        }
        let mut enabled = self.views.items.iter().filter(|item| item.view.enabled).peekable();
        if enabled.peek().is_none() {
            return Some("Switch one of the pictures on.");
        }
        if enabled.any(|item| matches!(item.status, ViewStatus::Failed(_))) {
            return Some("One of the pictures cannot be read. Remove it or switch it off.");
        }
        None
    }
}

/// Load of the graphics card, once a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// The card's name.
    pub gpu_name: String,
    /// Memory in use, bytes.
    pub memory_used: u64,
    /// Memory there is, bytes.
    pub memory_total: u64,
    /// Share of the last second in which the card worked, percent; told while something works.
    pub load_percent: Option<u32>,
}

/// Colours of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// Whatever the desktop asks for.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// What the bottom panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BottomTab {
    /// Saved results.
    #[default]
    Library,
    /// Jobs that wait, run or have ended.
    Queue,
    /// What happened, line by line.
    Log,
}

/// Which parts of the window are open. Remembered between starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// Light or dark.
    pub theme: ThemeChoice,
    /// Views and parameters.
    pub shows_left: bool,
    /// Finish and export.
    pub shows_right: bool,
    /// Library, queue and log.
    pub shows_bottom: bool,
    /// What the bottom panel shows.
    pub bottom_tab: BottomTab,
    /// Whether parameters for experts are listed too.
    pub shows_advanced: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            shows_left: true,
            shows_right: true,
            shows_bottom: true,
            bottom_tab: BottomTab::default(),
            shows_advanced: false,
        }
    }
}

/// A dialog in front of everything.
#[derive(Clone, Debug, PartialEq)]
pub enum Modal {
    /// The list of keys.
    Shortcuts,
    /// All commands by name, searchable.
    Palette,
    /// Name, version and licence.
    About,
    /// Asks before a saved result is deleted.
    ConfirmDelete {
        /// Id of the library entry.
        id: String,
        /// Its name.
        name: String,
    },
    /// Asks for the name of a new preset.
    SavePreset,
    /// Saves pictures of the stage.
    Capture,
    /// The Python environment of upstream's pipelines.
    Python,
    /// Licences of what the chosen engine uses, before its first run.
    Licences,
}
