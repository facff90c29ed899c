//! Bozzetto turns pictures into 3D.
fn main() {}
