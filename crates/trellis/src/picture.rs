//! A view's picture as the artist means it.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use bozzetto_asset::View;
use bozzetto_engine::EngineError;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

/// Longest side that is taken from a file.
const MAX_SIDE_PX: u32 = 16_384;
/// Most bytes a decoder may claim for itself.
const MAX_DECODER_BYTES: u64 = 1 << 30;

/// Reads a picture upright, with its transparency swapped or dropped as the view says.
///
/// # Errors
/// [`EngineError::Io`] when the file cannot be read, [`EngineError::BadView`] when it is no picture.
pub fn read(view: &View) -> Result<DynamicImage, EngineError> {
    let bad = |reason: String| EngineError::BadView {
        name: view.name(),
        reason,
    };
    let unreadable = |error: std::io::Error| EngineError::Io {
        operation: "read".to_owned(),
        path: view.path.clone(),
        reason: error.to_string(),
    };
    let mut file = File::open(&view.path).map_err(unreadable)?;
    let mut first = [0];
    match file.read(&mut first) {
        Ok(0) => return Err(bad("the file is empty".to_owned())),
        Ok(_) => file.rewind().map_err(unreadable)?,
        Err(error) => return Err(unreadable(error)),
    }
    let mut reader = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(unreadable)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let in_words = |error: &image::ImageError| error.to_string().trim_end_matches('.').to_owned();
    let mut decoder = reader.into_decoder().map_err(|error| bad(in_words(&error)))?;
    let orientation = decoder.orientation().map_err(|error| bad(in_words(&error)))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| bad(in_words(&error)))?;
    picture.apply_orientation(orientation);
    Ok(adjusted(picture, view))
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

    #[test]
    fn what_is_no_picture_is_named() {
        let (folder, view) = view(MatteSettings::default());
        let is_bad = |view: &View| matches!(read(view), Err(EngineError::BadView { name, .. }) if name == "a.png");
        for bytes in [&b""[..], b"no picture at all", b"\x89PNG\r\n\x1a\n"] {
            std::fs::write(&view.path, bytes).expect("written");
            assert!(is_bad(&view), "{bytes:?}");
        }
        assert!(matches!(
            read(&View::new(folder.path().join("b.png"))),
            Err(EngineError::Io { .. })
        ));
        assert!(matches!(read(&View::new(folder.path())), Err(EngineError::Io { .. })));
    }
}
