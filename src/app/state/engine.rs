use bozzetto_engine::{EngineInfo, ParamSpec, ParamValue, ParamValues};
use serde::{Deserialize, Serialize};

/// A named set of parameters of one engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// What the artist called it.
    pub name: String,
    /// Engine it belongs to.
    pub engine: String,
    /// The values.
    pub params: ParamValues,
    /// Presets that come with the program cannot be deleted.
    #[serde(skip)]
    pub is_built_in: bool,
}

/// Engines, the chosen one, and everything that can be set before a run.
#[derive(Clone, Debug, Default)]
pub struct EngineState {
    /// Engines there are.
    pub engines: Vec<EngineInfo>,
    /// Id of the chosen one.
    pub selected: String,
    /// A value for every parameter of the chosen engine.
    pub values: ParamValues,
    /// Seed of the next run.
    pub seed: u64,
    /// Whether the seed stays as it is; otherwise each run rolls a new one.
    pub is_seed_locked: bool,
    /// Presets of the chosen engine, built-in ones first.
    pub presets: Vec<Preset>,
    /// What undo would take back, as in `Resolution`; `None` when there is nothing.
    pub undo_label: Option<String>,
    /// What redo would bring again.
    pub redo_label: Option<String>,
}

impl EngineState {
    /// The chosen engine.
    pub fn info(&self) -> Option<&EngineInfo> {
        self.engines.iter().find(|engine| engine.id == self.selected)
    }

    /// The value in force of a parameter.
    pub fn value(&self, spec: &ParamSpec) -> ParamValue {
        self.values
            .0
            .get(&spec.key)
            .cloned()
            .unwrap_or_else(|| spec.default_value())
    }

    /// Whether a parameter has its default value.
    pub fn is_default(&self, spec: &ParamSpec) -> bool {
        self.value(spec) == spec.default_value()
    }

    /// How many parameters differ from their defaults.
    pub fn num_changed(&self) -> usize {
        self.info().map_or(0, |info| {
            info.params.iter().filter(|spec| !self.is_default(spec)).count()
        })
    }

    /// The preset whose values are in force, if any.
    pub fn active_preset(&self) -> Option<&Preset> {
        let info = self.info()?;
        self.presets.iter().find(|preset| {
            preset
                .params
                .validated(&info.params)
                .is_ok_and(|params| params == self.values)
        })
    }
}
