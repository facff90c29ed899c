// Straight lines of constant width in pixels with smooth edges: camera frusta and the upward axis. Each line is a quad
// turned along its picture; ends behind the eye are moved to just before it.

struct Line {
    @location(0) start: vec4f,       // xyz: model frame; w: width in pixels
    @location(1) end: vec4f,
    @location(2) start_color: vec4f, // linear, straight alpha
    @location(3) end_color: vec4f,
}

struct LineFragment {
    @builtin(position) position: vec4f,
    @location(0) color: vec4f,
    @location(1) @interpolate(linear) from_middle_px: f32,
    @location(2) @interpolate(flat) half_width_px: f32,
}

const NEAREST_W: f32 = 0.01;

@vertex
fn line_vertex(@builtin(vertex_index) index: u32, line: Line) -> LineFragment {
    var start = frame.clip_from_world * vec4f(line.start.xyz, 1.0);
    var end = frame.clip_from_world * vec4f(line.end.xyz, 1.0);
    if (start.w < NEAREST_W && end.w >= NEAREST_W) {
        start = mix(start, end, (NEAREST_W - start.w) / (end.w - start.w));
    } else if (end.w < NEAREST_W && start.w >= NEAREST_W) {
        end = mix(end, start, (NEAREST_W - end.w) / (start.w - end.w));
    }
    let is_end = (index & 1u) == 1u;
    let side = f32(index >> 1u) * 2.0 - 1.0;
    let span = (end.xy / end.w - start.xy / start.w) * frame.viewport.xy;
    let along = span / max(length(span), 1e-6);
    let half_width = line.start.w * 0.5;
    var clip = start;
    if (is_end) { clip = end; }
    let push = vec2f(-along.y, along.x) * side * (half_width + 1.0) * 2.0 * frame.viewport.zw;
    var out: LineFragment;
    out.position = region_position(vec4f(clip.xy + push * clip.w, clip.z, clip.w));
    out.color = select(line.start_color, line.end_color, is_end);
    out.from_middle_px = side * (half_width + 1.0);
    out.half_width_px = half_width;
    return out;
}

@fragment
fn line_fragment(in: LineFragment) -> @location(0) vec4f {
    let cover = clamp(in.half_width_px + 0.5 - abs(in.from_middle_px), 0.0, 1.0);
    let alpha = in.color.a * cover;
    if (alpha < 0.01) { discard; }
    return vec4f(in.color.rgb * alpha, alpha);
}
