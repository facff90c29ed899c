//! The worker's side.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bozzetto_asset::formats::artifact::{ASSET_FILE, write_asset};
use bozzetto_asset::{Asset, TriMesh};
use bozzetto_engine::protocol::{Message, MessageBody, PROTOCOL_VERSION, PreviewContent, Request};
use bozzetto_engine::{Engine, EngineError, EngineInfo, Job, Preview, RunContext, StageInfo, serve_worker};

/// Which fault to have.
pub const FAULT: &str = "BOZZETTO_FAULT";
/// Folder that remembers whether the fault was had.
pub const FOLDER: &str = "BOZZETTO_FAULT_FOLDER";
/// Engine id to greet with.
pub const ID: &str = "BOZZETTO_FAULT_ID";
/// Python interpreter of an environment with `python_bridge`; its tests are passed over where it is not set.
pub const PYTHON: &str = "BOZZETTO_TEST_PYTHON";
/// File in the folder with the process id of a process that the worker started.
pub const SLEEPER: &str = "sleeper.pid";

const GIGABYTE: usize = 1 << 30;

/// No process outlives a run of the tests for long, even if they fail.
const LIFETIME: Duration = Duration::from_mins(2);

/// Who plays the worker.
#[derive(Clone, Copy)]
pub enum Language {
    /// This program.
    Rust,
    /// The Python environment that [`PYTHON`] names, with `python_bridge` installed.
    Python,
}

impl Language {
    pub fn program(self) -> PathBuf {
        match self {
            Self::Rust => std::env::current_exe().expect("a path"),
            Self::Python => std::env::var_os(PYTHON).expect("a Python interpreter").into(),
        }
    }

    pub fn args(self) -> Vec<OsString> {
        match self {
            Self::Rust => Vec::new(),
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
pub fn misbehave(fault: &str) -> ExitCode {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap_or_default());
    let is_first_time = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(folder.join(fault))
        .is_ok();
    match fault {
        "sleeps" => sleep(),
        _ if is_first_time => have_fault(fault, &folder),
        _ => serve(None),
    }
}

fn have_fault(fault: &str, folder: &Path) -> ExitCode {
    match fault {
        "exits at once" => die(3),
        "hangs at once" => sleep(),
        "speaks another version" => {
            greet(99, &id());
            sleep()
        }
        "is another engine" => {
            greet(PROTOCOL_VERSION, "other");
            sleep()
        }
        "panics" | "prints" | "asks for input" | "loses the device" | "is busy" | "is healthy" => {
            serve(Some(fault.to_owned()))
        }
        _ => {
            greet(PROTOCOL_VERSION, &id());
            let order = Order::next().expect("a job");
            order.say(MessageBody::Stage {
                stage: "carve".into(),
                label: "Carving the shape".into(),
                index: 0,
                count: 1,
            });
            order.spoil(fault, folder)
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

    fn spoil(&self, fault: &str, folder: &Path) -> ExitCode {
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
                write_asset(folder, &triangle()).expect("written");
                self.done(folder.join(ASSET_FILE).to_string_lossy());
            }
            "names a missing preview" => {
                let artifact = "preview-1.safetensors".to_owned();
                let content = PreviewContent::Mesh;
                self.say(MessageBody::Preview { content, artifact });
                return self.finish();
            }
            "garbles a message" => print(b"{\"event\":\"done\",\"id\":1,\"artifact\":7}\n"),
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
            "leaves a child behind" => return leave_child(folder, false),
            "leaves a child that runs away" => return leave_child(folder, true),
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

/// The error of a worker that fails politely.
pub fn no_result() -> EngineError {
    EngineError::NoResult {
        reason: "The views show nothing".into(),
        advice: "Show something.".into(),
    }
}

/// The error of a worker whose graphics card gave up.
pub fn device_lost() -> EngineError {
    EngineError::DeviceLost {
        reason: "an illegal memory access was encountered".into(),
    }
}

/// The asset of a healthy worker.
pub fn triangle() -> Asset {
    let mut mesh = TriMesh {
        triangles: vec![[0, 1, 2]],
        ..TriMesh::default()
    };
    mesh.positions.resize_with(3, Default::default);
    mesh.positions[1].x = 1.0;
    mesh.positions[2].y = 0.1;
    Asset {
        mesh: Some(Arc::new(mesh)),
        ..Asset::default()
    }
}

/// What the engine of every worker here says of itself.
pub fn info(id: &str) -> EngineInfo {
    EngineInfo {
        id: id.to_owned(),
        label: "Test".into(),
        summary: "Makes a triangle.".into(),
        stages: vec![StageInfo {
            id: "carve".into(),
            label: "Carving the shape".into(),
        }],
        params: Vec::new(),
        max_views: None,
        uses_seed: false,
        device: format!("process {}", std::process::id()),
        licences: Vec::new(),
    }
}

/// An engine whose own fault, if any, shows in its first run.
struct TestEngine {
    fault: Option<String>,
}

impl Engine for TestEngine {
    fn info(&self) -> EngineInfo {
        info(&id())
    }

    fn run(&mut self, _job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        context.stage(&self.info(), 0);
        match self.fault.take().as_deref() {
            Some("panics") => panic!("the grid is upside down"),
            Some("prints") => (0..20).for_each(|_| print(&vec![b'x'; 1 << 20])),
            Some("asks for input") => {
                let found = std::io::read_to_string(std::io::stdin()).expect("readable");
                assert_eq!(found, "", "requests can be read");
            }
            Some("loses the device") => return Err(device_lost()),
            Some("is busy") => std::thread::sleep(LIFETIME),
            _ => {}
        }
        let asset = triangle();
        (context.emit)(bozzetto_engine::Event::Preview(Preview::Mesh(
            asset.mesh.clone().expect("a mesh"),
        )));
        for done in 0..=10 {
            context.progress("carve", done, 10)?;
        }
        Ok(asset)
    }
}

fn serve(fault: Option<String>) -> ExitCode {
    match serve_worker(Box::new(TestEngine { fault })) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn id() -> String {
    std::env::var(ID).unwrap_or_default()
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

fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout();
    // Nobody may be there to read it, which is no fault of this process.
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

fn die(code: u8) -> ExitCode {
    let _ = std::io::stderr().write_all(b"first line\nthe driver is too old\n");
    ExitCode::from(code)
}

fn flood(stream: &mut dyn std::io::Write, has_lines: bool) {
    let mut piece = vec![b'x'; 1 << 16];
    if has_lines {
        piece[(1 << 16) - 1] = b'\n';
    }
    for _ in 0..GIGABYTE >> 16 {
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
    let _ = stream.write_all(b"\n");
}

fn sleep() -> ExitCode {
    std::thread::sleep(LIFETIME);
    ExitCode::SUCCESS
}

/// Starts a process that holds all three pipes, and exits before it.
#[expect(clippy::zombie_processes, reason = "leaving it behind is the fault")]
fn leave_child(folder: &Path, runs_away: bool) -> ExitCode {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.env(FAULT, "sleeps").stdin(Stdio::inherit());
    #[cfg(unix)]
    if runs_away {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    let child = command.spawn().expect("a process");
    std::fs::write(folder.join(SLEEPER), child.id().to_string()).expect("written");
    let _ = runs_away;
    die(6)
}
