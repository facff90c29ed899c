//! Hears from the device, without waiting, whether a frame's batches were enough for all of its splats.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::draw::shared::{BATCH_END, NUM_BATCHES, NUM_CONTROL_WORDS, NUM_VISIBLE, OPEN_TILES, TOTAL_PAIRS};
use crate::gpu;
use crate::read_back::poll;
use crate::splat_order::Wake;

/// Numbers that a frame leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "counts are called num_ everywhere")]
pub struct SplatCounts {
    /// Splats in the picture.
    pub num_visible: u32,
    /// Pairs of tile and splat, over all batches.
    pub num_pairs: u32,
    /// Batches that the pairs took.
    pub num_batches: u32,
}

/// Whether a set of splats was once too much for the tiled tier.
pub struct Overflow {
    pub is_seen: AtomicBool,
    /// Frames that have not been heard of yet.
    num_pending: AtomicU32,
    last: Mutex<SplatCounts>,
    wake: Arc<Mutex<Option<Wake>>>,
}

impl Overflow {
    /// `wake` is called when an incomplete picture must be drawn again.
    pub fn new(wake: Arc<Mutex<Option<Wake>>>) -> Self {
        Self {
            is_seen: AtomicBool::new(false),
            num_pending: AtomicU32::new(0),
            last: Mutex::default(),
            wake,
        }
    }

    /// Hears what there is to hear, and asks for one more frame while some is not: the device tells only those who ask.
    pub fn ask(&self, device: &wgpu::Device) {
        if self.is_pending() && poll(device, wgpu::PollType::Poll).is_ok() && self.is_pending() {
            self.call_wake();
        }
    }

    fn is_pending(&self) -> bool {
        self.num_pending.load(Ordering::Relaxed) > 0
    }

    fn call_wake(&self) {
        let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Counts of the last frame that has been heard of.
    pub fn last(&self) -> SplatCounts {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the frame's counts come back once its commands have run.
    pub fn watch(
        self: &Arc<Self>,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        control_buffer: &wgpu::Buffer,
        buffers: &CountBuffers,
    ) {
        let words = buffers.take(device);
        encoder.copy_buffer_to_buffer(control_buffer, 0, &words, 0, COUNT_BYTES);
        let (pending, mapped_words, buffers) = (Pending::new(self), words.clone(), buffers.clone());
        encoder.map_buffer_on_submit(&words, wgpu::MapMode::Read, .., move |mapped| {
            // A lost device is told of elsewhere.
            if mapped.is_err() {
                return;
            }
            if let Ok(bytes) = mapped_words.slice(..).get_mapped_range() {
                pending.0.hear(bytemuck::cast_slice(&bytes));
            }
            mapped_words.unmap();
            buffers.give_back(mapped_words);
        });
    }

    fn hear(&self, words: &[u32]) {
        let word = |at: u32| words[at as usize];
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = SplatCounts {
            num_visible: word(NUM_VISIBLE),
            num_pairs: word(TOTAL_PAIRS),
            num_batches: word(NUM_BATCHES),
        };
        let is_complete = word(BATCH_END) >= word(NUM_VISIBLE) || word(OPEN_TILES) == 0;
        if is_complete || self.is_seen.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            "{} splats cover so many tiles that the tiled renderer cannot finish them: they are drawn as quads from now on",
            word(NUM_VISIBLE)
        );
        self.call_wake();
    }
}

/// Bytes of a frame's counts.
const COUNT_BYTES: u64 = NUM_CONTROL_WORDS as u64 * 4;
/// Frames that may be on their way at once.
const MAX_SPARE: usize = 3;

/// Buffers that counts come back in, used again and again. Clones share them.
#[derive(Clone, Default)]
pub struct CountBuffers(Arc<Mutex<Vec<wgpu::Buffer>>>);

impl CountBuffers {
    fn take(&self, device: &wgpu::Device) -> wgpu::Buffer {
        let spare = self.spare().pop();
        spare.unwrap_or_else(|| {
            gpu::create_buffer(
                device,
                &wgpu::BufferDescriptor {
                    label: Some("splat counts"),
                    size: COUNT_BYTES,
                    usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                    mapped_at_creation: false,
                },
            )
        })
    }

    fn give_back(&self, buffer: wgpu::Buffer) {
        let mut spare = self.spare();
        if spare.len() < MAX_SPARE {
            spare.push(buffer);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<wgpu::Buffer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A frame that has not been heard of; one that is never submitted is dropped.
struct Pending(Arc<Overflow>);

impl Pending {
    fn new(overflow: &Arc<Overflow>) -> Self {
        overflow.num_pending.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(overflow))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.num_pending.fetch_sub(1, Ordering::Relaxed);
    }
}
