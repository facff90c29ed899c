// Draws a batch of splats: a workgroup a tile, a thread a pixel, splats front to back through workgroup memory. What is
// blended is what splat_quads.wgsl blends, in the other direction: colour += T alpha c, T *= 1 - alpha, in
// sRGB-encoded values.
//
// A pixel is done once its transmittance T is below MIN_TRANSMITTANCE: what is left out changes the picture by less
// than that times the colours behind, a quarter of an 8-bit step. It is also done when the next splat lies behind the
// solid layer. A tile whose pixels are all done is closed: later batches make no pairs for it.

@group(0) @binding(1) var<storage, read> ellipses: array<Ellipse>;
@group(0) @binding(2) var<storage, read> pair_splats: array<u32>;
@group(0) @binding(3) var<storage, read_write> ranges: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> pixels: array<vec2u>; // by tile; see tile_pixels.wgsl
@group(0) @binding(5) var<storage, read_write> closed_tiles: array<u32>;
@group(0) @binding(6) var<storage, read_write> control: array<atomic<u32>>;
@group(0) @binding(7) var solid_depth: texture_depth_2d;

const BATCH: u32 = 256u;
const MIN_TRANSMITTANCE: f32 = 1.0 / 1024.0;
const LOG2_MIN_ALPHA: f32 = -7.99435343685886;
// exp(-x^2 / 2) = exp2(-(x * this)^2).
const ROOT_HALF_LOG2_E: f32 = 0.8493218002880191;

var<workgroup> centers_and_us: array<vec4f, BATCH>; // centre; longer axis by its squared length, for exp2
var<workgroup> vs_opacities_depths: array<vec4f, BATCH>; // shorter axis likewise; log2 of opacity; depth
var<workgroup> colors: array<vec2u, BATCH>; // f16: RG, B and opacity
var<workgroup> shared_range: vec2u;
var<workgroup> num_done: atomic<u32>;
var<workgroup> shared_num_done: u32;

fn load(slot: u32, ellipse: Ellipse) {
    let axis = ellipse.axis;
    let squared = dot(axis, axis);
    let u = axis * (ROOT_HALF_LOG2_E / squared);
    let v = vec2f(-axis.y, axis.x) * (ROOT_HALF_LOG2_E * inverseSqrt(squared) / ellipse.minor);
    let opacity = unpack2x16float(ellipse.color_b_opacity).y;
    centers_and_us[slot] = vec4f(ellipse.center, u);
    vs_opacities_depths[slot] = vec4f(v, log2(opacity), ellipse.depth);
    colors[slot] = vec2u(ellipse.color_rg, ellipse.color_b_opacity);
}

@compute @workgroup_size(256)
fn draw_tile(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tile = workgroup.y * grid.num_tiles.x + workgroup.x;
    if (thread == 0u) {
        shared_range = ranges[tile];
        ranges[tile] = vec2u(0u);
        atomicStore(&num_done, 0u);
    }
    let range = workgroupUniformLoad(&shared_range);
    if (range.x >= range.y) { return; }

    let at = workgroup.xy * TILE_PX + vec2u(thread % TILE_PX, thread / TILE_PX);
    let is_inside = all(at < grid.size_px);
    let place = tile * BATCH + thread;
    // Ellipses lie in the picture, targets hold the region.
    let pixel = vec2f(at + grid.origin_px) + 0.5;
    var stored = vec4f(0.0);
    var depth = 0.0;
    if (is_inside) {
        stored = unpack_pixel(pixels[place]);
        depth = textureLoad(solid_depth, at, 0);
    }
    var color = stored.rgb;
    var transmittance = stored.a;
    var is_done = !is_inside || transmittance < MIN_TRANSMITTANCE;
    if (is_done) { atomicAdd(&num_done, 1u); }

    for (var first = range.x; first < range.y; first += BATCH) {
        workgroupBarrier();
        if (thread == 0u) { shared_num_done = atomicLoad(&num_done); }
        if (workgroupUniformLoad(&shared_num_done) == BATCH) { break; }
        let num = min(range.y - first, BATCH);
        if (thread < num) { load(thread, ellipses[pair_splats[first + thread]]); }
        workgroupBarrier();
        if (is_done) { continue; }
        for (var slot = 0u; slot < num; slot++) {
            let v_opacity_depth = vs_opacities_depths[slot];
            if (v_opacity_depth.w < depth) { is_done = true; break; }
            let center_u = centers_and_us[slot];
            let offset = pixel - center_u.xy;
            let u = dot(offset, center_u.zw);
            let v = dot(offset, v_opacity_depth.xy);
            let log2_alpha = v_opacity_depth.z - u * u - v * v;
            if (log2_alpha < LOG2_MIN_ALPHA) { continue; }
            let alpha = min(exp2(log2_alpha), MAX_ALPHA);
            let packed = colors[slot];
            let rgb = vec3f(unpack2x16float(packed.x), unpack2x16float(packed.y).x);
            color += transmittance * alpha * rgb;
            transmittance *= 1.0 - alpha;
            if (transmittance < MIN_TRANSMITTANCE) { is_done = true; break; }
        }
        if (is_done) { atomicAdd(&num_done, 1u); }
    }

    if (is_inside) { pixels[place] = pack_pixel(vec4f(color, transmittance)); }
    workgroupBarrier();
    if (thread == 0u && atomicLoad(&num_done) == BATCH) {
        closed_tiles[tile] = 1u;
        atomicSub(&control[OPEN_TILES], 1u);
    }
}
