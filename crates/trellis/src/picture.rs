//! A view's picture as the artist means it.

use bozzetto_asset::View;
use bozzetto_engine::{EngineError, read_picture};
use image::DynamicImage;

/// Reads a picture upright, with its transparency swapped or dropped as the view says.
///
/// # Errors
/// As [`read_picture`].
pub fn read(view: &View) -> Result<DynamicImage, EngineError> {
    Ok(adjusted(read_picture(view)?, view))
}

fn adjusted(picture: DynamicImage, view: &View) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    if view.matte.ignores_alpha {
        return DynamicImage::ImageRgb8(picture.into_rgb8());
    }
    let mut picture = picture.into_rgba8();
    if view.matte.inverted {
        for pixel in picture.pixels_mut() {
            pixel.0[3] = 255 - pixel.0[3];
        }
    }
    DynamicImage::ImageRgba8(picture)
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::MatteSettings;
    use image::{Rgba, RgbaImage};

    use super::*;

    fn view(matte: MatteSettings) -> (tempfile::TempDir, View) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        RgbaImage::from_fn(5, 4, |x, _| Rgba([10, 20, 30, x as u8 * 50]))
            .save(&path)
            .expect("written");
        let view = View {
            matte,
            ..View::new(path)
        };
        (folder, view)
    }

    #[test]
    fn transparency_is_what_the_artist_says() {
        let alpha = |matte| {
            let (_folder, view) = view(matte);
            let picture = read(&view).expect("a picture");
            picture
                .color()
                .has_alpha()
                .then(|| picture.into_rgba8().get_pixel(1, 0).0[3])
        };
        let usual = MatteSettings::default();
        assert_eq!(alpha(usual), Some(50));
        assert_eq!(
            alpha(MatteSettings {
                inverted: true,
                ..usual
            }),
            Some(205)
        );
        assert_eq!(
            alpha(MatteSettings {
                ignores_alpha: true,
                ..usual
            }),
            None
        );
    }
}
