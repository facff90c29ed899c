//! Workers that misbehave in every way we know, as real processes.
//!
//! The program starts itself as the worker (the variable `BOZZETTO_FAULT` says which fault to have) and supervises it
//! with a `WorkerEngine`. A worker has its fault once: started again, it is healthy. So every test ends with a job that
//! must succeed, and with a look for threads and processes that were left behind.
//!
//! Where the variable `BOZZETTO_TEST_PYTHON` names an interpreter, its worker (`python_bridge`) must stand the same.

mod job;
mod leaks;
mod python;
mod trials;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(fault) = std::env::var_os(worker::FAULT) {
        return worker::misbehave(&fault.to_string_lossy());
    }
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, trials::all()).exit_code()
}
