//! Whatever the bytes, reading a PLY ends with splats or a mesh that are consistent and can be written again, or with an
//! error.
#![no_main]

use std::sync::Arc;

use bozzetto_asset::formats::ply::{PlyContent, decode_any, encode, encode_mesh};
use bozzetto_asset::{LengthUnit, TexturedMesh};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let written = match decode_any(bytes) {
        Ok(PlyContent::Splats(splats)) => {
            assert!(splats.is_consistent());
            encode(&splats)
        }
        Ok(PlyContent::Mesh(mesh)) => {
            assert!(mesh.is_consistent());
            let textured = TexturedMesh {
                mesh: Arc::new(mesh),
                ..TexturedMesh::default()
            };
            encode_mesh(&textured, LengthUnit::Metre)
        }
        Err(_) => return,
    };
    decode_any(&written.expect("what was read can be written")).expect("what was written can be read");
});
