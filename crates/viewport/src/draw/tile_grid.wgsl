// The tiles of 16 x 16 pixels of the picture, or of the region of it that is drawn. Prepended to the shaders of the tiled tier; `TileGridUniforms` in tile_frame.rs.
struct TileGrid {
    num_tiles: vec2u,
    size_px: vec2u,
    capacity: u32,    // pairs that the buffers hold
    num_batches: u32,
    origin_px: vec2u, // of the region in the picture
}

@group(0) @binding(0) var<uniform> grid: TileGrid;
