use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::View;
use bozzetto_engine::{CancelToken, EngineError, read_picture};
use egui::ColorImage;
use image::{DynamicImage, RgbaImage};

use crate::app::state::Problem;

/// Longer side of thumbnails, pixels.
const THUMBNAIL_PX: u32 = 192;
/// Longer side of cut-outs, pixels.
const CUTOUT_PX: u32 = 384;
/// Longer side of the picture that is laid over the stage, pixels.
const PHOTO_PX: u32 = 1280;

/// A decoded picture in the sizes that the window shows.
pub struct Photo {
    /// Width and height of the file's picture, upright.
    pub size_px: [u32; 2],
    /// Small.
    pub thumbnail: Arc<ColorImage>,
    /// Large.
    pub large: Arc<ColorImage>,
    /// The small one for the stage, where it hangs in its camera.
    pub for_camera: Arc<RgbaImage>,
}

/// The object on a transparent ground.
pub struct Cutout {
    /// The picture.
    pub image: Arc<ColorImage>,
    /// Share of the picture that is object, `[0, 1]`.
    pub coverage: f32,
}

/// Decodes a picture, turned upright as its camera noted.
pub fn photo(path: &Path) -> Result<Photo, Problem> {
    let picture = decode(path)?;
    let size_px = [picture.width(), picture.height()];
    let photo = shrunk(&picture, PHOTO_PX);
    let thumbnail = shrunk(&photo, THUMBNAIL_PX);
    Ok(Photo {
        size_px,
        thumbnail: Arc::new(color_image(&thumbnail)),
        large: Arc::new(color_image(&photo)),
        for_camera: Arc::new(thumbnail.into_rgba8()),
    })
}

/// Cuts the object out exactly as an engine will.
pub fn cut_out(view: &View, cancel: &CancelToken) -> Result<Cutout, Problem> {
    let prepared = bozzetto_hull::prepare_view_with(view, cancel).map_err(|error: EngineError| Problem::of(&error))?;
    let num_pixels = prepared.matte.as_raw().len().max(1);
    let sum: u64 = prepared.matte.as_raw().iter().map(|&value| u64::from(value)).sum();
    let coverage = (sum as f64 / (255.0 * num_pixels as f64)) as f32;
    let color = shrunk(&DynamicImage::ImageRgb8((*prepared.color).clone()), CUTOUT_PX).into_rgb8();
    let matte = shrunk(&DynamicImage::ImageLuma8((*prepared.matte).clone()), CUTOUT_PX).into_luma8();
    let pixels = color.pixels().zip(matte.pixels());
    let rgba: Vec<u8> = pixels
        .flat_map(|(color, matte)| [color.0[0], color.0[1], color.0[2], matte.0[0]])
        .collect();
    let size = [color.width() as usize, color.height() as usize];
    Ok(Cutout {
        image: Arc::new(ColorImage::from_rgba_unmultiplied(size, &rgba)),
        coverage,
    })
}

/// Decodes as an engine will, so that what it refuses is told before it runs.
fn decode(path: &Path) -> Result<DynamicImage, Problem> {
    let view = View::new(path);
    read_picture(&view).map_err(|error| match error {
        EngineError::Io { reason, .. } | EngineError::BadView { reason, .. } => {
            let sentence = format!("'{}' cannot be read: {reason}.", view.name());
            Problem::with_hint(sentence, hint_for(path))
        }
        other => Problem::of(&other),
    })
}

/// What to do with a picture that cannot be read.
pub fn hint_for(path: &Path) -> &'static str {
    if path.metadata().is_err() {
        return "The file may have been moved: add it again from where it is now.";
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("heic" | "heif" | "avif") => {
            "Phones save this kind of picture: share or export it as JPEG or PNG, then add that."
        }
        Some("cr2" | "cr3" | "nef" | "arw" | "dng" | "raf") => "Develop the raw photo and export it as JPEG or PNG.",
        _ => "Open it in a picture editor and save it as PNG or JPEG.",
    }
}

/// The picture with at most `longest` pixels on its longer side; never enlarged.
fn shrunk(picture: &DynamicImage, longest: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= longest {
        picture.clone()
    } else {
        picture.thumbnail(longest, longest)
    }
}

fn color_image(picture: &DynamicImage) -> ColorImage {
    let rgba = picture.to_rgba8();
    ColorImage::from_rgba_unmultiplied([rgba.width() as usize, rgba.height() as usize], rgba.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_their_shape_and_small_ones_their_size() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("wide.png");
        RgbaImage::from_pixel(2000, 500, image::Rgba([10, 200, 30, 255]))
            .save(&path)
            .expect("can be written");
        let wide = photo(&path).expect("can be read");
        assert_eq!(
            (wide.size_px, wide.large.size, wide.thumbnail.size),
            ([2000, 500], [1280, 320], [192, 48])
        );
        assert_eq!(wide.thumbnail.pixels[0].to_array(), [10, 200, 30, 255]);

        RgbaImage::new(20, 10).save(&path).expect("can be written");
        assert_eq!(photo(&path).expect("can be read").thumbnail.size, [20, 10]);
    }

    #[test]
    fn a_file_that_is_no_picture_says_so_by_name_and_what_to_do() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("holiday.heic");
        std::fs::write(&path, b"not a picture").expect("can be written");
        let problem = photo(&path).err().expect("must fail");
        assert!(problem.sentence.contains("holiday.heic"), "{}", problem.sentence);
        assert!(problem.hint.expect("a hint").contains("JPEG"));
        let missing = photo(&folder.path().join("gone.png")).err().expect("must fail");
        assert!(missing.hint.expect("a hint").contains("moved"));
    }
}
