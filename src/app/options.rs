use std::path::{Path, PathBuf};
use std::sync::Arc;

use bozzetto_engine::Engine;
use etcetera::AppStrategy as _;
use etcetera::app_strategy::{AppStrategyArgs, choose_native_strategy};

use super::desktop::{Desktop, NativeDesktop};
use crate::engines;

/// Where the program keeps its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Settings.
    pub config: PathBuf,
    /// Library, pasted pictures, the unpacked example.
    pub data: PathBuf,
}

impl Folders {
    /// The platform's own places; beside the working folder where the platform names none.
    pub fn native() -> Self {
        let strategy = choose_native_strategy(AppStrategyArgs {
            top_level_domain: "app".to_owned(),
            author: "Bozzetto".to_owned(),
            app_name: "Bozzetto".to_owned(),
        });
        strategy.map_or_else(
            |_| Self {
                config: PathBuf::from("bozzetto-settings"),
                data: PathBuf::from("bozzetto-data"),
            },
            |strategy| Self {
                config: strategy.config_dir(),
                data: strategy.data_dir(),
            },
        )
    }

    /// Both within one folder.
    pub fn within(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
        }
    }

    /// One folder a saved result.
    pub fn library(&self) -> PathBuf {
        self.data.join("library")
    }

    /// Pictures that came by the clipboard.
    pub fn pasted(&self) -> PathBuf {
        self.data.join("pasted")
    }

    /// The example, unpacked.
    pub fn example(&self) -> PathBuf {
        self.data.join("example")
    }
}

/// What a window is started with. Tests choose folders, engines and the desktop.
pub struct AppOptions {
    /// Where files are kept.
    pub folders: Folders,
    /// Engines to offer, the first one being the default.
    pub engines: Vec<Box<dyn Engine>>,
    /// Dialogs, clipboard, file program.
    pub desktop: Arc<dyn Desktop>,
    /// Files to open at once.
    pub files: Vec<PathBuf>,
    /// Whether the graphics card's load is read.
    pub reads_telemetry: bool,
    /// Whether the eye glides to its new place; it jumps otherwise.
    pub animates: bool,
}

impl AppOptions {
    /// The program as the artist starts it: engines in processes of their own.
    pub fn native(files: Vec<PathBuf>) -> Self {
        Self {
            folders: Folders::native(),
            engines: vec![engines::built_in()],
            desktop: Arc::new(NativeDesktop),
            files,
            reads_telemetry: true,
            animates: true,
        }
    }
}
