use bozzetto_engine::{ParamKind, ParamValue, ParamValues};

use super::super::state::{NoticeLevel, Preset, Problem};
use super::super::undo::Snapshot;
use super::BozzettoApp;

/// Rolled seeds are short enough to be read out.
const MAX_ROLLED_SEED: u64 = 999_999;

impl BozzettoApp {
    pub(super) fn select_engine(&mut self, id: String) {
        if self.state.engine.selected == id || !self.state.engine.engines.iter().any(|engine| engine.id == id) {
            return;
        }
        let before = self.snapshot();
        self.undo.record("engine", "Engine", before, true);
        let (old, values) = (self.state.engine.selected.clone(), self.state.engine.values.clone());
        self.saved_settings.params.insert(old, values);
        self.state.engine.selected = id;
        self.state.engine.values = self.remembered_values(&self.saved_settings);
        self.list_presets();
        self.params_changed();
    }

    pub(super) fn set_param(&mut self, key: &str, value: &ParamValue, is_final: bool) {
        let Some(spec) = self
            .state
            .engine
            .info()
            .and_then(|info| info.params.iter().find(|spec| spec.key == key))
        else {
            return;
        };
        let label = spec.label.clone();
        match spec.validated(value) {
            Ok(value) => {
                if self.state.engine.values.0.get(key) != Some(&value) || self.undo.is_dragged(key) {
                    self.change(key, &label, is_final, |values| {
                        values.0.insert(key.to_owned(), value);
                    });
                }
            }
            Err(error) => self.say(NoticeLevel::Warning, &Problem::new(error.to_string())),
        }
    }

    pub(super) fn reset_param(&mut self, key: &str) {
        let Some(spec) = self
            .state
            .engine
            .info()
            .and_then(|info| info.params.iter().find(|spec| spec.key == key))
        else {
            return;
        };
        let (label, value) = (spec.label.clone(), spec.default_value());
        self.change(key, &label, true, |values| {
            values.0.insert(key.to_owned(), value);
        });
    }

    pub(super) fn reset_all_params(&mut self) {
        let Some(info) = self.state.engine.info() else { return };
        let defaults = info
            .params
            .iter()
            .map(|spec| (spec.key.clone(), spec.default_value()))
            .collect();
        self.change("all", "Reset all", true, |values| *values = ParamValues(defaults));
    }

    pub(super) fn set_seed(&mut self, seed: u64) {
        let before = self.snapshot();
        self.undo.record("seed", "Seed", before, true);
        self.state.engine.seed = seed;
        self.params_changed();
    }

    pub(super) fn roll_seed(&mut self) {
        self.set_seed(rolled_seed(self.state.engine.seed));
    }

    pub(super) fn set_seed_locked(&mut self, is_locked: bool) {
        self.state.engine.is_seed_locked = is_locked;
        self.remember();
    }

    pub(super) fn undo(&mut self) {
        let now = self.snapshot();
        if let Some(before) = self.undo.undo(now) {
            self.apply_snapshot(before);
        }
    }

    pub(super) fn redo(&mut self) {
        let now = self.snapshot();
        if let Some(after) = self.undo.redo(now) {
            self.apply_snapshot(after);
        }
    }

    pub(super) fn apply_preset(&mut self, name: &str) {
        let Some(preset) = self
            .state
            .engine
            .presets
            .iter()
            .find(|preset| preset.name == name)
            .cloned()
        else {
            return;
        };
        let Some(info) = self.state.engine.info() else { return };
        match preset.params.validated(&info.params) {
            Ok(params) => self.change("preset", &preset.name, true, |values| *values = params),
            Err(error) => self.say(
                NoticeLevel::Warning,
                &Problem::with_hint(
                    format!("The preset '{name}' does not fit this engine any more: {error}"),
                    "Set the parameters by hand and save it again.",
                ),
            ),
        }
    }

    pub(super) fn save_preset(&mut self, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        let is_taken = self
            .state
            .engine
            .presets
            .iter()
            .any(|preset| preset.is_built_in && preset.name == name);
        if is_taken {
            let problem = Problem::with_hint(
                format!("The preset '{name}' comes with the program."),
                "Save yours under another name.",
            );
            self.say(NoticeLevel::Warning, &problem);
            return;
        }
        let engine = self.state.engine.selected.clone();
        self.presets
            .retain(|preset| preset.engine != engine || preset.name != name);
        self.presets.push(Preset {
            name: name.to_owned(),
            engine,
            params: self.state.engine.values.clone(),
            is_built_in: false,
        });
        self.list_presets();
        self.remember();
        self.state.modal = None;
        self.say(
            NoticeLevel::Success,
            &Problem::new(format!("The preset '{name}' was saved.")),
        );
    }

