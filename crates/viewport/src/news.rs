use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Whether this was not said before. What is true of a graphics card is true of every device on it, and many come and go:
/// one for each picture of the library, and one for each that is saved.
pub fn is_news(sentence: &str) -> bool {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    said.get_or_insert_default().insert(sentence.to_owned())
}
