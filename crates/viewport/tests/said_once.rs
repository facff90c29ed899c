//! What the log tells of a weak graphics card. Alone in its process, since it is told once in a process.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use bozzetto_viewport::{Offscreen, RendererOptions};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the sentences of the log.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

struct Sentence(String);

impl Visit for Sentence {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value:?}");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut sentence = Sentence(String::new());
        event.record(&mut sentence);
        self.0.lock().expect("not poisoned").push(sentence.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn the_log_tells_once_that_the_processor_sorts() {
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), || {
        for _ in 0..2 {
            Offscreen::with_options(RendererOptions::default(), |descriptor| {
                descriptor.required_limits.max_compute_workgroup_storage_size = 16 << 10;
            })
            .expect("opened");
        }
    });
    let said = listener.0.lock().expect("not poisoned");
    let of_sort: Vec<_> = said
        .iter()
        .filter(|sentence| sentence.contains("sorts splats"))
        .collect();
    assert_eq!(of_sort.len(), 1, "{of_sort:?}");
    assert!(of_sort[0].contains("lacks compute limits"), "{of_sort:?}");
}
