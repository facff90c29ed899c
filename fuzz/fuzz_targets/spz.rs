//! Whatever the bytes, reading an SPZ ends with splats that are consistent and can be written again, or with an error.
#![no_main]

use bozzetto_asset::formats::spz::{decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(splats) = decode(bytes) {
        assert!(splats.is_consistent());
        // Positions farther out than the format reaches are refused with an error, which is fine.
        if let Ok(written) = encode(&splats) {
            decode(&written).expect("what was written can be read");
        }
    }
});
