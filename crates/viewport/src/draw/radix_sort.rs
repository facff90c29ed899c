//! Stable radix sort on the device: `u32` keys with a `u32` value each.

use wgpu::BufferUsages;

use super::shared::{NUM_DIGITS, SORT_BLOCK, WORKGROUP_SIZE};
use crate::gpu::{self, Bound};
use crate::splat_buffers::ARGS_BYTES;

/// Distance of two passes' numbers in their buffer: no device asks for more.
const PASS_STRIDE: u64 = 256;

/// The step that differs: how keys find their ranks among those of their block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortPath {
    /// By ballots of subgroups.
    Subgroups {
        /// Of a workgroup of 256 threads, at most.
        max_subgroups: u32,
        /// Whether a subgroup may have more than 32 lanes.
        is_wide: bool,
    },
    /// Without subgroups.
    Portable,
}

impl SortPath {
    /// The faster path that the device offers.
    pub fn of(device: &wgpu::Device) -> Self {
        let info = device.adapter_info();
        // Smaller subgroups would need more counts than workgroup memory holds.
        let is_usable = (8..=128).contains(&info.subgroup_min_size) && info.subgroup_max_size <= 128;
        if device.features().contains(wgpu::Features::SUBGROUP) && is_usable {
            Self::Subgroups {
                max_subgroups: WORKGROUP_SIZE / info.subgroup_min_size,
                is_wide: info.subgroup_max_size > 32,
            }
        } else {
            Self::Portable
        }
    }

    /// The shader's text.
    pub fn source(self) -> String {
        let common = concat!(include_str!("scan.wgsl"), include_str!("radix_sort.wgsl"));
        match self {
            Self::Portable => format!("{common}{}", include_str!("radix_sort_portable.wgsl")),
            Self::Subgroups { max_subgroups, is_wide } => format!(
                "const MAX_SUBGROUPS: u32 = {max_subgroups}u;\n{}{common}{}",
                if is_wide {
                    include_str!("radix_sort_wide.wgsl")
                } else {
                    include_str!("radix_sort_narrow.wgsl")
                },
                include_str!("radix_sort_subgroups.wgsl")
            ),
        }
    }
}

/// The sort's pipelines.
pub struct RadixSort {
    layout: wgpu::BindGroupLayout,
    histogram: wgpu::ComputePipeline,
    scan_rows: wgpu::ComputePipeline,
    scatter: wgpu::ComputePipeline,
}

/// What is sorted, and room to sort it.
pub struct SortBuffers {
    pub keys: [wgpu::Buffer; 2],
    pub values: [wgpu::Buffer; 2],
    counts: wgpu::Buffer,
    totals: wgpu::Buffer,
    capacity: u32,
    max_blocks: u32,
}

impl SortBuffers {
    /// Room for `capacity` keys.
    pub fn new(device: &wgpu::Device, label: &str, capacity: u32) -> Self {
        let buffer = |part, bytes| gpu::empty_buffer(device, &format!("{label} {part}"), bytes, BufferUsages::COPY_SRC);
        let bytes = u64::from(capacity) * 4;
        let max_blocks = capacity.div_ceil(SORT_BLOCK).max(1);
        Self {
            keys: [buffer("keys", bytes), buffer("keys, other", bytes)],
            values: [buffer("values", bytes), buffer("values, other", bytes)],
            counts: buffer("digit counts", u64::from(max_blocks * NUM_DIGITS) * 4),
            totals: buffer("digit totals", u64::from(NUM_DIGITS) * 4),
            capacity,
            max_blocks,
        }
    }

    /// Keys that there is room for.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }
}

/// What tells the passes of a sort apart, eight bits each.
pub struct SortPasses {
    numbers: wgpu::Buffer,
    num_passes: u32,
}

impl SortPasses {
    /// Passes that sort by the lowest `num_bits`; [`Self::write`] them before they run.
    pub fn new(device: &wgpu::Device, num_bits: u32) -> Self {
        let num_passes = num_bits.div_ceil(8);
        let bytes = u64::from(num_passes) * PASS_STRIDE;
        Self {
            numbers: gpu::empty_buffer(device, "radix sort passes", bytes, BufferUsages::UNIFORM),
            num_passes,
        }
    }

