// `scatter` of radix_sort.wgsl without subgroups: sorts the block by four bits twice. A thread counts the digits of
// its eight neighbouring keys, the counts are summed over digits first and threads second, and so each key's place is
// known. Two 16-bit counts share a word: digit d is in word d % 8, the lower half for d below 8.

const NUM_SMALL_DIGITS: u32 = 16u;
const COUNT_WORDS: u32 = 8u;

var<workgroup> block_values: array<u32, 2048>;
var<workgroup> small_counts: array<u32, 2048>; // word-major, then thread

fn small_count_at(digit: u32, thread: u32) -> u32 {
    return (digit % COUNT_WORDS) * WORKGROUP_SIZE + thread;
}

fn sort_block_by(shift: u32, thread: u32) {
    var own_keys: array<u32, KEYS_A_THREAD>;
    var own_values: array<u32, KEYS_A_THREAD>;
    for (var word = 0u; word < COUNT_WORDS; word++) { small_counts[word * WORKGROUP_SIZE + thread] = 0u; }
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        own_keys[index] = block_keys[thread * KEYS_A_THREAD + index];
        own_values[index] = block_values[thread * KEYS_A_THREAD + index];
        let digit = (own_keys[index] >> shift) % NUM_SMALL_DIGITS;
        small_counts[small_count_at(digit, thread)] += 1u << (16u * (digit / COUNT_WORDS));
    }
    workgroupBarrier();
    var own = 0u;
    for (var word = 0u; word < COUNT_WORDS; word++) { own += small_counts[thread * COUNT_WORDS + word]; }
    let scan = exclusive_scan(thread, own);
    // Digits of the upper halves come after all of the lower halves.
    var place = scan.x + (scan.y << 16u);
    for (var word = 0u; word < COUNT_WORDS; word++) {
        let count = small_counts[thread * COUNT_WORDS + word];
        small_counts[thread * COUNT_WORDS + word] = place;
        place += count;
    }
    workgroupBarrier();
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let digit = (own_keys[index] >> shift) % NUM_SMALL_DIGITS;
        let half = 16u * (digit / COUNT_WORDS);
        let at = small_count_at(digit, thread);
        let to = (small_counts[at] >> half) & 0xffffu;
        small_counts[at] += 1u << half;
        block_keys[to] = own_keys[index];
        block_values[to] = own_values[index];
    }
    workgroupBarrier();
}

@compute @workgroup_size(256)
fn scatter(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let first = workgroup.x * SORT_BLOCK;
    let num_keys = min(control[sort_pass.count_at] - first, SORT_BLOCK);
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = index * WORKGROUP_SIZE + thread;
        block_keys[at] = NO_KEY;
        if (at < num_keys) {
            block_keys[at] = keys_in[first + at];
            block_values[at] = values_in[first + at];
        }
    }
    workgroupBarrier();
    sort_block_by(sort_pass.shift, thread);
    sort_block_by(sort_pass.shift + 4u, thread);
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = index * WORKGROUP_SIZE + thread;
        let digit = digit_of(block_keys[at]);
        var is_first = at == 0u;
        if (!is_first) { is_first = digit_of(block_keys[at - 1u]) != digit; }
        if (is_first) { digit_starts[digit] = at; }
    }
    workgroupBarrier();
    let places = write_keys(workgroup.x, num_keys, thread);
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = index * WORKGROUP_SIZE + thread;
        if (at < num_keys) { values_out[places[index]] = block_values[at]; }
    }
}
