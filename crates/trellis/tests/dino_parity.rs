//! DINOv3 gives the features of the libraries transformers and timm, from files of either.

mod support;

use bozzetto_trellis::dino::{DinoConfig, DinoLayout, DinoModel};
use support::{Fixture, assert_close};
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
    let (prefix, other) = match layout {
        DinoLayout::Transformers => ("transformers", "timm."),
        DinoLayout::Timm => ("timm", "transformers."),
    };
    let model = fixture.load_below(
        prefix,
        |weights| DinoModel::new(weights, &config(), layout),
        |key| key.starts_with(other),
    );
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
            .err()
            .expect("50 pixels")
            .to_string()
            .contains("50 x 64")
    );
}
