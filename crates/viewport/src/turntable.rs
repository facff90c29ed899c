use std::f32::consts::TAU;
use std::io::Write;
use std::time::Duration;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame as GifFrame};

use crate::{GpuError, Offscreen, OrbitCamera, RenderSettings, Scene};

/// Colours are chosen for each picture of a GIF by looking at one pixel in this many: 1 is best and slowest, 30 fastest.
const GIF_SPEED: i32 = 10;

/// Why a turntable was not written.
#[derive(Debug, thiserror::Error)]
pub enum TurntableError {
    /// A picture could not be drawn.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The file could not be written.
    #[error("The animation could not be written: {0}")]
    Encoding(#[from] image::ImageError),
    /// It was asked to stop.
    #[error("Cancelled.")]
    Cancelled,
}

/// Pictures all round an asset.
#[derive(Clone, Debug)]
pub struct Turntable {
    /// Where the first picture is taken from; the others follow round the target at the same height.
    pub orbit: OrbitCamera,
    /// How many pictures make a whole turn.
    pub num_pictures: u32,
    /// How long a whole turn takes.
    pub duration: Duration,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// How the asset looks.
    pub settings: RenderSettings,
}

impl Turntable {
    /// The eye of a picture. The asset turns to its left, as on a potter's wheel seen from above.
    pub fn eye(&self, index: u32) -> OrbitCamera {
        let turn = TAU * index as f32 / self.num_pictures.max(1) as f32;
        OrbitCamera {
            azimuth_rad: (self.orbit.azimuth_rad + turn).rem_euclid(TAU),
            ..self.orbit
        }
    }

    /// Draws every picture and writes a GIF that repeats for ever. `proceeds` is told how many pictures are done and says
    /// whether to go on.
    pub fn write_gif(
        &self,
        offscreen: &Offscreen,
        scene: &mut Scene,
        out: impl Write,
        mut proceeds: impl FnMut(u32) -> bool,
    ) -> Result<(), TurntableError> {
        let mut encoder = GifEncoder::new_with_speed(out, GIF_SPEED);
        encoder.set_repeat(Repeat::Infinite)?;
        let delay = Delay::from_saturating_duration(self.duration / self.num_pictures.max(1));
        let aspect = self.size_px[0] as f32 / self.size_px[1].max(1) as f32;
        for index in 0..self.num_pictures {
            if !proceeds(index) {
                return Err(TurntableError::Cancelled);
            }
            let camera = self.eye(index).camera(aspect);
            let picture = offscreen.render(scene, &camera, self.size_px, &self.settings)?;
            encoder.encode_frame(GifFrame::from_parts(picture, 0, 0, delay))?;
        }
        Ok(())
    }
}
