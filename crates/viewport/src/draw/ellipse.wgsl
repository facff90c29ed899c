// A splat on the picture, as splat_project.wgsl leaves it for quads and tiles. Prepended to the shaders that read it.
struct Ellipse {
    center: vec2f,     // pixels from the top left corner
    axis: vec2f,       // longer axis at one standard deviation, pixels
    depth: f32,        // reversed, as in the depth buffer
    minor: f32,        // length of the shorter axis at one standard deviation, pixels
    color_rg: u32,     // f16; 0 opacity when there is nothing to draw
    color_b_opacity: u32,
}

const MIN_ALPHA: f32 = 1.0 / 255.0;
const MAX_ALPHA: f32 = 0.99;
