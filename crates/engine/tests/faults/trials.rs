//! The faults, and what must come of each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_engine::protocol::Request;
use bozzetto_engine::{CancelToken, Engine as _, EngineError, Event, LogLevel, Preview, Runner, RunnerEventKind};
use libtest_mimic::Trial;

use crate::job::Case;
use crate::worker::Player;
use crate::{faulty_engine, leaks, native, python};

/// A flood of a gigabyte must not show in memory.
const PEAK_MEMORY_LIMIT: u64 = 150 << 20;

/// Faults that end in `WorkerDied`, with a part of its status.
const DEADLY: &[(&str, &str)] = &[
    ("exits at once", "exit code 3"),
    ("exits in mid-job", "exit code 4"),
    ("sends half a line and exits", "exit code 5"),
    #[cfg(unix)]
    ("is killed", "killed from outside"),
    #[cfg(unix)]
    ("leaves a child behind", "exit code 6"),
];

/// Faults that end in `WorkerHung`.
const SILENT: &[&str] = &["hangs at once", "hangs", "sends half a line and hangs"];

/// Faults that end in `Protocol`, with a part of its reason.
const SENSELESS: &[(&str, &str)] = &[
    ("floods with lines", "more than 16 MB"),
    ("floods with one line", "more than 16 MB"),
    ("garbles a message", "'done' cannot be read"),
    ("says it was cancelled", "nobody asked for"),
    ("speaks another version", "version 99"),
    ("is another engine", "the engine 'other'"),
    #[cfg(unix)]
    ("closes its output", "closed its output"),
];

/// Faults that end in `BadArtifact`.
const UNREADABLE: &[&str] = &[
    "names a missing artifact",
    "names a truncated artifact",
    "names an artifact outside",
];

/// Faults that do no harm.
const HARMLESS: &[&str] = &[
    "prints rubbish",
    "prints",
    "asks for input",
    "floods standard error",
    "floods with progress",
    "exits after its job",
    "is healthy",
];

/// What needs words of its own.
const OTHERS: &[(&str, fn())] = &[
    ("names a missing preview", names_a_missing_preview),
    ("fails politely", || fails_politely(Player::Own)),
    ("loses the device", || fails_for_good(Player::Own)),
    ("panics", || panics(Player::Own)),
    ("is cancelled politely", || {
        is_cancelled_politely(Player::Own, "is healthy");
    }),
    ("ignores cancel", || {
        is_cancelled_by_force(Player::Own, "ignores cancel");
    }),
    ("is cancelled at the start", is_cancelled_at_the_start),
    ("is cancelled between long steps", is_cancelled_between_long_steps),
    ("is ended at once", is_ended_at_once),
    ("does not exist", does_not_exist),
    ("is left alone", || ends_by_itself(Player::Own)),
    ("the queue goes on", the_queue_goes_on),
    ("tells while it works", tells_while_it_works),
    #[cfg(unix)]
    ("leaves a child that runs away", leaves_a_child_that_runs_away),
];

/// Every test, by the name of its fault.
pub fn all() -> Vec<Trial> {
    let deadly = DEADLY
        .iter()
        .map(|&(fault, wanted)| trial(fault, move || died(Player::Own, fault, wanted)));
    let silent = SILENT
        .iter()
        .map(|&fault| trial(fault, move || hung(Player::Own, fault)));
    let senseless = SENSELESS
        .iter()
        .map(|&(fault, wanted)| trial(fault, move || broke_protocol(fault, wanted)));
    let unreadable = UNREADABLE
        .iter()
        .map(|&fault| trial(fault, move || handed_over_rubbish(fault)));
    let harmless = HARMLESS
        .iter()
        .map(|&fault| trial(fault, move || tolerated(Player::Own, fault)));
    let others = OTHERS.iter().map(|&(name, test)| trial(name, test));
    deadly
        .chain(silent)
        .chain(senseless)
        .chain(unreadable)
        .chain(harmless)
        .chain(others)
        .chain(native::all())
        .chain(python::all())
        .collect()
}

pub fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name.replace(' ', "_"), move || {
        test();
        Ok(())
    })
}

pub fn died(player: Player, fault: &str, wanted: &str) {
    let mut case = Case::new(player, fault);
    let EngineError::WorkerDied { status, last_lines } = case.failure() else {
        panic!("the worker must have died");
    };
    assert!(status.contains(wanted), "{status}");
    let has_spoken = last_lines.iter().any(|line| line == "the driver is too old");
    assert!(has_spoken || fault == "is killed", "{last_lines:?}");
    assert_eq!(case.engine.process_id(), None);
    case.recovers();
}

