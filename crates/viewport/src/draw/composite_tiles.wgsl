// The composite where splats were drawn by tiles: a workgroup a tile takes their pixels from where they were blended.

@group(1) @binding(0) var<storage, read> pixels: array<vec2u>; // by tile; see tile_pixels.wgsl
@group(1) @binding(1) var solid_layer: texture_2d<f32>;
@group(1) @binding(2) var picture: texture_storage_2d<rgba8unorm, write>;

@compute @workgroup_size(256)
fn composite_tile(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) num_workgroups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = workgroup.xy * TILE_PX + vec2u(thread % TILE_PX, thread / TILE_PX);
    if (any(at >= vec2u(frame.region.zw))) { return; }
    let tile = workgroup.y * num_workgroups.x + workgroup.x;
    let pixel = unpack_pixel(pixels[tile * TILE_PX * TILE_PX + thread]);
    var solid = vec4f(0.0);
    if (has_solid_layer()) { solid = textureLoad(solid_layer, at, 0); }
    let color = composite(vec2f(at) + 0.5, solid, vec4f(pixel.rgb, 1.0 - pixel.a));
    textureStore(picture, at, color);
}
