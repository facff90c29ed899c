// Splats as quads, farthest first, blended by the fixed function over what is behind them. Opacity is capped at 0.99, as
// in 3D Gaussian Splatting. Colours are sRGB-encoded and stay so: blending in encoded values is what the trainers do.

@group(1) @binding(0) var<storage, read> order: array<u32>;
@group(1) @binding(1) var<storage, read> ellipses: array<Ellipse>;

struct SplatFragment {
    @builtin(position) position: vec4f,
    @location(0) offset: vec2f, // from the centre, standard deviations
    @location(1) @interpolate(flat) color: vec4f,
}

@vertex
fn splat_vertex(@builtin(vertex_index) corner: u32, @builtin(instance_index) instance: u32) -> SplatFragment {
    let ellipse = ellipses[order[instance]];
    let b_opacity = unpack2x16float(ellipse.color_b_opacity);
    var out: SplatFragment;
    out.color = vec4f(unpack2x16float(ellipse.color_rg), b_opacity);
    if (b_opacity.y < MIN_ALPHA) {
        out.position = vec4f(2.0, 2.0, 0.0, 1.0);
        return out;
    }
    let reach = sqrt(2.0 * log(b_opacity.y / MIN_ALPHA));
    out.offset = (vec2f(f32(corner & 1u), f32(corner >> 1u)) * 2.0 - 1.0) * reach;
    let across = normalize(vec2f(-ellipse.axis.y, ellipse.axis.x)) * ellipse.minor;
    let pixel = ellipse.center + ellipse.axis * out.offset.x + across * out.offset.y;
    let ndc = pixel * frame.viewport.zw * 2.0 - 1.0;
    out.position = region_position(vec4f(ndc.x, -ndc.y, ellipse.depth, 1.0));
    return out;
}

@fragment
fn splat_fragment(in: SplatFragment) -> @location(0) vec4f {
    let alpha = min(in.color.a * exp(-0.5 * dot(in.offset, in.offset)), MAX_ALPHA);
    if (alpha < MIN_ALPHA) { discard; }
    return vec4f(in.color.rgb * alpha, alpha);
}
