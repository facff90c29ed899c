//! What is remembered between starts, as TOML in the platform's folder for configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bozzetto_asset::files;
use bozzetto_asset::formats::FormatError;
use bozzetto_engine::ParamValues;
use bozzetto_mesh::FinishSettings;
use bozzetto_viewport::{Environment, ToneMapping};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::mailbox::{Mailbox, Message};
use super::navigation::Navigation;
use super::pool::Pool;
use super::state::{CaptureSettings, ComparisonLayout, ExportSettings, Layout, Preset, Problem, ViewportMode};
use crate::engines::PythonEnvironment;

const FILE_NAME: &str = "settings.toml";

/// Everything that is remembered. Fields that a file lacks have their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the program was started before.
    pub was_started: bool,
    /// Engine id.
    pub engine: String,
    /// Seed of the next run.
    #[serde(with = "toml_seed")]
    pub seed: u64,
    /// Whether it stays.
    pub is_seed_locked: bool,
    /// Folder of the last export.
    pub export_folder: Option<PathBuf>,
    /// Folder that pictures were last taken from.
    pub picture_folder: Option<PathBuf>,
    /// How pictures of the stage are made.
    pub capture: CaptureSettings,
    /// Folder of the last picture of the stage.
    pub capture_folder: Option<PathBuf>,
    /// How results are exported.
    pub export: ExportSettings,
    /// Panels and colours.
    pub layout: Layout,
    /// The stage.
    pub stage: StageSettings,
    /// How meshes are finished.
    pub finish: FinishSettings,
    /// Parameters by engine id.
    pub params: BTreeMap<String, ParamValues>,
    /// The artist's presets.
    pub presets: Vec<Preset>,
    /// The environment that upstream's pipelines run in.
    pub python: Option<PythonEnvironment>,
    /// Licences of engines' parts that the artist has agreed to.
    pub agreed_licences: BTreeSet<String>,
    /// How long each stage took lately, seconds, by `engine/stage`: what remaining times are told from.
    pub stage_secs: BTreeMap<String, f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            was_started: false,
            engine: String::new(),
            seed: 0,
            // A seed that changed with every run would throw away what the last run computed.
            is_seed_locked: true,
            export_folder: None,
            picture_folder: None,
            capture: CaptureSettings::default(),
            capture_folder: None,
            export: ExportSettings::default(),
            layout: Layout::default(),
            stage: StageSettings::default(),
            finish: FinishSettings::default(),
            params: BTreeMap::new(),
            presets: Vec::new(),
            python: None,
            agreed_licences: BTreeSet::new(),
            stage_secs: BTreeMap::new(),
        }
    }
}

/// TOML's whole numbers end at `i64::MAX`, seeds do not: larger ones are written as text.
mod toml_seed {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands every field over by reference"
    )]
    pub(super) fn serialize<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(*seed) {
            Ok(number) => serializer.serialize_i64(number),
            Err(_) => serializer.collect_str(seed),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(seed) => Ok(seed),
            Written::Text(text) => text
                .parse()
                .map_err(|_| D::Error::custom(format!("'{text}' is no seed"))),
        }
    }
}

/// How the stage is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageSettings {
    /// What is shown.
    pub mode: ViewportMode,
    /// Edges over the mesh.
    pub wireframe: bool,
    /// Ground grid.
    pub grid: bool,
    /// Axes.
    pub axes: bool,
    /// View cameras.
    pub cameras: bool,
    /// The light.
    pub environment: Environment,
    /// How light becomes colour.
    pub tone_mapping: ToneMapping,
    /// How pointer and keys move the eye.
    pub navigation: Navigation,
    /// How comparisons begin.
    pub comparison_layout: ComparisonLayout,
}

impl Default for StageSettings {
    fn default() -> Self {
        Self {
            mode: ViewportMode::default(),
            wireframe: false,
            grid: true,
            axes: false,
            cameras: false,
            environment: Environment::default(),
            tone_mapping: ToneMapping::default(),
            navigation: Navigation::default(),
            comparison_layout: ComparisonLayout::default(),
        }
    }
}

/// Reads the settings. A file that cannot be read or understood is moved aside, and the problem says where to; defaults
/// apply.
pub fn load(folder: &Path) -> (Settings, Option<Problem>) {
    let path = folder.join(FILE_NAME);
    let sentence = match std::fs::read_to_string(&path) {
        Ok(text) => match toml::from_str(&text) {
            Ok(settings) => return (settings, None),
            Err(error) => format!(
                "The settings file is damaged ({}), so the defaults apply.",
                error.message()
            ),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Settings::default(), None),
        Err(error) => format!("The settings file could not be read ({error}), so the defaults apply."),
    };
    let problem = Problem::with_hint(sentence, set_aside(&path));
    (Settings::default(), Some(problem))
}

/// Keeps a file from being overwritten, and says where it is now.
fn set_aside(path: &Path) -> String {
    let aside = path.with_extension("damaged.toml");
    match std::fs::rename(path, &aside) {
        Ok(()) => format!("It was kept as {}.", aside.display()),
        Err(_) => "It will be overwritten.".to_owned(),
    }
}

