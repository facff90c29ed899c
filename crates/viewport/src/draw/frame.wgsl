// What every shader knows of the picture being drawn. Prepended to each shader; the fields and their order are those
// of `FrameUniforms` in frame_uniforms.rs, codes stand in shared.rs. Depth is reversed: 1 at the near plane, 0 far away.
struct Frame {
    clip_from_world: mat4x4f,
    view_from_world: mat4x4f,
    world_from_view: mat4x4f,
    viewport: vec4f,          // width, height, 1 / width, 1 / height of the whole picture; pixels
    region: vec4f,            // the part of it that is drawn: left, top, width, height; pixels
    into_region: vec4f,       // from the picture's clip space to the region's: scale, offset
    focal: vec4f,             // x, y: pixels per unit of x/depth (parallel: pixels per metre); z, w: half extents of x/depth
    eye: vec4f,               // xyz: eye, model frame; w: 1 when parallel, else 0
    forward: vec4f,           // xyz: direction of view; w: nearest splat depth, metres
    ground: vec4f,            // height of the ground, radius where the grid has faded, centre x, centre z
    shadow: vec4f,            // centre x, centre z, half extent of the shadow picture, strength
    grid_color: vec4f,        // linear RGB, strength
    background_top: vec4f,    // linear RGB; w: 1 when there is a background
    background_bottom: vec4f, // linear RGB; w: 1 when the picture keeps straight alpha
    environment: vec4f,       // cosine and sine of its turn, brightness, number of roughness levels - 1
    modes: vec4u,             // shading (SHADING_), ground parts (GROUND_), splat filter (FILTER_), SH degree
    sh_words: vec4u,          // words of SH a splat, 0, 0, 0
    look: vec4u,              // tone mapping (TONE_), whether there is a solid layer, 0, 0
}

@group(0) @binding(0) var<uniform> frame: Frame;

// IEC 61966-2-1.
fn srgb_from_linear(linear: vec3f) -> vec3f {
    let low = linear * 12.92;
    let high = 1.055 * pow(max(linear, vec3f(0.0031308)), vec3f(1.0 / 2.4)) - 0.055;
    return select(high, low, linear <= vec3f(0.0031308));
}

fn linear_from_srgb(encoded: vec3f) -> vec3f {
    let low = encoded / 12.92;
    let high = pow((max(encoded, vec3f(0.04045)) + 0.055) / 1.055, vec3f(2.4));
    return select(high, low, encoded <= vec3f(0.04045));
}

// A clip position of the whole picture, for the target that holds the region. All that is measured in pixels is measured
// before this, so that the parts of a picture fit together.
fn region_position(clip: vec4f) -> vec4f {
    return vec4f(clip.xy * frame.into_region.xy + frame.into_region.zw * clip.w, clip.zw);
}

// Corners of a triangle that covers the target, from the vertex index alone.
fn covering_triangle(index: u32) -> vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}
