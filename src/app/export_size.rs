//! How large the exported file will be: encoded in the background whenever what it depends on has changed.

use std::sync::Arc;

use bozzetto_mesh::Finished;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};
use super::state::ExportSettings;
use crate::export;

/// What is to be written, and how.
type Wanted = (Arc<Finished>, ExportSettings);

/// The size of a file that was encoded and thrown away.
pub struct ExportSize {
    /// Number of the request.
    pub number: u64,
    /// Bytes; `None` where it would be several files, or none at all.
    pub num_bytes: Option<u64>,
}

/// The thread that encodes.
pub struct ExportSizes {
    requests: LatestWins<Wanted>,
    asked: Option<Wanted>,
}

impl ExportSizes {
    /// Starts the thread.
    pub fn start(mailbox: &Mailbox) -> std::io::Result<Self> {
        let mailbox = mailbox.clone();
        let work = move |(finished, settings): Wanted, ticket: &Ticket| {
            let size = export::encoded_size(&finished.textured, Some(&finished.health), &settings);
            if !ticket.is_outdated() {
                mailbox.post(Message::ExportSize(ExportSize {
                    number: ticket.number(),
                    // An export that fails says why; here there is just no size.
                    num_bytes: size.ok().flatten(),
                }));
            }
        };
        // Without a size nothing is missing that the artist needs.
        let requests = LatestWins::start("export size", work, |_, reason| {
            tracing::warn!("The size of the exported file is unknown: {reason}.");
        })?;
        Ok(Self { requests, asked: None })
    }

    /// Asks for the size of what will be written from now on. Returns whether that is another file than before.
    pub fn follow(&mut self, wanted: Option<Wanted>) -> bool {
        let is_same = match (&self.asked, &wanted) {
            (Some((asked, before)), Some((finished, now))) => Arc::ptr_eq(asked, finished) && before == now,
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return false;
        }
        match &wanted {
            Some(wanted) => {
                self.requests.request(wanted.clone());
            }
            None => self.requests.cancel(),
        }
        self.asked = wanted;
        true
    }

    /// Whether an answer is to the newest request.
    pub fn is_current(&self, size: &ExportSize) -> bool {
        size.number == self.requests.newest()
    }
}
