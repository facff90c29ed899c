// Lanes of a subgroup of 128 at most. Prepended to the radix sort with subgroups.
alias Mask = vec4u;
fn ballot(is_set: bool) -> Mask { return subgroupBallot(is_set); }
fn num_lanes_in(mask: Mask) -> u32 { return dot(countOneBits(mask), vec4u(1u)); }
fn num_lanes_below(mask: Mask, lane: u32) -> u32 {
    let ends = vec4u(32u, 64u, 96u, 128u);
    let partial = vec4u((1u << (lane % 32u)) - 1u);
    let below = select(select(vec4u(0u), partial, vec4u(lane) + 32u >= ends), vec4u(0xffffffffu), vec4u(lane) >= ends);
    return num_lanes_in(mask & below);
}
fn first_lane(mask: Mask) -> u32 {
    if (mask.x != 0u) { return firstTrailingBit(mask.x); }
    if (mask.y != 0u) { return 32u + firstTrailingBit(mask.y); }
    if (mask.z != 0u) { return 64u + firstTrailingBit(mask.z); }
    return 96u + firstTrailingBit(mask.w);
}
