use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{Builder, JoinHandle};

use bozzetto_asset::files;

/// SHA-256 of files of weights, found while the engine computes.
#[derive(Default)]
pub(super) struct WeightHashes {
    known: BTreeMap<PathBuf, String>,
    running: Option<JoinHandle<BTreeMap<PathBuf, String>>>,
}

impl WeightHashes {
    /// Begins with files that are not known yet.
    pub(super) fn begin(&mut self, paths: &[PathBuf]) {
        self.finish();
        let unknown: Vec<_> = paths
            .iter()
            .filter(|path| !self.known.contains_key(*path))
            .cloned()
            .collect();
        if unknown.is_empty() {
            return;
        }
        let work = move || {
            unknown
                .into_iter()
                .filter_map(|path| Some((path.clone(), sha256(&path)?)))
                .collect()
        };
        match Builder::new().name("weight-hashes".to_owned()).spawn(work) {
            Ok(thread) => self.running = Some(thread),
            Err(error) => tracing::warn!("weights are not hashed: {error}"),
        }
    }

    /// The hashes of files by their names, once they are all known. Files that cannot be read are left out.
    pub(super) fn of(&mut self, paths: &[PathBuf]) -> BTreeMap<String, String> {
        self.finish();
        let entry = |path: &PathBuf| Some((name_of(path)?, self.known.get(path)?.clone()));
        paths.iter().filter_map(entry).collect()
    }

    fn finish(&mut self) {
        if let Some(thread) = self.running.take()
            && let Ok(found) = thread.join()
        {
            self.known.extend(found);
        }
    }
}

/// A file's name; with that of its repository where files of many repositories have the same.
fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    if name != "model.safetensors" {
        return Some(name.to_owned());
    }
    // `models--owner--name/snapshots/commit/model.safetensors` in the cache, `owner/name/model.safetensors` elsewhere.
    let mut above = path
        .ancestors()
        .skip(1)
        .filter_map(|folder| folder.file_name()?.to_str());
    let repository = above.find_map(|folder| folder.strip_prefix("models--")?.rsplit("--").next().map(str::to_owned));
    let folder = path.parent()?.file_name()?.to_str()?.to_owned();
    Some(format!("{}/{name}", repository.unwrap_or(folder)))
}

/// A file in the Hugging Face cache is a link to one whose name is its hash; others are read.
fn sha256(path: &Path) -> Option<String> {
    let target = fs::canonicalize(path).ok()?;
    let name = target.file_name()?.to_str()?;
    if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(name.to_ascii_lowercase());
    }
    files::sha256_of_file(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_hashed_once_and_named_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("below")).expect("a folder");
            fs::write(&path, text).expect("written");
            path
        };
        let paths = [
            file("ckpts/flow.safetensors", "flow"),
            file("models--timm--dino/snapshots/a/model.safetensors", "dino"),
            file("ZhengPeng7/BiRefNet/model.safetensors", "matte"),
            folder.path().join("missing.safetensors"),
        ];
        let mut hashes = WeightHashes::default();
        hashes.begin(&paths);
        let found = hashes.of(&paths);
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "BiRefNet/model.safetensors",
                "dino/model.safetensors",
                "flow.safetensors"
            ]
        );
        assert_eq!(found["flow.safetensors"], files::sha256_of_bytes(b"flow"));
        fs::write(&paths[0], "another").expect("written");
        hashes.begin(&paths);
        assert_eq!(
            hashes.of(&paths)["flow.safetensors"],
            files::sha256_of_bytes(b"flow"),
            "it is known"
        );
    }
}
