//! NeRF's `transforms.json`: pictures with known cameras, as instant-ngp, nerfstudio and Blender add-ons write it.
//!
//! Its matrices take OpenGL view space (looking along -Z) to a z-up world. The model frame is reached by
//! `(x, y, z) -> (x, z, -y)`: a camera on the file's -Y axis sees our front (+Z), one on its +X axis our +X. Scale and
//! origin stay as they are. Cameras here have their principal point in the centre of the picture and no lens
//! distortion; `cx`, `cy` and distortion terms are not used.

use std::path::{Path, PathBuf};

use glam::{Affine3A, Mat3, Vec3};
use serde::Deserialize;

use super::z_up::y_up;
use super::{FormatError, read_file};
use crate::{Camera, Projection, View};

/// Endings that need no `.png` behind them.
const PICTURE_ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "exr"];

/// Lens of the whole file or, overriding it, of one frame. Angles in radians, the rest in pixels.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Lens {
    camera_angle_x: Option<f64>,
    camera_angle_y: Option<f64>,
    fl_x: Option<f64>,
    fl_y: Option<f64>,
    w: Option<f64>,
    h: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    file_path: String,
    transform_matrix: Vec<Vec<f64>>,
    #[serde(flatten)]
    lens: Lens,
}

#[derive(Debug, Deserialize)]
struct Transforms {
    #[serde(flatten)]
    lens: Lens,
    frames: Vec<Frame>,
}

/// Reads a file: one view a frame, in its order. Paths are taken from the file's folder; one without an ending gets
/// `.png`. Where the file does not tell the pictures' proportions, the picture is asked, and taken as square when it is
/// not there.
pub fn read(path: &Path) -> Result<Vec<View>, FormatError> {
    decode(&read_file(path)?, crate::files::parent_of(path)).map_err(|error| error.at(path))
}

/// Reads from memory; `folder` is where paths of pictures begin. See [`read`].
pub fn decode(bytes: &[u8], folder: &Path) -> Result<Vec<View>, FormatError> {
    let transforms: Transforms = serde_json::from_slice(bytes)
        .map_err(|error| FormatError::not_recognized("transforms.json", error.to_string()))?;
    let view = |(index, frame): (usize, &Frame)| {
        let path = picture_path(folder, &frame.file_path);
        let lens = frame.lens.or(transforms.lens);
        let wrong = |reason: String| FormatError::damaged(format!("frame {index} ({}) {reason}", frame.file_path));
        let world_from_view = model_from_view(&frame.transform_matrix).map_err(wrong)?;
        let (fov_y_rad, aspect) = lens.field_of_view(&path).map_err(wrong)?;
        Ok(View {
            camera: Some(Camera {
                world_from_view,
                projection: Projection::Perspective { fov_y_rad },
                aspect,
            }),
            ..View::new(path)
        })
    };
    transforms.frames.iter().enumerate().map(view).collect()
}

impl Lens {
    /// This lens with what it leaves open taken from another. An angle and a focal length say the same thing, so that
    /// either of this one hides both of the other.
    fn or(self, other: Self) -> Self {
        let has_x = self.camera_angle_x.is_some() || self.fl_x.is_some();
        let has_y = self.camera_angle_y.is_some() || self.fl_y.is_some();
        let keep = !(has_x || has_y);
        Self {
            camera_angle_x: self.camera_angle_x.or(other.camera_angle_x.filter(|_| keep)),
            camera_angle_y: self.camera_angle_y.or(other.camera_angle_y.filter(|_| keep)),
            fl_x: self.fl_x.or(other.fl_x.filter(|_| keep)),
            fl_y: self.fl_y.or(other.fl_y.filter(|_| keep)),
            w: self.w.or(other.w),
            h: self.h.or(other.h),
        }
    }

