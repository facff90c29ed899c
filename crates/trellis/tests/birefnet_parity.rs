//! BiRefNet gives upstream's numbers, on pictures whose sides are no multiples of its windows.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use bozzetto_trellis::birefnet::{BiRefNet, BiRefNetConfig};
use bozzetto_trellis::weights::{Checkpoint, record};
use support::{Fixture, assert_close, checkpoint_keys};
use tch::{Device, Kind, Tensor};

fn config() -> BiRefNetConfig {
    BiRefNetConfig {
        embedding: 8,
        depths: [2, 2, 4, 2],
        num_heads: [1, 2, 4, 8],
        window: 3,
        inner: 4,
        branch: 12,
        picture: 2,
        outline: 4,
    }
}

#[test]
fn the_network_gives_upstreams_numbers() {
    let fixture = Fixture::open("birefnet");
    let network = fixture
        .load(|weights| BiRefNet::load(weights, &config(), Kind::Float))
        .expect("a network");
    let picture = fixture.tensor("picture");
    let found = network.forward(&picture).expect("numbers");
    assert_close(&found, &fixture.tensor("logits"), "logits");
    // Two pictures at once are each as they are alone.
    let twice = Tensor::cat(&[&picture, &picture.flip([3])], 0);
    let both = network.forward(&twice).expect("numbers");
    assert_close(&both.narrow(0, 0, 1), &found, "the first of two");
    assert!(
        network.forward(&picture.narrow(3, 0, 96)).is_err(),
        "sides are multiples of 64"
    );
}

#[test]
fn the_released_checkpoint_fits_key_by_key() {
    let asked = record(|weights| BiRefNet::load(weights, &BiRefNetConfig::released(), Kind::Half));
    let asked: BTreeMap<_, _> = asked
        .expect("no file is needed")
        .into_iter()
        .map(|(key, spec)| (key, spec.shape))
        .collect();
    let Some(mut expected) = checkpoint_keys("birefnet__model") else {
        return;
    };
    // What follows from the window's size, and what only training needs.
    let unused = [
        "relative_position_index",
        "num_batches_tracked",
        "gdt_convs_pred",
        "conv_ms_spvn",
    ];
    expected.retain(|key, _| !unused.iter().any(|part| key.contains(part)));
    assert_eq!(asked, expected);
}
