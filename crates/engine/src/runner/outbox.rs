use std::collections::VecDeque;
use std::mem::discriminant;

use parking_lot::{Condvar, Mutex};

use super::event::{JobId, RunnerEvent, RunnerEventKind};
use crate::{Event, LogLevel};

/// Log lines that wait at most; further ones are counted.
const MAX_LOG_LINES: usize = 500;

/// An engine that tells more than this before anybody listens has to wait.
const MAX_WAITING: usize = 2000;

/// Events between the inference thread and a consumer that may be slow.
///
/// Of progress, memory and previews only the newest of a kind waits; log lines have a limit; everything else stays
/// until it is taken. Only [`Outbox::push_patiently`] ever waits for room, and closing ends that.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<RunnerEvent>,
    num_log_lines: usize,
    /// Log lines that found no room, and whose they were.
    left_out: Option<(JobId, u64)>,
    is_closed: bool,
}

impl Outbox {
    /// Adds an event at once, for the window's thread.
    pub(super) fn push(&self, job: JobId, kind: RunnerEventKind) {
        let mut state = self.state.lock();
        if !state.is_closed {
            state.add(RunnerEvent { job, kind });
            self.changed.notify_all();
        }
    }

    /// Adds an event, for an engine's threads: far ahead of the consumer, the engine waits for it.
    pub(super) fn push_patiently(&self, job: JobId, kind: RunnerEventKind) {
        let mut state = self.state.lock();
        while state.waiting.len() >= MAX_WAITING && !state.is_closed {
            self.changed.wait(&mut state);
        }
        if !state.is_closed {
            state.add(RunnerEvent { job, kind });
            self.changed.notify_all();
        }
    }

    /// Waits for the next event; `None` once closed.
    pub(super) fn take(&self) -> Option<RunnerEvent> {
        let mut state = self.state.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(event) = state.next() {
                self.changed.notify_all();
                return Some(event);
            }
            self.changed.wait(&mut state);
        }
    }

    /// Drops what waits, and lets nobody wait any more.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.waiting.clear();
        self.changed.notify_all();
    }
}

impl State {
    fn add(&mut self, event: RunnerEvent) {
        if is_log(&event.kind) {
            if self.num_log_lines == MAX_LOG_LINES {
                let (job, count) = self.left_out.unwrap_or((event.job, 0));
                self.left_out = Some((job, count + 1));
                return;
            }
            self.num_log_lines += 1;
        }
        if let Some(old) = self.waiting.iter().position(|old| is_outdated(old, &event)) {
            self.waiting.remove(old);
        }
        self.waiting.push_back(event);
    }

    fn next(&mut self) -> Option<RunnerEvent> {
        if self.num_log_lines == 0
            && let Some((job, count)) = self.left_out.take()
        {
            let message = format!("{count} lines of the log were left out");
            let level = LogLevel::Info;
            return Some(RunnerEvent {
                job,
                kind: RunnerEventKind::Event(Event::Log { level, message }),
            });
        }
        let event = self.waiting.pop_front()?;
        self.num_log_lines -= usize::from(is_log(&event.kind));
        Some(event)
    }
}

fn is_log(kind: &RunnerEventKind) -> bool {
    matches!(kind, RunnerEventKind::Event(Event::Log { .. }))
}

/// Whether nobody needs `old` once there is `new`.
fn is_outdated(old: &RunnerEvent, new: &RunnerEvent) -> bool {
    let (RunnerEventKind::Event(old_event), RunnerEventKind::Event(new_event)) = (&old.kind, &new.kind) else {
        return false;
    };
    old.job == new.job
        && match (old_event, new_event) {
            (Event::Progress { stage: old, .. }, Event::Progress { stage: new, .. }) => old == new,
            (Event::Memory { .. }, Event::Memory { .. }) => true,
            (Event::Preview(old), Event::Preview(new)) => discriminant(old) == discriminant(new),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bozzetto_asset::TriMesh;

    use super::*;
    use crate::Preview;

    fn stage(index: usize) -> RunnerEventKind {
        RunnerEventKind::Event(Event::Stage {
            id: "carve".into(),
            label: "Carving".into(),
            index,
            count: 1,
        })
    }

    fn progress(done: u64) -> RunnerEventKind {
        RunnerEventKind::Event(Event::Progress {
            stage: "carve".into(),
            done,
            total: 100_000,
        })
    }

    fn log(line: usize) -> RunnerEventKind {
        RunnerEventKind::Event(Event::Log {
            level: LogLevel::Info,
            message: line.to_string(),
        })
    }

    /// What waits, in short.
    fn drained(outbox: &Outbox) -> Vec<String> {
        let mut state = outbox.state.lock();
        std::iter::from_fn(|| state.next())
            .map(|event| match event.kind {
                RunnerEventKind::Event(Event::Stage { index, .. }) => format!("stage {index}"),
                RunnerEventKind::Event(Event::Progress { done, .. }) => format!("progress {done}"),
                RunnerEventKind::Event(Event::Log { message, .. }) => message,
                RunnerEventKind::Event(Event::Preview(Preview::Mesh(mesh))) => format!("mesh {}", mesh.triangles.len()),
                RunnerEventKind::Event(Event::Preview(_)) => "other preview".to_owned(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn only_the_newest_progress_and_preview_of_a_kind_wait() {
        let outbox = Outbox::default();
        outbox.push(JobId(1), stage(0));
        for done in 0..100_000 {
            outbox.push(JobId(1), progress(done));
        }
        for num_triangles in 1..4 {
            let mesh = Arc::new(TriMesh::new(Vec::new(), vec![[0; 3]; num_triangles]));
            outbox.push(JobId(1), RunnerEventKind::Event(Event::Preview(Preview::Mesh(mesh))));
        }
        outbox.push(
            JobId(1),
            RunnerEventKind::Event(Event::Preview(Preview::Cameras(Vec::new()))),
        );
        outbox.push(JobId(1), stage(1));
        outbox.push(JobId(2), progress(7));
        assert_eq!(
            drained(&outbox),
            [
                "stage 0",
                "progress 99999",
                "mesh 3",
                "other preview",
                "stage 1",
                "progress 7"
            ]
        );
    }

    #[test]
    fn a_flood_of_log_lines_is_counted_not_kept() {
        let outbox = Outbox::default();
        for line in 0..MAX_LOG_LINES + 25 {
            outbox.push(JobId(1), log(line));
        }
        let lines = drained(&outbox);
        assert_eq!(lines.len(), MAX_LOG_LINES + 1);
        assert_eq!(lines[0], "0");
        assert_eq!(lines[MAX_LOG_LINES], "25 lines of the log were left out");
        outbox.push(JobId(1), log(1));
        assert_eq!(drained(&outbox), ["1"]);
    }

    #[test]
    fn an_engine_far_ahead_waits_and_is_let_go_when_closed() {
        let outbox = Arc::new(Outbox::default());
        let engine = {
            let outbox = outbox.clone();
            std::thread::Builder::new().name("engine".into()).spawn(move || {
                for index in 0..MAX_WAITING * 10 {
                    outbox.push_patiently(JobId(1), stage(index));
                }
            })
        };
        for index in 0..MAX_WAITING * 5 {
            let event = outbox.take().expect("open");
            assert!(matches!(event.kind, RunnerEventKind::Event(Event::Stage { index: found, .. }) if found == index));
            assert!(outbox.state.lock().waiting.len() <= MAX_WAITING);
        }
        outbox.close();
        engine.expect("a thread").join().expect("no panic");
        assert!(outbox.take().is_none());
    }
}
