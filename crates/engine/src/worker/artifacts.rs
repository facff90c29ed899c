//! Arrays on their way across the process border: files in a job's folder.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bozzetto_asset::Asset;
use bozzetto_asset::formats::FormatError;
use bozzetto_asset::formats::artifact::{
    ASSET_FILE, read_asset, read_mesh, read_splats, read_structure, read_views, write_mesh, write_splats,
    write_structure, write_views,
};

use super::protocol::{MessageBody, PreviewContent};
use crate::{EngineError, Event, LogLevel, Preview};

/// Writes what a preview holds to a new file in the job's folder, and names it.
pub(super) fn write_preview(preview: &Preview, folder: &Path, number: u64) -> Result<MessageBody, FormatError> {
    let artifact = format!("preview-{number}.safetensors");
    let path = folder.join(&artifact);
    let content = match preview {
        Preview::Structure(structure) => write_structure(&path, structure).map(|()| PreviewContent::Structure)?,
        Preview::Mesh(mesh) => write_mesh(&path, mesh).map(|()| PreviewContent::Mesh)?,
        Preview::Splats(splats) => write_splats(&path, splats).map(|()| PreviewContent::Splats)?,
        Preview::Views(views) => write_views(&path, views).map(|()| PreviewContent::Views)?,
        Preview::Cameras(cameras) => {
            return Ok(MessageBody::Cameras {
                cameras: cameras.clone(),
            });
        }
    };
    Ok(MessageBody::Preview { content, artifact })
}

/// Reads a preview and removes its file.
pub(super) fn read_preview(content: PreviewContent, artifact: &str, folder: &Path) -> Result<Event, EngineError> {
    let path = resolve(artifact, folder)?;
    let preview = match content {
        PreviewContent::Structure => read_structure(&path).map(|structure| Preview::Structure(Arc::new(structure))),
        PreviewContent::Mesh => read_mesh(&path).map(|mesh| Preview::Mesh(Arc::new(mesh))),
        PreviewContent::Splats => read_splats(&path).map(|splats| Preview::Splats(Arc::new(splats))),
        PreviewContent::Views => read_views(&path).map(Preview::Views),
        PreviewContent::Other => {
            remove(&path);
            return Ok(Event::Log {
                level: LogLevel::Debug,
                message: "The engine shows something that this version of the program does not know.".to_owned(),
            });
        }
    };
    remove(&path);
    preview.map(Event::Preview).map_err(|error| unusable(&path, &error))
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!("a preview stays in its folder: {error}");
    }
}

/// Reads a job's result.
pub(super) fn read_result(artifact: &str, folder: &Path) -> Result<Asset, EngineError> {
    let path = resolve(artifact, folder)?;
    let parent = path
        .parent()
        .filter(|_| path.file_name().is_some_and(|name| name == ASSET_FILE));
    let parent = parent.ok_or_else(|| bad(artifact, format!("a result is called {ASSET_FILE}")))?;
    read_asset(parent).map_err(|error| unusable(&path, &error))
}

/// The path of an artifact that a worker named, if it is an ordinary file inside the job's folder. Links that lead
/// outside are refused like names that do; anything but a file (a pipe, say) would block its reader.
fn resolve(artifact: &str, folder: &Path) -> Result<PathBuf, EngineError> {
    let name = Path::new(artifact);
    let is_plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    if artifact.is_empty() || !is_plain {
        return Err(bad(artifact, "it must lie in the job's folder"));
    }
    let unreachable = |error: std::io::Error| bad(artifact, error.to_string());
    let folder = folder.canonicalize().map_err(unreachable)?;
    let path = folder.join(name).canonicalize().map_err(unreachable)?;
    if !path.starts_with(&folder) {
        return Err(bad(artifact, "it leads out of the job's folder"));
    }
    if !path.metadata().map_err(unreachable)?.is_file() {
        return Err(bad(artifact, "it is no ordinary file"));
    }
    Ok(path)
}

fn bad(artifact: impl Into<PathBuf>, reason: impl Into<String>) -> EngineError {
    EngineError::BadArtifact {
        path: artifact.into(),
        reason: reason.into(),
    }
}

fn unusable(path: &Path, error: &FormatError) -> EngineError {
    bad(path, error.to_string().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::SparseStructure;

    use super::*;
    use crate::worker::protocol::Message;

    fn refusal(artifact: &str, folder: &Path) -> String {
        resolve(artifact, folder).expect_err("must be refused").to_string()
    }

    #[test]
    fn artifacts_lie_inside_the_folder() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("job");
        std::fs::create_dir_all(folder.join("deep")).expect("a folder");
        for path in ["job/mesh", "job/deep/mesh", "secret"] {
            std::fs::write(outer.path().join(path), b"content").expect("a file");
        }
        assert!(resolve("mesh", &folder).is_ok());
        assert!(resolve("deep/mesh", &folder).is_ok());
        let absolute = outer.path().join("secret");
        for outside in [
            "",
            ".",
            "..",
            "../secret",
            "deep/../../secret",
            &absolute.to_string_lossy(),
        ] {
            let text = refusal(outside, &folder);
            assert!(text.contains("must lie in the job's folder"), "{outside}: {text}");
        }
        assert!(refusal("deep", &folder).contains("no ordinary file"));
        assert!(refusal("missing", &folder).contains("missing"));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_outside_are_refused() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("job");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(outer.path().join("secret"), b"content").expect("a file");
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).expect("a link");
        assert!(refusal("link", &folder).contains("leads out"));
    }

    #[test]
    fn a_structure_crosses_the_border_and_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let structure = SparseStructure {
            voxel_size: 0.25,
            resolution: 4,
            coords: vec![[1, 2, 3].into()],
            colors: vec![[1.0, 0.5, 0.0].into()],
            ..SparseStructure::default()
        };
        let sent = Preview::Structure(Arc::new(structure.clone()));
        let told = write_preview(&sent, folder.path(), 7).expect("written");
        let MessageBody::Preview { content, artifact } = told else {
            panic!("{told:?}")
        };
        let event = read_preview(content, &artifact, folder.path()).expect("read");
        assert!(matches!(event, Event::Preview(Preview::Structure(found)) if *found == structure));
        assert!(!folder.path().join(artifact).exists());
    }

    #[test]
    fn what_a_newer_worker_shows_is_passed_over() {
        let line = r#"{"event":"preview","id":1,"content":"hologram","artifact":"preview-1.safetensors"}"#;
        let message: Message = serde_json::from_str(line).expect("understood");
        let MessageBody::Preview { content, artifact } = message.body else {
            panic!("{message:?}")
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(&artifact);
        std::fs::write(&path, b"who knows").expect("a file");
        let event = read_preview(content, &artifact, folder.path()).expect("no error");
        assert!(
            matches!(
                event,
                Event::Log {
                    level: LogLevel::Debug,
                    ..
                }
            ),
            "{event:?}"
        );
        assert!(!path.exists());
    }

    #[test]
    fn a_result_has_the_one_name_that_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("other.safetensors"), b"content").expect("a file");
        let error = read_result("other.safetensors", folder.path()).expect_err("must be refused");
        assert!(error.to_string().contains(ASSET_FILE), "{error}");
    }
}
