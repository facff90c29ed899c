//! The decoder of the sparse structure gives upstream's logits and voxels.

use crate::released::{assert_asks_for, keys};
use crate::support::{Fixture, assert_close, assert_same};
use bozzetto_trellis::structure::{StructureDecoder, StructureDecoderConfig, occupied_coords};
use bozzetto_trellis::weights::record;
use tch::{Device, Kind, Tensor};

fn config() -> StructureDecoderConfig {
    StructureDecoderConfig {
        out_channels: 1,
        latent_channels: 8,
        num_res_blocks: 2,
        channels: vec![24, 12, 8],
        num_res_blocks_middle: 2,
    }
}

#[test]
fn the_decoder_gives_upstreams_voxels() {
    let fixture = Fixture::open("structure_decoder");
    let decoder = fixture.load(|weights| StructureDecoder::new(weights, &config(), Kind::Float));
    let logits = decoder
        .expect("a decoder")
        .forward(&fixture.tensor("latent"))
        .expect("logits");
    assert_close(&logits, &fixture.tensor("logits"), "logits");
    let full = occupied_coords(&logits, 4 * config().upsampling()).expect("coordinates");
    assert_same(&full, &fixture.tensor("coords.full"), "all voxels");
    let half = occupied_coords(&logits, 8).expect("coordinates");
    assert_same(&half, &fixture.tensor("coords.half"), "pooled voxels");
}

#[test]
fn a_resolution_that_does_not_divide_the_cube_is_refused() {
    let logits = Tensor::zeros([1, 1, 16, 16, 16], (Kind::Float, Device::Cpu));
    for resolution in [0, -1, 5, 32] {
        assert!(occupied_coords(&logits, resolution).is_err(), "{resolution}");
    }
    assert_eq!(occupied_coords(&logits, 4).expect("none").size(), [0, 4]);
}

#[test]
fn the_released_decoder_fits_key_by_key() {
    let config = StructureDecoderConfig::released();
    let asked = record(|weights| StructureDecoder::new(weights, &config, Kind::Half));
    assert_asks_for(asked, &keys("structure_decoder"));
}
