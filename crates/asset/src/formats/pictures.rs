//! Pictures as compressed bytes, in files and inside a GLB.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder as _, ImageReader, RgbImage, RgbaImage};

use super::FormatError;
use super::glb::TextureFormat;

/// Larger pictures are refused: no GPU takes them, and a small file could claim all memory.
const MAX_PICTURE_PX: u32 = 16_384;
/// Bytes that decoding one picture may take: a 16k RGBA picture.
const MAX_PICTURE_BYTES: u64 = 1 << 30;

/// No difference is seen from here on, while files grow fast.
const JPEG_QUALITY: u8 = 90;

/// A picture to be stored.
pub(super) enum Pixels<'a> {
    /// Data, not colour: normals, or several values side by side.
    Rgb(&'a RgbImage),
    Rgba(&'a RgbaImage),
    Gray(&'a GrayImage),
    /// RGB of a picture whose alpha is ignored.
    Opaque(&'a RgbaImage),
}

impl Pixels<'_> {
    /// The compressed picture, and its format: JPEG is for colour without alpha only, the rest is PNG then.
    pub(super) fn encode(&self, format: TextureFormat) -> Result<(TextureFormat, Vec<u8>), FormatError> {
        let format = match (format, self) {
            (TextureFormat::Jpeg, Self::Rgb(_) | Self::Rgba(_) | Self::Gray(_)) => TextureFormat::Png,
            (format, _) => format,
        };
        let bytes = match self {
            Self::Rgb(picture) => encode(picture, picture.dimensions(), ExtendedColorType::Rgb8, format),
            Self::Rgba(picture) => encode(picture, picture.dimensions(), ExtendedColorType::Rgba8, format),
            Self::Gray(picture) => encode(picture, picture.dimensions(), ExtendedColorType::L8, format),
            Self::Opaque(picture) => {
                let rgb: Vec<u8> = picture
                    .as_raw()
                    .chunks_exact(4)
                    .flat_map(|p| [p[0], p[1], p[2]])
                    .collect();
                encode(&rgb, picture.dimensions(), ExtendedColorType::Rgb8, format)
            }
        }?;
        Ok((format, bytes))
    }

    /// The compressed picture as PNG.
    pub(super) fn encode_png(&self) -> Result<Vec<u8>, FormatError> {
        Ok(self.encode(TextureFormat::Png)?.1)
    }
}

fn encode(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: ExtendedColorType,
    format: TextureFormat,
) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::with_capacity(pixels.len() / 2);
    match format {
        TextureFormat::Png => PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Paeth)
            .write_image(pixels, width, height, color),
        TextureFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(pixels, width, height, color)
        }
        TextureFormat::WebP => WebPEncoder::new_lossless(&mut bytes).write_image(pixels, width, height, color),
    }
    .map_err(|error| FormatError::unwritable(format!("a texture could not be compressed ({error})")))?;
    Ok(bytes)
}

/// A picture from its compressed bytes: PNG, JPEG or WebP, told by its content.
pub(super) fn decode(bytes: &[u8]) -> Result<RgbaImage, FormatError> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| FormatError::damaged(format!("a texture cannot be read ({error})")))?;
    if reader.format().is_none() {
        return Err(FormatError::unsupported("a texture that is neither PNG, JPEG nor WebP"));
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_PX);
    limits.max_image_height = Some(MAX_PICTURE_PX);
    limits.max_alloc = Some(MAX_PICTURE_BYTES);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|error| FormatError::damaged(format!("a texture does not decode ({error})")))?;
    Ok(picture.into_rgba8())
}
