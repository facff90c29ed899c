//! `bozzetto bridge`: upstream's pipelines in a Python environment.

use std::path::PathBuf;

use super::choice::Python;
use super::{UsageError, output};
use crate::engines::{PythonEnvironment, Report, bundled_wheel};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Put the bridge into an environment. Nothing is fetched from the network.
    Install(Install),
    /// Say what an environment has and which pipelines it can run.
    Probe(Probe),
}

#[derive(Debug, clap::Args)]
struct Install {
    #[command(flatten)]
    python: Python,

    /// Another wheel than the one that came with the program.
    #[arg(long, value_name = "FILE.whl")]
    wheel: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Probe {
    #[command(flatten)]
    python: Python,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Command::Install(arguments) => install(arguments),
        Command::Probe(arguments) => probe(arguments),
    }
}

fn named(python: &Python) -> anyhow::Result<PythonEnvironment> {
    let environment = python.environment()?;
    Ok(environment.ok_or_else(|| UsageError("Say with --python where the environment is.".to_owned()))?)
}

fn install(arguments: &Install) -> anyhow::Result<()> {
    let python = named(&arguments.python)?;
    let wheel = match &arguments.wheel {
        Some(wheel) => wheel.clone(),
        None => bundled_wheel()?,
    };
    python.install(&wheel)?;
    output::line(&format!(
        "The bridge is installed for {}.",
        python.interpreter.display()
    ));
    Ok(())
}

fn probe(arguments: &Probe) -> anyhow::Result<()> {
    let report = named(&arguments.python)?.examine()?;
    if arguments.json {
        output::json(&serde_json::to_value(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Report) {
    let bridge = report.bridge.as_deref().unwrap_or("of unknown version");
    output::line(&format!("Python {}, bridge {bridge}", report.python));
    if !report.graphics_card.is_empty() {
        output::line(&report.graphics_card);
    }
    for (id, engine) in &report.engines {
        let verdict = if engine.can_run { "can run" } else { "cannot run yet" };
        output::line(&format!("\n{id:<28} {verdict}"));
        for fault in &engine.problems {
            output::line(&format!("  {} {}. {}", fault.package, fault.problem, fault.advice));
        }
    }
}
