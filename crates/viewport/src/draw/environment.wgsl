// The environments, as formulas of direction. Each is written once into a cube with one level a roughness (GGX
// importance sampling after Karis 2013, "Real Shading in Unreal Engine 4", with N = V = R) and a small irradiance cube.
// Since the lights are formulas, levels are integrated from them directly: narrow lobes by samples of their own, broad ones
// over one set of directions for all texels, so that what the set misses of the sun is missed alike and no blotches appear.
// Level n holds roughness (n / (levels - 1))^2, which mesh.wgsl undoes.
// A white ball of unit albedo is about equally bright in all of them.

struct Level {
    roughness: f32,
    size: u32,
    num_samples: u32,
    is_fixed: u32,
    environment: u32, // ENVIRONMENT_
}

@group(0) @binding(0) var<uniform> level: Level;
@group(0) @binding(1) var output: texture_storage_2d_array<rgba16float, write>;

const PI: f32 = 3.14159265;

// A softbox: rounded rectangle facing the centre, `azimuth` from +Z towards +X, with a soft edge of width `blur`.
fn softbox(direction: vec3f, azimuth: f32, elevation: f32, half_size: vec2f, blur: f32) -> f32 {
    let normal = vec3f(sin(azimuth) * cos(elevation), sin(elevation), cos(azimuth) * cos(elevation));
    let across = vec3f(cos(azimuth), 0.0, -sin(azimuth));
    let upward = cross(normal, across);
    let facing = dot(direction, normal);
    if (facing <= 0.05) { return 0.0; }
    let at = vec2f(dot(direction, across), dot(direction, upward)) / facing;
    let radius = 0.35 * min(half_size.x, half_size.y);
    let corner = abs(at) - half_size + radius;
    let distance = length(max(corner, vec2f(0.0))) + min(max(corner.x, corner.y), 0.0) - radius;
    return 1.0 - smoothstep(-blur, blur, distance);
}

// A bright room with a large key softbox at the upper left front, a fill at the right, two rim strips behind and an
// overhead panel, as a product photographer would set it up.
fn studio(direction: vec3f) -> vec3f {
    let height = direction.y;
    let wall = mix(vec3f(0.105, 0.109, 0.120), vec3f(0.245, 0.258, 0.280), smoothstep(-0.1, 0.9, height));
    let floor = vec3f(0.128, 0.121, 0.114);
    var light = mix(floor, wall, smoothstep(-0.35, 0.15, height));
    light += vec3f(1.00, 0.965, 0.92) * 2.85 * softbox(direction, -0.65, 0.72, vec2f(0.62, 0.52), 0.14);
    light += vec3f(0.90, 0.95, 1.00) * 0.55 * softbox(direction, 1.25, 0.30, vec2f(0.50, 0.75), 0.18);
    light += vec3f(0.93, 0.97, 1.00) * 2.90 * softbox(direction, 2.55, 0.45, vec2f(0.16, 0.70), 0.08);
    light += vec3f(1.00, 0.97, 0.93) * 2.00 * softbox(direction, -2.35, 0.35, vec2f(0.20, 0.65), 0.08);
    light += vec3f(1.00, 1.00, 1.00) * 0.65 * softbox(direction, 0.0, 1.50, vec2f(0.75, 0.60), 0.22);
    return light;
}

// A clear afternoon: the sun at the upper left front, as wide as a thin haze makes it, a sky that pales towards the
// horizon and the sun, and warm ground.
fn daylight(direction: vec3f) -> vec3f {
    let sun = normalize(vec3f(-0.55, 0.62, 0.56));
    let to_sun = dot(direction, sun);
    let height = clamp(direction.y, 0.0, 1.0);
    var sky = mix(vec3f(0.62, 0.72, 0.84), vec3f(0.13, 0.27, 0.56), pow(height, 0.45));
    sky += vec3f(0.55, 0.48, 0.36) * pow(clamp(to_sun, 0.0, 1.0), 12.0);
    let ground = vec3f(0.20, 0.17, 0.135) * mix(1.0, 1.25, clamp(to_sun + 0.5, 0.0, 1.0));
    var light = mix(ground, sky * 0.72, smoothstep(-0.04, 0.04, direction.y));
    light += vec3f(1.00, 0.90, 0.74) * 17.0 * smoothstep(0.966, 0.992, to_sun);
    return light;
}

// The standard overcast sky (Moon and Spencer 1942): three times as bright overhead as at the horizon.
fn overcast(direction: vec3f) -> vec3f {
    let sky = vec3f(0.95, 0.98, 1.02) * (1.0 + 2.0 * clamp(direction.y, 0.0, 1.0)) / 3.0 * 0.98;
    let ground = vec3f(0.17, 0.168, 0.163);
    return mix(ground, sky, smoothstep(-0.12, 0.08, direction.y));
}

fn light_from(direction: vec3f) -> vec3f {
    switch level.environment {
        case ENVIRONMENT_DAYLIGHT: { return daylight(direction); }
        case ENVIRONMENT_OVERCAST: { return overcast(direction); }
        default: { return studio(direction); }
    }
}

fn cube_direction(face: u32, at: vec2f) -> vec3f {
    switch face {
        case 0u: { return normalize(vec3f(1.0, -at.y, -at.x)); }
        case 1u: { return normalize(vec3f(-1.0, -at.y, at.x)); }
        case 2u: { return normalize(vec3f(at.x, 1.0, at.y)); }
        case 3u: { return normalize(vec3f(at.x, -1.0, -at.y)); }
        case 4u: { return normalize(vec3f(at.x, -at.y, 1.0)); }
        default: { return normalize(vec3f(-at.x, -at.y, -1.0)); }
    }
}

