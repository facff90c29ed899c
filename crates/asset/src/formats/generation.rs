//! The library: one folder a generation, so that every result can be opened, tuned and exported again.
//!
//! ```text
//! 20261122-075426-tiger/
//!   generation.json       name, job, provenance, finish settings, exports
//!   asset.safetensors     see `artifact`
//!   thumbnail.png
//!   views/00/front.png    the job's pictures under their own names, in folders by order
//! ```
//!
//! A folder is filled under a name that begins with a dot and renamed when it is whole, so that a crash leaves no half
//! generation in the list.

use std::io;
use std::path::{Component, Path, PathBuf};

use image::RgbaImage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pictures::Pixels;
use super::{FormatError, artifact, read_file};
use crate::{Asset, Provenance, files};

const INFO_FILE: &str = "generation.json";
const THUMBNAIL_FILE: &str = "thumbnail.png";
const VIEWS_FOLDER: &str = "views";
/// Version of `generation.json`; newer ones are not read.
const FORMAT_VERSION: u32 = 1;
/// Generations of one second and name; more than anybody makes.
const MAX_SAME_NAMES: usize = 1000;

/// What is remembered of a saved generation besides its arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// The folder it lies in.
    pub folder: PathBuf,
    /// Name of the folder; unique in the library and sorts by time.
    pub id: String,
    /// Seconds since the Unix epoch when it was saved.
    pub created_unix_secs: u64,
    /// What the artist calls it.
    pub name: String,
    /// The job as it was submitted.
    pub job: Value,
    /// Engine, parameters, seed and views.
    pub provenance: Provenance,
    /// Finish settings, written and read by whoever finishes; null when there are none.
    pub finish: Value,
    /// What was exported and where to, written and read by whoever exports; null when there is nothing.
    pub exported: Value,
    /// The pictures in the order of the job's views: the library's copies, or the original path where a picture could
    /// not be copied.
    pub view_files: Vec<PathBuf>,
}

impl Generation {
    /// Path of the thumbnail, a PNG.
    pub fn thumbnail_path(&self) -> PathBuf {
        self.folder.join(THUMBNAIL_FILE)
    }
}

/// What [`save`] needs. Provenance comes from the asset.
#[derive(Clone, Debug)]
pub struct NewGeneration<'a> {
    /// What the artist calls it.
    pub name: &'a str,
    /// Seconds since the Unix epoch.
    pub created_unix_secs: u64,
    /// The job as it was submitted.
    pub job: &'a Value,
    /// Finish settings, or null.
    pub finish: &'a Value,
    /// The arrays.
    pub asset: &'a Asset,
    /// A small picture of it.
    pub thumbnail: &'a RgbaImage,
    /// The picture files of the job's views, in order; copied. One that is gone by now keeps its path.
    pub view_files: &'a [PathBuf],
}

/// `generation.json` as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Info {
    format: u32,
    created_unix_secs: u64,
    name: String,
    #[serde(default)]
    job: Value,
    #[serde(default)]
    provenance: Provenance,
    #[serde(default)]
    finish: Value,
    #[serde(default)]
    exported: Value,
    #[serde(default)]
    views: Vec<SavedView>,
}

/// Where a view's picture is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedView {
    /// Below the generation's folder, parts separated by `/`.
    Copy(String),
    /// Anywhere else.
    Original(String),
}

/// Saves a generation as a new folder of the library, whole or not at all. The library is made when it is missing.
///
/// # Errors
/// What [`artifact::write_asset`] refuses and what the system refuses; nothing is left behind then.
pub fn save(library: &Path, new: &NewGeneration<'_>) -> Result<Generation, FormatError> {
    let writing = |path: &Path| {
        let path = path.to_owned();
        move |source| FormatError::Write { path, source }
    };
    std::fs::create_dir_all(library).map_err(writing(library))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    // A temporary folder is private by default; the library is as readable as the artist's other files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let temporary = builder.tempdir_in(library).map_err(writing(library))?;
    artifact::write_asset(temporary.path(), new.asset)?;
    let thumbnail = temporary.path().join(THUMBNAIL_FILE);
    let picture = Pixels::Rgba(new.thumbnail)
        .encode_png()
        .map_err(|error| error.at(&thumbnail))?;
    files::write_bytes(&thumbnail, &picture)?;
    let info = Info {
        format: FORMAT_VERSION,
        created_unix_secs: new.created_unix_secs,
        name: new.name.to_owned(),
        job: new.job.clone(),
        provenance: new.asset.provenance.clone(),
        finish: new.finish.clone(),
        exported: Value::Null,
        views: (new.view_files.iter().enumerate())
            .map(|(index, path)| copy_view(temporary.path(), index, path))
            .collect(),
    };
    write_info(temporary.path(), &info)?;
    let folder = move_into_place(temporary, library, &stem(new.created_unix_secs, new.name))?;
    Ok(info.into_generation(&folder))
}

/// Reads a generation and its arrays.
///
/// # Errors
/// [`FormatError`] that names the damaged file of the folder.
pub fn load(folder: &Path) -> Result<(Generation, Asset), FormatError> {
    Ok((load_info(folder)?, artifact::read_asset(folder)?))
}

/// Reads what is remembered of a generation, without its arrays.
pub fn load_info(folder: &Path) -> Result<Generation, FormatError> {
    let path = folder.join(INFO_FILE);
    let info: Info = serde_json::from_slice(&read_file(&path)?)
        .map_err(|error| FormatError::damaged(format!("it cannot be read ({error})")).at(&path))?;
    if info.format > FORMAT_VERSION {
        let feature = format!("version {} of the library's format", info.format);
        return Err(FormatError::unsupported(feature).at(&path));
    }
    Ok(info.into_generation(folder))
}

