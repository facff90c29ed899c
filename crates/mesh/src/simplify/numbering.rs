//! Numbers for the vertices of parts.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::curve::SHARED;

/// Numbers of vertices within their parts. A vertex that one part alone has is looked up in one step; of the few that several
/// have, each part keeps a list.
pub(super) struct Numbering<'a> {
    owners: &'a [u32],
    numbers: Vec<AtomicU32>,
}

/// The vertices of one part: first its own, then those that other parts have too, which ascend.
pub(super) struct PartVertices<'a> {
    numbering: &'a Numbering<'a>,
    /// By number within the part.
    pub(super) all: Vec<u32>,
    pub(super) num_own: usize,
}

impl<'a> Numbering<'a> {
    /// `owners` as of [`super::curve::owners`].
    pub(super) fn new(owners: &'a [u32]) -> Self {
        Self {
            owners,
            numbers: owners.par_iter().map(|_| AtomicU32::new(u32::MAX)).collect(),
        }
    }

    /// Numbers the vertices of a part, given the corners of its triangles. Parts may do so side by side, each once.
    pub(super) fn vertices_of(&'a self, part: usize, corners: impl Iterator<Item = [u32; 3]>) -> PartVertices<'a> {
        let mut all = Vec::new();
        let mut shared = Vec::new();
        for vertex in corners.flatten() {
            if self.owners[vertex as usize] == SHARED {
                shared.push(vertex);
                continue;
            }
            debug_assert_eq!(self.owners[vertex as usize] as usize, part);
            let number = &self.numbers[vertex as usize];
            if number.load(Ordering::Relaxed) == u32::MAX {
                number.store(all.len() as u32, Ordering::Relaxed);
                all.push(vertex);
            }
        }
        let num_own = all.len();
        shared.sort_unstable();
        shared.dedup();
        all.extend(shared);
        PartVertices {
            numbering: self,
            all,
            num_own,
        }
    }
}

impl PartVertices<'_> {
    pub(super) fn number_of(&self, vertex: u32) -> u32 {
        match self.numbering.owners[vertex as usize] {
            SHARED => {
                let shared = &self.all[self.num_own..];
                (self.num_own + shared.binary_search(&vertex).unwrap_or(0)) as u32
            }
            _ => self.numbering.numbers[vertex as usize].load(Ordering::Relaxed),
        }
    }
}
