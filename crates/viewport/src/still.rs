//! Still pictures of any size.
//!
//! A picture is drawn tile by tile, each small enough for the graphics card, and written row by row as PNG while the next
//! tiles are drawn: what is held at a time is one tile on the card and two bands of tiles in memory, whatever the size.
//! Tiles are regions of one picture: everything measured in pixels is measured in the whole of it, and tiles begin at
//! multiples of 16 pixels, so that they fall on the grid of the tiled splats and on the rasteriser's quads. What is drawn
//! tile by tile is what would be drawn at once, but for the last bit of what the rasteriser interpolates.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bozzetto_asset::Camera;
use image::RgbaImage;

use crate::region::Region;
use crate::{Frame, GpuError, Offscreen, RenderSettings, Scene};

/// Most pixels of a tile. Layers and samples take about 80 bytes a pixel of the card's memory: 320 MiB.
const TILE_PIXELS: u32 = 4 << 20;
/// Widest tile. Wide and low tiles make low bands.
const TILE_WIDTH_PX: u32 = 8192;
/// Most bytes of a band: as many rows of the whole picture as a tile is high.
const BAND_BYTES: u64 = 64 << 20;
/// Where tiles may begin: the side of the tiles of `tile_grid.wgsl`.
const TILE_STEP_PX: u32 = 16;
/// Bytes of the file that are handed on together.
const CHUNK_BYTES: usize = 1 << 20;
const BYTES_A_PIXEL: usize = 4;

/// Why a still picture was not written.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// Its size makes no sense.
    #[error(
        "A picture of {} x {} pixels cannot be drawn: each side takes 1 to {} pixels.",
        .size_px[0], .size_px[1], Still::MAX_SIDE_PX
    )]
    Size {
        /// Width and height that were asked for, pixels.
        size_px: [u32; 2],
    },
    /// A part of it could not be drawn.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// There is no room for the file.
    #[error("The disk is full: choose another folder, or a smaller picture.")]
    DiskFull,
    /// The file could not be written for another reason.
    #[error("The picture could not be written: {0}")]
    Write(io::Error),
    /// It was asked to stop.
    #[error("Cancelled.")]
    Cancelled,
}

impl From<io::Error> for StillError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Write(error),
        }
    }
}

/// A picture that does not move.
#[derive(Clone, Debug)]
pub struct Still {
    /// Where from; its aspect should be that of `size_px`.
    pub camera: Camera,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// How the asset looks.
    pub settings: RenderSettings,
}

impl Still {
    /// Greatest width and height, pixels. PNG holds more, but a place in the picture is a single-precision number: up to
    /// here it is good to 1/256 of a pixel, which is as finely as graphics cards place triangles.
    pub const MAX_SIDE_PX: u32 = 65_536;

    /// Draws the picture and writes it as PNG with straight alpha. `proceeds` is told how many of all tiles are drawn and
    /// says whether to go on.
    ///
    /// # Errors
    /// [`StillError`]; what was written until then is no whole picture.
    pub fn write_png(
        &self,
        offscreen: &Offscreen,
        scene: &mut Scene,
        out: impl Write + Send,
        proceeds: impl FnMut(u32, u32) -> bool,
    ) -> Result<(), StillError> {
        let max_side = offscreen.device().limits().max_texture_dimension_2d;
        self.write_tiles(Tiling::new(self.size_px, max_side), offscreen, scene, out, proceeds)
    }

    fn write_tiles(
        &self,
        tiling: Tiling,
        offscreen: &Offscreen,
        scene: &mut Scene,
        out: impl Write + Send,
        proceeds: impl FnMut(u32, u32) -> bool,
    ) -> Result<(), StillError> {
        if self.size_px.iter().any(|side| !(1..=Self::MAX_SIDE_PX).contains(side)) {
            return Err(StillError::Size { size_px: self.size_px });
        }
        std::thread::scope(|scope| {
            // One band is written while the next one is drawn.
            let (sender, bands) = sync_channel(0);
            let writer = std::thread::Builder::new()
                .name("png".into())
                .spawn_scoped(scope, move || write_bands(out, self.size_px, &bands))?;
            let drawn = self.draw_bands(tiling, offscreen, scene, &sender, proceeds);
            drop(sender);
            let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // A writer that got too few bands says so too; why they were not drawn comes first.
            drawn.and(written)
        })
    }