/// Every generation of the library, newest first. A damaged folder is an error whose path lies in that folder. Empty
/// when there is no library yet.
pub fn list(library: &Path) -> Vec<Result<Generation, FormatError>> {
    let entries = match std::fs::read_dir(library) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(source) => {
            let path = library.to_owned();
            return vec![Err(FormatError::Read { path, source })];
        }
    };
    let is_visible = |path: &Path| {
        path.file_name()
            .is_some_and(|name| !name.to_string_lossy().starts_with('.'))
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_visible(path) && path.is_dir())
        .collect();
    folders.sort_unstable_by(|left, right| right.cmp(left));
    folders.iter().map(|folder| load_info(folder)).collect()
}

/// Writes a changed name, finish settings or export record back. The rest stays as it is on disk.
pub fn update(generation: &Generation) -> Result<(), FormatError> {
    let path = generation.folder.join(INFO_FILE);
    let mut info: Info = serde_json::from_slice(&read_file(&path)?)
        .map_err(|error| FormatError::damaged(format!("it cannot be read ({error})")).at(&path))?;
    info.name.clone_from(&generation.name);
    info.finish.clone_from(&generation.finish);
    info.exported.clone_from(&generation.exported);
    write_info(&generation.folder, &info)
}

/// Deletes a generation's folder, also a damaged one. Refuses a folder that is no generation.
pub fn delete(folder: &Path) -> Result<(), FormatError> {
    let is_generation = [INFO_FILE, artifact::ASSET_FILE]
        .iter()
        .any(|name| folder.join(name).is_file());
    if !is_generation {
        let reason = "it is not deleted because no generation lies there";
        return Err(FormatError::not_recognized("generation", reason).at(folder));
    }
    // Out of the list first, so that a deletion that stops half way leaves no damaged entry.
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let hidden = folder.with_file_name(format!(".deleted-{name}"));
    let delete = || -> io::Result<()> {
        if hidden.exists() {
            std::fs::remove_dir_all(&hidden)?;
        }
        std::fs::rename(folder, &hidden)?;
        std::fs::remove_dir_all(&hidden)
    };
    delete().map_err(|source| FormatError::Write {
        path: folder.to_owned(),
        source,
    })
}

impl Info {
    fn into_generation(self, folder: &Path) -> Generation {
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Generation {
            folder: folder.to_owned(),
            id,
            created_unix_secs: self.created_unix_secs,
            name: self.name,
            job: self.job,
            provenance: self.provenance,
            finish: self.finish,
            exported: self.exported,
            view_files: self.views.iter().map(|view| view.path(folder)).collect(),
        }
    }
}

impl SavedView {
    fn path(&self, folder: &Path) -> PathBuf {
        match self {
            Self::Original(path) => PathBuf::from(path),
            // A folder from elsewhere may name anything: only what lies inside it is taken.
            Self::Copy(path) => Path::new(path)
                .components()
                .filter(|component| matches!(component, Component::Normal(_)))
                .fold(folder.to_owned(), |path, component| path.join(component)),
        }
    }
}

fn write_info(folder: &Path, info: &Info) -> Result<(), FormatError> {
    let path = folder.join(INFO_FILE);
    let text = serde_json::to_vec_pretty(info)
        .map_err(|error| FormatError::unwritable(format!("it has no JSON form ({error})")).at(&path))?;
    files::write_bytes(&path, &text)
}

/// Copies a picture. A result is worth more than its pictures: one that is gone keeps its path.
fn copy_view(folder: &Path, index: usize, path: &Path) -> SavedView {
    let original = || SavedView::Original(path.to_string_lossy().into_owned());
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return original();
    };
    let number = format!("{index:02}");
    let target = folder.join(VIEWS_FOLDER).join(&number);
    let copied = std::fs::create_dir_all(&target).and_then(|()| std::fs::copy(path, target.join(name)));
    match copied {
        Ok(_) => SavedView::Copy(format!("{VIEWS_FOLDER}/{number}/{name}")),
        Err(_) => original(),
    }
}

/// Renames a filled folder to the first free name that begins with the stem.
fn move_into_place(temporary: tempfile::TempDir, library: &Path, stem: &str) -> Result<PathBuf, FormatError> {
    let mut result = Ok(());
    for number in 1..=MAX_SAME_NAMES {
        let name = if number == 1 {
            stem.to_owned()
        } else {
            format!("{stem}-{number}")
        };
        let folder = library.join(name);
        if folder.exists() {
            continue;
        }
        result = std::fs::rename(temporary.path(), &folder);
        if result.is_ok() {
            // Nothing is left under the old name to clean up.
            let _ = temporary.keep();
            return Ok(folder);
        }
        // Another process may have taken the name in between; any other trouble stays.
        if !folder.exists() {
            break;
        }
    }
    Err(FormatError::Write {
        path: library.join(stem),
        source: result.err().unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()),
    })
}

/// `20261122-075426-name`: time in UTC, so that names sort by it wherever the library is taken, and a short form of the
/// name that every file system takes.
fn stem(created_unix_secs: u64, name: &str) -> String {
    let (year, month, day) = civil_from_days(created_unix_secs / 86_400);
    let second = created_unix_secs % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let slug: String = words
        .collect::<Vec<_>>()
        .join("-")
        .to_lowercase()
        .chars()
        .take(40)
        .collect();
    let slug = if slug.is_empty() {
        "untitled"
    } else {
        slug.trim_end_matches('-')
    };
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{slug}")
}

/// Gregorian date of a day since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    // Counted in eras of 400 years from 0000-03-01, so that leap days come last in a year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
#[path = "generation_tests.rs"]
mod tests;
