// Gathers the visible splats' depth keys and indices in the order of the indices: the projection has counted them in
// blocks of 256, `scan_blocks` turns the counts into places, `compact` writes. A counter that threads race for would
// be shorter, but would give equal depths another order every frame.

@group(0) @binding(0) var<storage, read> depth_keys: array<u32>;
@group(0) @binding(1) var<storage, read_write> block_counts: array<u32>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> control: array<u32>;
@group(0) @binding(5) var<storage, read_write> args: array<u32>;
@group(0) @binding(6) var<uniform> num_splats: vec4u; // x: all splats

const COUNTS_A_THREAD: u32 = 8u;

@compute @workgroup_size(256)
fn scan_blocks(@builtin(local_invocation_index) thread: u32) {
    let num_blocks = (num_splats.x + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
    var num_before = 0u;
    for (var first = 0u; first < num_blocks; first += WORKGROUP_SIZE * COUNTS_A_THREAD) {
        let begin = first + thread * COUNTS_A_THREAD;
        let end = min(begin + COUNTS_A_THREAD, num_blocks);
        var own = 0u;
        for (var block = begin; block < end; block++) { own += block_counts[block]; }
        let scan = exclusive_scan(thread, own);
        var place = num_before + scan.x;
        for (var block = begin; block < end; block++) {
            let count = block_counts[block];
            block_counts[block] = place;
            place += count;
        }
        num_before += scan.y;
    }
    if (thread == 0u) {
        control[NUM_VISIBLE] = num_before;
        let num_sort_blocks = (num_before + SORT_BLOCK - 1u) / SORT_BLOCK;
        write_args(SORT_ARGS, vec3u(num_sort_blocks, 1u, 1u));
        write_args(SORT_ROWS_ARGS, vec3u(select(0u, NUM_DIGITS, num_before > 0u), 1u, 1u));
        // Vertices, instances, first vertex, first instance.
        write_args(QUAD_ARGS, vec3u(4u, num_before, 0u));
        args[QUAD_ARGS + 3u] = 0u;
    }
}

@compute @workgroup_size(256)
fn compact(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let block = workgroup.y * workgroups.x + workgroup.x;
    let splat = block * WORKGROUP_SIZE + thread;
    var key = NOT_VISIBLE;
    if (splat < num_splats.x) { key = depth_keys[splat]; }
    let is_visible = key != NOT_VISIBLE;
    let scan = exclusive_scan(thread, select(0u, 1u, is_visible));
    if (is_visible) {
        let place = block_counts[block] + scan.x;
        keys[place] = key;
        values[place] = splat;
    }
}
