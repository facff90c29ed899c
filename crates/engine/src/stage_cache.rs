use std::any::Any;
use std::sync::Arc;

use crate::{EngineError, Event, RunContext, StageKey};

struct Entry {
    stage: String,
    key: StageKey,
    output: Arc<dyn Any + Send + Sync>,
    /// `None` when nobody told the size.
    num_bytes: Option<u64>,
}

/// Stage outputs that an engine keeps between runs, so that a run starts at the first stage whose key changed.
///
/// Outputs whose size is told ([`StageCache::get_or_run_sized`]) stay until the capacity is needed for newer ones, so
/// that going back to earlier parameters is instant too. Of outputs whose size is not told, the newest of each stage
/// stays. The output made last stays whatever its size.
pub struct StageCache {
    capacity_bytes: u64,
    /// Least recently used first.
    entries: Vec<Entry>,
}

impl StageCache {
    /// An empty cache for outputs of so many bytes in all.
    pub fn with_capacity_bytes(capacity_bytes: u64) -> Self {
        Self {
            capacity_bytes,
            entries: Vec::new(),
        }
    }

    /// The kept output of a stage with this key, or a new one. Emits [`Event::Reused`] when it was kept. Only
    /// success is remembered. Fails with [`EngineError::Cancelled`] without starting when the run was cancelled.
    pub fn get_or_run<T: Any + Send + Sync>(
        &mut self,
        stage: &str,
        key: StageKey,
        context: &RunContext<'_>,
        make: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<Arc<T>, EngineError> {
        self.lookup_or_run(stage, key, context, |_| None, make)
    }

    /// Like [`StageCache::get_or_run`], with the output's size in bytes told by `num_bytes`.
    pub fn get_or_run_sized<T: Any + Send + Sync>(
        &mut self,
        stage: &str,
        key: StageKey,
        context: &RunContext<'_>,
        num_bytes: impl FnOnce(&T) -> u64,
        make: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<Arc<T>, EngineError> {
        self.lookup_or_run(stage, key, context, |output| Some(num_bytes(output)), make)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Bytes of the kept outputs whose size was told.
    pub fn num_bytes(&self) -> u64 {
        self.entries.iter().filter_map(|entry| entry.num_bytes).sum()
    }

    fn lookup_or_run<T: Any + Send + Sync>(
        &mut self,
        stage: &str,
        key: StageKey,
        context: &RunContext<'_>,
        num_bytes: impl FnOnce(&T) -> Option<u64>,
        make: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<Arc<T>, EngineError> {
        context.cancel.check()?;
        if let Some(output) = self.kept(stage, key) {
            (context.emit)(Event::Reused {
                stage: stage.to_owned(),
            });
            return Ok(output);
        }
        let output = Arc::new(make()?);
        self.keep(Entry {
            stage: stage.to_owned(),
            key,
            num_bytes: num_bytes(&output),
            output: output.clone(),
        });
        Ok(output)
    }

    fn kept<T: Any + Send + Sync>(&mut self, stage: &str, key: StageKey) -> Option<Arc<T>> {
        let place = self
            .entries
            .iter()
            .position(|entry| entry.key == key && entry.stage == stage)?;
        let entry = self.entries.remove(place);
        let output = entry.output.clone().downcast::<T>().ok();
        self.entries.push(entry);
        output
    }

    fn keep(&mut self, entry: Entry) {
        self.entries
            .retain(|old| old.stage != entry.stage || (old.num_bytes.is_some() && old.key != entry.key));
        self.entries.push(entry);
        while self.num_bytes() > self.capacity_bytes {
            let newest = self.entries.len() - 1;
            let Some(place) = self.entries[..newest].iter().position(|old| old.num_bytes.is_some()) else {
                break;
            };
            self.entries.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use parking_lot::Mutex;

    use super::*;
    use crate::CancelToken;

    fn key(content: u8) -> StageKey {
        StageKey::new("carve").with_bytes(&[content])
    }

    /// Runs `use_cache` with a context and returns the stages that were reported as reused.
    fn reused(use_cache: impl FnOnce(&RunContext<'_>)) -> Vec<String> {
        let reused = Mutex::new(Vec::new());
        use_cache(&RunContext {
            cancel: CancelToken::new(),
            emit: &|event| match event {
                Event::Reused { stage } => reused.lock().push(stage),
                other => panic!("unexpected {other:?}"),
            },
        });
        reused.into_inner()
    }

    #[test]
    fn an_output_is_made_once_for_each_key() {
        let mut cache = StageCache::with_capacity_bytes(0);
        let num_made = Cell::new(0);
        let names = reused(|context| {
            for content in [1, 1, 2, 2, 1] {
                let output = cache.get_or_run("carve", key(content), context, || {
                    num_made.set(num_made.get() + 1);
                    Ok(content)
                });
                assert_eq!(output.as_deref(), Ok(&content));
            }
        });
        assert_eq!(num_made.get(), 3, "without a size only the newest output stays");
        assert_eq!(names, ["carve", "carve"]);
    }

    #[test]
    fn outputs_of_known_size_stay_until_the_room_is_needed() {
        let mut cache = StageCache::with_capacity_bytes(100);
        let made = Mutex::new(Vec::new());
        reused(|context| {
            for content in [1, 2, 1, 3, 1, 2] {
                let output = cache.get_or_run_sized(
                    "carve",
                    key(content),
                    context,
                    |_| 40,
                    || {
                        made.lock().push(content);
                        Ok(content)
                    },
                );
                assert_eq!(output.as_deref(), Ok(&content));
            }
        });
        assert_eq!(
            made.into_inner(),
            [1, 2, 3, 2],
            "3 evicts 2, which was used longest ago"
        );
        assert!(cache.num_bytes() <= 100);
    }

    #[test]
    fn the_newest_output_stays_however_large() {
        let mut cache = StageCache::with_capacity_bytes(10);
        let names = reused(|context| {
            for _ in 0..2 {
                let output = cache.get_or_run_sized("carve", key(1), context, |()| 1000, || Ok(()));
                assert!(output.is_ok());
            }
        });
        assert_eq!(names, ["carve"]);
        cache.clear();
        assert_eq!(cache.num_bytes(), 0);
    }

    #[test]
    fn failures_other_types_and_cancelled_runs_are_not_served_from_the_cache() {
        let mut cache = StageCache::with_capacity_bytes(100);
        let names = reused(|context| {
            let failed: Result<Arc<u8>, _> = cache.get_or_run("carve", key(1), context, || Err(EngineError::NoViews));
            assert_eq!(failed, Err(EngineError::NoViews));
            assert_eq!(cache.get_or_run("carve", key(1), context, || Ok(7_u8)), Ok(Arc::new(7)));
            assert_eq!(
                cache.get_or_run("carve", key(1), context, || Ok(8_u16)),
                Ok(Arc::new(8))
            );
            context.cancel.cancel();
            let cancelled: Result<Arc<u16>, _> = cache.get_or_run("carve", key(1), context, || Ok(9));
            assert_eq!(cancelled, Err(EngineError::Cancelled));
        });
        assert!(names.is_empty());
    }
}
