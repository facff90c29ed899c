// One level of a texture from the one above by averaging four texels; an sRGB texture is averaged in linear light,
// which its views see to.

@group(0) @binding(0) var larger: texture_2d<f32>;
@group(0) @binding(1) var larger_sampler: sampler;

struct MipFragment {
    @builtin(position) position: vec4f,
    @location(0) uv: vec2f,
}

@vertex
fn mip_vertex(@builtin(vertex_index) index: u32) -> MipFragment {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return MipFragment(vec4f(corner * 2.0 - 1.0, 0.0, 1.0), vec2f(corner.x, 1.0 - corner.y));
}

@fragment
fn mip_fragment(in: MipFragment) -> @location(0) vec4f {
    return textureSampleLevel(larger, larger_sampler, in.uv, 0.0);
}
