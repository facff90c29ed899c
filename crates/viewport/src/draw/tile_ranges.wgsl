// Where each tile's list begins and ends among the sorted pairs.

@group(0) @binding(0) var<storage, read> control: array<u32>;
@group(0) @binding(1) var<storage, read> pair_tiles: array<u32>;
@group(0) @binding(2) var<storage, read_write> ranges: array<vec2u>; // the first pair and the one behind the last

@compute @workgroup_size(256)
fn find_ranges(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let num_pairs = control[NUM_PAIRS];
    for (var index = 0u; index < 4u; index++) {
        let at = workgroup.x * 1024u + index * 256u + thread;
        if (at >= num_pairs) { return; }
        let tile = pair_tiles[at];
        var is_first = at == 0u;
        if (!is_first) { is_first = pair_tiles[at - 1u] != tile; }
        if (is_first) { ranges[tile].x = at; }
        var is_last = at + 1u == num_pairs;
        if (!is_last) { is_last = pair_tiles[at + 1u] != tile; }
        if (is_last) { ranges[tile].y = at + 1u; }
    }
}
