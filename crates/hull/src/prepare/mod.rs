mod decode;

use std::sync::Arc;

use bozzetto_asset::{MatteSettings, PreparedView, View};
use bozzetto_engine::{CancelToken, EngineError};
use image::{GrayImage, RgbImage, RgbaImage};

use crate::matte::{decontaminate, remove_background};

/// Decodes a view's picture and cuts the object out; see [`prepare_view_with`].
pub fn prepare_view(view: &View) -> Result<PreparedView, EngineError> {
    prepare_view_with(view, &CancelToken::new())
}

/// Decodes a view's picture and cuts the object out.
///
/// PNG, JPEG, WebP, BMP and TIFF are read, told apart by their content; the camera's orientation mark is applied, and
/// pictures over 2048 pixels on a side are scaled down to that. The matte is the picture's own transparency where it
/// has any (unless [`MatteSettings::ignores_alpha`]), else the background is removed. [`MatteSettings::threshold`] is
/// worked in: whatever it is, 128 and more in the matte is object. The colours under the soft edge and a few pixels
/// beyond are the object's own; further out the picture is left as it was.
///
/// # Errors
/// [`EngineError::Io`] when the file cannot be read, [`EngineError::BadView`] when it is no usable picture,
/// [`EngineError::NoResult`] when object and background cannot be told apart, [`EngineError::Cancelled`] within about
/// a fifth of a second of a cancel.
pub fn prepare_view_with(view: &View, cancel: &CancelToken) -> Result<PreparedView, EngineError> {
    cancel.check()?;
    let picture = decode::decode(view)?;
    cancel.check()?;
    let (color, alpha) = split(&picture);
    let transparency = Transparency::of(&alpha);
    let uses_alpha = transparency == Transparency::Real && !view.matte.ignores_alpha;
    let matte = if uses_alpha {
        alpha
    } else {
        remove_background(&color, view.matte.threshold, cancel)?
            .ok_or_else(|| indistinct(view, transparency == Transparency::Empty))?
    };
    let matte = adjusted(matte, view.matte);
    if matte.iter().all(|&value| value < 128) {
        return Err(indistinct(view, false));
    }
    cancel.check()?;
    // Colours of a picture with transparency are the object's own nearly to the end of its soft edge; those of an
    // opaque picture are mixed with the backdrop as soon as the edge begins, and a lens starts it a pixel early.
    let (trusted, margin) = if uses_alpha && !view.matte.inverted {
        (128, 0)
    } else {
        (250, 1)
    };
    Ok(PreparedView {
        name: view.name(),
        color: Arc::new(decontaminate(&color, &matte, trusted, margin, cancel)?),
        matte: Arc::new(matte),
        direction: view.direction,
        camera: view.camera,
        weight: view.weight,
    })
}

/// What a picture's alpha channel is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transparency {
    /// Part of the picture is transparent and part is not.
    Real,
    /// Nothing is transparent, or next to nothing.
    None,
    /// Everything is transparent.
    Empty,
}

impl Transparency {
    fn of(alpha: &GrayImage) -> Self {
        let pixels = alpha.as_raw();
        let num_clear = pixels.iter().filter(|&&value| value < 128).count();
        // One pixel in two thousand: less is a rounded corner or dust.
        let few = (pixels.len() / 2000).max(1);
        if num_clear < few {
            Self::None
        } else if pixels.len() - num_clear < few {
            Self::Empty
        } else {
            Self::Real
        }
    }
}

fn split(picture: &RgbaImage) -> (RgbImage, GrayImage) {
    let color = RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, _] = picture.get_pixel(x, y).0;
        image::Rgb([r, g, b])
    });
    let alpha = GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        image::Luma([picture.get_pixel(x, y)[3]])
    });
    (color, alpha)
}

/// The matte swapped when asked, and bent so that the threshold comes to lie at one half; unchanged at its default.
fn adjusted(mut matte: GrayImage, settings: MatteSettings) -> GrayImage {
    let threshold = if settings.threshold.is_finite() {
        settings.threshold.clamp(0.01, 0.99)
    } else {
        0.5
    };
    for value in matte.iter_mut() {
        let given = if settings.inverted { 255 - *value } else { *value };
        let share = f32::from(given) / 255.0;
        let bent = if share < threshold {
            0.5 * share / threshold
        } else {
            0.5 + 0.5 * (share - threshold) / (1.0 - threshold)
        };
        *value = (bent * 255.0 + 0.5) as u8;
    }
    matte
}

fn indistinct(view: &View, is_empty: bool) -> EngineError {
    let reason = if is_empty {
        format!("The picture '{}' is transparent everywhere", view.name())
    } else {
        format!("The object in '{}' cannot be told from its background", view.name())
    };
    EngineError::NoResult {
        reason,
        advice: "Take the picture before a plain backdrop of another colour, with the whole object in the frame, or \
                 cut the object out in a picture editor and save it as a PNG with transparency."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_threshold_changes_nothing_and_others_move_one_half() {
        let ramp = GrayImage::from_fn(256, 1, |x, _| image::Luma([x as u8]));
        assert_eq!(adjusted(ramp.clone(), MatteSettings::default()), ramp);
        for threshold in [0.2, 0.8] {
            let settings = MatteSettings {
                threshold,
                ..MatteSettings::default()
            };
            let bent = adjusted(ramp.clone(), settings);
            let first_inside = bent.iter().position(|&value| value >= 128).expect("white is inside");
            assert!((first_inside as f32 / 255.0 - threshold).abs() < 0.01, "{first_inside}");
            assert_eq!((bent[(0, 0)][0], bent[(255, 0)][0]), (0, 255));
        }
        let inverted = MatteSettings {
            inverted: true,
            ..MatteSettings::default()
        };
        assert_eq!(adjusted(ramp, inverted)[(3, 0)][0], 252);
    }
}
