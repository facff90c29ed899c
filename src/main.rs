//! Bozzetto turns pictures into 3D.

fn main() -> std::process::ExitCode {
    bozzetto::cli::run()
}
