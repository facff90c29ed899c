//! Workers that misbehave in every way we know, as real processes.
//!
//! The program starts itself as the worker (the variable `BOZZETTO_FAULT` says which fault to have) and supervises it
//! with a `WorkerEngine`. A worker has its fault once: started again, it is healthy. So every test ends with a job that
//! must succeed, and with a look for threads and processes that were left behind.
//!
//! Workers of other kinds must stand the same: the native engines' with libtorch in it, where `cargo test --workspace` has
//! built one (`crates/trellis/examples/faulty_worker.rs`), and `python_bridge`, where the variable `BOZZETTO_TEST_PYTHON`
//! names an interpreter. The built-in engine's worker is served as this program's own is.

mod faulty_engine;
mod guests;
mod job;
mod leaks;
mod native;
mod python;
mod trials;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::var_os(faulty_engine::FAULT).is_some() {
        return worker::misbehave();
    }
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, trials::all()).exit_code()
}
