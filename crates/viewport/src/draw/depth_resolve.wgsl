// One depth a pixel from the solid layer's samples, for the splats to be tested against: the nearest, so that splats
// behind the mesh never fringe its outline.

@group(0) @binding(0) var samples: texture_depth_multisampled_2d;

@vertex
fn depth_vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

@fragment
fn depth_fragment(@builtin(position) position: vec4f) -> @builtin(frag_depth) f32 {
    let pixel = vec2i(position.xy);
    var nearest = 0.0;
    for (var index = 0; index < i32(textureNumSamples(samples)); index++) {
        nearest = max(nearest, textureLoad(samples, pixel, index));
    }
    return nearest;
}