    pub(super) fn delete_preset(&mut self, name: &str) {
        let engine = &self.state.engine.selected;
        self.presets
            .retain(|preset| preset.engine != *engine || preset.name != name);
        self.list_presets();
        self.remember();
    }

    /// Presets of the chosen engine: those that come with the program, then the artist's.
    pub(super) fn list_presets(&mut self) {
        let Some(info) = self.state.engine.info() else { return };
        let own = self.presets.iter().filter(|preset| preset.engine == info.id).cloned();
        let presets = built_in_presets(info).into_iter().chain(own).collect();
        self.state.engine.presets = presets;
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            engine: self.state.engine.selected.clone(),
            values: self.state.engine.values.clone(),
            seed: self.state.engine.seed,
        }
    }

    pub(super) fn apply_snapshot(&mut self, snapshot: Snapshot) {
        let is_other_engine = self.state.engine.selected != snapshot.engine;
        self.state.engine.selected = snapshot.engine;
        self.state.engine.values = snapshot.values;
        self.state.engine.seed = snapshot.seed;
        if is_other_engine {
            self.list_presets();
        }
        self.params_changed();
    }

    fn change(&mut self, key: &str, label: &str, is_final: bool, change: impl FnOnce(&mut ParamValues)) {
        let before = self.snapshot();
        change(&mut self.state.engine.values);
        self.undo.record(key, label, before, is_final);
        self.params_changed();
    }

    pub(super) fn params_changed(&mut self) {
        self.state.engine.undo_label = self.undo.undo_label();
        self.state.engine.redo_label = self.undo.redo_label();
        self.update_outdated();
        self.remember();
    }
}

/// Another seed; any will do, as long as pressing twice gives two.
fn rolled_seed(previous: u64) -> u64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos() as u64);
    // SplitMix64's finalizer (Steele, Lea, Flood 2014): neighbouring times give unlike seeds.
    let mut bits = nanos.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let seed = (bits ^ (bits >> 31)) % (MAX_ROLLED_SEED + 1);
    if seed == previous {
        (seed + 1) % (MAX_ROLLED_SEED + 1)
    } else {
        seed
    }
}

/// Presets for every engine that has a resolution: a quick look, the default, and all it can do in a reasonable time.
fn built_in_presets(info: &bozzetto_engine::EngineInfo) -> Vec<Preset> {
    let preset = |name: &str, params: ParamValues| Preset {
        name: name.to_owned(),
        engine: info.id.clone(),
        params,
        is_built_in: true,
    };
    let resolution = info.params.iter().find(|spec| spec.key.ends_with(".resolution"));
    let Some((
        key,
        ParamKind::Int {
            min,
            max,
            step,
            default,
        },
    )) = resolution.map(|spec| (&spec.key, &spec.kind))
    else {
        return vec![preset("Standard", ParamValues::default())];
    };
    let on_grid = |value: i64| (min + (value.clamp(*min, *max) - min) / (*step).max(1) * (*step).max(1)).min(*max);
    let with = |value: i64| ParamValues([(key.clone(), ParamValue::Int(on_grid(value)))].into());
    vec![
        preset("Quick look", with(default / 2)),
        preset("Standard", ParamValues::default()),
        preset("Fine", with(default * 3 / 2)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bozzetto_engine::Engine as _;

    #[test]
    fn built_in_presets_fit_the_built_in_engine() {
        let info = bozzetto_hull::HullEngine::new().info();
        let presets = built_in_presets(&info);
        assert_eq!(presets.len(), 3);
        for preset in &presets {
            preset.params.validated(&info.params).expect("every preset is valid");
        }
        assert_ne!(presets[0].params, presets[2].params);
    }

    #[test]
    fn rolling_always_changes_the_seed() {
        let mut seed = 0;
        for _ in 0..1000 {
            let next = rolled_seed(seed);
            assert!(next != seed && next <= MAX_ROLLED_SEED);
            seed = next;
        }
    }
}
