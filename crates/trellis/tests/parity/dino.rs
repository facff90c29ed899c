//! DINOv3 gives the features of the libraries transformers and timm, from files of either.

use crate::released::{assert_asks_for, keys};
use crate::support::{Fixture, assert_close};
use bozzetto_trellis::dino::{DinoConfig, DinoLayout, DinoModel};
use bozzetto_trellis::weights::record;
use tch::{Device, Kind, Tensor};

fn config() -> DinoConfig {
    DinoConfig {
        hidden_size: 48,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        intermediate_size: 96,
        ..DinoConfig::default()
    }
}

fn model(fixture: &Fixture, layout: DinoLayout) -> DinoModel {
    let set = match layout {
        DinoLayout::Transformers => "transformers",
        DinoLayout::Timm => "timm",
    };
    let model = fixture.load_from(set, |weights| DinoModel::new(weights, &config(), layout));
    model.expect("a model")
}

#[test]
fn both_layouts_give_their_librarys_features() {
    let fixture = Fixture::open("dino");
    let image = fixture.tensor("image");
    let features = model(&fixture, DinoLayout::Transformers)
        .forward(&image)
        .expect("features");
    assert_close(&features, &fixture.tensor("features"), "transformers");
    let features = model(&fixture, DinoLayout::Timm).forward(&image).expect("features");
    assert_close(&features, &fixture.tensor("features.unbiased"), "timm");
}

#[test]
fn a_picture_of_broken_patches_is_refused() {
    let model = model(&Fixture::open("dino"), DinoLayout::Timm);
    let picture = Tensor::zeros([1, 3, 64, 50], (Kind::Float, Device::Cpu));
    assert!(
        model
            .forward(&picture)
            .expect_err("50 pixels")
            .to_string()
            .contains("50 x 64")
    );
}

#[test]
fn the_released_file_fits_key_by_key() {
    let mut expected = keys("dino_timm");
    // The model's own last norm, which is left aside.
    expected.retain(|key, _| !key.starts_with("norm."));
    let asked = record(|weights| DinoModel::new(weights, &DinoConfig::default(), DinoLayout::Timm));
    assert_asks_for(asked, &expected);
}
