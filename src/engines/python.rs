use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bozzetto_engine::{WorkerCommand, WorkerEngine};
use serde::{Deserialize, Serialize};

/// Where an interpreter lies in an environment: on Linux, on Windows, and in a Conda environment on Windows.
const INTERPRETERS: [&str; 4] = ["bin/python3", "bin/python", "Scripts/python.exe", "python.exe"];
/// Lines of a program's last words that are told.
const LAST_WORDS: usize = 4;

/// A Python environment with upstream pipelines in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PythonEnvironment {
    /// Its interpreter.
    pub interpreter: PathBuf,
    /// Folders of pipelines' code that is not installed as a package.
    pub sources: Vec<PathBuf>,
    /// Weights in place of those that an engine's makers publish, by the engine's id: see [`weights`].
    pub weights: BTreeMap<String, PathBuf>,
    /// Engines that its last report says can run, by id.
    pub runnable: Vec<String>,
}

/// Why an environment cannot be used. The sentences are for the artist.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// There is no interpreter at a path.
    #[error("There is no Python in {}. Choose the folder of an environment, or its python program.", .path.display())]
    NotFound {
        /// What was given.
        path: PathBuf,
    },
    /// The interpreter could not be started.
    #[error("{} could not be started: {source}.", .path.display())]
    NotStarted {
        /// The interpreter.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bridge is not in the environment.
    #[error(
        "The bridge is not in {} yet. Install it with 'bozzetto bridge install --python' and this path, or with the button.",
        .path.display()
    )]
    NoBridge {
        /// The interpreter.
        path: PathBuf,
    },
    /// There are no weights where they should be.
    #[error(
        "There are no weights at '{}'. Name a folder that has them, or a repository on Hugging Face as 'owner/name'.",
        .given.display()
    )]
    NoWeights {
        /// What was given.
        given: PathBuf,
    },
    /// It ended with an error.
    #[error("{what} failed: {last_words}")]
    Failed {
        /// What it did.
        what: &'static str,
        /// The end of what it said.
        last_words: String,
    },
    /// Its report is not understood.
    #[error("The report on {} is not understood ({reason}). Install the bridge again.", .path.display())]
    BadReport {
        /// The interpreter.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What an environment has and can run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of Python.
    pub python: String,
    /// Version of the bridge.
    pub bridge: Option<String>,
    /// The graphics card as its driver names it; empty when it is not known.
    #[serde(default)]
    pub graphics_card: String,
    /// What is known of each engine, by id.
    pub engines: BTreeMap<String, EngineReport>,
}

/// Whether an engine can run, and what it lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineReport {
    /// Whether nothing is missing.
    pub can_run: bool,
    /// The repository that its makers publish its weights in; `None` where it has none.
    #[serde(default)]
    pub weights: Option<String>,
    /// What is.
    pub problems: Vec<Fault>,
}

