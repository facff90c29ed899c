use std::time::{Duration, SystemTime};

use super::super::Command;
use super::super::state::{BottomTab, LogLine, NoticeLevel, Problem, Toast};
use super::BozzettoApp;

/// Lines that the log panel keeps.
const MAX_LINES: usize = 2000;
/// Notices that float at once; older ones give way and stay in the log.
const MAX_TOASTS: usize = 4;
/// How long a notice that needs no answer stays.
const LIFETIME: Duration = Duration::from_secs(6);
/// How long a warning stays.
const WARNING_LIFETIME: Duration = Duration::from_secs(12);

impl BozzettoApp {
    /// Tells the artist something: a notice, and a line of the log.
    pub(super) fn say(&self, level: NoticeLevel, problem: &Problem) {
        self.log.say(level, problem);
    }

    /// The same with a button.
    pub(super) fn say_with_action(&mut self, level: NoticeLevel, problem: &Problem, label: &str, action: Command) {
        let notice = self.log.say(level, problem);
        self.notice_actions.insert(notice, (label.to_owned(), action));
    }

    /// Turns what was logged into lines and notices.
    pub(super) fn apply_log(&mut self) {
        let is_log_open = self.state.layout.shows_bottom && self.state.layout.bottom_tab == BottomTab::Log;
        for record in self.log.drain() {
            let log = &mut self.state.log;
            let id = log.lines.back().map_or(1, |line| line.id + 1);
            if record.level == NoticeLevel::Error {
                log.num_unread_errors += 1;
            }
            if let Some(notice) = record.notice {
                self.state.toasts.push(Toast {
                    id,
                    level: record.level,
                    text: record.text.clone(),
                    hint: record.hint.clone(),
                    action: self.notice_actions.remove(&notice),
                    age: Duration::ZERO,
                    lifetime: lifetime_of(record.level),
                });
            }
            log.lines.push_back(LogLine {
                id,
                level: record.level,
                text: record.text,
                hint: record.hint,
                at: record.at,
                age: Duration::ZERO,
            });
        }
        if is_log_open {
            self.state.log.num_unread_errors = 0;
        }
        let num_extra = self.state.log.lines.len().saturating_sub(MAX_LINES);
        self.state.log.lines.drain(..num_extra);
        let num_extra = self.state.toasts.len().saturating_sub(MAX_TOASTS);
        self.state.toasts.drain(..num_extra);
    }

    /// Notices grow older and go.
    pub(super) fn age_notices(&mut self) {
        let now = SystemTime::now();
        let state = &mut self.state;
        for line in &mut state.log.lines {
            line.age = now.duration_since(line.at).unwrap_or_default();
        }
        for toast in &mut state.toasts {
            let line = state.log.lines.iter().rev().find(|line| line.id == toast.id);
            toast.age = line.map_or(toast.age, |line| line.age);
        }
        state
            .toasts
            .retain(|toast| toast.lifetime.is_none_or(|lifetime| toast.age < lifetime));
    }

    /// The log as text, for a report.
    pub(super) fn log_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("Bozzetto {} on {}\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
        for line in &self.state.log.lines {
            let secs = line.age.as_secs();
            let hint = line.hint.as_deref().unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "-{secs:>5} s  {:?}: {} {hint}", line.level, line.text);
        }
        text
    }
}

fn lifetime_of(level: NoticeLevel) -> Option<Duration> {
    match level {
        NoticeLevel::Error => None,
        NoticeLevel::Warning => Some(WARNING_LIFETIME),
        NoticeLevel::Debug | NoticeLevel::Info | NoticeLevel::Success => Some(LIFETIME),
    }
}