    /// Full vertical field of view in radians, and width over height.
    fn field_of_view(&self, picture: &Path) -> Result<(f32, f32), String> {
        let size = match (self.w, self.h) {
            (Some(width), Some(height)) => Some((width, height)),
            _ => image::image_dimensions(picture)
                .ok()
                .map(|(width, height)| (f64::from(width), f64::from(height))),
        };
        let (width, height) = size.unwrap_or((1.0, 1.0));
        if !(width > 0.0 && height > 0.0 && width.is_finite() && height.is_finite()) {
            return Err(format!("has a picture of {width} by {height} pixels"));
        }
        // Focal lengths in pixels mean nothing without the picture's size.
        let focal_x = self.fl_x.filter(|_| size.is_some());
        let focal_y = self.fl_y.filter(|_| size.is_some());
        let half_height_per_depth = if let Some(focal) = focal_y {
            height / (2.0 * focal)
        } else if let Some(angle) = self.camera_angle_y {
            (angle / 2.0).tan()
        } else if let Some(focal) = focal_x {
            height / (2.0 * focal)
        } else if let Some(angle) = self.camera_angle_x {
            (angle / 2.0).tan() * height / width
        } else {
            return Err("tells neither a focal length with the picture's size nor a camera angle".to_owned());
        };
        if !(half_height_per_depth.is_finite() && half_height_per_depth > 0.0) {
            return Err("has an impossible field of view".to_owned());
        }
        Ok(((2.0 * half_height_per_depth.atan()) as f32, (width / height) as f32))
    }
}

/// The rigid transform from view space to the model frame; scale in the matrix is taken out.
fn model_from_view(rows: &[Vec<f64>]) -> Result<Affine3A, String> {
    let is_matrix = (3..=4).contains(&rows.len()) && rows.iter().all(|row| row.len() == 4);
    if !is_matrix {
        return Err("has a transform_matrix that is not 4 by 4".to_owned());
    }
    let column = |index: usize| {
        y_up(Vec3::new(
            rows[0][index] as f32,
            rows[1][index] as f32,
            rows[2][index] as f32,
        ))
    };
    let axes = [column(0), column(1), column(2)].map(Vec3::try_normalize);
    let (position, [Some(right), Some(up), Some(back)]) = (column(3), axes) else {
        return Err("has a transform_matrix with an axis of no length".to_owned());
    };
    let rotation = Mat3::from_cols(right, up, back);
    // Files round to a few digits; more than this is a matrix of another kind.
    let is_rotation =
        (rotation * rotation.transpose()).abs_diff_eq(Mat3::IDENTITY, 1e-2) && rotation.determinant() > 0.0;
    if !(is_rotation && position.is_finite()) {
        return Err("has a transform_matrix that is no rotation and position".to_owned());
    }
    let rotation = Mat3::from_quat(glam::Quat::from_mat3(&rotation).normalize());
    Ok(Affine3A::from_mat3_translation(rotation, position))
}

fn picture_path(folder: &Path, name: &str) -> PathBuf {
    // Files made on Windows may have its separators.
    let path = folder.join(name.replace('\\', "/"));
    let has_ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| PICTURE_ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)));
    if has_ending || path.is_file() {
        return path;
    }
    let mut with_ending = path.into_os_string();
    with_ending.push(".png");
    with_ending.into()
}

#[cfg(test)]
mod tests {
    use glam::Vec2;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::formats::test_support::{mutated, never_panics};

