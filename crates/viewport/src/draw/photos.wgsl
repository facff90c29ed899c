// The photo of each view camera on the far end of its frustum. Edges of cut-out photos are smoothed by coverage.

@group(1) @binding(0) var photos: texture_2d_array<f32>;
@group(1) @binding(1) var photo_sampler: sampler;

struct Photo {
    @location(0) top_left: vec4f, // xyz: model frame; w: layer
    @location(1) across: vec4f,   // to the top right; w: used width of the layer, 0 to 1
    @location(2) down: vec4f,     // to the bottom left; w: used height of the layer, 0 to 1
}

struct PhotoFragment {
    @builtin(position) position: vec4f,
    @location(0) uv: vec2f,
    @location(1) @interpolate(flat) layer: u32,
}

@vertex
fn photo_vertex(@builtin(vertex_index) index: u32, photo: Photo) -> PhotoFragment {
    let corner = vec2f(f32(index & 1u), f32(index >> 1u));
    let world = photo.top_left.xyz + photo.across.xyz * corner.x + photo.down.xyz * corner.y;
    var out: PhotoFragment;
    out.position = region_position(frame.clip_from_world * vec4f(world, 1.0));
    out.uv = corner * vec2f(photo.across.w, photo.down.w);
    out.layer = u32(photo.top_left.w);
    return out;
}

@fragment
fn photo_fragment(in: PhotoFragment) -> @location(0) vec4f {
    let texel = textureSample(photos, photo_sampler, in.uv, in.layer);
    if (texel.a < 0.05) { discard; }
    return vec4f(texel.rgb, texel.a);
}
