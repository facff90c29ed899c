//! Real files, dropped on the real window on a virtual display.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;
mod xdnd;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
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

#[test]
fn dropped_pictures_become_views() {
    let home = tempfile::tempdir().expect("a folder");
    // A space and an accent, as real folders have them.
    let folder = home.path().join("my pictüres");
    std::fs::create_dir(&folder).expect("made");
    let files: Vec<_> = ["owl_az000_el10.png", "owl_az090_el10.png"]
        .map(|name| folder.join(name))
        .into();
    for file in &files {
        let name = file.file_name().expect("a name");
        std::fs::copy(common::example_views().join(name), file).expect("copied");
    }

    let (_server, display) = virtual_display();
    let mut program = bozzetto();
    clean_environment(&mut program, home.path());
    let mut window = Guarded(
        program
            .env("DISPLAY", &display)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts"),
    );
    let (send, receive) = crossbeam_channel::bounded(1024);
    let stderr = window.0.stderr.take().expect("piped");
    let reader = std::thread::Builder::new().name("log".into()).spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = send.try_send(line);
        }
    });

    let source = DragSource::connect(&display, &files).expect("the display answers");
    let target = source.find_target().expect("the window opens");
    source.drop_on(target, 160, 300).expect("the window takes the files");
    wait_for_lines(&receive, &["Added owl_az000_el10.png", "Added owl_az090_el10.png"]);
    assert!(
        window.0.try_wait().expect("known").is_none(),
        "the window is still open"
    );
    drop(window);
    reader
        .expect("started")
        .join()
        .expect("the reader ends with the window");
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
