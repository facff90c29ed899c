use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::WeightsError;

/// Something that the engine needs and that comes from the Hugging Face hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// What it is, as an artist would call it.
    pub what: String,
    /// `owner/name` of its repository.
    pub repository: String,
    /// Its path there.
    pub file: String,
    /// Its size; 0 when that is not known.
    pub num_bytes: u64,
}

impl Download {
    /// The repository's address.
    pub fn page(&self) -> String {
        format!("https://huggingface.co/{}", self.repository)
    }
}

/// Where weights lie: the Hugging Face cache, which other programs share, and a folder of one's own.
///
/// A folder of one's own holds the files of one main repository as they are there, and those of another one, `owner/name`, below
/// `owner/name/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    main: String,
    folder: Option<PathBuf>,
    hub: PathBuf,
}

impl Library {
    /// The Hugging Face cache where the environment says it is (`HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`), and before it
    /// a folder of one's own, if there is one, for the repository `main` and others.
    pub fn new(main: &str, folder: Option<PathBuf>) -> Self {
        Self {
            main: main.to_owned(),
            folder,
            hub: hub_folder(|name| env::var_os(name)),
        }
    }

    /// The same with another cache.
    #[must_use]
    pub fn with_hub(self, hub: PathBuf) -> Self {
        Self { hub, ..self }
    }

    /// The file.
    ///
    /// # Errors
    /// [`WeightsError::Missing`], with what to fetch, when it is nowhere.
    pub fn find(&self, wanted: &Download) -> Result<PathBuf, WeightsError> {
        self.find_if_there(&wanted.repository, &wanted.file)
            .ok_or_else(|| WeightsError::Missing {
                what: wanted.what.clone(),
                file: wanted.file.clone(),
                num_bytes: wanted.num_bytes,
                page: wanted.page(),
                place: self.place_of(wanted),
            })
    }

    /// The file, if it is somewhere.
    pub fn find_if_there(&self, repository: &str, file: &str) -> Option<PathBuf> {
        let is_main = repository == self.main;
        let own = self.folder.iter().flat_map(|folder| {
            let beside = is_main.then(|| folder.join(file));
            beside.into_iter().chain([folder.join(repository).join(file)])
        });
        let cached = snapshots(&self.hub.join(folder_name(repository)));
        own.chain(cached.into_iter().map(|snapshot| snapshot.join(file)))
            .find(|path| path.is_file())
    }

    /// Where a download belongs: in one's own folder, or in the cache.
    fn place_of(&self, wanted: &Download) -> PathBuf {
        match &self.folder {
            Some(folder) if wanted.repository == self.main => folder.join(&wanted.file),
            Some(folder) => folder.join(&wanted.repository).join(&wanted.file),
            None => self.hub.join(folder_name(&wanted.repository)),
        }
    }
}

/// A repository's folder in the cache.
fn folder_name(repository: &str) -> String {
    format!("models--{}", repository.replace('/', "--"))
}

/// A cached repository's snapshots: the one that its main branch was last seen at, then any others.
fn snapshots(repository: &Path) -> Vec<PathBuf> {
    let all = repository.join("snapshots");
    let main = fs::read_to_string(repository.join("refs").join("main")).ok();
    let main = main.map(|commit| all.join(commit.trim()));
    let others = fs::read_dir(&all)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut others: Vec<_> = others.filter(|path| Some(path) != main.as_ref()).collect();
    others.sort();
    main.into_iter().chain(others).collect()
}

