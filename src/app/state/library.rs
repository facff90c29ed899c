use super::{Picture, Problem};

/// A saved result.
#[derive(Clone, Debug)]
pub struct LibraryEntry {
    /// Its identity: the name of its folder.
    pub id: String,
    /// Named after the first picture.
    pub name: String,
    /// Picture of the result; `None` while it is read or when there is none.
    pub thumbnail: Option<Picture>,
    /// When it was made, seconds since the Unix epoch.
    pub created_unix_secs: u64,
    /// Age in words, as in `5 min ago` or `3 Nov 2026`.
    pub age: String,
    /// Label of its engine.
    pub engine_label: String,
    /// Pictures that took part.
    pub num_views: usize,
    /// Why it cannot be opened, if so.
    pub problem: Option<Problem>,
}

/// How the list stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LibraryStatus {
    /// Being listed.
    #[default]
    Loading,
    /// Listed; may be empty.
    Ready,
    /// The folder cannot be read.
    Failed(Problem),
}

/// Saved results, newest first.
#[derive(Clone, Debug, Default)]
pub struct LibraryState {
    /// The list.
    pub entries: Vec<LibraryEntry>,
    /// How the list stands.
    pub status: LibraryStatus,
    /// Id of the entry that is being opened.
    pub opening: Option<String>,
    /// Whether a result is being saved.
    pub is_saving: bool,
}
