use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek};

use bozzetto_asset::View;
use bozzetto_engine::EngineError;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, Rgba, RgbaImage};
use rayon::prelude::*;

/// Longest side that is taken from a file at all.
const MAX_SIDE_PX: u32 = 16_384;
/// Most pixels that are taken from a file at all.
const MAX_PIXELS: u64 = 120_000_000;
/// Most bytes a decoder may claim for itself.
const MAX_DECODER_BYTES: u64 = 1 << 30;
/// The reason told when a picture is over that.
const TOO_MUCH_MEMORY: &str = "it needs more memory than a picture should";
/// Shortest side that holds enough of an object to work with.
const MIN_SIDE_PX: u32 = 16;
/// Longer sides are scaled down to this: finer than any voxel or texel made from a view, and quick to cut out.
const MAX_PREPARED_PX: u32 = 2048;

/// Reads a view's picture as 8-bit sRGB with straight alpha, upright, at most 2048 pixels on a side.
pub(super) fn decode(view: &View) -> Result<RgbaImage, EngineError> {
    let unreadable = |error: &std::io::Error| EngineError::Io {
        operation: "read".to_owned(),
        path: view.path.clone(),
        reason: sentence_of(error),
    };
    let bad = |reason: String| EngineError::BadView {
        name: view.name(),
        reason,
    };
    let mut file = File::open(&view.path).map_err(|error| unreadable(&error))?;
    if file.metadata().map_err(|error| unreadable(&error))?.is_dir() {
        return Err(bad("it is a folder".to_owned()));
    }
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(32)
        .read_to_end(&mut start)
        .and_then(|_| file.rewind())
        .map_err(|error| unreadable(&error))?;
    if start.is_empty() {
        return Err(bad("the file is empty".to_owned()));
    }
    let reader = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(|error| unreadable(&error))?;
    if reader.format().is_none() {
        return Err(bad(unknown_format(&start)));
    }
    let picture = decoded(reader).map_err(bad)?;
    let (width, height) = (picture.width(), picture.height());
    if width.min(height) < MIN_SIDE_PX {
        return Err(bad(format!(
            "it is only {width} x {height} pixels, and at least {MIN_SIDE_PX} x {MIN_SIDE_PX} are needed"
        )));
    }
    Ok(scaled_down(picture.into_rgba8()))
}

