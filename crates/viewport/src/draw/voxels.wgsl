// Active voxels as cubes: an instance a voxel, and of each cube the three faces that can be turned to the eye. Faces that
// another voxel covers are left out. Corners are computed from whole numbers, so that neighbours share theirs exactly.
// Follows frame.wgsl, tone_mapping.wgsl and light.wgsl.

struct Voxel {
    @location(0) place: vec4u, // coordinates; w: bit 2a for the face to -a, bit 2a + 1 for that to +a, where it is open
    @location(1) color: vec4f, // sRGB-encoded
}

struct VoxelFragment {
    @builtin(position) position: vec4f,
    @location(0) world: vec3f,
    @location(1) @interpolate(flat) normal: vec3f,
    @location(2) @interpolate(flat) color: vec3f,
    @location(3) on_face: vec2f, // 0 to 1 along each edge
}

const ROUGHNESS: f32 = 0.65;
const SEAM_WIDTH: f32 = 0.06; // of a face's edge
const SEAM_DARKNESS: f32 = 0.35;

@group(1) @binding(0) var<uniform> placement: vec4f; // low corner of voxel (0, 0, 0); edge of a voxel

@vertex
fn voxel_vertex(@builtin(vertex_index) index: u32, voxel: Voxel) -> VoxelFragment {
    let axis = index / 4u;
    let corner = vec2u(index & 1u, (index >> 1u) & 1u);
    let edge = placement.w;
    let is_parallel = frame.eye.w > 0.5;
    let center = placement.xyz + (vec3f(voxel.place.xyz) + 0.5) * edge;
    let to_eye = select(frame.eye.xyz - center, -frame.forward.xyz, is_parallel);
    let is_positive = to_eye[axis] > 0.0;
    let is_open = ((voxel.place.w >> (axis * 2u + u32(is_positive))) & 1u) == 1u;
    // The eye is before a face, or it sees its edge at most.
    let is_seen = is_parallel || abs(to_eye[axis]) > 0.5 * edge;
    var out: VoxelFragment;
    out.position = vec4f(2.0, 2.0, 0.0, 1.0);
    if (!is_open || !is_seen) { return out; }

    var offset = vec3u(0u);
    offset[axis] = u32(is_positive);
    offset[(axis + 1u) % 3u] = corner.x;
    offset[(axis + 2u) % 3u] = corner.y;
    out.world = placement.xyz + vec3f(voxel.place.xyz + offset) * edge;
    out.position = region_position(frame.clip_from_world * vec4f(out.world, 1.0));
    out.normal[axis] = select(-1.0, 1.0, is_positive);
    out.color = linear_from_srgb(voxel.color.rgb);
    out.on_face = vec2f(corner);
    return out;
}

@fragment
fn voxel_fragment(in: VoxelFragment) -> @location(0) vec4f {
    let pixel = fwidth(in.on_face);
    let to_seam = min(in.on_face, 1.0 - in.on_face);
    let width = max(vec2f(SEAM_WIDTH), pixel);
    let seam = 1.0 - smoothstep(vec2f(0.0), width, to_seam);
    // Where faces are a few pixels wide seams would be all that is seen.
    let fade = clamp(0.25 / max(max(pixel.x, pixel.y), 1e-6) - 0.5, 0.0, 1.0);
    let base = in.color * (1.0 - SEAM_DARKNESS * fade * max(seam.x, seam.y));
    var to_eye = -frame.forward.xyz;
    if (frame.eye.w < 0.5) { to_eye = normalize(frame.eye.xyz - in.world); }
    return vec4f(tone_mapped(lit(base, 0.0, ROUGHNESS, 1.0, in.normal, to_eye)), 1.0);
}