/// Writes the settings, whole or not at all.
pub fn save(folder: &Path, settings: &Settings) -> Result<(), FormatError> {
    let path = folder.join(FILE_NAME);
    let text = toml::to_string_pretty(settings).map_err(|error| FormatError::Unwritable {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    files::write_bytes(&path, text.as_bytes())
}

/// Writes settings on a thread of its own. Those it has not begun with are replaced by newer ones.
pub struct SettingsWriter {
    pool: Pool,
    newest: Arc<Mutex<Option<Settings>>>,
    mailbox: Mailbox,
    folder: PathBuf,
}

impl SettingsWriter {
    /// Starts the thread.
    pub fn new(folder: PathBuf, mailbox: Mailbox) -> Self {
        Self {
            pool: Pool::new("settings", 1),
            newest: Arc::default(),
            mailbox,
            folder,
        }
    }

    /// Queues settings to be written. A failure comes as a message.
    pub fn write(&self, settings: Settings) {
        *self.newest.lock() = Some(settings);
        let (newest, mailbox, folder) = (Arc::clone(&self.newest), self.mailbox.clone(), self.folder.clone());
        self.pool.run(move || {
            let settings = newest.lock().take();
            if let Some(Err(error)) = settings.map(|settings| save(&folder, &settings)) {
                let sentence = format!("The settings could not be saved: {error}");
                let problem = Problem::with_hint(sentence.clone(), "They apply until the program is closed.");
                if !mailbox.post(Message::SettingsNotSaved(problem)) {
                    tracing::warn!("{sentence}");
                }
            }
        });
    }

    /// Waits for settings that are being written.
    pub fn finish(self) {
        self.pool.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bozzetto_engine::ParamValue;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn settings_survive_the_file() {
        let folder = folder();
        let mut settings = Settings {
            was_started: true,
            engine: "hull".into(),
            seed: 7,
            export_folder: Some("/tmp/a b".into()),
            export: crate::export::PRESETS[5].settings,
            ..Settings::default()
        };
        let values = [
            ("carve.resolution", ParamValue::Int(64)),
            ("carve.smoothing", ParamValue::Float(2.0)),
        ];
        let values = ParamValues(values.map(|(key, value)| (key.to_owned(), value)).into());
        settings.params.insert("hull".into(), values.clone());
        settings.presets.push(Preset {
            name: "Fine".into(),
            engine: "hull".into(),
            params: values,
            is_built_in: false,
        });
        settings.stage_secs.insert("hull/carve".into(), 1.5);
        save(folder.path(), &settings).expect("can be written");
        assert_eq!(load(folder.path()), (settings, None));
    }

    #[test]
    fn every_seed_survives_the_file() {
        for seed in [0, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let folder = folder();
            let settings = Settings {
                seed,
                ..Settings::default()
            };
            save(folder.path(), &settings).expect("can be written");
            assert_eq!(load(folder.path()), (settings, None));
        }
    }

    #[test]
    fn nothing_is_said_on_the_first_start() {
        assert_eq!(load(folder().path()), (Settings::default(), None));
    }

    #[test]
    fn a_damaged_file_is_moved_aside_and_named() {
        // No TOML, and no text at all.
        for content in [b"seed = [1,".as_slice(), b"engine = \"h\xFFll\""] {
            let folder = folder();
            let path = folder.path().join(FILE_NAME);
            std::fs::write(&path, content).expect("can be written");
            let (settings, problem) = load(folder.path());
            assert_eq!(settings, Settings::default());
            let aside = folder.path().join("settings.damaged.toml");
            let hint = problem.expect("a problem").hint.expect("a hint");
            assert!(hint.contains(&aside.display().to_string()), "{hint}");
            assert_eq!(std::fs::read(aside).expect("kept"), content);
            assert!(!path.exists());
        }
    }

    #[test]
    fn the_newest_settings_are_written_by_the_end_and_a_failure_is_told() {
        let (mailbox, inbox) = Mailbox::new(Arc::new(|| {}));
        let with_seed = |seed| Settings {
            seed,
            ..Settings::default()
        };
        let folder = folder();
        let writer = SettingsWriter::new(folder.path().to_owned(), mailbox.clone());
        for seed in 1..=20 {
            writer.write(with_seed(seed));
        }
        writer.finish();
        assert_eq!(load(folder.path()), (with_seed(20), None));
        assert!(inbox.is_empty());

        let no_folder = folder.path().join(FILE_NAME);
        let writer = SettingsWriter::new(no_folder, mailbox);
        writer.write(with_seed(1));
        writer.finish();
        let Ok(Message::SettingsNotSaved(problem)) = inbox.try_recv() else {
            panic!("the failure is told");
        };
        assert!(problem.sentence.contains("could not be saved"), "{problem:?}");
    }

    #[test]
    fn unknown_and_missing_fields_are_no_damage() {
        let folder = folder();
        std::fs::write(folder.path().join(FILE_NAME), "seed = 3\nfrom_the_future = true\n").expect("can be written");
        let (settings, problem) = load(folder.path());
        assert_eq!((settings.seed, problem), (3, None));
    }
}
