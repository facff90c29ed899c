//! `bozzetto-trellis`: TRELLIS.2 as a worker process of Bozzetto.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use bozzetto_asset::formats::artifact;
use bozzetto_engine::WorkerStreams;
use bozzetto_trellis::engine::Trellis2Engine;
use bozzetto_trellis::random_set::{self, Size};
use tracing_subscriber::EnvFilter;

const USAGE: &str = "\
usage: bozzetto-trellis worker [OPTIONS]      serve the window over standard input and output
       bozzetto-trellis bench                 time the released networks with random weights
       bozzetto-trellis make-tiny FOLDER      write a tiny set of random weights, for tests
       bozzetto-trellis make-released FOLDER  write random weights as large as the released ones (16 GB), to see what times
                                              and memory this computer needs

options of worker:
  --weights FOLDER  where the weights are; else the Hugging Face cache is searched (HF_HUB_CACHE, HF_HOME)
  --structure FILE  go on with these voxels in place of those that were found: random weights find none that look like
                    an object. A structure as the engines send it, with 64 voxels along an edge.";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Worker(WorkerOptions),
    Make { folder: PathBuf, size: Size },
    Bench,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct WorkerOptions {
    weights: Option<PathBuf>,
    structure: Option<PathBuf>,
}

fn main() -> ExitCode {
    let command = parse(std::env::args_os().skip(1));
    let result = match command {
        Some(Command::Worker(options)) => serve(options),
        Some(Command::Bench) => bench(),
        Some(Command::Make { folder, size }) => random_set::make(&folder, size).map_err(|error| error.to_string()),
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
fn serve(options: WorkerOptions) -> Result<(), String> {
    let streams = WorkerStreams::take().map_err(|error| error.to_string())?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(filter)
        .init();
    let structure = options.structure.map(|path| artifact::read_structure(&path));
    let structure = structure.transpose().map_err(|error| error.to_string())?;
    let engine = Trellis2Engine::new(options.weights).with_structure(structure);
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
    let make = |folder: &OsString, size| Command::Make {
        folder: folder.into(),
        size,
    };
    match (command.to_str()?, rest.as_slice()) {
        ("worker", rest) => worker_options(rest).map(Command::Worker),
        ("bench", []) => Some(Command::Bench),
        ("make-tiny", [folder]) => Some(make(folder, Size::Tiny)),
        ("make-released", [folder]) => Some(make(folder, Size::Released)),
        _ => None,
    }
}

fn worker_options(arguments: &[OsString]) -> Option<WorkerOptions> {
    let mut options = WorkerOptions::default();
    for pair in arguments.chunks(2) {
        let [flag, path] = pair else { return None };
        let option = match flag.to_str()? {
            "--weights" => &mut options.weights,
            "--structure" => &mut options.structure,
            _ => return None,
        };
        if option.replace(path.into()).is_some() {
            return None;
        }
    }
    Some(options)
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
        let worker = |weights: Option<&str>, structure: Option<&str>| {
            Some(Command::Worker(WorkerOptions {
                weights: weights.map(PathBuf::from),
                structure: structure.map(PathBuf::from),
            }))
        };
        assert_eq!(parsed("worker"), worker(None, None));
        assert_eq!(parsed("worker --weights w"), worker(Some("w"), None));
        assert_eq!(parsed("worker --structure s --weights w"), worker(Some("w"), Some("s")));
        for (line, size) in [("make-tiny d", Size::Tiny), ("make-released d", Size::Released)] {
            let folder = PathBuf::from("d");
            assert_eq!(parsed(line), Some(Command::Make { folder, size }));
        }
        assert_eq!(parsed("bench"), Some(Command::Bench));
        let twice = "worker --weights w --weights v";
        for wrong in ["", "worker w", "worker --weights", twice, "make-tiny", "serve"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
