//! Numbers that shaders and the processor must agree on, written once and given to both.
#![expect(dead_code, reason = "some are shared by shaders alone")]

/// Makes each number a constant of this module, and a line of [`WGSL`].
macro_rules! shared {
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: $kind = $value;)*

        /// The same constants for shaders, which all begin with them.
        pub const WGSL: &str = concat!(
            $("const ", stringify!($name), ": ", stringify!($kind), " = ", stringify!($value), ";\n",)*
        );
    };
}

shared! {
    /// Threads of most compute shaders, and splats that one of their workgroups takes on.
    WORKGROUP_SIZE: u32 = 256;
    /// Keys that a workgroup sorts.
    SORT_BLOCK: u32 = 2048;
    /// Digits of eight bits.
    NUM_DIGITS: u32 = 256;
    /// Side of a tile, pixels.
    TILE_PX: u32 = 16;
    /// Key of a splat that is not drawn.
    NOT_VISIBLE: u32 = 0xffffffff;
    /// Range of the natural logarithm of a splat's standard deviations.
    SCALE_LOW: f32 = -16.0;
    /// Its other end.
    SCALE_HIGH: f32 = 8.0;
    /// Side of the table of the environment BRDF, texels.
    BRDF_SIZE: u32 = 32;

    /// Words of the control buffer, which the splat passes tell each other: splats that survived the projection.
    NUM_VISIBLE: u32 = 0;
    /// Front-to-back rank of this batch's first splat.
    BATCH_START: u32 = 1;
    /// Ranks below are counted for this batch.
    WINDOW_END: u32 = 2;
    /// Ranks below fit this batch.
    BATCH_END: u32 = 3;
    /// Pairs of tiles and splats in this batch.
    NUM_PAIRS: u32 = 4;
    /// Tiles that are not opaque yet.
    OPEN_TILES: u32 = 5;
    /// Batches that had anything to do.
    NUM_BATCHES: u32 = 6;
    /// Pairs of all batches.
    TOTAL_PAIRS: u32 = 7;
    /// All of them.
    NUM_CONTROL_WORDS: u32 = 8;

    /// Places in the arguments of indirect calls, words: workgroups for blocks of visible splats.
    SORT_ARGS: u32 = 0;
    /// For rows of their digits; the sort finds them four words after its blocks.
    SORT_ROWS_ARGS: u32 = 4;
    /// For quads.
    QUAD_ARGS: u32 = 8;
    /// For the splats that a batch counts.
    WINDOW_ARGS: u32 = 12;
    /// For blocks of pairs.
    PAIR_SORT_ARGS: u32 = 16;
    /// For rows of their digits.
    PAIR_ROWS_ARGS: u32 = 20;
    /// For the ranges of a batch's tiles.
    RANGES_ARGS: u32 = 24;
    /// For the tiles themselves.
    TILES_ARGS: u32 = 28;
    /// All of them.
    NUM_ARGS: u32 = 32;

    /// What is drawn of the mesh.
    SHADING_PBR: u32 = 0;
    /// Grey clay.
    SHADING_CLAY: u32 = 1;
    /// Base colour.
    SHADING_BASE_COLOR: u32 = 2;
    /// Normals.
    SHADING_NORMALS: u32 = 3;
    /// Matcap.
    SHADING_MATCAP: u32 = 4;
    /// UV checker.
    SHADING_UV_CHECKER: u32 = 5;
    /// Metallic.
    SHADING_METALLIC: u32 = 6;
    /// Roughness.
    SHADING_ROUGHNESS: u32 = 7;
    /// Texel density.
    SHADING_TEXEL_DENSITY: u32 = 8;
    /// Mesh health.
    SHADING_HEALTH: u32 = 9;
    /// Tone mappings: Khronos PBR Neutral.
    TONE_NEUTRAL: u32 = 0;
    /// ACES.
    TONE_ACES: u32 = 1;
    /// `AgX`.
    TONE_AGX: u32 = 2;
    /// Parts of the ground, bits.
    GROUND_GRID: u32 = 1;
    /// Shadow.
    GROUND_SHADOW: u32 = 2;
    /// Axes.
    GROUND_AXES: u32 = 4;
    /// Screen filters of splats: dilation.
    FILTER_DILATION: u32 = 0;
    /// Mip filter.
    FILTER_MIP: u32 = 1;
    /// Environments: the studio.
    ENVIRONMENT_STUDIO: u32 = 0;
    /// Daylight.
    ENVIRONMENT_DAYLIGHT: u32 = 1;
    /// Overcast sky.
    ENVIRONMENT_OVERCAST: u32 = 2;
    /// How a material's alpha counts: not at all.
    ALPHA_OPAQUE: f32 = 0.0;
    /// Cut off.
    ALPHA_MASK: f32 = 1.0;
    /// Seen through.
    ALPHA_BLEND: f32 = 2.0;
}

/// A shader with the numbers before it.
pub fn with_shared(source: &str) -> String {
    format!("{WGSL}{source}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shaders_get_the_numbers_that_are_here() {
        for line in [
            "const TILE_PX: u32 = 16;\n",
            "const SCALE_LOW: f32 = -16.0;\n",
            "const TILES_ARGS: u32 = 28;\n",
        ] {
            assert!(WGSL.contains(line), "{line}");
        }
    }

    #[test]
    fn no_shader_has_a_copy_of_them() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/draw")).expect("a folder");
        let paths = files.map(|file| file.expect("readable").path());
        for path in paths.filter(|path| path.extension() == Some("wgsl".as_ref())) {
            let source = std::fs::read_to_string(&path).expect("readable");
            for line in WGSL.lines() {
                let declaration = line.split(':').next().expect("a name");
                assert!(
                    !source.contains(&format!("{declaration}:")),
                    "{declaration} in {}",
                    path.display()
                );
            }
        }
    }
}
