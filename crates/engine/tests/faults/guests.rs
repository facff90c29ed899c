//! What workers of other kinds than this program's own stand alike.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::job::Case;
use crate::trials::{
    died, ends_by_itself, fails_for_good, hung, is_cancelled_by_force, is_cancelled_politely, tolerated, trial,
};
use crate::worker::Player;

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

/// A fault, and its test of a worker.
type FaultTest = (&'static str, fn(Player));

/// What needs words of its own.
const OTHERS: &[FaultTest] = &[
    ("hangs", |player| hung(player, "hangs")),
    ("loses the device", fails_for_good),
    ("is cancelled politely", |player| {
        is_cancelled_politely(player, "is cancelled politely");
    }),
    ("ignores cancel", |player| {
        is_cancelled_by_force(player, "ignores cancel");
    }),
    ("is left alone", ends_by_itself),
];

/// The tests of a worker, named after its kind: those here and its `own`. They are passed over where it is missing, and where
/// no process can be stopped or forked.
pub fn all(kind: &str, player: Player, is_missing: bool, own: &[(&str, fn())]) -> Vec<Trial> {
    let is_missing = is_missing || cfg!(not(unix));
    let name = |fault: &str| format!("{kind} {fault}");
    let deadly = DEADLY
        .iter()
        .map(|&(fault, wanted)| trial(&name(fault), move || died(player, fault, wanted)));
    let harmless = HARMLESS
        .iter()
        .map(|&fault| trial(&name(fault), move || tolerated(player, fault)));
    let others = OTHERS
        .iter()
        .map(|&(fault, test)| trial(&name(fault), move || test(player)));
    let own = own.iter().map(|&(fault, test)| trial(&name(fault), test));
    deadly
        .chain(harmless)
        .chain(others)
        .chain(own)
        .map(|trial| trial.with_ignored_flag(is_missing))
        .collect()
}

/// The heartbeat needs nothing that a job may hold.
pub fn says_nothing_for_long(player: Player, fault: &str) {
    let mut case = Case::with_command(player, fault, |command, _| {
        command.silence_limit = Duration::from_secs(3);
    });
    case.success();
    case.recovers();
}
