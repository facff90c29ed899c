// Which splats touch which tiles, front to back: `count_tiles` counts each splat's tiles, `emit_pairs` writes a pair of
// tile and splat for each; sorted by tile (stably, so that depth order stays) they are every tile's list, whose ends
// `find_ranges` marks. A tile counts when the ellipse of opacity MIN_ALPHA really meets the pixels' centres in it (the
// exact test of a conic against a rectangle, as in StopThePop, Radl et al. 2024) and while it is not opaque yet.
//
// A thread walks the tiles of one splat; splats with many tiles are walked by the whole workgroup.
//
// Two shaders may round the same sum differently, so that one finds a tile that the other does not. A splat therefore
// writes exactly as many pairs as were counted: one too many is left out, and one too few goes to a tile behind the last,
// which nobody draws.

@group(0) @binding(1) var<storage, read> control: array<u32>;
@group(0) @binding(2) var<storage, read> ellipses: array<Ellipse>;
@group(0) @binding(3) var<storage, read> order: array<u32>; // back to front
@group(0) @binding(4) var<storage, read> closed_tiles: array<u32>;
@group(0) @binding(5) var<storage, read_write> splat_counts: array<u32>;
@group(0) @binding(6) var<storage, read_write> block_sums: array<u32>;
@group(0) @binding(7) var<storage, read_write> pair_tiles: array<u32>;
@group(0) @binding(8) var<storage, read_write> pair_splats: array<u32>;

const MANY_TILES: u32 = 64u;
// Rounding must never lose a tile: the ellipse is tested a little larger.
const SLACK: f32 = 1.001;

struct Footprint {
    center: vec2f,
    conic: vec3f,     // squared distance in standard deviations: x dx^2 + 2 y dx dy + z dy^2
    limit: f32,       // of it
    first: vec2u,     // tile of the box about the ellipse
    num_tiles: vec2u,
}

fn footprint_of(ellipse: Ellipse) -> Footprint {
    let opacity = unpack2x16float(ellipse.color_b_opacity).y;
    let limit = 2.0 * log(max(opacity / MIN_ALPHA, 1.0)) * SLACK;
    let major = length(ellipse.axis);
    let along = ellipse.axis / major;
    let across = vec2f(-along.y, along.x);
    let u = along / major;
    let v = across / ellipse.minor;
    let reach = sqrt(limit) * sqrt(ellipse.axis * ellipse.axis + across * across * ellipse.minor * ellipse.minor) + 0.01;
    // In pixels from centre to centre, hence the half; the clamps come before the conversion, which is not defined
    // for large floats.
    let last_px = vec2f(grid.size_px) - 1.0;
    let origin_px = vec2f(grid.origin_px);
    let low = clamp(ceil(ellipse.center - reach - 0.5) - origin_px, vec2f(0.0), last_px + 1.0);
    let high = clamp(floor(ellipse.center + reach - 0.5) - origin_px, vec2f(-1.0), last_px);
    var footprint = Footprint(ellipse.center,
        vec3f(u.x * u.x + v.x * v.x, u.x * u.y + v.x * v.y, u.y * u.y + v.y * v.y),
        limit, vec2u(low) / TILE_PX, vec2u(0u));
    if (all(high >= low)) { footprint.num_tiles = vec2u(high) / TILE_PX - footprint.first + 1u; }
    return footprint;
}

// The least of the conic over the pixel centres' rectangle is at the centre, or else on one of the two edges nearest
// to it.
fn touches(footprint: Footprint, tile: vec2u) -> bool {
    if (closed_tiles[tile.y * grid.num_tiles.x + tile.x] != 0u) { return false; }
    let low = vec2f(tile * TILE_PX + grid.origin_px) + 0.5 - footprint.center;
    let high = low + f32(TILE_PX - 1u);
    let nearest = clamp(vec2f(0.0), low, high);
    let conic = footprint.conic;
    let y = clamp(-conic.y * nearest.x / conic.z, low.y, high.y);
    let x = clamp(-conic.y * nearest.y / conic.x, low.x, high.x);
    let on_vertical = conic.x * nearest.x * nearest.x + 2.0 * conic.y * nearest.x * y + conic.z * y * y;
    let on_horizontal = conic.x * x * x + 2.0 * conic.y * x * nearest.y + conic.z * nearest.y * nearest.y;
    return min(on_vertical, on_horizontal) <= footprint.limit;
}

fn tile_at(footprint: Footprint, index: u32) -> vec2u {
    return footprint.first + vec2u(index % footprint.num_tiles.x, index / footprint.num_tiles.x);
}

// The splat at a front-to-back rank.
fn splat_at(rank: u32) -> u32 {
    return order[control[NUM_VISIBLE] - 1u - rank];
}

