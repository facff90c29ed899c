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

/// The bundled example: eight views with known cameras.
pub fn example_views() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/owl")
}

/// Fails unless the Khronos validator finds no error and no warning.
pub fn validate_glb(path: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gltf_validator");
    assert!(
        folder.join("node_modules/gltf-validator").is_dir(),
        "The Khronos glTF validator is not installed: run `bash packaging/test.sh`, or `npm ci` in {}.",
        folder.display()
    );
    let output = Command::new("node")
        .arg(folder.join("validate.mjs"))
        .arg(path)
        .output()
        .expect("Node.js is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!(
            "the validator gave no report ({error}): {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let issues = &report["issues"];
    assert_eq!(
        (&issues["numErrors"], &issues["numWarnings"]),
        (&0.into(), &0.into()),
        "{}: {issues}",
        path.display()
    );
}
