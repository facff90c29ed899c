//! The worker's side.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bozzetto_asset::formats::artifact::{ASSET_FILE, write_asset};
use bozzetto_engine::protocol::{Message, MessageBody, PROTOCOL_VERSION, PreviewContent, Request};
use bozzetto_engine::serve_worker;

use crate::faulty_engine::{
    FaultyEngine, die, flood, folder, id, info, leave_child, no_result, print, sleep, take_fault, triangle,
};

/// Python interpreter of an environment with `python_bridge`; its tests are passed over where it is not set.
pub const PYTHON: &str = "BOZZETTO_TEST_PYTHON";

/// Who plays the worker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Player {
    /// This program.
    Own,
    /// The example `faulty_worker` of the crate `trellis`: served as its engines are, with libtorch at work.
    Native,
    /// The Python environment that [`PYTHON`] names, with `python_bridge` installed.
    Python,
}

impl Player {
    pub fn program(self) -> PathBuf {
        match self {
            Self::Own => std::env::current_exe().expect("a path"),
            Self::Native => {
                let program = format!("faulty_worker{}", std::env::consts::EXE_SUFFIX);
                let myself = std::env::current_exe().expect("a path");
                let profile = myself.ancestors().nth(2).expect("this program lies in `deps`");
                profile.join("examples").join(program)
            }
            Self::Python => std::env::var_os(PYTHON).unwrap_or_default().into(),
        }
    }

    pub fn args(self) -> Vec<OsString> {
        match self {
            Self::Own | Self::Native => Vec::new(),
            Self::Python => {
                vec![
                    concat!(
                        env!("CARGO_MANIFEST_DIR"),
                        "/../../python_bridge/tests/faulty_worker.py"
                    )
                    .into(),
                ]
            }
        }
    }
}

/// A worker's `main`.
pub fn misbehave() -> ExitCode {
    let Some(fault) = take_fault() else {
        return serve("");
    };
    match fault.as_str() {
        "sleeps" | "hangs at once" => sleep(),
        "exits at once" => die(3),
        "speaks another version" => {
            greet(99, &id());
            sleep()
        }
        "is another engine" => {
            greet(PROTOCOL_VERSION, "other");
            sleep()
        }
        "panics" | "prints" | "asks for input" | "loses the device" | "is busy" | "is healthy" => serve(&fault),
        _ => {
            greet(PROTOCOL_VERSION, &id());
            let order = Order::next().expect("a job");
            order.say(MessageBody::Stage {
                stage: "carve".into(),
                label: "Carving the shape".into(),
                index: 0,
                count: 1,
            });
            order.spoil(&fault)
        }
    }
}

struct Order {
    id: u64,
    folder: PathBuf,
}

impl Order {
    /// The next job; `None` when asked to shut down or left alone.
    fn next() -> Option<Self> {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        match serde_json::from_str(&line).ok()? {
            Request::Run { id, folder, .. } => Some(Self { id, folder }),
            Request::Cancel { .. } => Self::next(),
            Request::Shutdown => None,
        }
    }

    fn say(&self, body: MessageBody) {
        say(Some(self.id), body);
    }

    fn done(&self, artifact: impl Into<String>) {
        self.say(MessageBody::Done {
            artifact: artifact.into(),
        });
    }

    /// Brings this job to a good end, and all that follow.
    fn finish(&self) -> ExitCode {
        write_asset(&self.folder, &triangle()).expect("written");
        self.done(ASSET_FILE);
        Self::next().map_or(ExitCode::SUCCESS, |next| next.finish())
    }

    fn spoil(&self, fault: &str) -> ExitCode {
        match fault {
            "exits in mid-job" => return die(4),
            #[cfg(unix)]
            "is killed" => {
                let myself = rustix::process::getpid();
                rustix::process::kill_process(myself, rustix::process::Signal::KILL).expect("killed");
            }
            "prints rubbish" => {
                print(b"Loading weights: 40%\r\n{\"event\":\"user logged in\"}\n\xff\xfe\n[1,2]\n\n");
                return self.finish();
            }
            "sends half a line and exits" => {
                print(b"{\"event\":\"done\",\"id\":1,\"arti");
                return die(5);
            }
            "sends half a line and hangs" => print(b"{\"event\":\"done\",\"id\":1,\"arti"),
            "floods with lines" => flood(&mut std::io::stdout(), true),
            "floods with one line" => flood(&mut std::io::stdout(), false),
            "floods standard error" => {
                flood(&mut std::io::stderr(), true);
                return self.finish();
            }
            "floods with progress" => {
                for done in 0..20_000 {
                    let stage = "carve".to_owned();
                    let total = 20_000;
                    self.say(MessageBody::Progress { stage, done, total });
                }
                return self.finish();
            }
            "names a missing artifact" => self.done(ASSET_FILE),
            "names a truncated artifact" => self.name_truncated_artifact(),
            "names an artifact outside" => {
                let outside = folder();
                write_asset(&outside, &triangle()).expect("written");
                self.done(outside.join(ASSET_FILE).to_string_lossy());
            }
            "names a missing preview" => {
                let artifact = "preview-1.safetensors".to_owned();
                let content = PreviewContent::Mesh;
                self.say(MessageBody::Preview { content, artifact });
                return self.finish();
            }
            "garbles a message" => print(b"{\"event\":\"done\",\"id\":1,\"artifact\":7}\n"),
            "takes long steps" => {
                for done in 1..=3 {
                    let stage = "carve".to_owned();
                    self.say(MessageBody::Progress { stage, done, total: 10 });
                    std::thread::sleep(Duration::from_millis(300));
                }
                self.say(MessageBody::Cancelled);
                return Self::next().expect("a job").finish();
            }
            "says it was cancelled" => self.say(MessageBody::Cancelled),
            "fails politely" => {
                self.say(MessageBody::Failed { error: no_result() });
                return Self::next().expect("a job").finish();
            }
            "exits after its job" => {
                write_asset(&self.folder, &triangle()).expect("written");
                self.done(ASSET_FILE);
                return ExitCode::SUCCESS;
            }
            #[cfg(unix)]
            "closes its output" => {
                rustix::stdio::dup2_stdout(std::fs::File::open("/dev/null").expect("there")).expect("closed");
            }
            "leaves a child behind" => return leave_child(false),
            "leaves a child that runs away" => return leave_child(true),
            "hangs" | "ignores cancel" => {}
            other => panic!("there is no fault '{other}'"),
        }
        sleep()
    }

    fn name_truncated_artifact(&self) {
        write_asset(&self.folder, &triangle()).expect("written");
        let file = OpenOptions::new()
            .write(true)
            .open(self.folder.join(ASSET_FILE))
            .expect("opened");
        let length = file.metadata().expect("a length").len();
        file.set_len(length - 8).expect("cut");
        self.done(ASSET_FILE);
    }
}

fn serve(fault: &str) -> ExitCode {
    match serve_worker(Box::new(FaultyEngine::new(fault))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn greet(protocol: u32, id: &str) {
    let engine = Box::new(info(id));
    say(None, MessageBody::Hello { protocol, engine });
}

fn say(id: Option<u64>, body: MessageBody) {
    let mut line = serde_json::to_vec(&Message { id, body }).expect("JSON");
    line.push(b'\n');
    print(&line);
}
