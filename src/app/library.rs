//! Saved results: every one is kept at once with its thumbnail, parameters and pictures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bozzetto_asset::Asset;
use bozzetto_asset::formats::FormatError;
use bozzetto_asset::formats::generation::{self, Generation, NewGeneration};
use bozzetto_viewport::{Offscreen, OrbitCamera, RenderSettings, Scene, Shows};
use egui::ColorImage;
use image::RgbaImage;

use super::mailbox::{Mailbox, Message};
use super::pool::Pool;
use super::state::Problem;

/// Edge of thumbnails, pixels.
const THUMBNAIL_PX: u32 = 256;

/// A saved result as it was listed.
pub struct Listed {
    /// Name of its folder.
    pub id: String,
    /// What is remembered of it, or why it cannot be read.
    pub generation: Result<Generation, Problem>,
    /// Its picture.
    pub thumbnail: Option<Arc<ColorImage>>,
}

/// What became of a saved result.
pub enum LibraryEvent {
    /// All of them, newest first.
    Listed(Vec<Listed>),
    /// One was saved.
    Saved {
        /// Number of the result, as given to [`Library::save`].
        result: u64,
        /// The entry, or why there is none.
        saved: Result<Box<Listed>, Problem>,
    },
    /// One was read.
    Opened {
        /// Name of its folder.
        id: String,
        /// What it holds.
        opened: Result<Box<(Generation, Asset)>, Problem>,
    },
    /// One was read to compare another result with it.
    Read {
        /// Name of its folder.
        id: String,
        /// What it holds.
        read: Result<Box<(Generation, Asset)>, Problem>,
    },
    /// One was deleted, or why not.
    Deleted {
        /// Name of its folder.
        id: String,
        /// Why not.
        deleted: Result<(), Problem>,
    },
    /// One was renamed, or why not.
    Renamed {
        /// Name of its folder.
        id: String,
        /// Its new name.
        renamed: Result<String, Problem>,
    },
}

/// What is to be saved.
pub struct NewEntry {
    /// Number of the result.
    pub result: u64,
    /// What the artist calls it.
    pub name: String,
    /// Seconds since the Unix epoch.
    pub created_unix_secs: u64,
    /// The job that made it.
    pub job: serde_json::Value,
    /// Finish settings.
    pub finish: serde_json::Value,
    /// The arrays.
    pub asset: Asset,
    /// Picture files of the job's views.
    pub view_files: Vec<PathBuf>,
}

/// Reads and writes the library on a thread of its own, one thing after the other.
pub struct Library {
    pool: Pool,
    mailbox: Mailbox,
    folder: PathBuf,
}

impl Library {
    /// Starts the thread.
    pub fn new(folder: PathBuf, mailbox: Mailbox) -> Self {
        Self {
            pool: Pool::new("library", 1),
            mailbox,
            folder,
        }
    }

    /// Lists all entries.
    pub fn list(&self) {
        self.run(|folder| {
            let entries = generation::list(folder).into_iter().map(listed).collect();
            LibraryEvent::Listed(entries)
        });
    }

    /// Saves a result with a picture of it.
    pub fn save(&self, new: NewEntry) {
        self.run(move |folder| LibraryEvent::Saved {
            result: new.result,
            saved: save(folder, &new)
                .map(|generation| Box::new(listed(Ok(generation))))
                .map_err(|error| {
                    Problem::with_hint(
                        format!("The result could not be saved to the library: {error}"),
                        "It is still on the stage: export it, then free some space.",
                    )
                }),
        });
    }

    /// Reads an entry of the library.
    pub fn open(&self, id: String) {
        let folder = self.folder.join(&id);
        self.open_folder(id, folder);
    }

    /// Reads a saved generation from wherever it lies.
    pub fn open_folder(&self, id: String, entry: PathBuf) {
        self.run(move |_| LibraryEvent::Opened {
            opened: read(&entry),
            id,
        });
    }

    /// Reads an entry of the library to compare another result with it.
    pub fn read(&self, id: String) {
        self.run(move |folder| LibraryEvent::Read {
            read: read(&folder.join(&id)),
            id,
        });
    }

    /// Deletes an entry.
    pub fn delete(&self, id: String) {
        self.run(move |folder| LibraryEvent::Deleted {
            deleted: generation::delete(&folder.join(&id)).map_err(|error| {
                Problem::with_hint(
                    format!("This result could not be deleted: {error}"),
                    "Close programs that use its files and try again.",
                )
            }),
            id,
        });
    }

    /// Renames an entry.
    pub fn rename(&self, id: String, name: String) {
        self.run(move |folder| {
            let renamed = generation::load_info(&folder.join(&id)).and_then(|mut generation| {
                generation.name.clone_from(&name);
                generation::update(&generation)
            });
            LibraryEvent::Renamed {
                renamed: renamed.map(|()| name).map_err(|error| Problem::new(error.to_string())),
                id,
            }
        });
    }

    /// Waits for results that are being saved.
    pub fn finish(self) {
        self.pool.finish();
    }

    fn run(&self, task: impl FnOnce(&Path) -> LibraryEvent + Send + 'static) {
        let (folder, mailbox) = (self.folder.clone(), self.mailbox.clone());
        self.pool.run(move || {
            mailbox.post(Message::Library(task(&folder)));
        });
    }
}

fn read(entry: &Path) -> Result<Box<(Generation, Asset)>, Problem> {
    generation::load(entry).map(Box::new).map_err(|error| {
        Problem::with_hint(
            format!("This result cannot be opened: {error}"),
            "Delete it from the library if it stays damaged.",
        )
    })
}

