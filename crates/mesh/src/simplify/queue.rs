//! A queue of edges by what their collapse costs.

use crate::topology::NONE;

/// Bits of a cost that are not told apart: costs in one level differ by less than a hundredth.
const UNTOLD_BITS: u32 = 16;
const NUM_LEVELS: usize = 1 << (31 - UNTOLD_BITS);
const WORD: usize = 64;

/// An edge that may collapse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Squared metres, not negative.
    pub(super) error: f32,
    pub(super) from: u32,
    pub(super) to: u32,
    /// Sum of how often the two vertices had changed.
    pub(super) age: u32,
}

/// Gives the cheapest candidates first, to within a hundredth of their cost, and of one level the newest. Where a heap
/// takes the logarithm of its length for each candidate, this takes a few steps whatever its length.
pub(super) struct Queue {
    /// The newest candidate of each level, in `stored`.
    newest: Vec<u32>,
    /// Candidates with the one before on their level.
    stored: Vec<(Candidate, u32)>,
    /// Places in `stored` to use again.
    unused: Vec<u32>,
    /// One bit for each level that has candidates.
    is_filled: Vec<u64>,
    /// No word below this one has a bit.
    first_word: usize,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            newest: vec![NONE; NUM_LEVELS],
            stored: Vec::new(),
            unused: Vec::new(),
            is_filled: vec![0; NUM_LEVELS / WORD],
            first_word: NUM_LEVELS / WORD,
        }
    }

    pub(super) fn push(&mut self, candidate: Candidate) {
        // Numbers that are not negative sort like their bits.
        let level = (candidate.error.max(0.0).to_bits() >> UNTOLD_BITS) as usize;
        let entry = (candidate, self.newest[level]);
        let place = self.unused.pop().unwrap_or(self.stored.len() as u32);
        match self.stored.get_mut(place as usize) {
            Some(unused) => *unused = entry,
            None => self.stored.push(entry),
        }
        self.newest[level] = place;
        self.is_filled[level / WORD] |= 1 << (level % WORD);
        self.first_word = self.first_word.min(level / WORD);
    }

    pub(super) fn pop(&mut self) -> Option<Candidate> {
        while *self.is_filled.get(self.first_word)? == 0 {
            self.first_word += 1;
        }
        let bit = self.is_filled[self.first_word].trailing_zeros() as usize;
        let level = self.first_word * WORD + bit;
        let place = self.newest[level];
        let (candidate, before) = self.stored[place as usize];
        self.unused.push(place);
        self.newest[level] = before;
        if before == NONE {
            self.is_filled[self.first_word] &= !(1 << bit);
        }
        Some(candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_candidates_come_first_also_late_ones() {
        let candidate = |error: f32| Candidate {
            error,
            from: 0,
            to: 1,
            age: 0,
        };
        let mut queue = Queue::new();
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 * 1e-9
        };
        for _ in 0..5000 {
            queue.push(candidate(next()));
        }
        queue.push(candidate(f32::MAX));
        let mut last = 0.0;
        for _ in 0..2000 {
            let error = queue.pop().unwrap().error;
            assert!(error >= last * 0.99, "{last} {error}");
            last = error;
        }
        queue.push(candidate(0.0));
        assert_eq!(queue.pop().unwrap().error, 0.0);
        let rest = std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>();
        assert_eq!(rest.len(), 3001);
        assert_eq!(rest[3000].error, f32::MAX);
        assert_eq!(queue.pop(), None);
    }
}
