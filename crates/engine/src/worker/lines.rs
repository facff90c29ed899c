use std::io::{BufRead as _, BufReader, Read};

/// A line, or what there is of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A whole line without its end.
    Whole(&'a [u8]),
    /// The beginning of a line that is too long, or that the stream ended in.
    Cut(&'a [u8]),
    /// So many more bytes of a line that is too long.
    Rest(u64),
}

/// Splits a stream into lines without ever holding more than the longest that is allowed.
pub(super) struct LineReader<R> {
    reader: BufReader<R>,
    buffer: Vec<u8>,
    max_bytes: usize,
    is_inside_cut_line: bool,
}

impl<R: Read> LineReader<R> {
    pub(super) fn new(reader: R, max_bytes: usize) -> Self {
        Self {
            reader: BufReader::with_capacity(1 << 16, reader),
            buffer: Vec::new(),
            max_bytes,
            is_inside_cut_line: false,
        }
    }

    /// The next line; `None` at the end of the stream, which is also where a stream that cannot be read ends.
    pub(super) fn next_line(&mut self) -> Option<Line<'_>> {
        self.buffer.clear();
        let limit = self.max_bytes as u64 + 1;
        let count = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)
            .ok()?;
        if count == 0 {
            return None;
        }
        let is_complete = self.buffer.last() == Some(&b'\n');
        let was_inside = std::mem::replace(&mut self.is_inside_cut_line, !is_complete);
        if was_inside {
            return Some(Line::Rest(count as u64));
        }
        if !is_complete {
            return Some(Line::Cut(&self.buffer));
        }
        let line = &self.buffer[..count - 1];
        Some(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// The beginning of a line as text for a log, whatever bytes it holds.
pub(super) fn excerpt(line: &[u8]) -> String {
    const MAX_BYTES: usize = 500;
    let text = String::from_utf8_lossy(&line[..line.len().min(MAX_BYTES)]);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut text = text.trim_end().to_owned();
    if line.len() > MAX_BYTES {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(stream: &[u8], max_bytes: usize) -> Vec<String> {
        let mut reader = LineReader::new(stream, max_bytes);
        let mut found = Vec::new();
        while let Some(line) = reader.next_line() {
            found.push(match line {
                Line::Whole(line) => format!("whole {}", excerpt(line)),
                Line::Cut(line) => format!("cut {}", excerpt(line)),
                Line::Rest(count) => format!("rest {count}"),
            });
        }
        found
    }

    #[test]
    fn lines_end_with_either_kind_of_end() {
        assert_eq!(lines(b"a\r\n\nb\n", 10), ["whole a", "whole ", "whole b"]);
    }

    #[test]
    fn an_unfinished_last_line_is_no_line() {
        assert_eq!(lines(b"a\n{\"event\":", 100), ["whole a", "cut {\"event\":"]);
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole_again() {
        assert_eq!(
            lines(b"0123\nabcdefghijk\nnext\n", 4),
            ["whole 0123", "cut abcde", "rest 5", "rest 2", "whole next"]
        );
    }

    #[test]
    fn excerpts_are_short_and_clean() {
        assert_eq!(excerpt(b"a\x1b[31mb\xff\n"), "a [31mb\u{fffd}");
        assert_eq!(excerpt(&[b'x'; 10_000]).chars().count(), 501);
    }
}