var<workgroup> num_large: atomic<u32>;
var<workgroup> shared_num_large: u32;
var<workgroup> large: array<u32, 256>;
var<workgroup> large_counts: array<atomic<u32>, 256>; // tiles while counting, places while emitting
var<workgroup> large_ends: array<u32, 256>; // places behind the last

fn begin_large(thread: u32) {
    if (thread == 0u) { atomicStore(&num_large, 0u); }
    workgroupBarrier();
}

// Number of large splats, noted by `large`; the same for every thread.
fn gather_large(thread: u32) -> u32 {
    workgroupBarrier();
    if (thread == 0u) { shared_num_large = atomicLoad(&num_large); }
    return workgroupUniformLoad(&shared_num_large);
}

@compute @workgroup_size(256)
fn count_tiles(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let first_rank = control[BATCH_START] + workgroup.x * WORKGROUP_SIZE;
    let rank = first_rank + thread;
    atomicStore(&large_counts[thread], 0u);
    begin_large(thread);
    var count = 0u;
    var is_large = false;
    if (rank < control[WINDOW_END]) {
        let footprint = footprint_of(ellipses[splat_at(rank)]);
        let num_tiles = footprint.num_tiles.x * footprint.num_tiles.y;
        is_large = num_tiles > MANY_TILES;
        if (is_large) {
            large[atomicAdd(&num_large, 1u)] = thread;
        } else {
            for (var index = 0u; index < num_tiles; index++) {
                if (touches(footprint, tile_at(footprint, index))) { count++; }
            }
        }
    }
    let num = gather_large(thread);
    for (var index = 0u; index < num; index++) {
        let owner = large[index];
        let footprint = footprint_of(ellipses[splat_at(first_rank + owner)]);
        let num_tiles = footprint.num_tiles.x * footprint.num_tiles.y;
        var own = 0u;
        for (var at = thread; at < num_tiles; at += WORKGROUP_SIZE) {
            if (touches(footprint, tile_at(footprint, at))) { own++; }
        }
        atomicAdd(&large_counts[owner], own);
    }
    workgroupBarrier();
    if (is_large) { count = atomicLoad(&large_counts[thread]); }
    splat_counts[workgroup.x * WORKGROUP_SIZE + thread] = count;
    let sum = exclusive_scan(thread, count).y;
    if (thread == 0u) { block_sums[workgroup.x] = sum; }
}

fn emit(place: u32, tile: vec2u, splat: u32) {
    pair_tiles[place] = tile.y * grid.num_tiles.x + tile.x;
    pair_splats[place] = splat;
}

fn emit_nowhere(place: u32, splat: u32) {
    emit(place, vec2u(0u, grid.num_tiles.y), splat);
}

@compute @workgroup_size(256)
fn emit_pairs(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let first_rank = control[BATCH_START] + workgroup.x * WORKGROUP_SIZE;
    let rank = first_rank + thread;
    let count = splat_counts[workgroup.x * WORKGROUP_SIZE + thread];
    begin_large(thread);
    var place = block_sums[workgroup.x] + exclusive_scan(thread, count).x;
    if (rank < control[BATCH_END] && count > 0u) {
        let splat = splat_at(rank);
        let footprint = footprint_of(ellipses[splat]);
        let num_tiles = footprint.num_tiles.x * footprint.num_tiles.y;
        if (num_tiles > MANY_TILES) {
            large[atomicAdd(&num_large, 1u)] = thread;
            atomicStore(&large_counts[thread], place);
            large_ends[thread] = place + count;
        } else {
            let end = place + count;
            for (var index = 0u; index < num_tiles; index++) {
                let tile = tile_at(footprint, index);
                if (place < end && touches(footprint, tile)) {
                    emit(place, tile, splat);
                    place++;
                }
            }
            for (; place < end; place++) { emit_nowhere(place, splat); }
        }
    }
    let num = gather_large(thread);
    for (var index = 0u; index < num; index++) {
        let owner = large[index];
        let splat = splat_at(first_rank + owner);
        let footprint = footprint_of(ellipses[splat]);
        let num_tiles = footprint.num_tiles.x * footprint.num_tiles.y;
        for (var at = thread; at < num_tiles; at += WORKGROUP_SIZE) {
            let tile = tile_at(footprint, at);
            if (touches(footprint, tile)) {
                // Within a splat the order of pairs is free: each is of another tile.
                let free = atomicAdd(&large_counts[owner], 1u);
                if (free < large_ends[owner]) { emit(free, tile, splat); }
            }
        }
    }
    workgroupBarrier();
    for (var index = 0u; index < num; index++) {
        let owner = large[index];
        let splat = splat_at(first_rank + owner);
        let unused = atomicLoad(&large_counts[owner]) + thread;
        for (var at = unused; at < large_ends[owner]; at += WORKGROUP_SIZE) { emit_nowhere(at, splat); }
    }
}
