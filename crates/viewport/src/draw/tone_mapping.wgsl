// From light to colour on the screen; prepended to shaders that light something. All take linear Rec. 709 light and
// give linear Rec. 709 values in [0, 1].

fn tone_mapped(light: vec3f) -> vec3f {
    switch frame.look.x {
        case TONE_ACES: { return aces(light); }
        case TONE_AGX: { return agx(light); }
        default: { return neutral(light); }
    }
}

// Khronos PBR Neutral tone mapper, specification 1.0: identity for ordinary colours less 0.04 of Fresnel, soft above.
fn neutral(light: vec3f) -> vec3f {
    let start = 0.8 - 0.04;
    let desaturation = 0.15;
    let low = min(light.r, min(light.g, light.b));
    let offset = select(0.04, low - 6.25 * low * low, low < 0.08);
    let color = light - offset;
    let peak = max(color.r, max(color.g, color.b));
    if (peak < start) { return max(color, vec3f(0.0)); }
    let room = 1.0 - start;
    let new_peak = 1.0 - room * room / (peak + room - start);
    let gray = 1.0 - 1.0 / (desaturation * (peak - new_peak) + 1.0);
    return mix(color * new_peak / peak, vec3f(new_peak), gray);
}

// ACES reference rendering and output transforms as fitted by Hill (BakingLab, 2016), brightened so that middle grey
// keeps its place.
fn aces(light: vec3f) -> vec3f {
    let into = mat3x3f(
        0.59719, 0.07600, 0.02840,
        0.35458, 0.90834, 0.13383,
        0.04823, 0.01566, 0.83777,
    );
    let out_of = mat3x3f(
        1.60475, -0.10208, -0.00327,
        -0.53108, 1.10813, -0.07276,
        -0.07367, -0.00605, 1.07602,
    );
    let color = into * (light / 0.6);
    let fitted = (color * (color + 0.0245786) - 0.000090537) / (color * (0.983729 * color + 0.4329510) + 0.238081);
    return clamp(out_of * fitted, vec3f(0.0), vec3f(1.0));
}

// AgX (Sobotka 2022) without a look, its curve as the polynomial of Wrensch (2023).
fn agx(light: vec3f) -> vec3f {
    let into = mat3x3f(
        0.842479062253094, 0.0423282422610123, 0.0423756549057051,
        0.0784335999999992, 0.878468636469772, 0.0784336,
        0.0792237451477643, 0.0791661274605434, 0.879142973793104,
    );
    let out_of = mat3x3f(
        1.19687900512017, -0.0528968517574562, -0.0529716355144438,
        -0.0980208811401368, 1.15190312990417, -0.0980434501171241,
        -0.0990297440797205, -0.0989611768448433, 1.15107367264116,
    );
    let lowest = -12.47393;
    let highest = 4.026069;
    let stops = log2(max(into * light, vec3f(1e-10)));
    let x = clamp((stops - lowest) / (highest - lowest), vec3f(0.0), vec3f(1.0));
    let x2 = x * x;
    let x4 = x2 * x2;
    let curve = 15.5 * x4 * x2 - 40.14 * x4 * x + 31.96 * x4 - 6.868 * x2 * x + 0.4298 * x2 + 0.1191 * x - 0.00232;
    return pow(clamp(out_of * curve, vec3f(0.0), vec3f(1.0)), vec3f(2.2));
}