    fn draw_bands(
        &self,
        tiling: Tiling,
        offscreen: &Offscreen,
        scene: &mut Scene,
        bands: &SyncSender<Vec<u8>>,
        mut proceeds: impl FnMut(u32, u32) -> bool,
    ) -> Result<(), StillError> {
        let frame = Frame {
            camera: self.camera,
            size_px: self.size_px,
            settings: self.settings.clone(),
        };
        let [num_columns, num_rows] = tiling.num_tiles;
        for row in 0..num_rows {
            let top = row * tiling.tile_px[1];
            let num_lines = tiling.tile_px[1].min(self.size_px[1] - top);
            let mut band = vec![0; self.size_px[0] as usize * num_lines as usize * BYTES_A_PIXEL];
            for column in 0..num_columns {
                if !proceeds(row * num_columns + column, num_columns * num_rows) {
                    return Err(StillError::Cancelled);
                }
                let region = Region {
                    origin_px: [column * tiling.tile_px[0], top],
                    size_px: tiling.tile_px,
                };
                let tile = offscreen.render_region(scene, &frame, region)?;
                copy_tile(&tile, region.origin_px[0], self.size_px[0], &mut band);
            }
            if bands.send(band).is_err() {
                // The writer has given up, and tells why.
                return Ok(());
            }
        }
        Ok(())
    }
}

/// How a picture is cut. All tiles have one size: the last ones reach beyond the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiling {
    tile_px: [u32; 2],
    /// Columns and rows.
    num_tiles: [u32; 2],
}

impl Tiling {
    /// `max_side_px` is the longest side of a texture.
    fn new(size_px: [u32; 2], max_side_px: u32) -> Self {
        let widest = TILE_WIDTH_PX.min(max_side_px);
        let tile_width = part(size_px[0], widest);
        let band_lines = BAND_BYTES / (u64::from(size_px[0].max(1)) * BYTES_A_PIXEL as u64);
        let highest = (TILE_PIXELS / tile_width).min(max_side_px).min(band_lines as u32);
        Self::with_tiles(size_px, [tile_width, part(size_px[1], highest)])
    }

    fn with_tiles(size_px: [u32; 2], tile_px: [u32; 2]) -> Self {
        Self {
            tile_px,
            num_tiles: std::array::from_fn(|axis| size_px[axis].div_ceil(tile_px[axis])),
        }
    }
}

/// The length of equal parts of a side, none longer than `longest`; a multiple of [`TILE_STEP_PX`] if there are several.
fn part(side: u32, longest: u32) -> u32 {
    let side = side.max(1);
    if side <= longest {
        return side;
    }
    let longest = (longest / TILE_STEP_PX * TILE_STEP_PX).max(TILE_STEP_PX);
    side.div_ceil(side.div_ceil(longest)).next_multiple_of(TILE_STEP_PX)
}

/// Copies what of a tile lies in the picture into its band.
fn copy_tile(tile: &RgbaImage, left: u32, picture_width: u32, band: &mut [u8]) {
    let num_columns = tile.width().min(picture_width - left) as usize;
    let lines = band.chunks_exact_mut(picture_width as usize * BYTES_A_PIXEL);
    let tile_lines = tile.as_raw().chunks_exact(tile.width() as usize * BYTES_A_PIXEL);
    for (line, tile_line) in lines.zip(tile_lines) {
        let place = left as usize * BYTES_A_PIXEL;
        let num_bytes = num_columns * BYTES_A_PIXEL;
        line[place..place + num_bytes].copy_from_slice(&tile_line[..num_bytes]);
    }
}

/// Writes a PNG of the bands, from top to bottom.
fn write_bands(out: impl Write, size_px: [u32; 2], bands: &Receiver<Vec<u8>>) -> Result<(), StillError> {
    let mut out = Remembering { out, fault: None };
    let written = encode_bands(&mut out, size_px, bands);
    match out.fault {
        Some(fault) => Err(fault.into()),
        None => written.map_err(|error| StillError::Write(error.into())),
    }
}

fn encode_bands(
    out: &mut impl Write,
    [width, height]: [u32; 2],
    bands: &Receiver<Vec<u8>>,
) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    // The card would wait for anything slower.
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer_with_size(CHUNK_BYTES)?;
    for band in bands {
        stream.write_all(&band)?;
    }
    stream.finish()?;
    writer.finish()
}

/// Keeps the system's first error: the encoder hands on its text alone.
struct Remembering<W> {
    out: W,
    fault: Option<io::Error>,
}

impl<W> Remembering<W> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.fault.get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Remembering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed)
    }
}

#[cfg(test)]
#[path = "still_tests.rs"]
mod tests;
