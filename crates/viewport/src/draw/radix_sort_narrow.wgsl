// Lanes of a subgroup of 32 at most. Prepended to the radix sort with subgroups.
alias Mask = u32;
fn ballot(is_set: bool) -> Mask { return subgroupBallot(is_set).x; }
fn num_lanes_in(mask: Mask) -> u32 { return countOneBits(mask); }
fn num_lanes_below(mask: Mask, lane: u32) -> u32 { return countOneBits(mask & ((1u << lane) - 1u)); }
fn first_lane(mask: Mask) -> u32 { return firstTrailingBit(mask); }
