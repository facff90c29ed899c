//! What the whole-program tests share.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "each test binary uses a part"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program under test.
pub fn bozzetto() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bozzetto"));
    // The GL backend would complain about a missing desktop session.
    command.env("WGPU_BACKEND", "vulkan");
    command
}

/// The native neural engine's worker, where it was built too: it lies beside the program. Its weights, tiny ones, are written
/// to a folder.
pub fn native_worker(weights: &Path) -> Option<PathBuf> {
    let name = format!("bozzetto-trellis{}", std::env::consts::EXE_SUFFIX);
    let worker = Path::new(env!("CARGO_BIN_EXE_bozzetto")).with_file_name(name);
    if !worker.exists() {
        return None;
    }
    let made = Command::new(&worker).arg("make-tiny").arg(weights).status();
    assert!(made.expect("the worker starts").success());
    Some(worker)
}

/// The bundled example: eight views with known cameras.
pub fn example_views() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/owl")
}

/// What a script of `tests/gltf_validator` says of a GLB.
fn told_by(script: &str, path: &Path) -> serde_json::Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gltf_validator");
    assert!(
        folder.join("node_modules/gltf-validator").is_dir(),
        "The Khronos glTF validator is not installed: run `bash packaging/test.sh`, or `npm ci` in {}.",
        folder.display()
    );
    let output = Command::new("node")
        .arg(folder.join(script))
        .arg(path)
        .output()
        .expect("Node.js is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!(
            "{script} gave no report ({error}): {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Fails unless meshoptimizer's own decoder finds in a compressed GLB the mesh that it says it has.
pub fn decode_meshopt(path: &Path, num_faces: u64) {
    let found = told_by("decode_meshopt.mjs", path);
    let name = path.display();
    assert_eq!(
        found["says"],
        serde_json::json!([found["low"], found["high"]]),
        "{name}"
    );
    assert_eq!(found["corners"], num_faces * 3, "{name}");
    assert_eq!(found["distinct"], found["vertices"], "{name}: every vertex has a face");
    assert_eq!(
        found["largest"].as_u64(),
        found["vertices"].as_u64().map(|count| count - 1),
        "{name}"
    );
}

/// Fails unless the Khronos validator finds no error and no warning.
pub fn validate_glb(path: &Path) {
    let report = told_by("validate.mjs", path);
    let issues = &report["issues"];
    assert_eq!(
        (&issues["numErrors"], &issues["numWarnings"]),
        (&0.into(), &0.into()),
        "{}: {issues}",
        path.display()
    );
}