pub fn hung(player: Player, fault: &str) {
    let mut case = Case::impatient(player, fault);
    let error = case.failure();
    assert_eq!(error, EngineError::WorkerHung { secs: 1 });
    leaks::nothing_is_left(&case.id, case.folder.path());
    // A healthy worker may need longer than that on a busy machine.
    let Case { id, folder, .. } = case;
    let mut patient = Case::with_command(player, fault, |command, _| {
        let again = command.env.iter_mut().find(|(name, _)| name == faulty_engine::FOLDER);
        again.expect("a variable").1 = folder.path().into();
    });
    assert_ne!(patient.id, id);
    patient.success();
    patient.ends_cleanly();
    leaks::nothing_is_left(&id, folder.path());
}

pub fn tolerated(player: Player, fault: &str) {
    let mut case = Case::new(player, fault);
    case.success();
    memory_stays_low();
    case.recovers();
}

fn broke_protocol(fault: &str, wanted: &str) {
    let mut case = Case::new(Player::Own, fault);
    let EngineError::Protocol { reason } = case.failure() else {
        panic!("the protocol must be broken");
    };
    assert!(reason.contains(wanted), "{reason}");
    memory_stays_low();
    case.recovers();
}

fn memory_stays_low() {
    if let Some(peak) = leaks::peak_memory() {
        assert!(peak < PEAK_MEMORY_LIMIT, "{} MB", peak >> 20);
    }
}

fn handed_over_rubbish(fault: &str) {
    let mut case = Case::new(Player::Own, fault);
    let error = case.failure();
    assert!(matches!(&error, EngineError::BadArtifact { .. }), "{error}");
    case.recovers();
}

fn names_a_missing_preview() {
    let mut case = Case::new(Player::Own, "names a missing preview");
    case.success();
    let is_told =
        case.events.lock().iter().any(
            |event| matches!(event, Event::Log { level: LogLevel::Warning, message } if message.contains("preview")),
        );
    assert!(is_told);
    case.recovers();
}

pub fn fails_politely(player: Player) {
    let mut case = Case::new(player, "fails politely");
    assert_eq!(case.failure(), faulty_engine::no_result());
    let process = case.engine.process_id();
    case.success();
    assert_eq!(case.engine.process_id(), process, "it did nothing wrong");
    case.engine.release();
    assert_eq!(case.engine.process_id(), None);
    case.recovers();
}

/// What a process with a lost device would still do would fail: it is replaced.
pub fn fails_for_good(player: Player) {
    let mut case = Case::new(player, "loses the device");
    assert_eq!(case.failure(), faulty_engine::device_lost());
    assert_eq!(case.engine.process_id(), None);
    case.recovers();
}

pub fn panics(player: Player) {
    let mut case = Case::new(player, "panics");
    let reason = "the grid is upside down".to_owned();
    assert_eq!(case.failure(), EngineError::Internal { reason });
    assert!(case.engine.process_id().is_some());
    case.recovers();
}

pub fn is_stage(event: &Event) -> bool {
    matches!(event, Event::Stage { .. })
}

pub fn is_cancelled_politely(player: Player, fault: &str) {
    let mut case = Case::new(player, fault);
    assert_eq!(case.run_until(is_stage).map(|_| ()), Err(EngineError::Cancelled));
    assert!(case.engine.process_id().is_some(), "it stays for the next job");
    case.recovers();
}

pub fn is_cancelled_by_force(player: Player, fault: &str) {
    let mut case = Case::with_command(player, fault, |command, _| {
        command.cancel_grace = Duration::from_millis(200);
    });
    assert_eq!(case.run_until(is_stage).map(|_| ()), Err(EngineError::Cancelled));
    assert_eq!(case.engine.process_id(), None);
    case.recovers();
}

/// It hears of it only after its step, which takes longer than the grace.
fn is_cancelled_between_long_steps() {
    let mut case = Case::with_command(Player::Own, "takes long steps", |command, _| {
        command.cancel_grace = Duration::from_millis(1);
    });
    let is_third = |event: &Event| matches!(event, Event::Progress { done: 3, .. });
    assert_eq!(case.run_until(is_third).map(|_| ()), Err(EngineError::Cancelled));
    assert!(case.engine.process_id().is_some(), "it stays for the next job");
    case.recovers();
}

fn is_ended_at_once() {
    let mut case = Case::with_command(Player::Own, "ignores cancel", |command, _| {
        command.shutdown_grace = Duration::from_millis(200);
    });
    let began = Instant::now();
    let result = case.run_until_stopped(is_stage, CancelToken::cancel_at_once);
    assert_eq!(result.map(|_| ()), Err(EngineError::Cancelled));
    assert!(began.elapsed() < Duration::from_mins(1), "the grace of other cancels");
    assert_eq!(case.engine.process_id(), None);
    case.recovers();
}

