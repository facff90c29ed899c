// A pixel between batches: half floats of colour (premultiplied) and of transmittance. Prepended to the shaders that
// need it. Zeros, which a cleared buffer holds, mean black and transparent: a transmittance's bits are flipped against
// those of 1.
const F16_ONE_IN_UPPER_HALF: u32 = 0x3c000000u;

fn unpack_pixel(packed: vec2u) -> vec4f {
    return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y ^ F16_ONE_IN_UPPER_HALF));
}

fn pack_pixel(pixel: vec4f) -> vec2u {
    let color = min(pixel.rgb, vec3f(60000.0));
    return vec2u(pack2x16float(color.rg), pack2x16float(vec2f(color.b, pixel.a)) ^ F16_ONE_IN_UPPER_HALF);
}
