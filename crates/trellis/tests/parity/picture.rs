//! Pictures are resampled and prepared to the bit as Pillow and upstream do it.

use crate::support::{Fixture, assert_close};
use bozzetto_trellis::Result;
use bozzetto_trellis::birefnet::{matte_of, network_input};
use bozzetto_trellis::preprocess::prepare;
use bozzetto_trellis::resample::{Filter, resize_gray, resize_rgb, resize_rgba};
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use tch::Tensor;

fn bytes(tensor: &Tensor) -> (u32, u32, Vec<u8>) {
    let size = tensor.size();
    let flat = tensor.contiguous().view([-1]);
    (size[1] as u32, size[0] as u32, Vec::try_from(flat).expect("bytes"))
}

fn gray(tensor: &Tensor) -> GrayImage {
    let (width, height, bytes) = bytes(tensor);
    GrayImage::from_raw(width, height, bytes).expect("a picture")
}

fn rgb(tensor: &Tensor) -> RgbImage {
    let (width, height, bytes) = bytes(tensor);
    RgbImage::from_raw(width, height, bytes).expect("a picture")
}

fn rgba(tensor: &Tensor) -> RgbaImage {
    let (width, height, bytes) = bytes(tensor);
    RgbaImage::from_raw(width, height, bytes).expect("a picture")
}

#[test]
fn resampling_is_pillows() {
    let fixture = Fixture::open("pictures");
    let filters = [
        ("lanczos", Filter::Lanczos),
        ("bicubic", Filter::Bicubic),
        ("bilinear", Filter::Bilinear),
    ];
    for (name, filter) in filters {
        for (width, height) in [(20, 11), (71, 90), (53, 16)] {
            let key = |mode: &str| format!("resize.{mode}.{name}.{width}x{height}");
            let source = |mode: &str| fixture.tensor(&format!("resize.{mode}.source"));
            let found = resize_gray(&gray(&source("L")), width, height, filter);
            assert!(found == gray(&fixture.tensor(&key("L"))), "{}", key("L"));
            let found = resize_rgb(&rgb(&source("RGB")), width, height, filter);
            assert!(found == rgb(&fixture.tensor(&key("RGB"))), "{}", key("RGB"));
            let found = resize_rgba(&rgba(&source("RGBA")), width, height, filter);
            assert!(found == rgba(&fixture.tensor(&key("RGBA"))), "{}", key("RGBA"));
        }
    }
}

#[test]
fn a_cut_out_picture_is_cropped_as_upstream_does() {
    let fixture = Fixture::open("pictures");
    for name in ["alpha", "border", "wide"] {
        let picture = DynamicImage::ImageRgba8(rgba(&fixture.tensor(&format!("prepare.{name}.source"))));
        let no_matte = |_: &RgbImage| -> Result<GrayImage> { panic!("it is cut out already") };
        let found = prepare(&picture, no_matte).expect("an object");
        assert!(
            found == rgb(&fixture.tensor(&format!("prepare.{name}.result"))),
            "{name}"
        );
    }
}

#[test]
fn an_opaque_picture_is_cut_out_by_its_matte() {
    let fixture = Fixture::open("pictures");
    let color = rgb(&fixture.tensor("prepare.opaque.source"));
    let mask = gray(&fixture.tensor("prepare.opaque.mask"));
    let expected = rgb(&fixture.tensor("prepare.opaque.result"));
    let found = prepare(&DynamicImage::ImageRgb8(color.clone()), |_| Ok(mask.clone())).expect("an object");
    assert!(found == expected);
    // Transparency that hides nothing is none.
    let with_alpha = DynamicImage::ImageRgb8(color).to_rgba8();
    let found = prepare(&DynamicImage::ImageRgba8(with_alpha), |_| Ok(mask.clone())).expect("an object");
    assert!(found == expected);
}

#[test]
fn the_matting_network_sees_and_answers_as_upstreams() {
    let fixture = Fixture::open("pictures");
    let picture = rgb(&fixture.tensor("network.source"));
    assert_close(
        &network_input(&picture, 24).expect("numbers"),
        &fixture.tensor("network.input"),
        "input",
    );
    let matte = matte_of(&fixture.tensor("network.logits"), picture.dimensions()).expect("a matte");
    assert!(matte == gray(&fixture.tensor("network.matte")));
}
