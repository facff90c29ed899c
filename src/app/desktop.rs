//! What the desktop does for the window: dialogs, clipboard, file program. Behind a trait, so that tests answer instead.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use image::RgbaImage;

use super::state::Problem;

/// What came of a dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// The artist chose.
    Chosen(T),
    /// The artist changed their mind.
    Cancelled,
    /// The desktop has no dialog to show.
    Unavailable(Problem),
}

/// An answer that takes as long as the artist takes. Made on the window's thread (macOS insists), awaited on another.
pub type Pending<T> = Pin<Box<dyn Future<Output = Answer<T>> + Send>>;

/// A dialog that asks where to write.
#[derive(Clone, Copy, Debug)]
pub struct SaveDialog<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// What the file is, as in `GLB`.
    pub kind: &'a str,
    /// End of its name.
    pub extension: &'a str,
    /// The name that is proposed.
    pub file_name: &'a str,
    /// Where it opens.
    pub folder: Option<&'a Path>,
}

/// The desktop as the window uses it. `parent` is the window that a dialog belongs to.
pub trait Desktop: Send + Sync {
    /// Asks for pictures.
    fn choose_pictures(&self, folder: Option<&Path>, parent: Option<&eframe::Frame>) -> Pending<Vec<PathBuf>>;

    /// Asks where to write.
    fn choose_target(&self, dialog: &SaveDialog<'_>, parent: Option<&eframe::Frame>) -> Pending<PathBuf>;

    /// Asks for a folder.
    fn choose_folder(&self, title: &str, folder: Option<&Path>, parent: Option<&eframe::Frame>) -> Pending<PathBuf>;

    /// Shows a file, or a folder's content, in the desktop's file program. Blocks: call it on a background thread.
    fn show(&self, path: &Path) -> Result<(), Problem>;

    /// The picture on the clipboard. Blocks: call it on a background thread.
    fn clipboard_picture(&self) -> Result<RgbaImage, Problem>;
}

/// The desktop this program runs on.
pub struct NativeDesktop;

/// A file dialog in front of the window, in the folder of last time.
fn dialog(folder: Option<&Path>, parent: Option<&eframe::Frame>) -> rfd::AsyncFileDialog {
    let mut dialog = rfd::AsyncFileDialog::new();
    // Not looked up first, since a network drive may take its time: dialogs pass over folders that are gone.
    if let Some(folder) = folder {
        dialog = dialog.set_directory(folder);
    }
    if let Some(parent) = parent {
        dialog = dialog.set_parent(parent);
    }
    dialog
}

/// File names that the picture dialog offers.
pub const PICTURE_EXTENSIONS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "json"];

impl Desktop for NativeDesktop {
    fn choose_pictures(&self, folder: Option<&Path>, parent: Option<&eframe::Frame>) -> Pending<Vec<PathBuf>> {
        let dialog = dialog(folder, parent)
            .set_title("Add pictures of one object")
            .add_filter("Pictures", &PICTURE_EXTENSIONS)
            .add_filter("All files", &["*"]);
        let asked = Instant::now();
        let answer = dialog.pick_files();
        Box::pin(async move {
            let files = answer.await;
            let paths = files.map(|files| files.iter().map(|file| file.path().to_owned()).collect());
            answer_of(
                paths,
                asked.elapsed(),
                "Drop the pictures on the window or paste them instead.",
            )
        })
    }

    fn choose_target(&self, wanted: &SaveDialog<'_>, parent: Option<&eframe::Frame>) -> Pending<PathBuf> {
        let dialog = dialog(wanted.folder, parent)
            .set_title(wanted.title)
            .set_file_name(wanted.file_name)
            .add_filter(wanted.kind, &[wanted.extension]);
        let asked = Instant::now();
        let answer = dialog.save_file();
        Box::pin(async move {
            let path = answer.await.map(|file| file.path().to_owned());
            answer_of(path, asked.elapsed(), "The button below saves without a dialog.")
        })
    }

    fn choose_folder(&self, title: &str, folder: Option<&Path>, parent: Option<&eframe::Frame>) -> Pending<PathBuf> {
        let dialog = dialog(folder, parent).set_title(title);
        let asked = Instant::now();
        let answer = dialog.pick_folder();
        Box::pin(async move {
            let path = answer.await.map(|folder| folder.path().to_owned());
            answer_of(path, asked.elapsed(), "The command line takes the path with --python.")
        })
    }

    fn show(&self, path: &Path) -> Result<(), Problem> {
        let opened = if path.is_dir() {
            show_folder(path)
        } else {
            show_file(path)
        };
        opened.map_err(|reason| {
            Problem::with_hint(
                format!("No file program could be opened ({reason})."),
                format!("The file is {}.", path.display()),
            )
        })
    }

