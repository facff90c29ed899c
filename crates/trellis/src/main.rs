//! `bozzetto-trellis`: TRELLIS.2 as a worker process of Bozzetto.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use bozzetto_engine::WorkerStreams;
use bozzetto_trellis::engine::Trellis2Engine;
use tracing_subscriber::EnvFilter;

const USAGE: &str = "\
usage: bozzetto-trellis worker [--weights FOLDER]   serve the window over standard input and output
       bozzetto-trellis bench                       time the released networks with random weights
       bozzetto-trellis make-tiny FOLDER            write a tiny set of random weights, for tests

Without --weights, the Hugging Face cache is searched (HF_HUB_CACHE, HF_HOME).";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Worker { weights: Option<PathBuf> },
    MakeTiny { folder: PathBuf },
    Bench,
}

fn main() -> ExitCode {
    let command = parse(std::env::args_os().skip(1));
    let result = match command {
        Some(Command::Worker { weights }) => serve(weights),
        Some(Command::Bench) => bench(),
        Some(Command::MakeTiny { folder }) => bozzetto_trellis::tiny::make(&folder).map_err(|error| error.to_string()),
        None => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            tell(&text);
            ExitCode::FAILURE
        }
    }
}

/// Serves the engine. The streams are taken before libtorch, which prints, does anything.
fn serve(weights: Option<PathBuf>) -> Result<(), String> {
    let streams = WorkerStreams::take().map_err(|error| error.to_string())?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(filter)
        .init();
    let engine = Trellis2Engine::new(weights);
    streams.serve(Box::new(engine)).map_err(|error| error.to_string())
}

/// Prints the table of the benchmark.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn bench() -> Result<(), String> {
    let table = bozzetto_trellis::bench::run().map_err(|error| error.to_string())?;
    for line in table {
        println!("{line}");
    }
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Command> {
    let command = arguments.next()?;
    let rest: Vec<_> = arguments.collect();
    match (command.to_str()?, rest.as_slice()) {
        ("worker", []) => Some(Command::Worker { weights: None }),
        ("worker", [flag, folder]) if flag == "--weights" => Some(Command::Worker {
            weights: Some(folder.into()),
        }),
        ("bench", []) => Some(Command::Bench),
        ("make-tiny", [folder]) => Some(Command::MakeTiny { folder: folder.into() }),
        _ => None,
    }
}

#[expect(clippy::print_stderr, reason = "the command line speaks to whoever started it")]
fn tell(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Command> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_are_told_apart() {
        let weights = Some(PathBuf::from("w"));
        assert_eq!(parsed("worker"), Some(Command::Worker { weights: None }));
        assert_eq!(parsed("worker --weights w"), Some(Command::Worker { weights }));
        let folder = PathBuf::from("d");
        assert_eq!(parsed("make-tiny d"), Some(Command::MakeTiny { folder }));
        assert_eq!(parsed("bench"), Some(Command::Bench));
        for wrong in ["", "worker w", "worker --weights", "make-tiny", "serve"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