/// A package that an engine needs and that cannot be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name.
    pub package: String,
    /// What is wrong with it, as in `is not installed`.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl PythonEnvironment {
    /// The environment in a folder, or of an interpreter.
    pub fn at(path: &Path, sources: Vec<PathBuf>) -> Result<Self, PythonError> {
        let not_found = || PythonError::NotFound { path: path.to_owned() };
        let interpreter = if path.is_file() {
            path.to_owned()
        } else {
            let candidates = INTERPRETERS.iter().map(|place| path.join(place));
            candidates
                .into_iter()
                .find(|candidate| candidate.is_file())
                .ok_or_else(not_found)?
        };
        // Workers run in folders of their own. The name stays as it is: an environment is known by the link in it.
        let interpreter = std::path::absolute(interpreter).map_err(|_| not_found())?;
        Ok(Self {
            interpreter,
            sources: sources
                .into_iter()
                .map(|source| std::path::absolute(&source).unwrap_or(source))
                .collect(),
            ..Self::default()
        })
    }

    /// One of its engines, by id; its process starts when it is first needed.
    pub fn engine(&self, id: &str) -> WorkerEngine {
        let mut command = WorkerCommand::new(&self.interpreter)
            .arg("-m")
            .arg("bozzetto_bridge")
            .arg(id);
        for source in &self.sources {
            command = command.arg("--source").arg(source);
        }
        if let Some(weights) = self.weights.get(id) {
            command = command.arg("--weights").arg(weights);
        }
        WorkerEngine::new(id, command)
    }

    /// Asks it what it has and can run, and remembers the engines that can. Takes as long as importing everything does:
    /// seconds, and a minute the first time.
    pub fn examine(&mut self) -> Result<Report, PythonError> {
        let mut command = self.python();
        command.args(["-m", "bozzetto_bridge", "--probe"]);
        for source in &self.sources {
            command.arg("--source").arg(source);
        }
        let output = self.output(command)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("No module named bozzetto_bridge") {
                return Err(PythonError::NoBridge {
                    path: self.interpreter.clone(),
                });
            }
            return Err(PythonError::Failed {
                what: "Looking the environment over",
                last_words: last_words(&said),
            });
        }
        let report: Report = serde_json::from_slice(&output.stdout).map_err(|error| PythonError::BadReport {
            path: self.interpreter.clone(),
            reason: error.to_string(),
        })?;
        self.runnable = report
            .engines
            .iter()
            .filter(|(_, engine)| engine.can_run)
            .map(|(id, _)| id.clone())
            .collect();
        Ok(report)
    }

    /// Puts the bridge into it, in place of an older one. Nothing is fetched from the network.
    pub fn install(&self, wheel: &Path) -> Result<(), PythonError> {
        let mut command = self.python();
        command.args(["-m", "pip", "install", "--no-index", "--no-deps", "--force-reinstall"]);
        command.args(["--disable-pip-version-check", "--no-input"]).arg(wheel);
        let output = self.output(command)?;
        if output.status.success() {
            return Ok(());
        }
        Err(PythonError::Failed {
            what: "Installing the bridge",
            last_words: last_words(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    fn python(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.stdin(Stdio::null()).env("PYTHONIOENCODING", "utf-8");
        #[cfg(windows)]
        {
            use std::os::windows::process::CommandExt as _;
            // Without it a console window flashes up.
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            command.creation_flags(CREATE_NO_WINDOW);
        }
        command
    }

    fn output(&self, mut command: Command) -> Result<Output, PythonError> {
        command.output().map_err(|source| PythonError::NotStarted {
            path: self.interpreter.clone(),
            source,
        })
    }
}

/// Weights as a worker takes them: a folder by its whole path, for workers run in folders of their own, or a repository by
/// its name.
pub fn weights(given: &Path) -> Result<PathBuf, PythonError> {
    let no_weights = || PythonError::NoWeights {
        given: given.to_owned(),
    };
    if given.is_dir() {
        return std::path::absolute(given).map_err(|_| no_weights());
    }
    let is_name = |part: &str| {
        let is_plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        part.chars().all(is_plain) && part.chars().any(char::is_alphanumeric)
    };
    let parts: Vec<_> = given.to_str().unwrap_or_default().split('/').collect();
    if parts.len() == 2 && parts.into_iter().all(is_name) {
        Ok(given.to_owned())
    } else {
        Err(no_weights())
    }
}

fn last_words(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "it did not say why.".to_owned();
    }
    lines[lines.len().saturating_sub(LAST_WORDS)..].join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_a_folder_or_an_interpreter() {
        let folder = tempfile::tempdir().unwrap();
        let error = PythonEnvironment::at(folder.path(), Vec::new()).unwrap_err();
        assert!(matches!(error, PythonError::NotFound { .. }));
        for place in INTERPRETERS {
            let environment = folder.path().join(place.replace(['/', '.'], "_"));
            let interpreter = environment.join(place);
            std::fs::create_dir_all(interpreter.parent().unwrap()).unwrap();
            std::fs::write(&interpreter, "").unwrap();
            for path in [&environment, &interpreter] {
                let found = PythonEnvironment::at(path, Vec::new()).unwrap();
                assert_eq!(found.interpreter, interpreter);
            }
        }
    }

    #[test]
    fn weights_are_a_folder_or_a_repository() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(weights(folder.path()).unwrap(), folder.path());
        assert!(weights(Path::new(".")).unwrap().is_absolute());
        let repository = Path::new("microsoft/TRELLIS.2-4B");
        assert_eq!(weights(repository).unwrap(), repository);
        let missing = folder.path().join("nothing");
        for wrong in [
            missing.as_path(),
            Path::new("TRELLIS.2-4B"),
            Path::new("../weights"),
            Path::new("a/b/c"),
            Path::new(""),
        ] {
            let error = weights(wrong).unwrap_err().to_string();
            assert!(error.contains("no weights"), "{error}");
        }
    }

    #[test]
    fn the_end_of_what_a_program_says_is_told() {
        assert_eq!(last_words("a\n\nb\nc\n d \ne\n"), "b / c / d / e");
        assert_eq!(last_words(" \n"), "it did not say why.");
    }

    #[cfg(unix)]
    #[test]
    fn what_an_interpreter_answers_is_understood_or_says_why_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let answering = |script: &str| {
            let path = folder.path().join("python");
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let mut environment = PythonEnvironment::at(&path, Vec::new()).unwrap();
            let report = environment.examine();
            (environment.runnable, report)
        };
        let report = r#"{"python":"3.11","bridge":"0.1.0","engines":{
            "a":{"can_run":true,"weights":"owner/name","problems":[]},
            "b":{"can_run":false,"problems":[{"package":"torch","problem":"is not installed","advice":"Install it."}]}}}"#;
        let (runnable, report) = answering(&format!("cat <<'END'\n{report}\nEND"));
        assert_eq!(runnable, ["a"]);
        let report = report.unwrap();
        assert_eq!(report.engines["a"].weights.as_deref(), Some("owner/name"));
        assert_eq!(report.engines["b"].problems[0].package, "torch");
        let no_bridge = "echo 'python: No module named bozzetto_bridge' >&2; exit 1";
        assert!(matches!(answering(no_bridge).1, Err(PythonError::NoBridge { .. })));
        assert!(matches!(
            answering("echo rubbish").1,
            Err(PythonError::BadReport { .. })
        ));
        let failed = answering("echo 'out of memory' >&2; exit 3").1.unwrap_err();
        assert!(failed.to_string().contains("out of memory"), "{failed}");
    }
}
