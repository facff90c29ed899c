//! Writing a result for another program: formats, choices, presets. The window and the command line share it.

mod format;
mod preset;
mod settings;
mod write;

pub use format::ExportFormat;
pub use preset::{ExportPreset, PRESETS};
pub use settings::{ExportSettings, SettingsError};
pub use write::{encoded_size, write_mesh, write_splats};
