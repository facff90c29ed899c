use std::io::{PipeReader, PipeWriter, pipe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::*;
use crate::test_support::{TestEngine, job, within_a_minute};
use crate::worker::protocol::{Message, PROTOCOL_VERSION};

/// A served engine, seen from the program's side.
struct Served {
    requests: Option<PipeWriter>,
    messages: LineReader<PipeReader>,
    worker: JoinHandle<Result<(), EngineError>>,
    was_abandoned: Arc<AtomicBool>,
    folder: tempfile::TempDir,
}

impl Served {
    fn start(engine: TestEngine) -> Self {
        let (input, requests) = pipe().expect("a pipe");
        let (messages, output) = pipe().expect("a pipe");
        let was_abandoned = Arc::new(AtomicBool::new(false));
        let flag = was_abandoned.clone();
        let abandoned = move || flag.store(true, Ordering::Relaxed);
        let worker = Builder::new()
            .name("worker".into())
            .spawn(move || serve(Box::new(engine), input, output, abandoned))
            .expect("a thread");
        let mut served = Self {
            requests: Some(requests),
            messages: LineReader::new(messages, MAX_LINE_BYTES),
            worker,
            was_abandoned,
            folder: tempfile::tempdir().expect("a folder"),
        };
        let hello = served.next();
        assert!(matches!(hello.body, MessageBody::Hello { protocol: PROTOCOL_VERSION, engine } if engine.id == "test"));
        served
    }

    fn write(&mut self, line: &str) {
        let requests = self.requests.as_mut().expect("open");
        requests.write_all(line.as_bytes()).expect("written");
    }

    fn run(&mut self, id: u64) {
        let (job, picture) = job("test");
        let request = Request::Run {
            id,
            job: Box::new(job),
            folder: self.folder.path().to_owned(),
        };
        drop(picture);
        self.write(&(serde_json::to_string(&request).expect("JSON") + "\n"));
    }

    fn next(&mut self) -> Message {
        let Some(Line::Whole(line)) = self.messages.next_line() else {
            panic!("a whole line is expected");
        };
        serde_json::from_slice(line).expect("a message")
    }

    /// The end of a job, and how many heartbeats came before it.
    fn end_of(&mut self, job: u64) -> (MessageBody, usize) {
        let mut num_heartbeats = 0;
        loop {
            let message = self.next();
            match message.body {
                MessageBody::Heartbeat => num_heartbeats += 1,
                body @ (MessageBody::Done { .. } | MessageBody::Failed { .. } | MessageBody::Cancelled) => {
                    assert_eq!(message.id, Some(job));
                    return (body, num_heartbeats);
                }
                _ => {}
            }
        }
    }
}

fn internal(reason: &str) -> MessageBody {
    MessageBody::Failed {
        error: EngineError::Internal { reason: reason.into() },
    }
}

fn endless() -> TestEngine {
    TestEngine::new("test", |_, context| {
        loop {
            context.progress("carve", 1, 2)?;
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}

#[test]
fn a_panic_and_an_unreadable_request_end_their_job_only() {
    within_a_minute(|| {
        let mut served = Served::start(TestEngine::new("test", |_, _| panic!("upside down")));
        served.run(1);
        assert_eq!(served.end_of(1).0, internal("upside down"));
        served.write("what?\n{\"request\":\"run\",\"id\":2}\n");
        let (MessageBody::Failed { error }, _) = served.end_of(2) else {
            panic!("it must fail");
        };
        assert!(error.to_string().contains("does not understand the request"), "{error}");
        served.run(3);
        assert_eq!(served.end_of(3).0, internal("upside down"));
        served.write("{\"request\":\"shutdown\"}\n");
        assert_eq!(served.worker.join().expect("no panic"), Ok(()));
    });
}

#[test]
fn a_long_job_beats_and_is_cancelled_while_it_runs() {
    within_a_minute(|| {
        let mut served = Served::start(endless());
        served.run(1);
        while served.next().body != MessageBody::Heartbeat {}
        served.write("{\"request\":\"cancel\",\"id\":99}\n{\"request\":\"cancel\",\"id\":1}\n");
        assert_eq!(served.end_of(1).0, MessageBody::Cancelled);
    });
}

#[test]
fn progress_is_thinned_out_but_its_end_arrives() {
    within_a_minute(|| {
        let mut served = Served::start(TestEngine::new("test", |_, context| {
            for done in 0..=10_000 {
                context.progress("carve", done, 10_000)?;
            }
            Err(EngineError::NoViews)
        }));
        served.run(1);
        let mut found = Vec::new();
        loop {
            match served.next().body {
                MessageBody::Progress { done, .. } => found.push(done),
                MessageBody::Heartbeat => {}
                _ => break,
            }
        }
        assert_eq!((found.first(), found.last()), (Some(&0), Some(&10_000)));
        assert!(found.len() < 5000, "{} messages", found.len());
    });
}

#[test]
fn closing_the_input_stops_a_run_and_the_worker() {
    within_a_minute(|| {
        let mut served = Served::start(endless());
        served.run(1);
        served.next();
        served.requests = None;
        assert_eq!(served.end_of(1).0, MessageBody::Cancelled);
        assert_eq!(served.worker.join().expect("no panic"), Ok(()));
        assert!(!served.was_abandoned.load(Ordering::Relaxed));
    });
}

#[test]
fn an_engine_that_does_not_listen_is_left_behind() {
    within_a_minute(|| {
        let (release, gate) = bounded::<()>(0);
        let (told, hears) = bounded(1);
        let mut served = Served::start(TestEngine::new("test", move |_, _| {
            told.send(()).expect("open");
            let _ = gate.recv();
            Err(EngineError::NoViews)
        }));
        served.run(1);
        hears.recv().expect("it runs");
        served.requests = None;
        while !served.was_abandoned.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(release);
        assert_eq!(served.worker.join().expect("no panic"), Ok(()));
    });
}

#[test]
fn a_program_that_hangs_up_stops_the_run() {
    within_a_minute(|| {
        let mut served = Served::start(endless());
        served.run(1);
        served.next();
        let Served {
            messages,
            worker,
            requests,
            ..
        } = served;
        drop(messages);
        // The run ends although its input stays open; then there is nothing to wait for but more requests.
        let mut requests = requests.expect("open");
        requests.write_all(b"{\"request\":\"shutdown\"}\n").expect("written");
        assert_eq!(worker.join().expect("no panic"), Ok(()));
    });
}
