// Pictures to judge a mesh by; prepended to the mesh's shader. All give sRGB-encoded colours.

const BEHIND_COLOR: vec3f = vec3f(0.93, 0.16, 0.72);
const CHECKER_CELLS: f32 = 32.0; // squares along the whole of a texture
const DENSITY_SQUARE: f32 = 16.0; // texels along a square

// Light that hangs on the camera, for pictures whose colours mean something.
fn headlight(view_normal: vec3f) -> f32 {
    return 0.42 + 0.58 * clamp(dot(view_normal, normalize(vec3f(-0.25, 0.45, 0.86))), 0.0, 1.0);
}

// Glazed terracotta: a warm lobe from the upper left, a cool one from below, a bright rim and a small highlight.
fn matcap(view_normal: vec3f) -> vec3f {
    let key = clamp(dot(view_normal, normalize(vec3f(-0.45, 0.62, 0.64))) * 0.5 + 0.5, 0.0, 1.0);
    let bounce = clamp(dot(view_normal, normalize(vec3f(0.55, -0.70, 0.45))), 0.0, 1.0);
    let rim = pow(1.0 - clamp(view_normal.z, 0.0, 1.0), 3.0);
    let half_way = normalize(normalize(vec3f(-0.45, 0.62, 0.64)) + vec3f(0.0, 0.0, 1.0));
    let highlight = pow(clamp(dot(view_normal, half_way), 0.0, 1.0), 60.0);
    let body = mix(vec3f(0.20, 0.085, 0.065), vec3f(0.84, 0.52, 0.39), key * key);
    return body + vec3f(0.10, 0.13, 0.19) * bounce + vec3f(0.34, 0.27, 0.24) * rim * key + vec3f(0.42) * highlight;
}

fn is_odd_square(at: vec2f) -> bool {
    let square = vec2i(floor(at));
    return ((square.x + square.y) & 1) == 1;
}

// Hue runs along u and brightness along v, so that each place of the texture can be told.
fn uv_checker(uv: vec2f) -> vec3f {
    let at = fract(uv);
    let hue = abs(fract(at.x + vec3f(0.0, 2.0 / 3.0, 1.0 / 3.0)) * 6.0 - 3.0) - 1.0;
    let color = mix(vec3f(1.0), clamp(hue, vec3f(0.0), vec3f(1.0)), 0.55) * mix(0.55, 1.0, at.y);
    return color * select(1.0, 0.72, is_odd_square(uv * CHECKER_CELLS));
}

// `ratio`: density over the mesh's average. A factor of four either way reaches the end of the scale.
fn density_color(ratio: f32, texel: vec2f) -> vec3f {
    let at = clamp(log2(max(ratio, 1e-6)) / 2.0, -1.0, 1.0);
    let cold = mix(vec3f(0.34, 0.74, 0.42), vec3f(0.20, 0.38, 0.90), clamp(-at, 0.0, 1.0));
    let color = mix(cold, vec3f(0.92, 0.24, 0.16), clamp(at, 0.0, 1.0));
    return color * select(1.0, 0.82, is_odd_square(texel / DENSITY_SQUARE));
}
