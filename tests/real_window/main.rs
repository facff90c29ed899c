//! The real window on a virtual display: files are dropped on it, and its graphics device is taken away.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;
mod xdnd;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::bozzetto;
use xdnd::DragSource;

/// A process that ends with the test.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a virtual display and gives its name.
fn virtual_display() -> (Guarded, String) {
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed: run `bash packaging/test.sh`");
    let mut number = String::new();
    BufReader::new(server.stdout.take().expect("piped"))
        .read_line(&mut number)
        .expect("Xvfb tells its display");
    (Guarded(server), format!(":{}", number.trim()))
}

/// The program on a virtual display of its own.
struct RealWindow {
    display: String,
    lines: crossbeam_channel::Receiver<String>,
    // Dropped in this order: the program ends before its display and its home do.
    program: Guarded,
    _server: Guarded,
    home: tempfile::TempDir,
}

impl RealWindow {
    fn open(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let (server, display) = virtual_display();
        let mut program = bozzetto();
        clean_environment(&mut program, home.path());
        let mut program = Guarded(
            program
                .args(arguments)
                .env("DISPLAY", &display)
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts"),
        );
        let (send, lines) = crossbeam_channel::bounded(1024);
        let stderr = program.0.stderr.take().expect("piped");
        // Ends with the program, whose end of the pipe closes then.
        std::thread::Builder::new()
            .name("log".into())
            .spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let _ = send.try_send(line);
                }
            })
            .expect("a thread");
        Self {
            display,
            lines,
            program,
            _server: server,
            home,
        }
    }

    /// Copies pictures of the example to a folder with a space and an accent, as real folders have them.
    fn copies(&self, names: &[&str]) -> Vec<PathBuf> {
        let folder = self.home.path().join("my pictüres");
        std::fs::create_dir_all(&folder).expect("made");
        let copy = |name: &&str| {
            let file = folder.join(name);
            std::fs::copy(common::example_views().join(name), &file).expect("copied");
            file
        };
        names.iter().map(copy).collect()
    }

    fn drop_files(&self, files: &[PathBuf]) {
        let source = DragSource::connect(&self.display, files).expect("the display answers");
        let target = source.find_target().expect("the window opens");
        source.drop_on(target, 160, 300).expect("the window takes the files");
    }

    fn is_open(&mut self) -> bool {
        self.program.0.try_wait().expect("known").is_none()
    }
}

#[test]
fn dropped_pictures_become_views() {
    let mut window = RealWindow::open(&[]);
    let files = window.copies(&["owl_az000_el10.png", "owl_az090_el10.png"]);
    window.drop_files(&files);
    wait_for_lines(&window.lines, &["Added owl_az000_el10.png", "Added owl_az090_el10.png"]);
    assert!(window.is_open());
}

#[test]
fn a_lost_graphics_device_costs_a_window_and_nothing_else() {
    let mut window = RealWindow::open(&["--lose-device"]);
    wait_for_lines(
        &window.lines,
        &["Added owl_az000_el10.png", "The graphics device is gone"],
    );
    wait_for_lines(
        &window.lines,
        &["The graphics card was lost and the window has been opened again"],
    );
    // The new window takes files as the old one did, and knows what was on the list.
    let files = window.copies(&["owl_az090_el10.png"]);
    window.drop_files(&files);
    wait_for_lines(&window.lines, &["Added owl_az090_el10.png"]);
    assert!(window.is_open());
}

/// The program must see neither this machine's settings nor another display.
fn clean_environment(program: &mut Command, home: &Path) {
    program
        .env("HOME", home)
        .env_remove("WAYLAND_DISPLAY")
        .env("RUST_LOG", "bozzetto=info")
        .env("LANG", "C.UTF-8");
    for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        program.env_remove(variable);
    }
}

fn wait_for_lines(lines: &crossbeam_channel::Receiver<String>, wanted: &[&str]) {
    let mut missing = wanted.to_vec();
    let mut seen = Vec::new();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !missing.is_empty() && Instant::now() < deadline {
        if let Ok(line) = lines.recv_timeout(Duration::from_millis(200)) {
            missing.retain(|text| !line.contains(text));
            seen.push(line);
        }
    }
    assert!(
        missing.is_empty(),
        "{missing:?} never came; the program said:\n{}",
        seen.join("\n")
    );
}
