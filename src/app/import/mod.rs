//! Pictures and dropped files: found, decoded and cut out on threads of their own.

mod find;
mod picture;

pub use find::{Found, Opened, Restored};
pub(crate) use find::{is_picture, natural_key};
pub use picture::{Cutout, Photo};

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bozzetto_asset::{View, files};
use bozzetto_engine::CancelToken;
use image::RgbaImage;

use super::desktop::Desktop;
use super::example;
use super::mailbox::{Mailbox, Message};
use super::pool::Pool;
use super::state::{Problem, ViewId};

/// What became of files.
pub enum Imported {
    /// Paths were looked through.
    Found(Box<Found>),
    /// A picture was decoded; its cut-out follows.
    Photo {
        /// The view.
        view: ViewId,
        /// Number of the request, see [`Import::is_current`].
        number: u64,
        /// Pictures to show.
        photo: Photo,
    },
    /// A picture was cut out, or why it cannot be used.
    Cutout {
        /// The view.
        view: ViewId,
        /// Number of the request.
        number: u64,
        /// The cut-out.
        result: Result<Cutout, Problem>,
    },
    /// The picture on the clipboard was saved as a file.
    Pasted(Result<PathBuf, Problem>),
    /// The example's pictures lie in their folder, or why not.
    Example(Result<Vec<View>, Problem>),
}

/// Finds, decodes and cuts out pictures in the background. A newer request for a view stops the older one.
pub struct Import {
    pool: Pool,
    mailbox: Mailbox,
    running: HashMap<ViewId, (u64, CancelToken)>,
    last_number: u64,
}

impl Import {
    /// Starts the threads.
    pub fn new(mailbox: Mailbox) -> Self {
        let num_cores = std::thread::available_parallelism().map_or(2, NonZero::get);
        Self {
            pool: Pool::new("pictures", (num_cores / 2).clamp(1, 4)),
            mailbox,
            running: HashMap::new(),
            last_number: 0,
        }
    }

    /// Looks through files and folders for what can be opened.
    pub fn find(&self, paths: Vec<PathBuf>, library: PathBuf) {
        let mailbox = self.mailbox.clone();
        self.pool.run(move || {
            mailbox.post(Message::Import(Imported::Found(Box::new(find::find(&paths, &library)))));
        });
    }

    /// Decodes a picture and cuts it out.
    pub fn decode(&mut self, id: ViewId, view: &View) {
        let (number, cancel) = self.begin(id);
        let (mailbox, view) = (self.mailbox.clone(), view.clone());
        self.pool.run(move || {
            if cancel.is_cancelled() {
                return;
            }
            match picture::photo(&view.path) {
                Ok(photo) => {
                    mailbox.post(Message::Import(Imported::Photo {
                        view: id,
                        number,
                        photo,
                    }));
                    cut_out(&mailbox, id, number, &view, &cancel);
                }
                Err(problem) => {
                    let result = Err(problem);
                    mailbox.post(Message::Import(Imported::Cutout {
                        view: id,
                        number,
                        result,
                    }));
                }
            }
        });
    }

    /// Cuts a picture out again, for changed settings.
    pub fn cut_out(&mut self, id: ViewId, view: &View) {
        let (number, cancel) = self.begin(id);
        let (mailbox, view) = (self.mailbox.clone(), view.clone());
        self.pool.run(move || cut_out(&mailbox, id, number, &view, &cancel));
    }

    /// Saves the picture on the clipboard as a file in a folder.
    pub fn paste(&self, desktop: Arc<dyn Desktop>, folder: PathBuf) {
        let mailbox = self.mailbox.clone();
        self.pool.run(move || {
            let saved = desktop
                .clipboard_picture()
                .and_then(|picture| save_pasted(&folder, &picture));
            mailbox.post(Message::Import(Imported::Pasted(saved)));
        });
    }

    /// Saves a pasted picture as a file in a folder.
    pub fn save_pasted(&self, picture: RgbaImage, folder: PathBuf) {
        let mailbox = self.mailbox.clone();
        self.pool.run(move || {
            mailbox.post(Message::Import(Imported::Pasted(save_pasted(&folder, &picture))));
        });
    }

    /// Unpacks the example's pictures to a folder.
    pub fn unpack_example(&self, folder: PathBuf) {
        let mailbox = self.mailbox.clone();
        self.pool.run(move || {
            let views = example::unpack(&folder).map_err(|error| {
                Problem::with_hint(
                    format!("The example could not be unpacked: {error}"),
                    "Add pictures of your own.",
                )
            });
            mailbox.post(Message::Import(Imported::Example(views)));
        });
    }

    /// Stops whatever is being done for a view.
    pub fn forget(&mut self, id: ViewId) {
        if let Some((_, cancel)) = self.running.remove(&id) {
            cancel.cancel();
        }
    }

    /// Whether an answer belongs to the newest request for its view.
    pub fn is_current(&self, id: ViewId, number: u64) -> bool {
        self.running.get(&id).is_some_and(|(newest, _)| *newest == number)
    }

    fn begin(&mut self, id: ViewId) -> (u64, CancelToken) {
        self.last_number += 1;
        let cancel = CancelToken::new();
        if let Some((_, older)) = self.running.insert(id, (self.last_number, cancel.clone())) {
            older.cancel();
        }
        (self.last_number, cancel)
    }
}

fn cut_out(mailbox: &Mailbox, view: ViewId, number: u64, of: &View, cancel: &CancelToken) {
    let result = picture::cut_out(of, cancel);
    if !cancel.is_cancelled() {
        mailbox.post(Message::Import(Imported::Cutout { view, number, result }));
    }
}

fn save_pasted(folder: &Path, picture: &RgbaImage) -> Result<PathBuf, Problem> {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_millis());
    let path = folder.join(format!("pasted-{millis}.png"));
    let mut png = Vec::new();
    let encoded = picture.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png);
    let written = match encoded {
        Ok(()) => files::write_bytes(&path, &png).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match written {
        Ok(()) => Ok(path),
        Err(reason) => Err(Problem::with_hint(
            format!("The pasted picture could not be kept: {reason}"),
            "Save it to a file and drop it on the window.",
        )),
    }
}
