use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek};

use bozzetto_asset::View;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::EngineError;

/// Longest side that is taken from a file at all.
const MAX_SIDE_PX: u32 = 16_384;
/// Most pixels that are taken from a file at all.
const MAX_PIXELS: u64 = 120_000_000;
/// Most bytes a decoder may claim for itself.
const MAX_DECODER_BYTES: u64 = 1 << 30;
/// The reason told when a picture is over that.
const TOO_MUCH_MEMORY: &str = "it needs more memory than a picture should";

/// Reads a view's picture upright, with the colours and the transparency that its file has.
///
/// # Errors
/// [`EngineError::Io`] when the file cannot be read, [`EngineError::BadView`] when it is no picture, is damaged or is larger than
/// a picture should be.
pub fn read_picture(view: &View) -> Result<DynamicImage, EngineError> {
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
    decoded(reader).map_err(bad)
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

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

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
        let error = read_picture(&View::new(path)).err();
        assert!(
            matches!(&error, Some(EngineError::BadView { reason, .. }) if reason == TOO_MUCH_MEMORY),
            "{error:?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        let reason_of = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            match read_picture(&View::new(path.clone())) {
                Err(EngineError::BadView { name, reason }) if name == "a.png" => reason,
                other => panic!("{other:?}"),
            }
        };
        let mut png = std::io::Cursor::new(Vec::new());
        RgbaImage::from_pixel(20, 20, Rgba([9, 8, 7, 6]))
            .write_to(&mut png, image::ImageFormat::Png)
            .expect("a picture");
        let png = png.into_inner();
        for (bytes, word) in [
            (&b""[..], "empty"),
            (b"no picture at all", "PNG, JPEG"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
            (&png[..png.len() / 2], "cut short"),
        ] {
            let reason = reason_of(bytes);
            assert!(reason.contains(word), "{word}: {reason}");
        }
        let other = |path| read_picture(&View::new(path));
        assert!(matches!(
            other(folder.path().join("b.png")),
            Err(EngineError::Io { .. })
        ));
        assert!(matches!(
            other(folder.path().to_owned()),
            Err(EngineError::BadView { .. })
        ));
    }
}
