//! A picture as the image encoder wants it: the object alone on black, filling a square.
//!
//! `preprocess_image` of `trellis2/pipelines/trellis2_image_to_3d.py` (microsoft/TRELLIS.2 at 5565d24), to the bit.

use bozzetto_engine::EngineError;
use image::{DynamicImage, GrayImage, RgbImage, Rgba, RgbaImage};

use crate::resample::{Filter, resize_rgb, resize_rgba};
use crate::{Result, TrellisError};

/// The longer side is no longer than this before anything else is done.
const LONGEST_SIDE_PX: u32 = 1024;
/// What counts as the object for the crop: more than eight tenths opaque.
const OBJECT_ALPHA: u8 = 204;

/// Cuts the object out and crops. A picture that has transparent pixels is cut out already; for others `matte` says which
/// pixels are the object, in a picture of the given one's size.
///
/// # Errors
/// [`EngineError::NoResult`] when there is no object, and whatever `matte` fails with.
pub fn prepare(picture: &DynamicImage, matte: impl FnOnce(&RgbImage) -> Result<GrayImage>) -> Result<RgbImage> {
    if let Some(cut_out) = picture.color().has_alpha().then(|| picture.to_rgba8())
        && cut_out.pixels().any(|pixel| pixel.0[3] != u8::MAX)
    {
        let small = match smaller_size(cut_out.dimensions()) {
            Some((width, height)) => resize_rgba(&cut_out, width, height, Filter::Lanczos),
            None => cut_out,
        };
        return on_black(&small);
    }
    let opaque = picture.to_rgb8();
    let small = match smaller_size(opaque.dimensions()) {
        Some((width, height)) => resize_rgb(&opaque, width, height, Filter::Lanczos),
        None => opaque,
    };
    let matte = matte(&small)?;
    if matte.dimensions() != small.dimensions() {
        let sizes = (matte.dimensions(), small.dimensions());
        return Err(TrellisError::Invalid(format!(
            "A matte has another size than its picture: {sizes:?}"
        )));
    }
    on_black(&RgbaImage::from_fn(small.width(), small.height(), |x, y| {
        let [red, green, blue] = small.get_pixel(x, y).0;
        Rgba([red, green, blue, matte.get_pixel(x, y).0[0]])
    }))
}

fn smaller_size((width, height): (u32, u32)) -> Option<(u32, u32)> {
    let scale = f64::from(LONGEST_SIDE_PX) / f64::from(width.max(height));
    let scaled = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    (scale < 1.0).then(|| (scaled(width), scaled(height)))
}

/// The square about the object, without a margin, on black.
fn on_black(picture: &RgbaImage) -> Result<RgbImage> {
    let no_object = || EngineError::NoResult {
        reason: "There is no object to be seen in the picture".to_owned(),
        advice: "Check the matte, or choose a picture that shows the object larger.".to_owned(),
    };
    let mut bounds: Option<[u32; 4]> = None;
    for (x, y, pixel) in picture.enumerate_pixels() {
        if pixel.0[3] > OBJECT_ALPHA {
            let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
            bounds = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
        }
    }
    let [left, top, right, bottom] = bounds.ok_or_else(no_object)?;
    // Upstream's arithmetic: a box of one pixel has size zero, and an odd size is rounded down.
    let half = i64::from((right - left).max(bottom - top) / 2);
    let start = |low: u32, high: u32| (f64::from(low + high) / 2.0 - half as f64).round_ties_even() as i64;
    let (start_x, start_y) = (start(left, right), start(top, bottom));
    let side = u32::try_from(2 * half)
        .ok()
        .filter(|&side| side > 0)
        .ok_or_else(no_object)?;
    Ok(RgbImage::from_fn(side, side, |x, y| {
        let place = (
            u32::try_from(start_x + i64::from(x)),
            u32::try_from(start_y + i64::from(y)),
        );
        let pixel = match place {
            (Ok(x), Ok(y)) => picture.get_pixel_checked(x, y),
            _ => None,
        };
        let [red, green, blue, alpha] = pixel.map_or([0; 4], |pixel| pixel.0);
        let alpha = f32::from(alpha) / 255.0;
        image::Rgb([red, green, blue].map(|value| (f32::from(value) / 255.0 * alpha * 255.0) as u8))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_without_an_object_is_an_error() {
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(9, 9, Rgba([200, 0, 0, 100])));
        let no_matte = |_: &RgbImage| -> Result<GrayImage> { panic!("it is cut out already") };
        assert!(matches!(
            prepare(&clear, no_matte),
            Err(TrellisError::Engine(EngineError::NoResult { .. }))
        ));
        let mut dot = RgbaImage::new(9, 9);
        dot.put_pixel(4, 4, Rgba([255; 4]));
        assert!(
            prepare(&DynamicImage::ImageRgba8(dot), no_matte).is_err(),
            "a single pixel"
        );
        let opaque = DynamicImage::ImageRgb8(RgbImage::new(9, 9));
        let empty = |picture: &RgbImage| Ok(GrayImage::new(picture.width(), picture.height()));
        assert!(prepare(&opaque, empty).is_err());
        assert!(
            prepare(&opaque, |_| Ok(GrayImage::new(3, 3))).is_err(),
            "a matte of another size"
        );
    }
}
