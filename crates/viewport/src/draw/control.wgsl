// Words that the splat passes tell each other. Prepended to the shaders that need them; the same numbers stand in
// splat_buffers.rs.
const NUM_VISIBLE: u32 = 0u;   // splats that survived the projection
const BATCH_START: u32 = 1u;   // front-to-back rank of this batch's first splat
const WINDOW_END: u32 = 2u;    // ranks below are counted for this batch
const BATCH_END: u32 = 3u;     // ranks below fit this batch
const NUM_PAIRS: u32 = 4u;     // of tiles and splats in this batch
const OPEN_TILES: u32 = 5u;    // tiles that are not opaque yet
const NUM_BATCHES: u32 = 6u;   // batches that had anything to do
const TOTAL_PAIRS: u32 = 7u;   // of all batches

const SORT_BLOCK: u32 = 2048u; // keys a workgroup sorts; shared with radix_sort.rs
