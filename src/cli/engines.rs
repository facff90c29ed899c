//! `bozzetto engines`: what there is and what can be set.

use bozzetto_engine::{CancelToken, Engine, EngineInfo, ParamKind, ParamSpec, PartLicence};
use bozzetto_hull::HullEngine;

use super::choice::Python;
use super::output;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print as JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    python: Python,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut engines = vec![HullEngine::new().info()];
    let mut python = arguments.python.environment()?;
    if let Some(python) = &mut python {
        python.examine()?;
    }
    for mut engine in crate::engines::others(python.as_ref()) {
        match engine.prepare(&CancelToken::new()) {
            Ok(info) => engines.push(info),
            // The others can be used all the same.
            Err(error) => output::note(&format!("The engine '{}' does not start: {error}", engine.info().id)),
        }
    }
    if arguments.json {
        output::json(&serde_json::to_value(&engines)?);
    } else {
        engines.iter().for_each(print_engine);
    }
    Ok(())
}

fn print_engine(info: &EngineInfo) {
    output::line(&format!("{} ({}), on {}", info.id, info.label, info.device));
    output::line(&format!("  {}", info.summary));
    for licence in &info.licences {
        let restriction = if licence.permits_commercial_use {
            ""
        } else {
            ", not for commercial use"
        };
        let PartLicence {
            part, licence, page, ..
        } = licence;
        output::line(&format!("  uses {part}: {licence}{restriction} ({page})"));
    }
    for stage in &info.stages {
        output::line(&format!("\n  {}", stage.label));
        for spec in info.params.iter().filter(|spec| spec.stage == stage.id) {
            output::line(&format!("    {:<24} {}", spec.key, values_of(spec)));
            output::line(&format!("    {:<24} {}", "", spec.help));
        }
    }
}

/// Range and default in one phrase.
fn values_of(spec: &ParamSpec) -> String {
    let unit = if spec.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", spec.unit)
    };
    match &spec.kind {
        ParamKind::Bool { default } => format!("true or false, default {default}"),
        ParamKind::Int { min, max, default, .. } => format!("{min} to {max}{unit}, default {default}"),
        ParamKind::Float { min, max, default, .. } => format!("{min} to {max}{unit}, default {default}"),
        ParamKind::Choice { options, default } => {
            let ids: Vec<_> = options.iter().map(|(id, _)| id.as_str()).collect();
            format!("{}, default {default}", ids.join(" | "))
        }
    }
}
