//! An engine that misbehaves in one way, once, and what every worker with a fault does alike.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bozzetto_asset::{Asset, TriMesh};
use bozzetto_engine::{Engine, EngineError, EngineInfo, Event, Job, Preview, RunContext, StageInfo};

/// Which fault to have.
pub const FAULT: &str = "BOZZETTO_FAULT";
/// Folder that remembers whether the fault was had.
pub const FOLDER: &str = "BOZZETTO_FAULT_FOLDER";
/// Engine id to greet with.
pub const ID: &str = "BOZZETTO_FAULT_ID";
/// File in the folder with the process id of a process that the worker started.
pub const SLEEPER: &str = "sleeper.pid";

const GIGABYTE: usize = 1 << 30;

/// No process outlives a run of the tests for long, even if they fail.
pub const LIFETIME: Duration = Duration::from_mins(2);

/// The fault to have; `None` when it was had before.
pub fn take_fault() -> Option<String> {
    let fault = std::env::var(FAULT).unwrap_or_default();
    // Processes that only sleep are started by one that had its fault.
    let is_first_time = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(folder().join(&fault))
        .is_ok();
    (is_first_time || fault == "sleeps").then_some(fault)
}

pub fn folder() -> PathBuf {
    std::env::var_os(FOLDER).unwrap_or_default().into()
}

pub fn id() -> String {
    std::env::var(ID).unwrap_or_default()
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
        needs_mesh: false,
    }
}

/// An engine whose own fault, if any, shows in its first run.
pub struct FaultyEngine {
    fault: String,
}

impl FaultyEngine {
    /// With a fault, or with an empty text: healthy.
    pub fn new(fault: &str) -> Self {
        Self {
            fault: fault.to_owned(),
        }
    }
}

impl Engine for FaultyEngine {
    fn info(&self) -> EngineInfo {
        info(&id())
    }

    fn run(&mut self, _job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        context.stage(&self.info(), 0);
        have_fault(&std::mem::take(&mut self.fault), context)?;
        let asset = triangle();
        (context.emit)(Event::Preview(Preview::Mesh(asset.mesh.clone().expect("a mesh"))));
        for done in 0..=10 {
            context.progress("carve", done, 10)?;
        }
        Ok(asset)
    }
}

#[expect(clippy::exit, reason = "it is the fault")]
fn have_fault(fault: &str, context: &RunContext<'_>) -> Result<(), EngineError> {
    let exit = |code: u8| {
        die(code);
        std::process::exit(code.into())
    };
    match fault {
        "" | "is healthy" => {}
        "exits in mid-job" => exit(4),
        #[cfg(unix)]
        "is killed" => signal_myself(rustix::process::Signal::KILL),
        #[cfg(unix)]
        "hangs" => signal_myself(rustix::process::Signal::STOP),
        "leaves a child behind" => {
            leave_child(false);
            exit(6);
        }
        "panics" => panic!("the grid is upside down"),
        "prints" => (0..20).for_each(|_| print(&vec![b'x'; 1 << 20])),
        "prints rubbish" => {
            print(b"Loading weights: 40%\r\n{\"event\":\"user logged in\"}\n\xff\xfe\n[1,2]\n\n");
            print(b"{\"event\":\"done\",\"id\":1,\"artifact\":\"nonsense\"}\n");
        }
        "floods with lines" => flood(&mut std::io::stdout(), true),
        "floods standard error" => flood(&mut std::io::stderr(), true),
        "floods with progress" => {
            for done in 0..20_000 {
                context.progress("carve", done, 20_000)?;
            }
        }
        "asks for input" => {
            let found = std::io::read_to_string(std::io::stdin()).expect("readable");
            assert_eq!(found, "", "requests can be read");
        }
        "is cancelled politely" => loop {
            context.progress("carve", 1, 10)?;
            std::thread::sleep(Duration::from_millis(1));
        },
        "ignores cancel" | "is busy" => {
            sleep();
        }
        "fails politely" => return Err(no_result()),
        "loses the device" => return Err(device_lost()),
        other => panic!("there is no fault '{other}'"),
    }
    Ok(())
}

#[cfg(unix)]
fn signal_myself(signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::getpid(), signal).expect("sent");
}

pub fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout();
    // Nobody may be there to read it, which is no fault of this process.
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

pub fn die(code: u8) -> ExitCode {
    let _ = std::io::stderr().write_all(b"first line\nthe driver is too old\n");
    ExitCode::from(code)
}

pub fn flood(stream: &mut dyn std::io::Write, has_lines: bool) {
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

pub fn sleep() -> ExitCode {
    std::thread::sleep(LIFETIME);
    ExitCode::SUCCESS
}

/// Starts a process that holds all three pipes, and exits before it.
#[expect(clippy::zombie_processes, reason = "leaving it behind is the fault")]
pub fn leave_child(runs_away: bool) -> ExitCode {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.env(FAULT, "sleeps").stdin(Stdio::inherit());
    #[cfg(unix)]
    if runs_away {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    let child = command.spawn().expect("a process");
    std::fs::write(folder().join(SLEEPER), child.id().to_string()).expect("written");
    let _ = runs_away;
    die(6)
}
