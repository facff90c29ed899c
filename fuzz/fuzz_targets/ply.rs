//! Whatever the bytes, reading a PLY ends with splats that are consistent and can be written again, or with an error.
#![no_main]

use bozzetto_asset::formats::ply::{decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(splats) = decode(bytes) {
        assert!(splats.is_consistent());
        let written = encode(&splats).expect("what was read can be written");
        decode(&written).expect("what was written can be read");
    }
});
