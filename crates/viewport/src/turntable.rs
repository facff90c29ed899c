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

    /// How long a picture is shown. GIFs count in hundredths of a second: rounding is spread, so that the turn takes its
    /// time.
    fn delay(&self, index: u32) -> Delay {
        let end_of = |index: u32| {
            let share = f64::from(index) / f64::from(self.num_pictures.max(1));
            (self.duration.as_secs_f64() * 100.0 * share).round() as u32
        };
        Delay::from_numer_denom_ms((end_of(index + 1) - end_of(index)) * 10, 1)
    }

    /// The shortest turn of this many pictures: programs show shorter pictures longer instead.
    pub fn min_duration(num_pictures: u32) -> Duration {
        Duration::from_millis(20) * num_pictures
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
        let aspect = self.size_px[0] as f32 / self.size_px[1].max(1) as f32;
        for index in 0..self.num_pictures {
            if !proceeds(index) {
                return Err(TurntableError::Cancelled);
            }
            let camera = self.eye(index).camera(aspect);
            let mut picture = offscreen.render(scene, &camera, self.size_px, &self.settings)?;
            // A GIF knows nothing between clear and opaque.
            picture
                .pixels_mut()
                .for_each(|pixel| pixel.0[3] = if pixel.0[3] < 128 { 0 } else { 255 });
            encoder.encode_frame(GifFrame::from_parts(picture, 0, 0, self.delay(index)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_takes_its_time_although_gifs_count_in_hundredths() {
        let turntable = Turntable {
            orbit: OrbitCamera::default(),
            num_pictures: 48,
            duration: Duration::from_secs(4),
            size_px: [8, 8],
            settings: RenderSettings::cutout(),
        };
        let delays: Vec<_> = (0..48).map(|index| turntable.delay(index).numer_denom_ms().0).collect();
        assert_eq!(delays.iter().sum::<u32>(), 4000);
        assert!(delays.iter().all(|delay| [80, 90].contains(delay)), "{delays:?}");
    }
}
