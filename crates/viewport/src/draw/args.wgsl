// The arguments of indirect calls. Prepended to the shaders that write them, which bind `args`; the same numbers stand in
// splat_buffers.rs.

// Places in the arguments, words.
const SORT_ARGS: u32 = 0u;
const SORT_ROWS_ARGS: u32 = 4u;
const QUAD_ARGS: u32 = 8u;
const WINDOW_ARGS: u32 = 12u;
const PAIR_SORT_ARGS: u32 = 16u;
const PAIR_ROWS_ARGS: u32 = 20u;
const RANGES_ARGS: u32 = 24u;
const TILES_ARGS: u32 = 28u;

fn write_args(at: u32, workgroups: vec3u) {
    args[at] = workgroups.x;
    args[at + 1u] = workgroups.y;
    args[at + 2u] = workgroups.z;
}
