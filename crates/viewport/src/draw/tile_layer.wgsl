// Copies the tiles' pixels into the splat layer, which the composite reads: premultiplied colour and alpha.

@group(0) @binding(1) var<storage, read> pixels: array<vec2u>;

@vertex
fn layer_vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

@fragment
fn layer_fragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let at = vec2u(position.xy);
    let tile = at / TILE_PX;
    let within = at % TILE_PX;
    let place = (tile.y * grid.num_tiles.x + tile.x) * TILE_PX * TILE_PX + within.y * TILE_PX + within.x;
    let pixel = unpack_pixel(pixels[place]);
    return vec4f(pixel.rgb, 1.0 - pixel.a);
}