    /// `control[count_at]` will hold the number of keys in these buffers.
    pub fn write(&self, queue: &wgpu::Queue, count_at: u32, buffers: &SortBuffers) {
        let stride = (PASS_STRIDE / 4) as usize;
        let mut numbers = vec![0_u32; self.num_passes as usize * stride];
        for (pass, numbers) in (0..).zip(numbers.chunks_mut(stride)) {
            numbers[..3].copy_from_slice(&[pass * 8, count_at, buffers.max_blocks]);
        }
        queue.write_buffer(&self.numbers, 0, bytemuck::cast_slice(&numbers));
    }
}

/// The bindings of every pass over one set of buffers, eight bits a pass, from the lowest up.
pub struct SortGroups(Vec<wgpu::BindGroup>);

impl SortGroups {
    /// Which of the two buffers holds the result; the keys come in the first.
    pub fn result(&self) -> usize {
        self.0.len() % 2
    }
}

impl RadixSort {
    pub fn new(device: &wgpu::Device, path: SortPath) -> Self {
        use Bound::{Read, Uniform, Write};
        let layout = gpu::compute_layout(
            device,
            "radix sort",
            &[Uniform, Read, Read, Read, Write, Write, Write, Write],
        );
        let module = gpu::shader(device, "radix sort", &path.source());
        let pipeline =
            |entry| gpu::compute_pipeline(device, &format!("radix sort, {entry}"), &[&layout], &module, entry);
        Self {
            histogram: pipeline("histogram"),
            scan_rows: pipeline("scan_rows"),
            scatter: pipeline("scatter"),
            layout,
        }
    }

    /// `control` will hold the number of keys where the passes look for it.
    pub fn bind(
        &self,
        device: &wgpu::Device,
        buffers: &SortBuffers,
        control: &wgpu::Buffer,
        passes: &SortPasses,
    ) -> SortGroups {
        let groups = (0..passes.num_passes as usize).map(|pass| {
            let (from, to) = (pass % 2, 1 - pass % 2);
            let numbers = wgpu::BufferBinding {
                buffer: &passes.numbers,
                offset: pass as u64 * PASS_STRIDE,
                size: std::num::NonZeroU64::new(16),
            };
            let resources = [
                (0, wgpu::BindingResource::Buffer(numbers)),
                (1, control.as_entire_binding()),
                (2, buffers.keys[from].as_entire_binding()),
                (3, buffers.values[from].as_entire_binding()),
                (4, buffers.keys[to].as_entire_binding()),
                (5, buffers.values[to].as_entire_binding()),
                (6, buffers.counts.as_entire_binding()),
                (7, buffers.totals.as_entire_binding()),
            ];
            gpu::bind_group(device, "radix sort", &self.layout, &resources)
        });
        SortGroups(groups.collect())
    }

