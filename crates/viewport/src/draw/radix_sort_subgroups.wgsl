// `scatter` of radix_sort.wgsl with subgroups (ranks by ballots as in Ashkiani et al. 2016): a subgroup goes through
// its part of the block, as many keys at a time as it has lanes; the lanes with equal digits find each other by eight
// ballots, and the first of them counts for all. Subgroups may have any size from `256 / MAX_SUBGROUPS` on, also fewer
// lanes than `subgroup_size` says: lanes are counted, not assumed. `MAX_SUBGROUPS` comes from
// radix_sort.rs, `Mask` and its functions from radix_sort_narrow.wgsl or radix_sort_wide.wgsl.

const COUNT_WORDS: u32 = 128u; // two 16-bit counts a word

var<workgroup> subgroup_counts: array<atomic<u32>, COUNT_WORDS * MAX_SUBGROUPS>;
var<workgroup> subgroup_lanes: array<u32, MAX_SUBGROUPS>;

fn subgroup_count(subgroup: u32, digit: u32) -> u32 {
    let word = atomicLoad(&subgroup_counts[subgroup * COUNT_WORDS + digit / 2u]);
    return (word >> (16u * (digit % 2u))) & 0xffffu;
}

@compute @workgroup_size(256)
fn scatter(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(num_subgroups) num_subgroups: u32,
) {
    let first = workgroup.x * SORT_BLOCK;
    let num_keys = min(control[sort_pass.count_at] - first, SORT_BLOCK);
    for (var word = thread; word < COUNT_WORDS * MAX_SUBGROUPS; word += WORKGROUP_SIZE) {
        atomicStore(&subgroup_counts[word], 0u);
    }
    let num_lanes = subgroupAdd(1u);
    let nth_lane = subgroupExclusiveAdd(1u);
    if (nth_lane == 0u) { subgroup_lanes[subgroup] = num_lanes; }
    workgroupBarrier();
    var part = nth_lane;
    for (var before = 0u; before < subgroup; before++) { part += subgroup_lanes[before] * KEYS_A_THREAD; }

    var own_keys: array<u32, KEYS_A_THREAD>;
    var own_values: array<u32, KEYS_A_THREAD>;
    var ranks: array<u32, KEYS_A_THREAD>;
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = part + index * num_lanes;
        own_keys[index] = NO_KEY;
        if (at < num_keys) {
            own_keys[index] = keys_in[first + at];
            own_values[index] = values_in[first + at];
        }
    }
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let digit = digit_of(own_keys[index]);
        let peers = lanes_with(digit);
        let rank = num_lanes_below(peers, lane);
        var num_before = 0u;
        let half = 16u * (digit % 2u);
        if (rank == 0u) {
            let word = atomicAdd(&subgroup_counts[subgroup * COUNT_WORDS + digit / 2u], num_lanes_in(peers) << half);
            num_before = (word >> half) & 0xffffu;
        }
        ranks[index] = subgroupShuffle(num_before, first_lane(peers)) + rank;
    }
    workgroupBarrier();

    // A thread a digit: where each subgroup's keys begin among the block's keys with this digit.
    var num_with_digit = 0u;
    for (var other = 0u; other < num_subgroups; other++) { num_with_digit += subgroup_count(other, thread); }
    let start = exclusive_scan(thread, num_with_digit).x;
    digit_starts[thread] = start;
    var place = start;
    for (var other = 0u; other < num_subgroups; other++) {
        let count = subgroup_count(other, thread);
        // The two digits of a word belong to two threads: each replaces its own half.
        atomicAdd(&subgroup_counts[other * COUNT_WORDS + thread / 2u], (place - count) << (16u * (thread % 2u)));
        place += count;
    }
    workgroupBarrier();
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        ranks[index] += subgroup_count(subgroup, digit_of(own_keys[index]));
        block_keys[ranks[index]] = own_keys[index];
    }
    workgroupBarrier();
    let places = write_keys(workgroup.x, num_keys, thread);
    // The values take the keys' place, so that workgroup memory is enough for two.
    workgroupBarrier();
    for (var index = 0u; index < KEYS_A_THREAD; index++) { block_keys[ranks[index]] = own_values[index]; }
    workgroupBarrier();
    for (var index = 0u; index < KEYS_A_THREAD; index++) {
        let at = index * WORKGROUP_SIZE + thread;
        if (at < num_keys) { values_out[places[index]] = block_keys[at]; }
    }
}

fn lanes_with(digit: u32) -> Mask {
    var peers = ballot(true);
    for (var bit = 0u; bit < 8u; bit++) {
        let is_set = ((digit >> bit) & 1u) == 1u;
        let setting = ballot(is_set);
        peers &= select(~setting, setting, is_set);
    }
    return peers;
}
