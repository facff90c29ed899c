//! Moving pictures as files.

use std::io::Write;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame as GifFrame, RgbaImage};
use webp_animation::{Encoder as WebPEncoder, EncoderOptions, EncodingConfig, EncodingType, LossyEncodingConfig};

use crate::TurntableError;

/// Colours are chosen for each picture of a GIF by looking at one pixel in this many: 1 is best and slowest, 30 fastest.
const GIF_SPEED: i32 = 10;
/// 100 is the best that lossy compression gives.
const WEBP_QUALITY: f32 = 90.0;
/// 6 makes the smallest files, in several times the time.
const WEBP_EFFORT: usize = 3;

/// Files that move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnimationFormat {
    /// 256 colours a picture and hard edges; every program shows it.
    Gif,
    /// All colours and soft edges in a fraction of the size; browsers and most chat programs show it.
    WebP,
}

/// Writes pictures, one after the other, into one file that repeats for ever.
pub enum AnimationWriter<W: Write> {
    Gif(Box<GifEncoder<W>>),
    WebP(Box<WebPEncoder>, W),
}

impl<W: Write> AnimationWriter<W> {
    pub fn new(format: AnimationFormat, size_px: [u32; 2], out: W) -> Result<Self, TurntableError> {
        match format {
            AnimationFormat::Gif => {
                let mut encoder = GifEncoder::new_with_speed(out, GIF_SPEED);
                encoder.set_repeat(Repeat::Infinite)?;
                Ok(Self::Gif(Box::new(encoder)))
            }
            AnimationFormat::WebP => {
                let options = EncoderOptions {
                    encoding_config: Some(EncodingConfig {
                        encoding_type: EncodingType::Lossy(LossyEncodingConfig::default()),
                        quality: WEBP_QUALITY,
                        method: WEBP_EFFORT,
                    }),
                    ..EncoderOptions::default()
                };
                let encoder = WebPEncoder::new_with_options(size_px.into(), options)?;
                Ok(Self::WebP(Box::new(encoder), out))
            }
        }
    }

    /// Adds a picture that is shown from one moment to another, milliseconds since the first picture. GIFs count in
    /// hundredths of a second.
    pub fn add(&mut self, mut picture: RgbaImage, from_ms: u32, until_ms: u32) -> Result<(), TurntableError> {
        match self {
            Self::Gif(encoder) => {
                // A GIF knows nothing between clear and opaque.
                picture
                    .pixels_mut()
                    .for_each(|pixel| pixel.0[3] = if pixel.0[3] < 128 { 0 } else { 255 });
                let delay = Delay::from_numer_denom_ms(until_ms - from_ms, 1);
                encoder.encode_frame(GifFrame::from_parts(picture, 0, 0, delay))?;
            }
            Self::WebP(encoder, _) => encoder.add_frame(&picture, from_ms as i32)?,
        }
        Ok(())
    }

    /// Writes whatever is left, after the last picture has ended.
    pub fn finish(self, end_ms: u32) -> Result<(), TurntableError> {
        match self {
            Self::Gif(_) => Ok(()),
            Self::WebP(encoder, mut out) => {
                let bytes = encoder.finalize(end_ms as i32)?;
                out.write_all(&bytes)
                    .map_err(|error| TurntableError::Encoding(image::ImageError::IoError(error)))
            }
        }
    }
}
