// Cuts the sorted splats into batches whose pairs of tile and splat fit the buffers: memory is bounded whatever the
// scene. `open_batch` chooses how many splats are counted, `cut_batch` ends the batch at the last splat that fits.

@group(0) @binding(1) var<storage, read_write> control: array<u32>;
@group(0) @binding(2) var<storage, read_write> args: array<u32>;
@group(0) @binding(3) var<storage, read_write> block_sums: array<u32>;
@group(0) @binding(4) var<storage, read> splat_counts: array<u32>;

// Counting is wasted on splats that do not fit, and small batches leave the card idle.
const MIN_WINDOW: u32 = 1u << 18u;
// A row of workgroups has no more.
const MAX_WINDOW: u32 = 65535u * 256u;

@compute @workgroup_size(1)
fn begin_frame() {
    control[BATCH_END] = 0u;
    control[NUM_BATCHES] = 0u;
    control[TOTAL_PAIRS] = 0u;
    control[OPEN_TILES] = grid.num_tiles.x * grid.num_tiles.y;
}

@compute @workgroup_size(1)
fn open_batch() {
    let start = control[BATCH_END];
    var num_left = control[NUM_VISIBLE] - start;
    if (control[OPEN_TILES] == 0u) { num_left = 0u; }
    // Twice an equal share of what is left, so that later batches are not needed when pairs are few.
    let num_batches_left = max(grid.num_batches - min(control[NUM_BATCHES], grid.num_batches), 1u);
    let share = (num_left / num_batches_left + 1u) * 2u;
    let window = min(num_left, clamp(share, MIN_WINDOW, MAX_WINDOW));
    control[BATCH_START] = start;
    control[WINDOW_END] = start + window;
    control[NUM_PAIRS] = 0u;
    write_args(WINDOW_ARGS, vec3u((window + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE, 1u, 1u));
}

var<workgroup> window: u32;
var<workgroup> cut_block: atomic<u32>;
var<workgroup> shared_cut_block: u32;
var<workgroup> num_fitting: atomic<u32>;
var<workgroup> num_fitting_pairs: atomic<u32>;

// Turns the blocks' sums into places, and finds the splat that fits no more.
@compute @workgroup_size(256)
fn cut_batch(@builtin(local_invocation_index) thread: u32) {
    if (thread == 0u) {
        window = control[WINDOW_END] - control[BATCH_START];
        atomicStore(&cut_block, 0xffffffffu);
        atomicStore(&num_fitting, 0u);
        atomicStore(&num_fitting_pairs, 0u);
    }
    let window_size = workgroupUniformLoad(&window);
    let num_blocks = (window_size + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
    var num_before = 0u;
    for (var first = 0u; first < num_blocks && num_before <= grid.capacity; first += WORKGROUP_SIZE) {
        let block = first + thread;
        var sum = 0u;
        // More than the capacity is too much, however much it is: 256 of them cannot overflow.
        if (block < num_blocks) { sum = min(block_sums[block], grid.capacity + 1u); }
        let scan = exclusive_scan(thread, sum);
        let place = num_before + scan.x;
        if (block < num_blocks) {
            block_sums[block] = place;
            if (place + sum > grid.capacity) { atomicMin(&cut_block, block); }
        }
        num_before = min(num_before + scan.y, grid.capacity + 1u);
    }
    workgroupBarrier();
    if (thread == 0u) { shared_cut_block = atomicLoad(&cut_block); }
    let cut = workgroupUniformLoad(&shared_cut_block);
    if (cut < num_blocks) {
        let count = splat_counts[cut * WORKGROUP_SIZE + thread];
        let scan = exclusive_scan(thread, min(count, grid.capacity + 1u));
        let end = block_sums[cut] + scan.x + count;
        if (end <= grid.capacity) {
            atomicAdd(&num_fitting, 1u);
            atomicMax(&num_fitting_pairs, end);
        }
        workgroupBarrier();
    }
    if (thread == 0u) {
        var end = control[WINDOW_END];
        var num_pairs = num_before;
        if (cut < num_blocks) {
            end = control[BATCH_START] + cut * WORKGROUP_SIZE + atomicLoad(&num_fitting);
            num_pairs = max(atomicLoad(&num_fitting_pairs), block_sums[cut]);
        }
        control[BATCH_END] = end;
        control[NUM_PAIRS] = num_pairs;
        control[TOTAL_PAIRS] += num_pairs;
        control[NUM_BATCHES] += select(0u, 1u, window_size > 0u);
        let num_sort_blocks = (num_pairs + SORT_BLOCK - 1u) / SORT_BLOCK;
        let has_pairs = num_pairs > 0u;
        write_args(PAIR_SORT_ARGS, vec3u(num_sort_blocks, 1u, 1u));
        write_args(PAIR_ROWS_ARGS, vec3u(select(0u, NUM_DIGITS, has_pairs), 1u, 1u));
        write_args(RANGES_ARGS, vec3u((num_pairs + 1023u) / 1024u, 1u, 1u));
        write_args(TILES_ARGS, vec3u(select(vec2u(0u), grid.num_tiles, has_pairs), 1u));
    }
}