/// The cache's folder, as the library `huggingface_hub` finds it.
fn hub_folder(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE")).unwrap_or_default();
    let hugging_face = || {
        set("HF_HOME").unwrap_or_else(|| {
            let cache = set("XDG_CACHE_HOME").unwrap_or_else(|| home().join(".cache"));
            cache.join("huggingface")
        })
    };
    set("HF_HUB_CACHE")
        .or_else(|| set("HUGGINGFACE_HUB_CACHE"))
        .unwrap_or_else(|| hugging_face().join("hub"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "microsoft/TRELLIS.2-4B";

    fn wanted() -> Download {
        Download {
            what: "The shape decoder of TRELLIS.2".to_owned(),
            repository: MAIN.to_owned(),
            file: "ckpts/shape_dec.safetensors".to_owned(),
            num_bytes: 948_490_494,
        }
    }

    fn write(path: &Path) -> PathBuf {
        fs::create_dir_all(path.parent().expect("below a folder")).expect("a folder");
        fs::write(path, path.to_string_lossy().as_bytes()).expect("written");
        path.to_owned()
    }

    #[test]
    fn the_cache_is_where_the_environment_says() {
        let folder = |set: &[(&str, &str)]| {
            hub_folder(|name| {
                set.iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(folder(&[("HOME", "/h")]), Path::new("/h/.cache/huggingface/hub"));
        assert_eq!(folder(&[("USERPROFILE", "/u")]), Path::new("/u/.cache/huggingface/hub"));
        assert_eq!(folder(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(
            folder(&[("HF_HOME", "/f"), ("XDG_CACHE_HOME", "/x")]),
            Path::new("/f/hub")
        );
        assert_eq!(folder(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/f")]), Path::new("/c"));
        assert_eq!(folder(&[("HF_HUB_CACHE", ""), ("HF_HOME", "/f")]), Path::new("/f/hub"));
    }

    #[test]
    fn the_snapshot_of_the_main_branch_comes_first() {
        let hub = tempfile::tempdir().expect("a folder");
        let library = Library::new(MAIN, None).with_hub(hub.path().to_owned());
        let error = library.find(&wanted()).expect_err("nothing is there");
        assert!(
            error
                .to_string()
                .contains("The shape decoder of TRELLIS.2 is not installed"),
            "{error}"
        );
        let repository = hub.path().join("models--microsoft--TRELLIS.2-4B");
        let file = |commit: &str| {
            repository
                .join("snapshots")
                .join(commit)
                .join("ckpts/shape_dec.safetensors")
        };
        let old = write(&file("aaaa"));
        assert_eq!(
            library.find(&wanted()).ok(),
            Some(old.clone()),
            "without a branch any will do"
        );
        let new = write(&file("bbbb"));
        fs::create_dir_all(repository.join("refs")).expect("a folder");
        fs::write(repository.join("refs/main"), "bbbb\n").expect("written");
        assert_eq!(library.find(&wanted()).ok(), Some(new));
        fs::write(repository.join("refs/main"), "cccc").expect("written");
        assert_eq!(library.find(&wanted()).ok(), Some(old), "the branch was never fetched");
    }

    #[test]
    fn a_folder_of_ones_own_comes_before_the_cache() {
        let own = tempfile::tempdir().expect("a folder");
        let hub = tempfile::tempdir().expect("a folder");
        let library = Library::new(MAIN, Some(own.path().to_owned())).with_hub(hub.path().to_owned());
        let cached = write(
            &hub.path()
                .join("models--microsoft--TRELLIS.2-4B/snapshots/a/ckpts/shape_dec.safetensors"),
        );
        assert_eq!(library.find(&wanted()).ok(), Some(cached));
        let below = write(&own.path().join("microsoft/TRELLIS.2-4B/ckpts/shape_dec.safetensors"));
        assert_eq!(library.find(&wanted()).ok(), Some(below));
        let beside = write(&own.path().join("ckpts/shape_dec.safetensors"));
        assert_eq!(library.find(&wanted()).ok(), Some(beside));
    }

    #[test]
    fn files_of_another_repository_lie_below_its_name() {
        let own = tempfile::tempdir().expect("a folder");
        let library = Library::new(MAIN, Some(own.path().to_owned())).with_hub(own.path().join("hub"));
        write(&own.path().join("model.safetensors"));
        let wanted = Download {
            repository: "ZhengPeng7/BiRefNet".to_owned(),
            file: "model.safetensors".to_owned(),
            ..wanted()
        };
        let error = library.find(&wanted).expect_err("another model's file is there");
        assert!(
            error.to_string().contains("ZhengPeng7/BiRefNet/model.safetensors"),
            "{error}"
        );
        let path = write(&own.path().join("ZhengPeng7/BiRefNet/model.safetensors"));
        assert_eq!(library.find(&wanted).ok(), Some(path));
    }
}