// Low-discrepancy points in the unit square (Roberts 2018, R2 sequence).
fn sample_point(index: u32) -> vec2f {
    return fract(vec2f(0.5) + f32(index) * vec2f(0.7548776662466927, 0.5698402909980532));
}

fn from_tangent(normal: vec3f, local: vec3f) -> vec3f {
    let hint = select(vec3f(1.0, 0.0, 0.0), vec3f(0.0, 1.0, 0.0), abs(normal.y) < 0.9);
    let tangent = normalize(cross(hint, normal));
    return tangent * local.x + cross(normal, tangent) * local.y + normal * local.z;
}

// Evenly spread directions on the sphere (spherical Fibonacci lattice).
fn sphere_point(index: u32, count: u32) -> vec3f {
    let height = 1.0 - (2.0 * f32(index) + 1.0) / f32(count);
    let turn = 2.0 * PI * fract(f32(index) * 0.6180339887498949);
    let radius = sqrt(max(1.0 - height * height, 0.0));
    return vec3f(cos(turn) * radius, height, sin(turn) * radius);
}

// GGX lobe with N = V = R, up to a factor.
fn lobe(normal: vec3f, direction: vec3f, alpha: f32) -> f32 {
    let facing = dot(normal, direction);
    if (facing <= 0.0) { return 0.0; }
    let cosine_squared = 0.5 + 0.5 * facing;
    let spread = cosine_squared * (alpha * alpha - 1.0) + 1.0;
    return facing / (spread * spread);
}

@compute @workgroup_size(8, 8)
fn integrate(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= level.size || id.y >= level.size) { return; }
    let at = (vec2f(id.xy) + 0.5) / f32(level.size) * 2.0 - 1.0;
    let normal = cube_direction(id.z, at);
    var sum = vec3f(0.0);
    var weight = 0.0;
    let alpha = level.roughness * level.roughness;
    for (var index = 0u; index < level.num_samples; index++) {
        if (level.is_fixed == 1u) {
            let direction = sphere_point(index, level.num_samples);
            let share = lobe(normal, direction, alpha);
            if (share > 0.0) {
                sum += light_from(direction) * share;
                weight += share;
            }
            continue;
        }
        let point = sample_point(index);
        let turn = 2.0 * PI * point.x;
        let cosine = sqrt((1.0 - point.y) / (1.0 + (alpha * alpha - 1.0) * point.y));
        let sine = sqrt(max(1.0 - cosine * cosine, 0.0));
        let half_way = from_tangent(normal, vec3f(cos(turn) * sine, sin(turn) * sine, cosine));
        let direction = 2.0 * dot(normal, half_way) * half_way - normal;
        let facing = dot(normal, direction);
        if (facing > 0.0) {
            sum += light_from(direction) * facing;
            weight += facing;
        }
    }
    if (level.num_samples == 0u) {
        sum = light_from(normal);
        weight = 1.0;
    }
    textureStore(output, id.xy, id.z, vec4f(sum / weight, 1.0));
}

@group(0) @binding(2) var brdf_output: texture_storage_2d<rgba16float, write>;

const NUM_BRDF_SAMPLES: u32 = 1024u;

// The environment BRDF (Karis 2013): scale and bias of F0, roughness across, facing down, both from 0 to 1 at the
// centres of the outer texels. GGX with height-correlated Smith shadowing, as in appendix B of glTF 2.0.
@compute @workgroup_size(8, 8)
fn integrate_brdf(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= BRDF_SIZE || id.y >= BRDF_SIZE) { return; }
    let roughness = f32(id.x) / f32(BRDF_SIZE - 1u);
    let facing = max(f32(id.y) / f32(BRDF_SIZE - 1u), 0.001);
    let alpha = max(roughness * roughness, 1e-4);
    let eye = vec3f(sqrt(1.0 - facing * facing), 0.0, facing);
    var sum = vec2f(0.0);
    for (var index = 0u; index < NUM_BRDF_SAMPLES; index++) {
        let point = vec2f(fract(f32(index) * 0.6180339887498949), (f32(index) + 0.5) / f32(NUM_BRDF_SAMPLES));
        let turn = 2.0 * PI * point.x;
        let cosine = sqrt((1.0 - point.y) / (1.0 + (alpha * alpha - 1.0) * point.y));
        let sine = sqrt(max(1.0 - cosine * cosine, 0.0));
        let half_way = vec3f(cos(turn) * sine, sin(turn) * sine, cosine);
        let eye_half = max(dot(eye, half_way), 0.0);
        let lit = 2.0 * eye_half * half_way.z - facing;
        if (lit <= 0.0) { continue; }
        let squared = alpha * alpha;
        let from_eye = lit * sqrt(facing * facing * (1.0 - squared) + squared);
        let from_light = facing * sqrt(lit * lit * (1.0 - squared) + squared);
        let seen = 2.0 * lit * eye_half / (max(cosine, 1e-6) * (from_eye + from_light));
        let fresnel = pow(1.0 - eye_half, 5.0);
        sum += vec2f(1.0 - fresnel, fresnel) * seen;
    }
    textureStore(brdf_output, id.xy, vec4f(sum / f32(NUM_BRDF_SAMPLES), 0.0, 1.0));
}