    /// Sorts. The words from `at` on in `args` are the numbers of workgroups for blocks of keys and, four words later,
    /// for rows of digits (256, or 0 without keys).
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, groups: &SortGroups, args: &wgpu::Buffer, at: u32) {
        let at = u64::from(at) * 4;
        for group in &groups.0 {
            pass.set_bind_group(0, group, &[]);
            pass.set_pipeline(&self.histogram);
            pass.dispatch_workgroups_indirect(args, at);
            pass.set_pipeline(&self.scan_rows);
            pass.dispatch_workgroups_indirect(args, at + ARGS_BYTES);
            pass.set_pipeline(&self.scatter);
            pass.dispatch_workgroups_indirect(args, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use glam::Vec3;

    use super::*;
    use crate::Offscreen;
    use crate::read_back::read_words;
    use crate::splat_order::tests::scattered;
    use crate::splat_order::{back_to_front, descending_key};

    fn words(offscreen: &Offscreen, buffer: &wgpu::Buffer, count: usize) -> Vec<u32> {
        read_words(offscreen.device(), offscreen.queue(), buffer, count).expect("read")
    }

    /// Keys and values after a sort by `num_bits`, the values having been the keys' places.
    fn sorted(offscreen: &Offscreen, path: SortPath, keys: &[u32], num_bits: u32) -> (Vec<u32>, Vec<u32>) {
        let (device, queue) = (offscreen.device(), offscreen.queue());
        let sort = RadixSort::new(device, path);
        let count = keys.len() as u32;
        let buffers = SortBuffers::new(device, "tested", count);
        let places: Vec<u32> = (0..count).collect();
        queue.write_buffer(&buffers.keys[0], 0, bytemuck::cast_slice(keys));
        queue.write_buffer(&buffers.values[0], 0, bytemuck::cast_slice(&places));
        let fill =
            |words: &[u32], usage| gpu::filled_buffer(device, queue, "tested", bytemuck::cast_slice(words), usage);
        let control = fill(&[7, count], BufferUsages::STORAGE);
        let rows = if count > 0 { NUM_DIGITS } else { 0 };
        let args = fill(
            &[count.div_ceil(SORT_BLOCK), 1, 1, 0, rows, 1, 1, 0],
            BufferUsages::INDIRECT,
        );
        let passes = SortPasses::new(device, num_bits);
        passes.write(queue, 1, &buffers);
        let groups = sort.bind(device, &buffers, &control, &passes);
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        sort.record(&mut pass, &groups, &args, 0);
        drop(pass);
        queue.submit([encoder.finish()]);
        let result = groups.result();
        (
            words(offscreen, &buffers.keys[result], keys.len()),
            words(offscreen, &buffers.values[result], keys.len()),
        )
    }

    /// The device's own path, the portable one, and the one for wide subgroups, which also sorts on narrow ones.
    fn paths(offscreen: &Offscreen) -> Vec<SortPath> {
        let own = SortPath::of(offscreen.device());
        let mut paths = vec![SortPath::Portable, own];
        if let SortPath::Subgroups { max_subgroups, .. } = own {
            paths.push(SortPath::Subgroups {
                max_subgroups,
                is_wide: true,
            });
        }
        paths
    }

    #[test]
    fn the_order_is_exactly_that_of_the_processor() {
        let offscreen = Offscreen::new().expect("a device");
        for path in paths(&offscreen) {
            for count in [1, 255, 2048, 2049, 50_000] {
                let positions = scattered(count);
                for forward in [Vec3::Z, Vec3::new(0.3, -0.5, 0.7).normalize()] {
                    let keys: Vec<u32> = positions
                        .iter()
                        .map(|position| descending_key(position.dot(forward)))
                        .collect();
                    let (found_keys, found) = sorted(&offscreen, path, &keys, 32);
                    assert_eq!(found, back_to_front(&positions, forward), "{count} by {path:?}");
                    assert!(found_keys.is_sorted());
                }
            }
        }
    }

    #[test]
    fn every_bit_counts_and_only_those_asked_for() {
        let offscreen = Offscreen::new().expect("a device");
        let keys: Vec<u32> = (0..30_000_u32).map(|index| index.wrapping_mul(0x9E37_79B9)).collect();
        for path in paths(&offscreen) {
            for num_bits in [8_u32, 14, 32] {
                let mask = (1_u64 << num_bits.next_multiple_of(8)) - 1;
                let mut expected: Vec<u32> = (0..keys.len() as u32).collect();
                expected.sort_by_key(|&place| u64::from(keys[place as usize]) & mask);
                let (_, found) = sorted(&offscreen, path, &keys, num_bits);
                assert_eq!(found, expected, "{num_bits} bits by {path:?}");
            }
        }
    }

    #[test]
    fn the_largest_key_keeps_its_place_in_a_block_that_is_not_full() {
        let offscreen = Offscreen::new().expect("a device");
        for path in paths(&offscreen) {
            let (_, found) = sorted(&offscreen, path, &[u32::MAX, 3, u32::MAX, 0], 32);
            assert_eq!(found, [3, 1, 0, 2], "{path:?}");
            assert!(sorted(&offscreen, path, &[], 32).1.is_empty());
        }
    }
}
