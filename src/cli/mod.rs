//! The command line: one file a subcommand, and the window when none is named.
//!
//! Results and JSON go to standard output, progress and errors to standard error. Exit codes are in [`ExitStatus`].

mod bench;
mod bench_finish;
mod bench_remesh;
mod bench_unwrap;
mod bench_viewport;
mod bridge;
mod choice;
mod colors;
mod content;
mod engines;
mod export;
mod generate;
mod inspect;
mod output;
mod packing;
mod parameters;
mod progress;
mod rebuild;
mod render;
mod sources;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use bozzetto_asset::formats::FormatError;
use bozzetto_engine::{EngineError, Hint};
use clap::{Parser, Subcommand};

use crate::engines::PythonError;

/// Turns pictures into 3D on your own PC.
#[derive(Debug, Parser)]
#[command(name = "bozzetto", version, about, after_help = EXIT_CODES, infer_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Pictures to open in the window.
    #[arg(value_name = "PICTURE")]
    pictures: Vec<std::path::PathBuf>,

    /// Take the window's graphics device away after a few seconds, as a driver's reset does: for tests.
    #[arg(long, hide = true)]
    lose_device: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a textured mesh, and splats if wanted, from one or several pictures.
    Generate(Box<generate::Arguments>),
    /// Write a saved result in another format or at another size.
    Export(export::Arguments),
    /// Draw a 3D file into a picture.
    Render(render::Arguments),
    /// List the engines and what can be set.
    Engines(engines::Arguments),
    /// Use upstream's pipelines from a Python environment.
    Bridge(bridge::Arguments),
    /// Say what is in a 3D file or a saved result.
    Inspect(inspect::Arguments),
    /// Measure this machine.
    Bench(bench::Arguments),
    /// Serve one engine to another process over standard input and output.
    #[command(hide = true)]
    Worker(worker::Arguments),
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 an input file cannot be used, 130 cancelled.";

/// What the exit code of the program means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum ExitStatus {
    Failed = 1,
    Usage = 2,
    BadInput = 3,
    Cancelled = 130,
}

/// A fault of what was asked for, found before any work began.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

/// Runs the program with the arguments it was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None => return crate::app::run_window(cli.pictures, cli.lose_device),
        Some(Command::Generate(arguments)) => generate::run(&arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Render(arguments)) => render::run(&arguments),
        Some(Command::Engines(arguments)) => engines::run(&arguments),
        Some(Command::Bridge(arguments)) => bridge::run(&arguments),
        Some(Command::Inspect(arguments)) => inspect::run(&arguments),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        Some(Command::Worker(arguments)) => worker::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, hint_of(&error).as_deref());
            ExitCode::from(status_of(&error) as u8)
        }
    }
}

/// A flag that Ctrl+C raises instead of ending the program in the middle of a file.
fn listen_for_cancel() -> anyhow::Result<Arc<AtomicBool>> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("Ctrl+C cannot be listened for")?;
    Ok(cancelled)
}

/// Ends a command that Ctrl+C was pressed on.
fn check_cancelled(cancelled: &AtomicBool) -> Result<(), EngineError> {
    if cancelled.load(Ordering::Relaxed) {
        return Err(EngineError::Cancelled);
    }
    Ok(())
}

fn hint_of(error: &anyhow::Error) -> Option<String> {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<EngineError>())
        .and_then(Hint::hint)
}

fn status_of(error: &anyhow::Error) -> ExitStatus {
    for cause in error.chain() {
        if cause.is::<UsageError>()
            || matches!(
                cause.downcast_ref(),
                Some(PythonError::NotFound { .. } | PythonError::NoWeights { .. })
            )
        {
            return ExitStatus::Usage;
        }
        match cause.downcast_ref() {
            Some(FormatError::Write { .. } | FormatError::Unwritable { .. }) => return ExitStatus::Failed,
            Some(_) => return ExitStatus::BadInput,
            None => {}
        }
        if matches!(cause.downcast_ref(), Some(bozzetto_mesh::MeshError::Cancelled { .. })) {
            return ExitStatus::Cancelled;
        }
        match cause.downcast_ref::<EngineError>() {
            Some(EngineError::Cancelled) => return ExitStatus::Cancelled,
            Some(EngineError::Params(_) | EngineError::UnknownEngine { .. } | EngineError::TooManyViews { .. }) => {
                return ExitStatus::Usage;
            }
            Some(EngineError::BadView { .. } | EngineError::NoViews | EngineError::NoResult { .. }) => {
                return ExitStatus::BadInput;
            }
            _ => {}
        }
    }
    ExitStatus::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_definitions_are_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn exit_codes_tell_usage_input_and_cancel_apart() {
        let status = |error: EngineError| status_of(&anyhow::Error::from(error).context("while generating"));
        assert_eq!(status(EngineError::Cancelled), ExitStatus::Cancelled);
        assert_eq!(status(EngineError::NoViews), ExitStatus::BadInput);
        assert_eq!(status(EngineError::WorkerHung { secs: 3 }), ExitStatus::Failed);
        let unknown = EngineError::UnknownEngine {
            id: "x".into(),
            known: vec!["hull".into()],
        };
        assert_eq!(status(unknown), ExitStatus::Usage);
    }
}
