// The ground: a shadow, a grid in two densities that fades with distance, and the X and Z axes. Line coverage follows
// Ben Golus, "The Best Darn Grid Shader (Yet)" (2023): lines never get thinner than a pixel, they get fainter.

@group(1) @binding(0) var shadow_map: texture_2d<f32>;
@group(1) @binding(1) var shadow_sampler: sampler;

const CELL_M: f32 = 0.1;
const CELLS_TO_MAJOR: f32 = 10.0;
const AXIS_X_COLOR: vec3f = vec3f(0.72, 0.075, 0.090);
const AXIS_Z_COLOR: vec3f = vec3f(0.080, 0.220, 0.760);

struct GroundFragment {
    @builtin(position) position: vec4f,
    @location(0) at: vec2f,
}

@vertex
fn ground_vertex(@builtin(vertex_index) index: u32) -> GroundFragment {
    let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
    var out: GroundFragment;
    out.at = frame.ground.zw + corner * frame.ground.y;
    out.position = region_position(frame.clip_from_world * vec4f(out.at.x, frame.ground.x, out.at.y, 1.0));
    return out;
}

// Coverage of lines at whole numbers, along both axes; `width` is a fraction of the spacing.
fn lines(at: vec2f, slope: vec2f, width: f32) -> vec2f {
    let drawn = clamp(vec2f(width), slope, vec2f(0.5));
    let blur = slope * 1.5;
    let to_line = 1.0 - abs(fract(at) * 2.0 - 1.0);
    var cover = 1.0 - smoothstep(drawn - blur, drawn + blur, to_line);
    cover *= clamp(width / drawn, vec2f(0.0), vec2f(1.0));
    return mix(cover, vec2f(width), clamp(slope * 2.0 - 1.0, vec2f(0.0), vec2f(1.0)));
}

fn axis(distance: f32, slope: f32) -> f32 {
    let half_width = max(0.0022, slope * 0.6);
    return 1.0 - smoothstep(half_width - slope * 0.5, half_width + slope * 0.75, abs(distance));
}

fn over(top: vec4f, bottom: vec4f) -> vec4f {
    return top + bottom * (1.0 - top.a);
}

@fragment
fn ground_fragment(in: GroundFragment) -> @location(0) vec4f {
    let across = dpdx(in.at);
    let down = dpdy(in.at);
    let slope = sqrt(across * across + down * down);
    let offset = in.at - frame.ground.zw;
    let reach = length(offset) / frame.ground.y;
    let fade = pow(1.0 - smoothstep(0.0, 1.0, reach), 1.6);

    var to_eye = -frame.forward.xyz;
    if (frame.eye.w < 0.5) { to_eye = normalize(frame.eye.xyz - vec3f(in.at.x, frame.ground.x, in.at.y)); }
    let grazing = smoothstep(0.0, 0.22, abs(to_eye.y));
    let side = select(0.35, 1.0, to_eye.y > 0.0);
    let strength = fade * grazing * side;

    var color = vec4f(0.0);
    if ((frame.modes.y & GROUND_GRID) != 0u) {
        let cells = in.at / CELL_M;
        let minor = lines(cells, slope / CELL_M, 0.018);
        let major = lines(cells / CELLS_TO_MAJOR, slope / (CELL_M * CELLS_TO_MAJOR), 0.0030);
        let minor_cover = 1.0 - (1.0 - minor.x) * (1.0 - minor.y);
        let major_cover = 1.0 - (1.0 - major.x) * (1.0 - major.y);
        let alpha = clamp(max(minor_cover * 0.34, major_cover * 0.85), 0.0, 1.0) * strength * frame.grid_color.w;
        color = over(vec4f(frame.grid_color.rgb * alpha, alpha), color);
    }
    if ((frame.modes.y & GROUND_AXES) != 0u) {
        let x_axis = axis(in.at.y, slope.y) * strength * 0.9;
        let z_axis = axis(in.at.x, slope.x) * strength * 0.9;
        color = over(vec4f(AXIS_X_COLOR * x_axis, x_axis), color);
        color = over(vec4f(AXIS_Z_COLOR * z_axis, z_axis), color);
    }
    if ((frame.modes.y & GROUND_SHADOW) != 0u) {
        let uv = (in.at - frame.shadow.xy) / (2.0 * frame.shadow.z) + 0.5;
        let is_inside = all(uv > vec2f(0.0)) && all(uv < vec2f(1.0));
        let dark = textureSampleLevel(shadow_map, shadow_sampler, uv, 0.0).r;
        color = over(vec4f(0.0, 0.0, 0.0, select(0.0, dark * frame.shadow.w * side, is_inside)), color);
    }
    if (color.a < 0.002) { discard; }
    return color;
}