    /// A camera on the file's -Y axis, 4 m away, looking at the origin with +Z up: right +X, up +Z, back -Y.
    fn front_matrix() -> serde_json::Value {
        json!([
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, -1.0, -4.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0]
        ])
    }

    fn read_text(value: &serde_json::Value) -> Result<Vec<View>, FormatError> {
        decode(value.to_string().as_bytes(), Path::new("/data"))
    }

    #[test]
    fn a_camera_on_minus_y_sees_our_front() {
        let text = json!({"camera_angle_x": 0.6911, "frames": [{"file_path": "./train/r_0", "transform_matrix": front_matrix()}]});
        let views = read_text(&text).unwrap();
        assert_eq!(views[0].path, Path::new("/data/./train/r_0.png"));
        let camera = views[0].camera.unwrap();
        let expected = Camera::orbit(0.0, 0.0, 4.0, Projection::Perspective { fov_y_rad: 0.6911 }, 1.0);
        assert!(camera.world_from_view.abs_diff_eq(expected.world_from_view, 1e-6));
        // Red lies on +X, green on +Y, blue on +Z: red right of the centre, green above it, blue in it and nearest.
        let (red, _) = camera.project(Vec3::X).unwrap();
        let (green, _) = camera.project(Vec3::Y).unwrap();
        let (blue, depth) = camera.project(Vec3::Z).unwrap();
        assert!(red.x > 0.5 && green.y < 0.5 && blue.abs_diff_eq(Vec2::splat(0.5), 1e-6) && depth < 4.0);
    }

    #[test]
    fn lenses_in_every_spelling_agree() {
        let frame = || json!({"file_path": "a.JPG", "transform_matrix": front_matrix()});
        let mut own = frame();
        own["fl_y"] = json!(400.0);
        own["w"] = json!(800);
        own["h"] = json!(600);
        let expected = 2.0 * (600.0_f32 / 800.0).atan();
        for text in [
            json!({"fl_x": 400.0, "fl_y": 400.0, "w": 800, "h": 600, "frames": [frame()]}),
            json!({"fl_x": 400.0, "w": 800, "h": 600, "frames": [frame()]}),
            json!({"camera_angle_x": std::f64::consts::FRAC_PI_2, "w": 800, "h": 600, "frames": [frame()]}),
            json!({"camera_angle_y": expected, "w": 800, "h": 600, "frames": [frame()]}),
            json!({"camera_angle_x": 0.1, "fl_x": 1.0, "w": 8, "h": 8, "frames": [own]}),
        ] {
            let camera = read_text(&text).unwrap()[0].camera.unwrap();
            assert_eq!(camera.aspect, 800.0 / 600.0);
            let Projection::Perspective { fov_y_rad } = camera.projection else {
                panic!("{camera:?}")
            };
            assert!((fov_y_rad - expected).abs() < 1e-6, "{text} {fov_y_rad}");
        }
    }

    #[test]
    fn proportions_come_from_the_picture_when_the_file_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        image::GrayImage::new(40, 20)
            .save(folder.path().join("r_1.5.png"))
            .unwrap();
        let text =
            json!({"camera_angle_x": 1.0, "frames": [{"file_path": "r_1.5", "transform_matrix": front_matrix()}]});
        let path = folder.path().join("transforms.json");
        std::fs::write(&path, text.to_string()).unwrap();
        let views = read(&path).unwrap();
        assert_eq!(views[0].path, folder.path().join("r_1.5.png"));
        assert_eq!(views[0].camera.unwrap().aspect, 2.0);
    }

    #[test]
    fn wrong_frames_are_named() {
        for (key, value, words) in [
            ("transform_matrix", json!([[1.0]]), "not 4 by 4"),
            ("transform_matrix", json!(vec![[0.0; 4]; 3]), "axis of no length"),
            ("fl_x", json!(-3.0), "impossible field of view"),
            ("h", json!(0), "0 pixels"),
        ] {
            let mut text = json!({"w": 8, "h": 8, "fl_x": 8.0,
                "frames": [{"file_path": "a.png", "transform_matrix": front_matrix()}]});
            text["frames"][0][key] = value;
            let sentence = read_text(&text).unwrap_err().to_string();
            assert!(
                sentence.contains("frame 0 (a.png)") && sentence.contains(words),
                "{sentence}"
            );
        }
        assert!(matches!(
            decode(b"{}", Path::new("")),
            Err(FormatError::NotRecognized { .. })
        ));
    }

    proptest! {
        #[test]
        fn bad_bytes_never_panic(bytes in mutated(
            json!({"w": 8, "h": 8, "fl_x": 8.0, "frames": [{"file_path": "a.png", "transform_matrix": front_matrix()}]})
                .to_string().into_bytes()
        )) {
            never_panics(&bytes, |bytes| decode(bytes, Path::new("/nowhere")))?;
        }
    }
}
