//! The rooms and their arrows: `asset` knows nobody; `mesh`, `engine` and `viewport` know `asset`; `hull` knows
//! `engine` and `mesh` too, and so does `python_bridge`; `trellis` knows `engine`; the app knows all but that one. Inside the app, what draws never reaches for files or engines.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room of `crates/` and the rooms it may know.
const ARROWS: [(&str, &[&str]); 6] = [
    ("asset", &[]),
    ("mesh", &["asset"]),
    ("engine", &["asset"]),
    ("viewport", &["asset"]),
    ("hull", &["asset", "engine", "mesh"]),
    ("trellis", &["asset", "engine"]),
];

/// Crates that a room must not pull in, with the reason.
const FOREIGN: [(&str, &str); 4] = [
    ("egui", "only the window knows the toolkit"),
    ("eframe", "only the window knows the toolkit"),
    ("rfd", "only the window asks the user"),
    ("clap", "only the command line reads arguments"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of the `[dependencies]` of a crate.
fn dependencies(folder: &Path) -> Vec<String> {
    let manifest = read(&folder.join("Cargo.toml"));
    let section = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .expect("a [dependencies] section");
    let section = section.split("\n[").next().unwrap_or_default();
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    section
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(name)
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn every_room_is_known_and_keeps_its_arrows() {
    let mut rooms: Vec<_> = fs::read_dir(root().join("crates"))
        .expect("crates/")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    rooms.sort();
    let mut known: Vec<_> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    known.sort();
    assert_eq!(rooms, known, "a room without arrows: say here whom it may know");

    let crates = root().join("crates");
    let rooms = ARROWS.map(|(room, may_know)| (crates.join(room), room, may_know));
    let bridge: (_, _, &[&str]) = (
        root().join("python_bridge"),
        "python_bridge",
        &["asset", "engine", "mesh"],
    );
    for (folder, room, may_know) in rooms.into_iter().chain([bridge]) {
        for dependency in dependencies(&folder) {
            if let Some(other) = dependency.strip_prefix("bozzetto-") {
                assert!(may_know.contains(&other), "{room} must not know {other}");
            }
            if let Some((_, reason)) = FOREIGN.iter().find(|(name, _)| *name == dependency) {
                panic!("{room} must not depend on {dependency}: {reason}");
            }
        }
    }
}

#[test]
fn what_draws_neither_computes_nor_touches_files() {
    for path in rust_files(&root().join("src/ui")) {
        let text = read(&path);
        // Tests at the end of a file may read what they like.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for forbidden in [
            "std::fs",
            "std::process",
            "std::thread",
            "bozzetto_hull",
            "rfd::",
            "File::open",
        ] {
            assert!(!code.contains(forbidden), "{} uses {forbidden}", path.display());
        }
    }
}
