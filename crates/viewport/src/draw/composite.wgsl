// Background, solid layer and splats into one picture of sRGB-encoded values; prepended to both ways of doing it. The
// solid layer is linear light with premultiplied alpha; the splats are encoded values with premultiplied alpha. A
// gradient is dithered by half a step, so that it does not band on 8 bits.

// Interleaved gradient noise (Jimenez 2014), 0 to 1.
fn noise(pixel: vec2f) -> f32 {
    return fract(52.9829189 * fract(dot(pixel, vec2f(0.06711056, 0.00583715))));
}

fn has_solid_layer() -> bool {
    return frame.look.y != 0u;
}

// `in_region`: where the pixel's centre lies in the region that is drawn.
fn composite(in_region: vec2f, solid: vec4f, splats: vec4f) -> vec4f {
    let position = in_region + frame.region.xy;
    var color = vec4f(0.0);
    if (frame.background_top.w > 0.5) {
        let height = 1.0 - position.y * frame.viewport.w;
        let gradient = mix(frame.background_bottom.rgb, frame.background_top.rgb, height);
        color = vec4f(srgb_from_linear(gradient) + (noise(position) - 0.5) / 255.0, 1.0);
    }
    if (solid.a > 0.0) {
        let encoded = srgb_from_linear(clamp(solid.rgb / solid.a, vec3f(0.0), vec3f(1.0)));
        let alpha = min(solid.a, 1.0);
        color = vec4f(encoded * alpha, alpha) + color * (1.0 - alpha);
    }
    color = splats + color * (1.0 - splats.a);
    let alpha = clamp(color.a, 0.0, 1.0);
    let premultiplied = clamp(color.rgb, vec3f(0.0), vec3f(alpha));
    if (frame.background_bottom.w > 0.5 && alpha > 0.0) { return vec4f(premultiplied / alpha, alpha); }
    return vec4f(premultiplied, alpha);
}
