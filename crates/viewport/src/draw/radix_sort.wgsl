// Sorts 32-bit keys with a 32-bit value each by eight of the key's bits; a least-significant-digit radix sort is made
// of such passes (Harada and Howes 2011, Satish et al. 2009). Three dispatches a pass: `histogram` counts the digits
// of each block of 2048 keys, `scan_rows` sums each digit's counts over the blocks, `scatter` sorts its block in
// workgroup memory and writes runs of equal digits to their places. Stable. No workgroup waits for another one of the
// same dispatch: WebGPU does not promise that both run. `scatter` here needs no subgroups;
// radix_sort_subgroups.wgsl has the faster one.

struct SortPass {
    shift: u32,
    count_at: u32,   // place in `control` of the number of keys
    max_blocks: u32, // length of a row of `counts`
    unused: u32,
}

@group(0) @binding(0) var<uniform> sort_pass: SortPass;
@group(0) @binding(1) var<storage, read> control: array<u32>;
@group(0) @binding(2) var<storage, read> keys_in: array<u32>;
@group(0) @binding(3) var<storage, read> values_in: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys_out: array<u32>;
@group(0) @binding(5) var<storage, read_write> values_out: array<u32>;
@group(0) @binding(6) var<storage, read_write> counts: array<u32>; // a row a digit, a column a block
@group(0) @binding(7) var<storage, read_write> totals: array<u32>; // keys with each digit

const KEYS_A_THREAD: u32 = 8u;
const COUNTS_A_THREAD: u32 = 4u;

fn digit_of(key: u32) -> u32 {
    return (key >> sort_pass.shift) & (NUM_DIGITS - 1u);
}

var<workgroup> bins: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn histogram(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let count = control[sort_pass.count_at];
    atomicStore(&bins[thread], 0u);
    workgroupBarrier();
    let first = workgroup.x * SORT_BLOCK + thread;
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = first + index * WORKGROUP_SIZE;
        if (at < count) { atomicAdd(&bins[digit_of(keys_in[at])], 1u); }
    }
    workgroupBarrier();
    counts[thread * sort_pass.max_blocks + workgroup.x] = atomicLoad(&bins[thread]);
}

// A workgroup a digit.
@compute @workgroup_size(256)
fn scan_rows(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let num_blocks = (control[sort_pass.count_at] + SORT_BLOCK - 1u) / SORT_BLOCK;
    let row = workgroup.x * sort_pass.max_blocks;
    var num_before = 0u;
    for (var first = 0u; first < num_blocks; first += WORKGROUP_SIZE * COUNTS_A_THREAD) {
        let begin = first + thread * COUNTS_A_THREAD;
        let end = min(begin + COUNTS_A_THREAD, num_blocks);
        var own = 0u;
        for (var block = begin; block < end; block++) { own += counts[row + block]; }
        let scan = exclusive_scan(thread, own);
        var place = num_before + scan.x;
        for (var block = begin; block < end; block++) {
            let count = counts[row + block];
            counts[row + block] = place;
            place += count;
        }
        num_before += scan.y;
    }
    if (thread == 0u) { totals[workgroup.x] = num_before; }
}

const NO_KEY: u32 = 0xffffffffu; // fills the last block; goes behind every key, as the sort is stable

var<workgroup> block_keys: array<u32, 2048>;
var<workgroup> digit_starts: array<u32, 256>; // first place in the sorted block
var<workgroup> digit_places: array<u32, 256>; // first place of this block's keys in the output

// Writes the block's keys, sorted by digit in workgroup memory, to their places, and returns those for the values.
// Every thread must come here, after a barrier and with `digit_starts` written.
fn write_keys(block: u32, num_keys: u32, thread: u32) -> array<u32, KEYS_A_THREAD> {
    let num_before = exclusive_scan(thread, totals[thread]).x;
    digit_places[thread] = num_before + counts[thread * sort_pass.max_blocks + block] - digit_starts[thread];
    workgroupBarrier();
    var places: array<u32, KEYS_A_THREAD>;
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = index * WORKGROUP_SIZE + thread;
        if (at < num_keys) {
            let key = block_keys[at];
            places[index] = digit_places[digit_of(key)] + at;
            keys_out[places[index]] = key;
        }
    }
    return places;
}
