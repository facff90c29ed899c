//! The same faults, had by an engine in a worker of the crate `trellis`: libtorch is loaded, and its threads have worked.

use std::time::Duration;

use bozzetto_engine::EngineError;
use libtest_mimic::Trial;

use crate::guests::{self, says_nothing_for_long};
use crate::job::Case;
use crate::trials::{fails_politely, is_stage, panics};
use crate::worker::Player;

const NATIVE: Player = Player::Native;

/// What this worker alone has.
const OWN: &[(&str, fn())] = &[
    ("fails politely", || fails_politely(NATIVE)),
    ("panics", || panics(NATIVE)),
    ("computes without a word", || {
        says_nothing_for_long(NATIVE, "computes without a word");
    }),
    ("ignores signals", ignores_signals),
];

/// Every test; they are passed over where that worker was not built.
pub fn all() -> Vec<Trial> {
    guests::all("native", NATIVE, !NATIVE.program().is_file(), OWN)
}

/// Signals that a process ignores when it starts another are ignored by that one too.
fn ignores_signals() {
    let mut case = Case::with_command(NATIVE, "ignores cancel", |command, _| {
        let program = std::mem::replace(&mut command.program, "/bin/sh".into());
        command.args = vec!["-c".into(), "trap '' TERM INT HUP; exec \"$0\"".into(), program.into()];
        command.cancel_grace = Duration::from_millis(200);
    });
    assert_eq!(case.run_until(is_stage).map(|_| ()), Err(EngineError::Cancelled));
    assert_eq!(case.engine.process_id(), None);
    case.recovers();
}
