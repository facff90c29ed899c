//! Whatever the bytes, reading a GLB ends with a mesh that is consistent and can be written again, or with an error.
#![no_main]

use bozzetto_asset::formats::glb::{GlbOptions, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(textured) = decode(bytes) {
        assert!(textured.mesh.is_consistent());
        let written = encode(&textured, &GlbOptions::default()).expect("what was read can be written");
        decode(&written).expect("what was written can be read");
    }
});
