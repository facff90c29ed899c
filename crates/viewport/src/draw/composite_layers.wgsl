// The composite where splats were drawn by the rasteriser, or none are there.

@group(1) @binding(0) var solid_layer: texture_2d<f32>;
@group(1) @binding(1) var splat_layer: texture_2d<f32>;

@vertex
fn composite_vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    return covering_triangle(index);
}

@fragment
fn composite_fragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let pixel = vec2i(position.xy);
    var solid = vec4f(0.0);
    if (has_solid_layer()) { solid = textureLoad(solid_layer, pixel, 0); }
    return composite(position.xy, solid, textureLoad(splat_layer, pixel, 0));
}
