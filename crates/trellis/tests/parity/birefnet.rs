//! BiRefNet gives upstream's numbers, on pictures whose sides are no multiples of its windows.

use std::path::Path;

use crate::released::{assert_asks_for, keys};
use crate::support::{Fixture, assert_close, relative_error};
use bozzetto_trellis::birefnet::{BiRefNet, BiRefNetConfig};
use bozzetto_trellis::weights::{Checkpoint, WeightsError, record};
use tch::{Kind, Tensor};

#[test]
fn the_network_gives_upstreams_numbers() {
    let fixture = Fixture::open("birefnet");
    let network = fixture
        .load(|weights| BiRefNet::new(weights, &BiRefNetConfig::tiny(), Kind::Float))
        .expect("a network");
    let picture = fixture.tensor("picture");
    let found = network.forward(&picture).expect("numbers");
    assert_close(&found, &fixture.tensor("logits"), "logits");
    // Two pictures at once are each as they are alone.
    let twice = Tensor::cat(&[&picture, &picture.flip([3])], 0);
    let both = network.forward(&twice).expect("numbers");
    let error = relative_error(&both.narrow(0, 0, 1), &found);
    // Products of other sizes round otherwise, and places that deformable convolutions look at make more of it.
    assert!(error < 1e-4, "the first of two: {error:e}");
    assert!(
        network.forward(&picture.narrow(3, 0, 80)).is_err(),
        "sides are multiples of 32"
    );
}

#[test]
fn the_released_checkpoint_fits_key_by_key() {
    let asked = record(|weights| BiRefNet::new(weights, &BiRefNetConfig::released(), Kind::Half));
    let mut expected = keys("birefnet");
    // What follows from the window's size, and what only training needs.
    let unused = [
        "relative_position_index",
        "num_batches_tracked",
        "gdt_convs_pred",
        "conv_ms_spvn",
    ];
    expected.retain(|key, _| !unused.iter().any(|part| key.contains(part)));
    assert_asks_for(asked, &expected);
}

#[test]
fn another_models_file_is_told_by_what_it_lacks() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/shape_decoder.safetensors");
    let other = Checkpoint::open(Path::new(path)).expect("a file");
    let error = BiRefNetConfig::of(&other).expect_err("no picture network");
    assert!(matches!(error, WeightsError::MissingKey { .. }), "{error}");
}
