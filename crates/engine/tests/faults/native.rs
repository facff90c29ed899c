//! The same faults, had by an engine in a worker of the crate `trellis`: libtorch is loaded, and its threads have worked.

use std::time::Duration;

use bozzetto_engine::EngineError;
use libtest_mimic::Trial;

use crate::job::Case;
use crate::trials::{
    died, ends_by_itself, fails_for_good, fails_politely, hung, is_cancelled_by_force, is_cancelled_politely, is_stage,
    panics, tolerated, trial,
};
use crate::worker::Player;

const NATIVE: Player = Player::Native;

/// Faults that end in `WorkerDied`, with a part of its status.
const DEADLY: &[(&str, &str)] = &[
    ("exits at once", "exit code 3"),
    ("exits in mid-job", "exit code 4"),
    ("is killed", "killed from outside"),
    ("leaves a child behind", "exit code 6"),
];

/// Faults that do no harm.
const HARMLESS: &[&str] = &[
    "prints rubbish",
    "floods with lines",
    "floods standard error",
    "floods with progress",
    "asks for input",
    "is healthy",
];

/// What needs words of its own.
const OTHERS: &[(&str, fn())] = &[
    ("fails politely", || fails_politely(NATIVE)),
    ("panics", || panics(NATIVE)),
    ("hangs", || hung(NATIVE, "hangs")),
    ("computes without a word", computes_without_a_word),
    ("loses the device", || fails_for_good(NATIVE)),
    ("is cancelled politely", || {
        is_cancelled_politely(NATIVE, "is cancelled politely");
    }),
    ("ignores cancel", || is_cancelled_by_force(NATIVE, "ignores cancel")),
    ("ignores signals", ignores_signals),
    ("is left alone", || ends_by_itself(NATIVE)),
];

/// Every test; they are passed over where that worker was not built, and where no process can be stopped.
pub fn all() -> impl Iterator<Item = Trial> {
    let is_missing = cfg!(not(unix)) || !NATIVE.program().is_file();
    let deadly = DEADLY
        .iter()
        .map(|&(fault, wanted)| named(fault, move || died(NATIVE, fault, wanted)));
    let harmless = HARMLESS
        .iter()
        .map(|&fault| named(fault, move || tolerated(NATIVE, fault)));
    let others = OTHERS.iter().map(|&(name, test)| named(name, test));
    let trials: Vec<_> = deadly.chain(harmless).chain(others).collect();
    trials.into_iter().map(move |trial| trial.with_ignored_flag(is_missing))
}

fn named(fault: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(&format!("native {fault}"), test)
}

/// The heartbeat needs no processor for itself.
fn computes_without_a_word() {
    let mut case = Case::with_command(NATIVE, "computes without a word", |command, _| {
        command.silence_limit = Duration::from_secs(3);
    });
    case.success();
    case.recovers();
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
