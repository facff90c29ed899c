use std::collections::VecDeque;

use parking_lot::Mutex;

/// The last lines that a process wrote, for the error that tells of its end.
#[derive(Default)]
pub(super) struct Tail(Mutex<VecDeque<String>>);

impl Tail {
    const MAX_LINES: usize = 40;

    pub(super) fn push(&self, line: String) {
        if line.is_empty() {
            return;
        }
        let mut lines = self.0.lock();
        if lines.len() == Self::MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().iter().cloned().collect()
    }
}
