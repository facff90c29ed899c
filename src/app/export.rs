//! Dialogs that ask for files, and the writers behind "Export".

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bozzetto_asset::formats::FormatError;
use bozzetto_asset::{GaussianSplats, TexturedMesh, TriMesh};
use bozzetto_mesh::Finished;

use super::desktop::{Answer, Desktop, Pending};
use super::mailbox::{Mailbox, Message};
use super::pool::Pool;
use super::state::{ExportFormat, ExportSettings, Problem, ResultState};
use crate::export;

/// What became of a dialog or a file.
pub enum ExportEvent {
    /// The dialog for pictures was answered.
    PicturesChosen(Answer<Vec<PathBuf>>),
    /// The dialog for the exported file was answered.
    TargetChosen {
        /// Format that the dialog was for.
        format: ExportFormat,
        /// Number of the result that the dialog was for.
        result: u64,
        /// Where to write.
        answer: Answer<PathBuf>,
    },
    /// A file was written, or why not.
    Written {
        /// Where it is.
        path: PathBuf,
        /// Its size in bytes.
        result: Result<u64, Problem>,
    },
    /// A path could not be shown in the desktop's file program.
    NotShown(Problem),
}

/// What a file will hold; shared with the window, so that writing needs no copy.
#[derive(Clone)]
pub enum ExportContent {
    /// The finished mesh.
    Finished(Arc<Finished>),
    /// The raw surface, while nothing is finished: for formats that hold no more than a surface.
    RawSurface(Arc<TriMesh>),
    /// For splat formats.
    Splats(Arc<GaussianSplats>),
}

impl ExportContent {
    /// What a format takes from a result; `None` when the result lacks it.
    pub fn of(result: &ResultState, format: ExportFormat) -> Option<Self> {
        if format.holds_splats() {
            return result.asset.splats.clone().map(Self::Splats);
        }
        let finished = result.finished.clone().map(Self::Finished);
        let raw = result.asset.mesh.clone().filter(|_| !format.holds_colors());
        finished.or_else(|| raw.map(Self::RawSurface))
    }
}

/// Asks, writes and shows files on threads of its own.
pub struct Exports {
    dialogs: Pool,
    writer: Pool,
    mailbox: Mailbox,
}

impl Exports {
    /// Starts the threads.
    pub fn new(mailbox: Mailbox) -> Self {
        Self {
            dialogs: Pool::new("dialogs", 1),
            writer: Pool::new("export", 1),
            mailbox,
        }
    }

    /// Waits for the dialog's answer in the background.
    pub fn await_pictures(&self, pending: Pending<Vec<PathBuf>>) {
        let mailbox = self.mailbox.clone();
        self.dialogs.run(move || {
            let answer = pollster::block_on(pending);
            mailbox.post(Message::Export(ExportEvent::PicturesChosen(answer)));
        });
    }

    /// Waits for the dialog's answer in the background; `result` is the number of what is to be written.
    pub fn await_target(&self, format: ExportFormat, result: u64, pending: Pending<PathBuf>) {
        let mailbox = self.mailbox.clone();
        self.dialogs.run(move || {
            let answer = pollster::block_on(pending);
            mailbox.post(Message::Export(ExportEvent::TargetChosen { format, result, answer }));
        });
    }

    /// Writes a file.
    pub fn write(&self, path: PathBuf, settings: ExportSettings, content: ExportContent) {
        let mailbox = self.mailbox.clone();
        self.writer.run(move || {
            let result = write(&path, &settings, &content).map_err(|error| {
                Problem::with_hint(
                    format!("The export failed: {error}"),
                    "Check that the folder exists, may be written to and has space left, or choose another.",
                )
            });
            mailbox.post(Message::Export(ExportEvent::Written { path, result }));
        });
    }

    /// Shows a file or folder in the desktop's file program.
    pub fn show(&self, desktop: Arc<dyn Desktop>, path: PathBuf) {
        let mailbox = self.mailbox.clone();
        self.writer.run(move || {
            if let Err(problem) = desktop.show(&path) {
                mailbox.post(Message::Export(ExportEvent::NotShown(problem)));
            }
        });
    }