fn decoded(reader: ImageReader<BufReader<File>>) -> Result<DynamicImage, String> {
    let mut decoder = reader.into_decoder().map_err(|error| reason_of(&error))?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE_PX || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!(
            "it is {width} x {height} pixels, and at most {MAX_SIDE_PX} on a side and {} million in all can be taken",
            MAX_PIXELS / 1_000_000
        ));
    }
    // The decoded pixels and the 8-bit copy made of them lie in memory together.
    if decoder.total_bytes() > MAX_DECODER_BYTES / 2 {
        return Err(TOO_MUCH_MEMORY.to_owned());
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    decoder.set_limits(limits).map_err(|error| reason_of(&error))?;
    let orientation = decoder.orientation().map_err(|error| reason_of(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| reason_of(&error))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The tail of the sentence 'The picture cannot be used: ..' for a decoder's error.
fn reason_of(error: &ImageError) -> String {
    match error {
        ImageError::Limits(_) => TOO_MUCH_MEMORY.to_owned(),
        ImageError::Unsupported(_) => format!("its kind is not supported ({})", trimmed(&error.to_string())),
        ImageError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => {
            "the file is cut short; copy or download it again".to_owned()
        }
        _ => format!("the file is damaged ({})", trimmed(&error.to_string())),
    }
}

fn sentence_of(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "it may not be opened".to_owned(),
        _ => trimmed(&error.to_string()),
    }
}

fn unknown_format(start: &[u8]) -> String {
    // ISO media files say `ftyp` and then their brand.
    let brand = start.get(4..12).unwrap_or_default();
    let name = match brand {
        b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1" => "a HEIC photo",
        b"ftypavif" => "an AVIF picture",
        _ if start.starts_with(b"%PDF") => "a PDF",
        _ if start.starts_with(b"8BPS") => "a Photoshop file",
        _ if start.starts_with(b"GIF8") => "a GIF",
        _ => return "it is not a PNG, JPEG, WebP, BMP or TIFF picture".to_owned(),
    };
    format!("it is {name}, and only PNG, JPEG, WebP, BMP and TIFF can be read")
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches('.').to_owned()
}

/// The picture with its longer side at most [`MAX_PREPARED_PX`]: every pixel the mean of what it covers, weighted by
/// alpha so that what lies under transparent pixels does not bleed.
fn scaled_down(picture: RgbaImage) -> RgbaImage {
    let (width, height) = picture.dimensions();
    let longest = width.max(height);
    if longest <= MAX_PREPARED_PX {
        return picture;
    }
    let scaled = |side: u32| {
        (u64::from(side) * u64::from(MAX_PREPARED_PX))
            .div_ceil(u64::from(longest))
            .max(u64::from(MIN_SIDE_PX)) as u32
    };
    let (new_width, new_height) = (scaled(width), scaled(height));
    let columns: Vec<_> = (0..new_width).map(|x| covered(x, new_width, width)).collect();
    let mut rows: Vec<Vec<u8>> = Vec::new();
    (0..new_height)
        .into_par_iter()
        .map(|y| {
            let row = covered(y, new_height, height);
            columns
                .iter()
                .flat_map(|column| mean(&picture, column, &row).0)
                .collect()
        })
        .collect_into_vec(&mut rows);
    RgbaImage::from_raw(new_width, new_height, rows.concat()).unwrap_or(picture)
}

/// The source pixels that a scaled pixel covers, with the share of each.
fn covered(index: u32, new_count: u32, count: u32) -> Vec<(u32, f32)> {
    let ratio = f64::from(count) / f64::from(new_count);
    let (start, end) = (f64::from(index) * ratio, f64::from(index + 1) * ratio);
    (start as u32..(end.ceil() as u32).min(count))
        .map(|source| {
            let share = end.min(f64::from(source + 1)) - start.max(f64::from(source));
            (source, share.max(0.0) as f32)
        })
        .collect()
}

fn mean(picture: &RgbaImage, columns: &[(u32, f32)], rows: &[(u32, f32)]) -> Rgba<u8> {
    let (mut by_alpha, mut plain, mut alpha_sum, mut weight_sum) = ([0.0_f32; 3], [0.0_f32; 3], 0.0_f32, 0.0_f32);
    for &(y, row_share) in rows {
        for &(x, column_share) in columns {
            let pixel = picture.get_pixel(x, y).0;
            let weight = row_share * column_share;
            let alpha = f32::from(pixel[3]) * weight;
            for axis in 0..3 {
                by_alpha[axis] += f32::from(pixel[axis]) * alpha;
                plain[axis] += f32::from(pixel[axis]) * weight;
            }
            alpha_sum += alpha;
            weight_sum += weight;
        }
    }
    let weight_sum = weight_sum.max(f32::MIN_POSITIVE);
    let channel = |axis: usize| {
        let value = if alpha_sum > 0.0 {
            by_alpha[axis] / alpha_sum
        } else {
            plain[axis] / weight_sum
        };
        (value + 0.5) as u8
    };
    Rgba([channel(0), channel(1), channel(2), (alpha_sum / weight_sum + 0.5) as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_colours_that_fill_the_memory_are_refused_before_they_are_decoded() {
        // A PNG's signature, the header of 10 000 x 10 000 pixels of four times 16 bits, and the start of its data.
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend([10_000_u32.to_be_bytes(), 10_000_u32.to_be_bytes()].concat());
        bytes.extend([16, 6, 0, 0, 0, 0xea, 0xde, 0xbe, 0x64]);
        bytes.extend(b"\0\0\x10\0IDAT\x78\x9c");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep.png");
        std::fs::write(&path, bytes).expect("the file can be written");
        let error = decode(&View::new(path)).err();
        assert!(
            matches!(&error, Some(EngineError::BadView { reason, .. }) if reason == TOO_MUCH_MEMORY),
            "{error:?}"
        );
    }

    #[test]
    fn scaling_down_keeps_flat_colours_and_does_not_bleed_hidden_ones() {
        let picture = RgbaImage::from_fn(3000, 64, |x, _| {
            if x < 1501 {
                Rgba([200, 100, 50, 255])
            } else {
                Rgba([0, 255, 0, 0])
            }
        });
        let small = scaled_down(picture);
        assert_eq!(small.dimensions(), (2048, 44));
        assert_eq!(small.get_pixel(10, 10).0, [200, 100, 50, 255]);
        let edge: Vec<_> = (1015..1035).map(|x| small.get_pixel(x, 20).0).collect();
        assert!(
            edge.iter()
                .filter(|pixel| pixel[3] > 0)
                .all(|pixel| pixel[..3] == [200, 100, 50])
        );
        assert_eq!(edge.last(), Some(&[0, 255, 0, 0]));
    }
}
