// Light from the environment's cubes; prepended to shaders of lit surfaces. Metallic-roughness with GGX by the split sum
// (Karis 2013), energy lost to multiple bounces put back (Fdez-Aguera 2019), Schlick's Fresnel inside the table of the
// environment BRDF.

const CLAY: vec3f = vec3f(0.55, 0.522, 0.495);
const CLAY_ROUGHNESS: f32 = 0.55;

@group(2) @binding(0) var reflections: texture_cube<f32>;
@group(2) @binding(1) var irradiance: texture_cube<f32>;
@group(2) @binding(2) var cube_sampler: sampler;
@group(2) @binding(3) var brdf: texture_2d<f32>;

// The cube turns with the setting; for clay it turns with the camera too, so that shape reads from every side.
fn in_environment(direction: vec3f) -> vec3f {
    var turn = frame.environment.xy;
    if (frame.modes.x == SHADING_CLAY) {
        let right = frame.world_from_view[0].xz;
        let camera = vec2f(right.x, -right.y) / max(length(right), 1e-6);
        turn = vec2f(turn.x * camera.x - turn.y * camera.y, turn.x * camera.y + turn.y * camera.x);
    }
    return vec3f(turn.x * direction.x - turn.y * direction.z, direction.y, turn.y * direction.x + turn.x * direction.z);
}

// Scale and bias of F0, from the table that environment.wgsl integrates.
fn environment_brdf(roughness: f32, facing: f32) -> vec2f {
    let size = vec2f(textureDimensions(brdf));
    return textureSampleLevel(brdf, cube_sampler, (vec2f(roughness, facing) * (size - 1.0) + 0.5) / size, 0.0).rg;
}

fn lit(base: vec3f, metallic: f32, roughness: f32, occlusion: f32, normal: vec3f, to_eye: vec3f) -> vec3f {
    let facing = clamp(dot(normal, to_eye), 0.001, 1.0);
    let f0 = mix(vec3f(0.04), base, metallic);
    let fit = environment_brdf(roughness, facing);
    let single = f0 * fit.x + fit.y;
    // Rough lobes lean from the mirror direction towards the normal.
    let bounced = normalize(mix(reflect(-to_eye, normal), normal, pow(roughness, 4.0)));
    let shine = textureSampleLevel(reflections, cube_sampler, in_environment(bounced), sqrt(roughness) * frame.environment.w).rgb;
    let around = textureSampleLevel(irradiance, cube_sampler, in_environment(normal), 0.0).rgb;
    let lost = 1.0 - (fit.x + fit.y);
    let average = f0 + (1.0 - f0) / 21.0;
    let multiple = lost * single * average / (1.0 - average * lost);
    let diffuse = base * (1.0 - metallic) * (1.0 - single - multiple);
    // Lagarde and de Rousiers 2014: occlusion of reflections follows roughness and the angle.
    let shine_occlusion = clamp(pow(facing + occlusion, exp2(-16.0 * roughness - 1.0)) - 1.0 + occlusion, 0.0, 1.0);
    return (single * shine * shine_occlusion + (multiple + diffuse) * around * occlusion) * frame.environment.z;
}