fn save(folder: &Path, new: &NewEntry) -> Result<Generation, FormatError> {
    let thumbnail = thumbnail(&new.asset, &new.view_files);
    let generation = NewGeneration {
        name: &new.name,
        created_unix_secs: new.created_unix_secs,
        job: &new.job,
        finish: &new.finish,
        asset: &new.asset,
        thumbnail: &thumbnail,
        view_files: &new.view_files,
    };
    generation::save(folder, &generation)
}

fn listed(generation: Result<Generation, FormatError>) -> Listed {
    match generation {
        Ok(generation) => {
            let picture = image::open(generation.thumbnail_path()).ok();
            let thumbnail = picture.map(|picture| {
                let rgba = picture.to_rgba8();
                let size = [rgba.width() as usize, rgba.height() as usize];
                Arc::new(ColorImage::from_rgba_unmultiplied(size, rgba.as_raw()))
            });
            Listed {
                id: generation.id.clone(),
                generation: Ok(generation),
                thumbnail,
            }
        }
        Err(error) => Listed {
            id: entry_of(error.path()),
            generation: Err(Problem::with_hint(
                format!("A saved result is damaged: {error}"),
                "Delete it, or bring its folder back from a backup.",
            )),
            thumbnail: None,
        },
    }
}

/// Name of the entry that a damaged file lies in, or of the damaged folder itself.
fn entry_of(damaged: &Path) -> String {
    let folder = if damaged.is_dir() {
        Some(damaged)
    } else {
        damaged.parent()
    };
    let name = folder.and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A picture of the result; its first photo where nothing can be drawn, and an empty picture where there is none.
fn thumbnail(asset: &Asset, view_files: &[PathBuf]) -> RgbaImage {
    draw(asset).unwrap_or_else(|reason| {
        tracing::debug!("no picture of the result: {reason}");
        let photo = view_files.first().and_then(|path| image::open(path).ok());
        photo.map_or_else(
            || RgbaImage::new(THUMBNAIL_PX, THUMBNAIL_PX),
            |photo| photo.thumbnail(THUMBNAIL_PX, THUMBNAIL_PX).to_rgba8(),
        )
    })
}

fn draw(asset: &Asset) -> Result<RgbaImage, bozzetto_viewport::GpuError> {
    let offscreen = Offscreen::new()?;
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let mut scene = Scene::new();
    match &asset.mesh {
        Some(mesh) => scene.set_raw_mesh(device, queue, Some(mesh))?,
        None => scene.set_splats(device, queue, asset.splats.as_deref())?,
    }
    let mut orbit = OrbitCamera::default();
    if let Some(bounds) = scene.bounds() {
        orbit.frame(bounds);
    }
    let settings = RenderSettings {
        shows: if asset.mesh.is_some() {
            Shows::Mesh
        } else {
            Shows::Splats
        },
        ..RenderSettings::cutout()
    };
    offscreen.render(&mut scene, &orbit.camera(1.0), [THUMBNAIL_PX; 2], &settings)
}

/// Age of something in words, as in `5 min ago` or `3 Nov 2026`.
pub fn age_in_words(created_unix_secs: u64, now_unix_secs: u64) -> String {
    let secs = now_unix_secs.saturating_sub(created_unix_secs);
    match secs {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", secs / 60),
        3_600..86_400 => format!("{} h ago", secs / 3_600),
        86_400..604_800 => {
            let days = secs / 86_400;
            if days == 1 {
                "yesterday".to_owned()
            } else {
                format!("{days} days ago")
            }
        }
        _ => date(created_unix_secs),
    }
}

/// The day in UTC; civil-from-days as in Howard Hinnant, "chrono-compatible low-level date algorithms".
fn date(unix_secs: u64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = unix_secs / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(shifted_month >= 10);
    format!("{day} {} {year}", MONTHS[month as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_entry_is_listed_by_its_folder_and_can_be_deleted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mailbox, inbox) = Mailbox::new(Arc::new(|| {}));
        let library = Library::new(folder.path().to_owned(), mailbox);
        let entry = folder.path().join("20260101-120000-owl");
        std::fs::create_dir(&entry).expect("can be made");
        std::fs::write(entry.join("generation.json"), "{ cut short").expect("can be written");
        library.list();
        let Ok(Message::Library(LibraryEvent::Listed(entries))) = inbox.recv() else {
            panic!("the list is the first answer");
        };
        assert_eq!(entries[0].id, "20260101-120000-owl");
        assert!(entries[0].generation.is_err());
        library.delete(entries[0].id.clone());
        let Ok(Message::Library(LibraryEvent::Deleted { deleted, .. })) = inbox.recv() else {
            panic!("the deletion is the second answer");
        };
        assert_eq!(deleted, Ok(()));
        assert!(!entry.exists());
    }

    #[test]
    fn ages_read_as_an_artist_would_say_them() {
        let now = 1_795_000_000;
        for (age, words) in [
            (5, "just now"),
            (150, "2 min ago"),
            (7_300, "2 h ago"),
            (90_000, "yesterday"),
            (3 * 86_400, "3 days ago"),
        ] {
            assert_eq!(age_in_words(now - age, now), words);
        }
        assert_eq!(age_in_words(now + 50, now), "just now", "a clock that was set back");
    }

    #[test]
    fn days_of_the_calendar_are_right_on_both_sides_of_leap_days() {
        for (unix_secs, day) in [
            (0, "1 Jan 1970"),
            (951_782_400, "29 Feb 2000"),
            (951_868_800, "1 Mar 2000"),
            (1_709_164_800, "29 Feb 2024"),
            (1_735_603_200, "31 Dec 2024"),
        ] {
            assert_eq!(date(unix_secs), day);
        }
    }
}
