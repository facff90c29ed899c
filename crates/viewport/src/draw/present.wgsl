// Copies the finished picture into the window's pass; its viewport is where the picture goes.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var picture_sampler: sampler;

struct PresentFragment {
    @builtin(position) position: vec4f,
    @location(0) uv: vec2f,
}

@vertex
fn present_vertex(@builtin(vertex_index) index: u32) -> PresentFragment {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return PresentFragment(vec4f(corner * 2.0 - 1.0, 0.0, 1.0), vec2f(corner.x, 1.0 - corner.y));
}

@fragment
fn present_fragment(in: PresentFragment) -> @location(0) vec4f {
    return textureSample(picture, picture_sampler, in.uv);
}
