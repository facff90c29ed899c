//! Shows how a run goes on: bars on a terminal, one JSON object a line with `--json`, else a line a stage.

use std::io::IsTerminal as _;
use std::time::Duration;

use bozzetto_engine::{Event, LogLevel};
use bozzetto_mesh::StepProgress;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::output;

/// Where progress goes.
pub(super) enum Progress {
    /// A bar on standard error.
    Bar(ProgressBar),
    /// JSON lines on standard output.
    Json,
    /// A line a stage on standard error: for logs and pipes. Holds the last line, for steps that begin twice.
    Lines(Mutex<String>),
}

impl Progress {
    /// Chooses by `--json` and by whether somebody watches.
    pub(super) fn new(wants_json: bool) -> Self {
        if wants_json {
            return Self::Json;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Mutex::default());
        }
        let bar = ProgressBar::new(1);
        let style = ProgressStyle::with_template("{prefix:>20} {bar:32} {percent:>3} %  {elapsed} (about {eta} left)");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self::Bar(bar)
    }

    /// Shows an engine's event.
    pub(super) fn event(&self, event: &Event) {
        match event {
            Event::Stage {
                id,
                label,
                index,
                count,
            } => self.stage(id, label, *index, *count),
            Event::Progress { stage, done, total } => self.advance(stage, *done, *total),
            Event::Reused { stage } => self.json_only(&json!({ "event": "reused", "stage": stage })),
            Event::Memory { used, total } => {
                self.json_only(&json!({ "event": "memory", "used": used, "total": total }));
            }
            Event::Log { level, message } => self.log(*level, message),
            Event::Preview(_) => {}
        }
    }

    /// Shows that a finishing step goes on.
    pub(super) fn step(&self, progress: &StepProgress) {
        let id = format!("{:?}", progress.step).to_ascii_lowercase();
        self.work(&id, progress.step.label(), progress.done, progress.total);
    }

    /// Shows that work of known length goes on.
    pub(super) fn work(&self, id: &str, label: &str, done: u64, total: u64) {
        if done == 0 {
            self.stage(id, label, 0, 1);
        }
        self.advance(id, done, total);
    }

    /// Ends the show and gives the last word.
    pub(super) fn finish(&self, summary: &str, details: &Value) {
        match self {
            Self::Bar(bar) => {
                bar.finish_and_clear();
                output::line(summary);
            }
            Self::Lines(_) => output::line(summary),
            Self::Json => output::json(details),
        }
    }

    /// Takes the bar away before an error is printed.
    pub(super) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    fn stage(&self, id: &str, label: &str, index: usize, count: usize) {
        match self {
            Self::Bar(bar) => {
                bar.reset();
                bar.set_prefix(label.to_owned());
            }
            Self::Json => output::json(&json!({
                "event": "stage", "stage": id, "label": label, "index": index, "count": count,
            })),
            Self::Lines(last) => {
                let mut last = last.lock();
                if *last != label {
                    output::note(label);
                    label.clone_into(&mut last);
                }
            }
        }
    }

    fn advance(&self, stage: &str, done: u64, total: u64) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(total.max(1));
                bar.set_position(done);
            }
            Self::Json => output::json(&json!({ "event": "progress", "stage": stage, "done": done, "total": total })),
            Self::Lines(_) => {}
        }
    }

    fn log(&self, level: LogLevel, message: &str) {
        match self {
            Self::Json => output::json(&json!({ "event": "log", "level": level, "message": message })),
            _ if level == LogLevel::Debug => {}
            Self::Bar(bar) => bar.suspend(|| output::note(message)),
            Self::Lines(_) => output::note(message),
        }
    }

    fn json_only(&self, value: &Value) {
        if matches!(self, Self::Json) {
            output::json(value);
        }
    }
}
