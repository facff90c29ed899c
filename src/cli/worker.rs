//! `bozzetto worker`: one engine, served to the window over standard input and output.

use bozzetto_engine::{EngineError, serve_worker};
use bozzetto_hull::HullEngine;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Engine id.
    #[arg(default_value = "hull")]
    engine: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.engine.as_str() {
        "hull" => Ok(serve_worker(Box::new(HullEngine::new()))?),
        other => Err(EngineError::UnknownEngine {
            id: other.to_owned(),
            known: vec!["hull".to_owned()],
        }
        .into()),
    }
}
