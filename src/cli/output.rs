//! The one place of the command line that prints.
#![expect(clippy::print_stderr, reason = "printing is what a command line is for")]

use std::fmt::Display;
use std::io::Write as _;

/// A line of the result, to standard output.
pub(super) fn line(text: &str) {
    print(&text);
}

/// A JSON value as one line, to standard output.
pub(super) fn json(value: &serde_json::Value) {
    print(value);
}

fn print(line: &dyn Display) {
    // Who has stopped reading, as `head` does, wants no more of it: that is no failure.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line for whoever watches, to standard error.
pub(super) fn note(text: &str) {
    eprintln!("{text}");
}

/// What went wrong, each cause on its own line, and what to do next.
pub(super) fn error(error: &anyhow::Error, hint: Option<&str>) {
    eprintln!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // A transparent wrapper repeats its cause's sentence.
        if cause != last {
            eprintln!("  because: {cause}");
            last = cause;
        }
    }
    if let Some(hint) = hint {
        eprintln!("hint: {hint}");
    }
}
