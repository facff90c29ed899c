//! Whatever the bytes, reading a GLB ends with a mesh that is consistent and can be written again, or with an error.
#![no_main]

use bozzetto_asset::formats::glb::{GlbOptions, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(textured) = decode(bytes) {
        assert!(textured.mesh.is_consistent());
        for is_small in [false, true] {
            let options = GlbOptions {
                is_quantized: is_small,
                is_compressed: is_small,
                ..GlbOptions::default()
            };
            let written = encode(&textured, &options).expect("what was read can be written");
            decode(&written).expect("what was written can be read");
        }
    }
});
