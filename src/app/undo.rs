use bozzetto_engine::ParamValues;

/// Steps that are kept.
const MAX_STEPS: usize = 200;

/// What undo brings back.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Engine id.
    pub engine: String,
    /// Its parameters.
    pub values: ParamValues,
    /// Seed.
    pub seed: u64,
}

#[derive(Clone, Debug)]
struct Step {
    label: String,
    snapshot: Snapshot,
}

/// Parameter changes that can be taken back. All changes of one slider drag are one step.
#[derive(Clone, Debug, Default)]
pub struct UndoStack {
    done: Vec<Step>,
    undone: Vec<Step>,
    /// Key of the control that is being dragged.
    dragged: Option<String>,
}

impl UndoStack {
    /// Notes the state before a change of control `key`. `is_final` is false while a slider is held.
    pub fn record(&mut self, key: &str, label: &str, before: Snapshot, is_final: bool) {
        let goes_on = self.dragged.as_deref() == Some(key);
        self.dragged = (!is_final).then(|| key.to_owned());
        if goes_on {
            return;
        }
        self.undone.clear();
        self.done.push(Step {
            label: label.to_owned(),
            snapshot: before,
        });
        if self.done.len() > MAX_STEPS {
            self.done.remove(0);
        }
    }

    /// Whether control `key` is being dragged.
    pub fn is_dragged(&self, key: &str) -> bool {
        self.dragged.as_deref() == Some(key)
    }

    /// The state before the last change; `now` is kept for redo.
    pub fn undo(&mut self, now: Snapshot) -> Option<Snapshot> {
        self.dragged = None;
        let Step { label, snapshot } = self.done.pop()?;
        self.undone.push(Step { label, snapshot: now });
        Some(snapshot)
    }

    /// The state after the change that was last taken back; `now` is kept for undo.
    pub fn redo(&mut self, now: Snapshot) -> Option<Snapshot> {
        self.dragged = None;
        let Step { label, snapshot } = self.undone.pop()?;
        self.done.push(Step { label, snapshot: now });
        Some(snapshot)
    }

    /// What undo would take back.
    pub fn undo_label(&self) -> Option<String> {
        self.done.last().map(|step| step.label.clone())
    }

    /// What redo would bring again.
    pub fn redo_label(&self) -> Option<String> {
        self.undone.last().map(|step| step.label.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(seed: u64) -> Snapshot {
        Snapshot {
            engine: "hull".into(),
            values: ParamValues::default(),
            seed,
        }
    }

    #[test]
    fn a_drag_is_one_step_and_two_drags_are_two() {
        let mut stack = UndoStack::default();
        for (before, is_final) in [(0, false), (1, false), (2, true), (3, false), (4, true)] {
            stack.record("a", "A", state(before), is_final);
        }
        assert_eq!(stack.undo(state(5)), Some(state(3)));
        assert_eq!(stack.undo(state(3)), Some(state(0)));
        assert_eq!(stack.undo(state(0)), None);
        assert_eq!(stack.redo(state(0)), Some(state(3)));
        assert_eq!(stack.redo(state(3)), Some(state(5)));
        assert_eq!(stack.redo(state(5)), None);
    }

    #[test]
    fn a_new_change_forgets_what_was_undone_and_another_control_ends_a_drag() {
        let mut stack = UndoStack::default();
        stack.record("a", "A", state(0), false);
        stack.record("b", "B", state(1), true);
        assert_eq!(stack.undo_label().as_deref(), Some("B"));
        assert_eq!(stack.undo(state(2)), Some(state(1)));
        stack.record("c", "C", state(1), true);
        assert_eq!(stack.redo_label(), None);
        assert_eq!(stack.undo(state(9)), Some(state(1)));
        assert_eq!(stack.undo(state(1)), Some(state(0)));
    }

    #[test]
    fn old_steps_are_forgotten_at_the_limit() {
        let mut stack = UndoStack::default();
        for step in 0..=MAX_STEPS as u64 {
            stack.record("a", "A", state(step), true);
        }
        let oldest = std::iter::from_fn(|| stack.undo(state(0))).last();
        assert_eq!(oldest, Some(state(1)));
    }
}
