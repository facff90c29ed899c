//! What `bozzetto bench viewport` prints.

mod common;

use common::bozzetto;

#[test]
fn the_viewport_s_benchmark_prints_all_of_its_tables() {
    let arguments = "bench viewport --splats 3000 --size 64 --triangles 200 --cameras 1 --frames 1 --sort 1000";
    let output = bozzetto()
        .args(arguments.split_whitespace())
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "Graphics card: ",
        "Copy within its memory: ",
        "Sort of 1000 keys: ",
        "Made-up object: 3000 splats",
        "tiles: ",
        "quads: ",
        "whole frame",
        "Made-up mesh: ",
        "Splat updates",
    ] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let updates = told.split("Splat updates").nth(1).unwrap_or_default();
    assert_eq!(
        updates.lines().filter(|line| line.contains(" 3000 ")).count(),
        2,
        "{told}"
    );
    assert!(!told.contains("Made-up voxels"), "{told}");
}
