//! Parameters of an engine as they are written on the command line: `KEY=VALUE`.

use bozzetto_engine::{EngineError, ParamSpec, ParamValue, ParamValues};

use super::UsageError;

/// Sets what the assignments say, each `KEY=VALUE`.
///
/// A key that the engine lacks is set too, so that the validation of the job names it and the nearest one there is.
///
/// # Errors
///
/// A [`UsageError`] for an assignment without a value, an [`EngineError`] for a value that the parameter does not take.
pub(super) fn assign(values: &mut ParamValues, assignments: &[String], specs: &[ParamSpec]) -> anyhow::Result<()> {
    for assignment in assignments {
        let (key, text) = assignment
            .split_once('=')
            .ok_or_else(|| UsageError(format!("'--set {assignment}' lacks a value: write --set KEY=VALUE.")))?;
        let value = match specs.iter().find(|spec| spec.key == key) {
            Some(spec) => spec.parse(text).map_err(EngineError::from)?,
            None => ParamValue::Choice(text.to_owned()),
        };
        values.0.insert(key.to_owned(), value);
    }
    Ok(())
}