fn is_cancelled_at_the_start() {
    let mut case = Case::new(Player::Own, "hangs at once");
    let cancel = CancelToken::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let is_started = || case_is_started(case.folder.path());
            while !is_started() {
                std::thread::sleep(Duration::from_millis(5));
            }
            cancel.cancel();
        });
        assert_eq!(case.engine.prepare(&cancel), Err(EngineError::Cancelled));
    });
    case.recovers();
}

/// Whether the worker has come as far as its fault.
fn case_is_started(folder: &std::path::Path) -> bool {
    folder.join("hangs at once").exists()
}

fn does_not_exist() {
    let program = format!("worker{}", std::env::consts::EXE_SUFFIX);
    let mut case = Case::with_command(Player::Own, "is healthy", |command, folder| {
        command.program = folder.path().join(&program);
    });
    let error = case.failure();
    assert!(
        matches!(&error, EngineError::WorkerStart { reason } if reason.contains(&program)),
        "{error}"
    );
    let myself = std::env::current_exe().expect("a path");
    std::fs::copy(myself, case.folder.path().join(&program)).expect("copied");
    case.recovers();
}

/// The program that a worker works for disappears in the middle of a job.
pub fn ends_by_itself(player: Player) {
    let case = Case::new(player, "is busy");
    let mut child = Command::new(player.program())
        .args(player.args())
        .env(faulty_engine::FAULT, "is busy")
        .env(faulty_engine::ID, &case.id)
        .env(faulty_engine::FOLDER, case.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let request = Request::Run {
        id: 1,
        job: Box::new(case.job()),
        folder: case.folder.path().to_owned(),
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "{}", serde_json::to_string(&request).expect("JSON")).expect("written");
    let messages = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut stages = messages.map_while(Result::ok).filter(|line| line.contains("\"stage\""));
    assert!(stages.next().is_some(), "the job must begin");
    drop(stdin);
    let deadline = Instant::now() + Duration::from_mins(1);
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        assert!(Instant::now() < deadline, "it must exit");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(!status.success(), "it does not wait for its busy thread: {status}");
    case.recovers();
}

/// One job of three dies; the others do not notice.
fn the_queue_goes_on() {
    let case = Case::new(Player::Own, "exits in mid-job");
    let job = case.job();
    let Case { engine, id, folder, .. } = case;
    let runner = Runner::start(vec![Box::new(engine)], Arc::new(|| ())).expect("threads");
    let ids = [
        runner.submit(job.clone()),
        runner.submit(job.clone()),
        runner.submit(job),
    ];
    let mut ends = Vec::new();
    while ends.len() < ids.len() {
        let event = runner.events().recv_timeout(Duration::from_mins(1)).expect("an event");
        match event.kind {
            RunnerEventKind::Done(asset) => {
                assert_eq!(asset.provenance.views.len(), 1);
                ends.push((event.job, "done"));
            }
            RunnerEventKind::Failed(EngineError::WorkerDied { .. }) => ends.push((event.job, "died")),
            RunnerEventKind::Failed(error) => panic!("{error}"),
            _ => {}
        }
    }
    assert_eq!(ends, [(ids[0], "died"), (ids[1], "done"), (ids[2], "done")]);
    assert!(
        runner.engines()[0].device.starts_with("process"),
        "the worker's own word counts"
    );
    drop(runner);
    leaks::nothing_is_left(&id, folder.path());
}

fn tells_while_it_works() {
    let mut case = Case::new(Player::Own, "is healthy");
    case.success();
    let process = case.engine.process_id().expect("it stays for the next job");
    leaks::is_seen(&case.id, case.folder.path(), process);
    let events = std::mem::take(&mut *case.events.lock());
    let label = "Carving the shape";
    assert!(matches!(&events[0], Event::Stage { label: found, .. } if found == label));
    let mesh = faulty_engine::triangle().mesh;
    assert!(matches!(&events[1], Event::Preview(Preview::Mesh(found)) if Some(found) == mesh.as_ref()));
    assert!(matches!(
        events[events.len() - 1],
        Event::Progress {
            done: 10,
            total: 10,
            ..
        }
    ));
    case.recovers();
}

/// A process in a group of its own keeps the pipes open, and is not found. Nobody waits for it.
#[cfg(unix)]
fn leaves_a_child_that_runs_away() {
    let mut case = Case::new(Player::Own, "leaves a child that runs away");
    let error = case.failure();
    assert!(
        matches!(&error, EngineError::WorkerDied { status, .. } if status == "exit code 6"),
        "{error}"
    );
    let sleeper = case
        .sleeper()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process");
    rustix::process::kill_process(sleeper, rustix::process::Signal::KILL).expect("it ran all the time");
    case.recovers();
}