    fn clipboard_picture(&self) -> Result<RgbaImage, Problem> {
        let picture = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.get_image());
        let picture = picture.map_err(|error| match error {
            arboard::Error::ContentNotAvailable => Problem::with_hint(
                "There is no picture on the clipboard.",
                "Copy a picture first: in a browser, right-click it and choose 'Copy image'.",
            ),
            other => Problem::with_hint(
                format!("The clipboard cannot be read: {other}."),
                "Save the picture to a file and drop it on the window.",
            ),
        })?;
        let (width, height) = (picture.width as u32, picture.height as u32);
        RgbaImage::from_raw(width, height, picture.bytes.into_owned())
            .ok_or_else(|| Problem::new("The picture on the clipboard is damaged."))
    }
}

/// No portal and no zenity answer like a cancel, and faster than any artist can.
const FASTEST_CANCEL: Duration = Duration::from_millis(250);

fn answer_of<T>(chosen: Option<T>, took: Duration, way_round: &str) -> Answer<T> {
    match chosen {
        Some(chosen) => Answer::Chosen(chosen),
        None if cfg!(target_os = "linux") && took < FASTEST_CANCEL => Answer::Unavailable(Problem::with_hint(
            "No file dialog can be opened on this desktop.",
            format!("Install the package xdg-desktop-portal-gtk (or zenity) and log in again. {way_round}"),
        )),
        None => Answer::Cancelled,
    }
}

#[cfg(not(target_os = "windows"))]
fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), String> {
    use std::process::Stdio;
    let status = Process::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

#[cfg(target_os = "windows")]
fn show_file(path: &Path) -> Result<(), String> {
    use std::os::windows::process::CommandExt as _;
    // Explorer's exit code says nothing.
    Process::new("explorer")
        .raw_arg(explorer_selection(path))
        .spawn()
        .map(drop)
        .map_err(|error| error.to_string())
}

/// What selects a file in Explorer, to be passed as it is: Explorer understands quotes around the path only, while those of
/// an ordinary argument with spaces would stand around all of it. File names on Windows hold no quotes.
#[cfg(any(target_os = "windows", test))]
fn explorer_selection(path: &Path) -> std::ffi::OsString {
    let mut selection = std::ffi::OsString::from("/select,\"");
    selection.push(path);
    selection.push("\"");
    selection
}

#[cfg(target_os = "windows")]
fn show_folder(path: &Path) -> Result<(), String> {
    Process::new("explorer")
        .arg(path)
        .spawn()
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(target_os = "macos")]
fn show_file(path: &Path) -> Result<(), String> {
    run("open", &["-R".as_ref(), path.as_os_str()])
}

#[cfg(target_os = "macos")]
fn show_folder(path: &Path) -> Result<(), String> {
    run("open", &[path.as_os_str()])
}

#[cfg(not(any(target_os = "windows", target_os = "macos")))]
fn show_file(path: &Path) -> Result<(), String> {
    // The file program's own interface selects the file; where it is missing, the folder has to do.
    let items = format!("array:string:{}", file_uri(path));
    let by_name = run(
        "dbus-send",
        &[
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.FileManager1",
            "/org/freedesktop/FileManager1",
            "org.freedesktop.FileManager1.ShowItems",
            &items,
            "string:",
        ]
        .map(std::ffi::OsStr::new),
    );
    by_name.or_else(|_| show_folder(path.parent().unwrap_or(path)))
}

#[cfg(not(any(target_os = "windows", target_os = "macos")))]
fn show_folder(path: &Path) -> Result<(), String> {
    run("xdg-open", &[path.as_os_str()])
}

/// A `file://` address; commas are encoded too, because `dbus-send` separates array items by them.
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
fn file_uri(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = "file://".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(any(target_os = "windows", target_os = "macos")))]
    #[test]
    fn addresses_encode_what_other_programs_trip_over() {
        assert_eq!(file_uri(Path::new("/a b/ü,1.glb")), "file:///a%20b/%C3%BC%2C1.glb");
    }

    #[test]
    fn explorer_gets_quotes_around_the_path_only() {
        assert_eq!(
            explorer_selection(Path::new(r"C:\a b\c.glb")),
            r#"/select,"C:\a b\c.glb""#
        );
    }

    #[test]
    fn an_answer_faster_than_a_hand_is_a_missing_dialog_on_linux() {
        let quick = answer_of::<()>(None, Duration::from_millis(20), "");
        assert_eq!(matches!(quick, Answer::Unavailable(_)), cfg!(target_os = "linux"));
        assert_eq!(answer_of::<()>(None, Duration::from_secs(2), ""), Answer::Cancelled);
        assert_eq!(answer_of(Some(1), Duration::from_millis(20), ""), Answer::Chosen(1));
    }
}
