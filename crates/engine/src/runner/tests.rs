use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::test_support::{TestEngine, job, triangle, within_a_minute};
use crate::{Event, GENERATOR, ParamValue, Preview};

fn start(engines: Vec<Box<dyn Engine>>) -> Runner {
    Runner::start(engines, Arc::new(|| ())).expect("threads")
}

fn next(runner: &Runner) -> RunnerEvent {
    let event = runner.events().recv_timeout(Duration::from_mins(1));
    event.expect("an event")
}

/// All events up to the last one of `job`.
fn until_end(runner: &Runner, job: JobId) -> Vec<RunnerEvent> {
    let mut events = Vec::new();
    loop {
        events.push(next(runner));
        if events
            .last()
            .is_some_and(|event| event.job == job && event.kind.is_last())
        {
            return events;
        }
    }
}

fn end_of(runner: &Runner, job: JobId) -> RunnerEventKind {
    until_end(runner, job).pop().expect("the last event").kind
}

fn short(events: &[RunnerEvent]) -> Vec<String> {
    let name = |kind: &RunnerEventKind| match kind {
        RunnerEventKind::Event(Event::Stage { .. }) => "stage".to_owned(),
        RunnerEventKind::Done(_) => "done".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    events
        .iter()
        .map(|event| format!("{} {}", event.job, name(&event.kind)))
        .collect()
}

#[test]
fn engines_beside_the_first_can_be_replaced_while_a_job_runs() {
    let ids = |runner: &Runner| runner.engines().into_iter().map(|info| info.id).collect::<Vec<_>>();
    let (first, go) = gated("first");
    let (older, _) = gated("older");
    let runner = start(vec![first, older]);
    let [(first, _a), (newer_job, _b), (older_job, _c)] = ["first", "newer", "older"].map(job);
    let running = runner.submit(first);
    let (newer, go_newer) = gated("newer");
    runner.set_other_engines(vec![newer]);
    assert_eq!(ids(&runner), ["first", "newer"]);
    let (wanted, gone) = (runner.submit(newer_job), runner.submit(older_job));
    go.send(()).expect("the engine waits");
    go_newer.send(()).expect("the engine waits");
    assert!(matches!(end_of(&runner, running), RunnerEventKind::Done(_)));
    assert!(matches!(end_of(&runner, wanted), RunnerEventKind::Done(_)));
    let refusal = end_of(&runner, gone);
    assert!(matches!(
        refusal,
        RunnerEventKind::Failed(EngineError::UnknownEngine { .. })
    ));
    assert_eq!(ids(&runner), ["first", "newer"]);
}

/// An engine whose runs wait for a word from the test, or for being cancelled.
fn gated(id: &str) -> (Box<dyn Engine>, Sender<()>) {
    let (go, gate) = bounded(100);
    let engine = TestEngine::new(id, move |_, context| {
        loop {
            context.cancel.check()?;
            if gate.recv_timeout(Duration::from_millis(2)).is_ok() {
                return Ok(triangle());
            }
        }
    });
    (engine.boxed(), go)
}

#[test]
fn jobs_run_in_order_and_tell_what_happens() {
    let engine = TestEngine::new("test", |_, context| {
        context.stage(&TestEngine::new("test", |_, _| Ok(triangle())).info(), 0);
        Ok(triangle())
    });
    let runner = start(vec![engine.boxed()]);
    let (job, _picture) = job("test");
    let first = runner.submit(job.clone());
    let first_events = until_end(&runner, first);
    assert_eq!(short(&first_events), ["1 queued", "1 started", "1 stage", "1 done"]);
    let second = runner.submit(job);
    assert!(second > first);
    assert_eq!(
        short(&until_end(&runner, second)),
        ["2 queued", "2 started", "2 stage", "2 done"]
    );
    assert_eq!(runner.queued(), Vec::new());
    // The last event leaves a moment before the thread has put the job away.
    let deadline = Instant::now() + Duration::from_secs(30);
    while runner.running().is_some() {
        assert!(Instant::now() < deadline, "it is put away");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_asset_knows_where_it_came_from() {
    let engine = TestEngine::new("test", |job, _| {
        assert_eq!(job.params.int("carve.resolution"), Some(192), "defaults are filled in");
        let mut asset = triangle();
        asset.provenance.weights.insert("model".into(), "cafe".into());
        Ok(asset)
    });
    let runner = start(vec![engine.boxed()]);
    let (mut job, picture) = job("test");
    job.views[0].direction = Some(bozzetto_asset::Direction::Left);
    job.views[0].weight = 0.5;
    job.views[0].matte.inverted = true;
    let mut off = job.views[0].clone();
    off.enabled = false;
    off.path = "nowhere".into();
    job.views.push(off);
    let id = runner.submit(job);
    let RunnerEventKind::Done(asset) = end_of(&runner, id) else {
        panic!("it must succeed");
    };
    let provenance = asset.provenance;
    assert_eq!(provenance.generator, GENERATOR);
    assert_eq!((provenance.engine.as_str(), provenance.seed), ("test", 7));
    assert_eq!(provenance.parameters["carve.resolution"], 192);
    assert_eq!(provenance.weights["model"], "cafe");
    assert!(provenance.created_unix_secs > 1_700_000_000 && provenance.duration_secs > 0.0);
    let [view] = &provenance.views[..] else {
        panic!("only views that take part are recorded");
    };
    // FIPS 180-2's example for "abc", which is what the picture holds.
    assert_eq!(
        view.sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        Some(view.name.as_str()),
        picture.path().file_name().and_then(|name| name.to_str())
    );
    assert_eq!(view.direction, "left");
    assert!(view.weight == 0.5 && view.matte.inverted);
}

#[test]
fn waiting_and_running_jobs_are_cancelled() {
    let (engine, go) = gated("test");
    let runner = start(vec![engine]);
    let (job, _picture) = job("test");
    let ids: Vec<_> = (0..3).map(|_| runner.submit(job.clone())).collect();
    while runner.running() != Some(ids[0]) {
        std::thread::yield_now();
    }
    assert_eq!(runner.queued(), ids[1..]);
    runner.cancel(ids[1]);
    assert_eq!(runner.queued(), ids[2..]);
    runner.cancel(ids[0]);
    // Not before the first job has ended, or it would be the one to go.
    let mut events = short(&until_end(&runner, ids[0]));
    go.send(()).expect("open");
    events.extend(short(&until_end(&runner, ids[2])));
    // The second job's end races with the first one's start.
    events.sort();
    let wanted = [
        "1 cancelled",
        "1 queued",
        "1 started",
        "2 cancelled",
        "2 queued",
        "3 done",
        "3 queued",
        "3 started",
    ];
    assert_eq!(events, wanted);
    runner.cancel(ids[2]);
    runner.cancel_all();
    assert!(runner.events().is_empty(), "nothing is left to cancel");
}

#[test]
fn waiting_jobs_change_places() {
    let (engine, go) = gated("test");
    let runner = start(vec![engine]);
    let (job, _picture) = job("test");
    let ids: Vec<_> = (0..4).map(|_| runner.submit(job.clone())).collect();
    while runner.running() != Some(ids[0]) {
        std::thread::yield_now();
    }
    runner.move_queued(ids[3], 0);
    runner.move_queued(ids[1], 99);
    runner.move_queued(ids[0], 0);
    let wanted = [ids[3], ids[2], ids[1]];
    assert_eq!(runner.queued(), wanted);
    for _ in 0..4 {
        go.send(()).expect("open");
    }
    let events = until_end(&runner, ids[1]);
    let started = events
        .iter()
        .filter(|event| matches!(event.kind, RunnerEventKind::Started));
    assert_eq!(
        started.map(|event| event.job).collect::<Vec<_>>(),
        [ids[0], ids[3], ids[2], ids[1]]
    );
}

#[test]
fn a_panic_fails_its_job_and_the_next_one_runs() {
    let num_released = Arc::new(AtomicUsize::new(0));
    let counter = num_released.clone();
    let mut num_runs = 0;
    let engine = TestEngine::new("test", move |_, _| {
        num_runs += 1;
        assert!(num_runs > 1, "the grid is upside down");
        Ok(triangle())
    });
    let engine = engine.on_release(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let runner = start(vec![engine.boxed()]);
    let (job, _picture) = job("test");
    let (first, second) = (runner.submit(job.clone()), runner.submit(job));
    let RunnerEventKind::Failed(EngineError::Internal { reason }) = end_of(&runner, first) else {
        panic!("a panic is an internal error");
    };
    assert_eq!(reason, "the grid is upside down");
    assert!(matches!(end_of(&runner, second), RunnerEventKind::Done(_)));
    assert_eq!(
        num_released.load(Ordering::Relaxed),
        1,
        "what it kept may be half written"
    );
}

#[test]
fn jobs_that_cannot_run_say_why() {
    let engine = TestEngine::new("test", |_, _| panic!("must not run"));
    let runner = start(vec![engine.boxed()]);
    let (good, _picture) = job("test");
    let refusal = |change: &dyn Fn(&mut Job)| {
        let mut job = good.clone();
        change(&mut job);
        let id = runner.submit(job);
        match end_of(&runner, id) {
            RunnerEventKind::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    };
    let unknown = refusal(&|job| job.engine = "other".into());
    assert_eq!(
        unknown.to_string(),
        "There is no engine called 'other'. There are: test."
    );
    assert_eq!(refusal(&|job| job.views[0].enabled = false), EngineError::NoViews);
    let too_many = refusal(&|job| job.views = vec![job.views[0].clone(); 3]);
    assert_eq!(too_many, EngineError::TooManyViews { given: 3, max: 2 });
    let wrong = refusal(&|job| {
        job.params.0.insert("carve.resolution".into(), ParamValue::Int(1));
    });
    assert!(matches!(wrong, EngineError::Params(_)), "{wrong}");
    let missing = refusal(&|job| job.views[0].path = "nowhere.png".into());
    assert!(
        matches!(&missing, EngineError::BadView { name, .. } if name == "nowhere.png"),
        "{missing}"
    );
}

#[test]
fn a_slow_consumer_misses_only_what_is_out_of_date() {
    const NUM_STAGES: usize = 30;
    let engine = TestEngine::new("test", |_, context| {
        for index in 0..NUM_STAGES {
            (context.emit)(Event::Stage {
                id: index.to_string(),
                label: String::new(),
                index,
                count: NUM_STAGES,
            });
            for done in 0..2000 {
                context.progress(&index.to_string(), done, 1999)?;
                let mesh = triangle().mesh.expect("a mesh");
                (context.emit)(Event::Preview(Preview::Mesh(mesh)));
            }
        }
        Ok(triangle())
    });
    let num_wakes = Arc::new(AtomicUsize::new(0));
    let counter = num_wakes.clone();
    let wake = move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let runner = Runner::start(vec![engine.boxed()], Arc::new(wake)).expect("threads");
    let (job, _picture) = job("test");
    let id = runner.submit(job);
    // Nobody reads until the engine has finished, which it must be able to.
    while !runner.queued().is_empty() || runner.running().is_some() {
        std::thread::yield_now();
    }
    let events = until_end(&runner, id);
    let mut stages = Vec::new();
    let mut last_progress = 0;
    let mut num_droppable = 0;
    for event in &events {
        match &event.kind {
            RunnerEventKind::Event(Event::Stage { index, .. }) => stages.push(*index),
            RunnerEventKind::Event(Event::Progress { done, .. }) => {
                last_progress = *done;
                num_droppable += 1;
            }
            RunnerEventKind::Event(_) => num_droppable += 1,
            _ => {}
        }
    }
    assert_eq!(stages, (0..NUM_STAGES).collect::<Vec<_>>());
    assert_eq!(last_progress, 1999, "the newest progress arrives");
    assert!(
        num_droppable <= NUM_STAGES + CHANNEL_CAPACITY + 3,
        "{num_droppable} of 120000 waited"
    );
    let num_events = events.len();
    drop(runner);
    assert_eq!(
        num_wakes.load(Ordering::Relaxed),
        num_events,
        "each event wakes the window"
    );
}

#[test]
fn dropping_ends_a_flood_that_nobody_reads() {
    let (told, hears) = bounded(1);
    let engine = TestEngine::new("test", move |_, context| {
        let _ = told.send(());
        loop {
            context.cancel.check()?;
            context.stage(&TestEngine::new("test", |_, _| Ok(triangle())).info(), 0);
        }
    });
    let runner = start(vec![engine.boxed()]);
    let (job, _picture) = job("test");
    runner.submit(job.clone());
    runner.submit(job);
    hears.recv_timeout(Duration::from_mins(1)).expect("it runs");
    within_a_minute(move || drop(runner));
}

#[test]
fn engines_are_released_when_asked_and_dropped_with_the_runner() {
    let (released, hears) = bounded(10);
    let engine = TestEngine::new("test", |_, _| Ok(triangle())).on_release(move || {
        let _ = released.send(());
    });
    let runner = start(vec![engine.boxed()]);
    assert_eq!(runner.engines()[0].id, "test");
    runner.release_engines();
    hears.recv_timeout(Duration::from_mins(1)).expect("released");
    drop(runner);
    let closed = hears.recv_timeout(Duration::from_mins(1));
    assert_eq!(
        closed,
        Err(crossbeam_channel::RecvTimeoutError::Disconnected),
        "dropped with its engine"
    );
}
