// Edges over the mesh. Triangles are drawn again, their corners fetched by index; each fragment's distance to the
// nearest edge comes from its barycentric coordinates and their derivatives, so lines keep one width in pixels, are
// smooth, and need neither line polygons nor a list of edges. Where triangles shrink to a few pixels lines fade.

@group(1) @binding(0) var<storage, read> positions: array<f32>;
@group(1) @binding(1) var<storage, read> indices: array<u32>;

const LINE_COLOR: vec3f = vec3f(0.012, 0.014, 0.020);
const LINE_ALPHA: f32 = 0.72;
const HALF_WIDTH_PX: f32 = 0.55;
const DEPTH_BIAS: f32 = 1.0002;

struct WireFragment {
    @builtin(position) position: vec4f,
    @location(0) barycentric: vec3f,
}

@vertex
fn wireframe_vertex(@builtin(vertex_index) index: u32) -> WireFragment {
    let vertex = indices[index] * 3u;
    let position = vec3f(positions[vertex], positions[vertex + 1u], positions[vertex + 2u]);
    var out: WireFragment;
    out.position = region_position(frame.clip_from_world * vec4f(position, 1.0));
    // Nearer is larger: lifts lines off the faces they lie on.
    out.position.z = out.position.z * DEPTH_BIAS;
    let corner = index % 3u;
    out.barycentric = vec3f(f32(corner == 0u), f32(corner == 1u), f32(corner == 2u));
    return out;
}

@fragment
fn wireframe_fragment(in: WireFragment) -> @location(0) vec4f {
    let across = dpdx(in.barycentric);
    let down = dpdy(in.barycentric);
    let slope = max(sqrt(across * across + down * down), vec3f(1e-9));
    let to_edges = in.barycentric / slope;
    let to_nearest = min(to_edges.x, min(to_edges.y, to_edges.z));
    let height = 1.0 / max(slope.x, max(slope.y, slope.z));
    let line = 1.0 - smoothstep(HALF_WIDTH_PX - 0.5, HALF_WIDTH_PX + 0.5, to_nearest);
    let alpha = line * LINE_ALPHA * clamp((height - 1.0) / 7.0, 0.06, 1.0);
    if (alpha < 0.004) { discard; }
    return vec4f(LINE_COLOR * alpha, alpha);
}