    /// Waits for files that are being written.
    pub fn finish(self) {
        self.writer.finish();
    }
}

/// Writes a file and tells its size.
fn write(path: &Path, settings: &ExportSettings, content: &ExportContent) -> Result<u64, FormatError> {
    match content {
        ExportContent::Finished(finished) => {
            export::write_mesh(path, &finished.textured, Some(&finished.health), settings)?;
        }
        ExportContent::RawSurface(mesh) => export::write_mesh(path, &bare(mesh), None, settings)?,
        ExportContent::Splats(splats) => export::write_splats(path, splats, settings.format)?,
    }
    Ok(path.metadata().map_or(0, |metadata| metadata.len()))
}

/// A surface without material, for formats that hold none.
fn bare(mesh: &Arc<TriMesh>) -> TexturedMesh {
    TexturedMesh {
        mesh: Arc::clone(mesh),
        ..TexturedMesh::default()
    }
}

/// The path to write and its format: a known extension that the artist typed wins, otherwise the format's own is added.
pub fn target_of(path: PathBuf, format: ExportFormat) -> (PathBuf, ExportFormat) {
    // Where two formats share an ending, the one that the dialog was for, or at least one of its kind.
    let typed = path.extension().and_then(|extension| extension.to_str());
    let typed = typed.and_then(|extension| {
        let is_own = format.extension().eq_ignore_ascii_case(extension);
        let other = || ExportFormat::of_extension(extension, format.holds_splats());
        if is_own { Some(format) } else { other() }
    });
    match typed {
        Some(typed) => (path, typed),
        None => with_extension(path, format, &[format], ExportFormat::extension),
    }
}

/// [`target_of`] for any kind of format.
pub fn with_extension<F: Copy>(
    path: PathBuf,
    format: F,
    all: &[F],
    extension_of: fn(F) -> &'static str,
) -> (PathBuf, F) {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let typed = all
        .iter()
        .find(|format| extension.is_some_and(|extension| extension_of(**format).eq_ignore_ascii_case(extension)));
    if let Some(typed) = typed {
        return (path, *typed);
    }
    // Not `Path::with_extension`: in `chair.v2` the artist's `v2` stays.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension_of(format));
    (path.with_file_name(name), format)
}

/// A file name that every system accepts.
pub fn file_name_for(name: &str, extension: &str) -> String {
    let safe: String = name
        .chars()
        .map(|character| {
            if "/\\:*?\"<>|".contains(character) || character.is_control() {
                '_'
            } else {
                character
            }
        })
        .collect();
    let safe = safe.trim().trim_end_matches('.');
    let safe = if safe.is_empty() { "object" } else { safe };
    format!("{safe}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typed_extension_decides_and_a_missing_one_is_added() {
        let target = |path: &str| target_of(PathBuf::from(path), ExportFormat::Glb);
        assert_eq!(target("/a/chair"), (PathBuf::from("/a/chair.glb"), ExportFormat::Glb));
        assert_eq!(
            target("/a/chair.v2"),
            (PathBuf::from("/a/chair.v2.glb"), ExportFormat::Glb)
        );
        assert_eq!(
            target("/a/chair.STL"),
            (PathBuf::from("/a/chair.STL"), ExportFormat::Stl)
        );
        let ply = PathBuf::from("/a/chair.ply");
        for (format, expected) in [
            (ExportFormat::Ply, ExportFormat::Ply),
            (ExportFormat::MeshPly, ExportFormat::MeshPly),
            (ExportFormat::Spz, ExportFormat::Ply),
            (ExportFormat::Obj, ExportFormat::MeshPly),
        ] {
            assert_eq!(target_of(ply.clone(), format), (ply.clone(), expected), "{format:?}");
        }
    }

    #[test]
    fn proposed_names_are_safe_everywhere() {
        assert_eq!(file_name_for("a/b: c?", "obj"), "a_b_ c_.obj");
        assert_eq!(file_name_for(" .", "ply"), "object.ply");
    }
}
