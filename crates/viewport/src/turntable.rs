use std::f32::consts::TAU;
use std::io::Write;
use std::time::Duration;

use crate::animation::AnimationWriter;
use crate::{AnimationFormat, GpuError, Offscreen, OrbitCamera, RenderSettings, Scene};

/// Why a turntable was not written.
#[derive(Debug, thiserror::Error)]
pub enum TurntableError {
    /// A picture could not be drawn.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The file could not be written.
    #[error("The animation could not be written: {0}")]
    Encoding(#[from] image::ImageError),
    /// The WebP encoder gave up.
    #[error("The WebP animation could not be made: {0}. Try a smaller size, or a GIF.")]
    WebP(#[from] webp_animation::Error),
    /// It was asked to stop.
    #[error("Cancelled.")]
    Cancelled,
}

/// Pictures all round an asset.
#[derive(Clone, Debug)]
pub struct Turntable {
    /// Where the first frame is seen from; the others follow round the target at the same height.
    pub orbit: OrbitCamera,
    /// How many frames make a whole turn.
    pub num_frames: u32,
    /// How long a whole turn takes.
    pub duration: Duration,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// How the asset looks.
    pub settings: RenderSettings,
}

impl Turntable {
    /// How far the asset has turned in a frame, radians.
    fn turn(&self, index: u32) -> f32 {
        TAU * index as f32 / self.num_frames.max(1) as f32
    }

    /// The eye of a frame. The asset turns to its left, as on a potter's wheel seen from above: the light stays where it
    /// is, and so goes round with the eye.
    fn eye(&self, index: u32) -> (OrbitCamera, RenderSettings) {
        let turn = self.turn(index);
        let orbit = OrbitCamera {
            azimuth_rad: (self.orbit.azimuth_rad + turn).rem_euclid(TAU),
            ..self.orbit
        };
        let settings = RenderSettings {
            environment_rotation_rad: self.settings.environment_rotation_rad + turn,
            ..self.settings.clone()
        };
        (orbit, settings)
    }

    /// When a frame begins to be shown, milliseconds. GIFs count in hundredths of a second: rounding is spread, so that
    /// the turn takes its time.
    fn start_ms(&self, index: u32) -> u32 {
        let share = f64::from(index) / f64::from(self.num_frames.max(1));
        (self.duration.as_secs_f64() * 100.0 * share).round() as u32 * 10
    }

    /// The shortest turn of this many frames: programs show shorter ones longer instead.
    pub fn min_duration(num_frames: u32) -> Duration {
        Duration::from_millis(20) * num_frames
    }

    /// Draws every frame and writes a file that repeats for ever. `proceeds` is told how many are done and says
    /// whether to go on.
    pub fn write(
        &self,
        format: AnimationFormat,
        offscreen: &Offscreen,
        scene: &mut Scene,
        out: impl Write,
        mut proceeds: impl FnMut(u32) -> bool,
    ) -> Result<(), TurntableError> {
        let mut writer = AnimationWriter::new(format, self.size_px, out)?;
        let aspect = self.size_px[0] as f32 / self.size_px[1].max(1) as f32;
        for index in 0..self.num_frames {
            if !proceeds(index) {
                return Err(TurntableError::Cancelled);
            }
            let (orbit, settings) = self.eye(index);
            let picture = offscreen.render(scene, &orbit.camera(aspect), self.size_px, &settings)?;
            writer.add(picture, self.start_ms(index), self.start_ms(index + 1))?;
        }
        writer.finish(self.start_ms(self.num_frames))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bozzetto_asset::TriMesh;
    use glam::Vec3;
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;
    use image::codecs::webp::WebPDecoder;

    use super::*;
    use crate::test_ball::ball;

    fn turntable(num_frames: u32, size_px: [u32; 2]) -> Turntable {
        Turntable {
            orbit: OrbitCamera::default(),
            num_frames,
            duration: Duration::from_secs(4),
            size_px,
            settings: RenderSettings::cutout(),
        }
    }

    #[test]
    fn a_turn_takes_its_time_although_gifs_count_in_hundredths() {
        let turntable = turntable(48, [8, 8]);
        let delays: Vec<_> = (0..48)
            .map(|index| turntable.start_ms(index + 1) - turntable.start_ms(index))
            .collect();
        assert_eq!(delays.iter().sum::<u32>(), 4000);
        assert!(delays.iter().all(|delay| [80, 90].contains(delay)), "{delays:?}");
    }

    /// A red triangle that only the front shows.
    fn scene(offscreen: &Offscreen) -> Scene {
        let mesh = TriMesh {
            positions: vec![
                Vec3::new(-0.4, -0.4, 0.0),
                Vec3::new(0.4, -0.4, 0.0),
                Vec3::new(0.0, 0.4, 0.0),
            ],
            colors: vec![Vec3::new(0.8, 0.02, 0.02); 3],
            triangles: vec![[0, 1, 2]],
            ..TriMesh::default()
        };
        let mut scene = Scene::new();
        scene
            .set_raw_mesh(offscreen.device(), offscreen.queue(), Some(&mesh))
            .expect("uploaded");
        scene
    }

    #[test]
    fn both_formats_hold_every_picture_with_its_time_and_its_clear_ground() {
        let offscreen = Offscreen::new().expect("a device");
        let mut scene = scene(&offscreen);
        let turntable = turntable(6, [48, 32]);
        let mut write = |format| {
            let mut bytes = Vec::new();
            let mut told = Vec::new();
            turntable
                .write(format, &offscreen, &mut scene, &mut bytes, |done| {
                    told.push(done);
                    true
                })
                .expect("written");
            assert_eq!(told, [0, 1, 2, 3, 4, 5]);
            Cursor::new(bytes)
        };
        let gif = GifDecoder::new(write(AnimationFormat::Gif))
            .expect("a GIF")
            .into_frames();
        let webp = WebPDecoder::new(write(AnimationFormat::WebP))
            .expect("a WebP")
            .into_frames();
        for frames in [gif, webp] {
            let frames = frames.collect_frames().expect("pictures");
            assert_eq!(frames.len(), 6);
            let millis = frames.iter().map(|frame| frame.delay().numer_denom_ms());
            assert_eq!(millis.map(|(numer, denom)| numer / denom).sum::<u32>(), 4000);
            for frame in &frames {
                let picture = frame.buffer();
                assert_eq!(picture.dimensions(), (48, 32));
                assert_eq!(picture.get_pixel(0, 0).0[3], 0, "nothing behind");
            }
            let middle = frames[0].buffer().get_pixel(24, 16).0;
            assert!(middle[0] > 120 && middle[1] < 90 && middle[3] == 255, "{middle:?}");
        }
    }

    #[test]
    fn the_light_stays_where_it_is() {
        let offscreen = Offscreen::new().expect("a device");
        let mut scene = Scene::new();
        let ball = round_ball();
        scene
            .set_raw_mesh(offscreen.device(), offscreen.queue(), Some(&ball))
            .expect("uploaded");
        let turntable = turntable(4, [32, 32]);
        let mut pictures = (0..4).map(|index| {
            let (orbit, settings) = turntable.eye(index);
            offscreen
                .render(&mut scene, &orbit.camera(1.0), [32, 32], &settings)
                .expect("drawn")
        });
        let first = pictures.next().expect("four");
        for other in pictures {
            let difference = first.as_raw().iter().zip(other.as_raw()).map(|(a, b)| a.abs_diff(*b));
            assert!(difference.max() <= Some(6), "a ball looks the same from all sides");
        }
    }

    fn round_ball() -> TriMesh {
        let mut mesh = ball(|direction| direction * 0.4);
        mesh.normals = mesh.positions.iter().map(|position| position.normalize()).collect();
        mesh.colors = vec![Vec3::splat(0.4); mesh.positions.len()];
        mesh
    }

    #[test]
    fn a_turntable_stops_when_told() {
        let offscreen = Offscreen::new().expect("a device");
        let stopped = turntable(6, [8, 8]).write(
            AnimationFormat::WebP,
            &offscreen,
            &mut Scene::new(),
            Vec::new(),
            |done| done < 2,
        );
        assert!(matches!(stopped, Err(TurntableError::Cancelled)));
    }
}
