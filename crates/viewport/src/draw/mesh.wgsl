// The mesh, lit by light.wgsl. Both sides of a face are drawn, the back with its normal turned round.
// Follows frame.wgsl, tone_mapping.wgsl, light.wgsl and inspection.wgsl.

struct Material {
    alpha: vec4f,   // mode (ALPHA_), cut-off, metallic, roughness
    maps: vec4u,    // has ORM, has occlusion in it, has normals, unused
    density: vec4f, // average texels a metre, unused
}

@group(1) @binding(0) var<uniform> material: Material;
@group(1) @binding(1) var base_color_map: texture_2d<f32>;
@group(1) @binding(2) var orm_map: texture_2d<f32>;
@group(1) @binding(3) var normal_map: texture_2d<f32>;
@group(1) @binding(4) var map_sampler: sampler;

struct MeshVertex {
    @location(0) position: vec3f,
    @location(1) normal: vec4f,
    @location(2) tangent: vec4f,
    @location(3) uv: vec2f,
    @location(4) color: vec4f,
}

struct MeshFragment {
    @invariant @builtin(position) position: vec4f,
    // At the covered part of a pixel: past the outline normals turn away and reflections sparkle.
    @location(0) @interpolate(perspective, centroid) world: vec3f,
    @location(1) @interpolate(perspective, centroid) normal: vec3f,
    @location(2) tangent: vec4f,
    @location(3) uv: vec2f,
    @location(4) @interpolate(perspective, centroid) color: vec3f,
    // At the pixel's centre: derivatives of what is taken at the centroid are noise along the edges of triangles.
    @location(5) place: vec3f,
}

@vertex
fn mesh_vertex(in: MeshVertex) -> MeshFragment {
    var out: MeshFragment;
    out.position = region_position(frame.clip_from_world * vec4f(in.position, 1.0));
    out.world = in.position;
    out.place = in.position;
    out.normal = in.normal.xyz;
    out.tangent = in.tangent;
    out.uv = in.uv;
    out.color = in.color.rgb;
    return out;
}

fn bent_normal(in: MeshFragment, normal: vec3f) -> vec3f {
    let texel = textureSample(normal_map, map_sampler, in.uv).xyz * 2.0 - 1.0;
    let across = dpdx(in.place);
    let down = dpdy(in.place);
    let uv_across = dpdx(in.uv);
    let uv_down = dpdy(in.uv);
    var tangent = in.tangent.xyz - normal * dot(normal, in.tangent.xyz);
    if (dot(tangent, tangent) < 1e-6) {
        // No tangents in the file: from the picture's derivatives (Schueler 2013, "Followup: normal mapping without
        // precomputed tangents").
        let turn = cross(across, normal);
        let other = cross(normal, down);
        tangent = other * uv_across.x + turn * uv_down.x;
        let bitangent = other * uv_across.y + turn * uv_down.y;
        // Rows of a picture go down here and faces may turn their back: both mirror the derivatives.
        let side = sign(dot(cross(down, across), normal));
        let scale = side * inverseSqrt(max(max(dot(tangent, tangent), dot(bitangent, bitangent)), 1e-20));
        return normalize(tangent * scale * texel.x - bitangent * scale * texel.y + normal * texel.z);
    }
    tangent = normalize(tangent);
    return normalize(tangent * texel.x + cross(normal, tangent) * in.tangent.w * texel.y + normal * texel.z);
}

// Whether the picture is of the material rather than of the bare surface.
fn shows_material() -> bool {
    return frame.modes.x != SHADING_CLAY && frame.modes.x != SHADING_MATCAP && frame.modes.x != SHADING_HEALTH;
}

@fragment
fn mesh_fragment(in: MeshFragment, @builtin(front_facing) is_front: bool) -> @location(0) vec4f {
    let texel = textureSample(base_color_map, map_sampler, in.uv);
    let orm = textureSample(orm_map, map_sampler, in.uv).rgb;
    let size = vec2f(textureDimensions(base_color_map));
    var density_ratio = 1.0;
    if (frame.modes.x == SHADING_TEXEL_DENSITY) { density_ratio = texels_a_metre(in, size) / material.density.x; }
    var normal = normalize(in.normal);
    if (material.maps.z == 1u && shows_material()) { normal = bent_normal(in, normal); }
    if (!is_front) { normal = -normal; }
    var alpha = 1.0;
    if (material.alpha.x == ALPHA_MASK && texel.a < material.alpha.y) { discard; }
    if (material.alpha.x > ALPHA_MASK) { alpha = texel.a; }
    let base = texel.rgb * in.color;

    var metallic = material.alpha.z;
    var roughness = material.alpha.w;
    var occlusion = 1.0;
    if (material.maps.x == 1u) {
        roughness = orm.g;
        metallic = orm.b;
        if (material.maps.y == 1u) { occlusion = orm.r; }
    }
    var to_eye = -frame.forward.xyz;
    if (frame.eye.w < 0.5) { to_eye = normalize(frame.eye.xyz - in.world); }
    let view_normal = (frame.view_from_world * vec4f(normal, 0.0)).xyz;
    switch frame.modes.x {
        case SHADING_BASE_COLOR: { return vec4f(base * alpha, alpha); }
        case SHADING_NORMALS: { return opaque(normal * 0.5 + 0.5); }
        case SHADING_MATCAP: { return opaque(matcap(view_normal)); }
        case SHADING_UV_CHECKER: { return opaque(uv_checker(in.uv) * headlight(view_normal)); }
        case SHADING_METALLIC: { return opaque(vec3f(metallic)); }
        case SHADING_ROUGHNESS: { return opaque(vec3f(roughness)); }
        case SHADING_TEXEL_DENSITY: { return opaque(density_color(density_ratio, in.uv * size) * headlight(view_normal)); }
        case SHADING_HEALTH: {
            return opaque(select(BEHIND_COLOR, vec3f(0.62, 0.63, 0.66), is_front) * headlight(view_normal));
        }
        case SHADING_CLAY: { return vec4f(tone_mapped(lit(CLAY, 0.0, CLAY_ROUGHNESS, 1.0, normal, to_eye)), 1.0); }
        default: {
            let color = tone_mapped(lit(base, metallic, clamp(roughness, 0.0, 1.0), occlusion, normal, to_eye));
            return vec4f(color * alpha, alpha);
        }
    }
}

fn opaque(encoded: vec3f) -> vec4f {
    return vec4f(linear_from_srgb(clamp(encoded, vec3f(0.0), vec3f(1.0))), 1.0);
}

// The root of the ratio of areas: of a pixel on the texture, and of the same pixel on the surface.
fn texels_a_metre(in: MeshFragment, size: vec2f) -> f32 {
    let across = dpdx(in.uv) * size;
    let down = dpdy(in.uv) * size;
    let surface = length(cross(dpdx(in.place), dpdy(in.place)));
    return sqrt(abs(across.x * down.y - across.y * down.x) / max(surface, 1e-20));
}
