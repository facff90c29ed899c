use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use image::{GrayImage, RgbImage};
use serde::{Deserialize, Serialize};

use crate::Camera;

/// The side of the object that a view shows, as the object itself would name it: `Left` shows its left side, which is
/// the model frame's +X when it looks along +Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Direction {
    /// Seen from +Z.
    Front,
    /// Seen from +X.
    Left,
    /// Seen from -Z.
    Back,
    /// Seen from -X.
    Right,
    /// Seen from +Y, front at the bottom of the picture.
    Top,
    /// Seen from -Y, front at the top of the picture.
    Bottom,
    /// Any other place on the sphere, degrees; see [`Camera::orbit`].
    Free {
        /// 0 is the front, +90 is the object's left (+X).
        azimuth_deg: f32,
        /// +90 is the top.
        elevation_deg: f32,
    },
}

impl Direction {
    /// Azimuth and elevation in degrees, as [`Camera::orbit`] takes them (in radians).
    pub fn azimuth_elevation_deg(self) -> (f32, f32) {
        match self {
            Self::Front => (0.0, 0.0),
            Self::Left => (90.0, 0.0),
            Self::Back => (180.0, 0.0),
            Self::Right => (270.0, 0.0),
            Self::Top => (0.0, 90.0),
            Self::Bottom => (0.0, -90.0),
            Self::Free {
                azimuth_deg,
                elevation_deg,
            } => (azimuth_deg, elevation_deg),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Front => f.write_str("front"),
            Self::Left => f.write_str("left"),
            Self::Back => f.write_str("back"),
            Self::Right => f.write_str("right"),
            Self::Top => f.write_str("top"),
            Self::Bottom => f.write_str("bottom"),
            Self::Free {
                azimuth_deg,
                elevation_deg,
            } => write!(f, "{azimuth_deg},{elevation_deg}"),
        }
    }
}

/// A text that names no direction.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no direction. Say front, left, back, right, top, bottom, or AZIMUTH,ELEVATION in degrees.")]
pub struct ParseDirectionError(String);

impl FromStr for Direction {
    type Err = ParseDirectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseDirectionError(text.to_owned());
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "front" => Self::Front,
            "left" => Self::Left,
            "back" => Self::Back,
            "right" => Self::Right,
            "top" => Self::Top,
            "bottom" => Self::Bottom,
            free => {
                let (azimuth, elevation) = free.split_once(',').ok_or_else(error)?;
                let number = |part: &str| part.trim().parse::<f32>().ok().filter(|value| value.is_finite());
                Self::Free {
                    azimuth_deg: number(azimuth).ok_or_else(error)?,
                    elevation_deg: number(elevation)
                        .filter(|value| value.abs() <= 90.0)
                        .ok_or_else(error)?,
                }
            }
        })
    }
}

impl Serialize for Direction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Direction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// How the artist wants the object cut out of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MatteSettings {
    /// Matte values below this count as background when a hard silhouette is needed, `[0, 1]`.
    pub threshold: f32,
    /// Swap object and background.
    pub inverted: bool,
    /// Remove the background even when the picture has transparency of its own.
    pub ignores_alpha: bool,
}

impl Default for MatteSettings {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            inverted: false,
            ignores_alpha: false,
        }
    }
}

/// One picture as a job names it: the file, and what is known of how it was taken. Serialisable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The picture file.
    pub path: PathBuf,
    /// Which side it shows; `None` lets the engine tell by file names or turntable spacing.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Its exact camera, when known (from `transforms.json`). Wins over `direction`.
    #[serde(default)]
    pub camera: Option<Camera>,
    /// How much it counts against the others; 1 is usual.
    #[serde(default = "one")]
    pub weight: f32,
    /// How the object is cut out.
    #[serde(default)]
    pub matte: MatteSettings,
    /// Views that are off take no part.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn one() -> f32 {
    1.0
}

fn yes() -> bool {
    true
}

impl View {
    /// A view of a picture file with nothing else known.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            direction: None,
            camera: None,
            weight: 1.0,
            matte: MatteSettings::default(),
            enabled: true,
        }
    }

    /// File name without its folder, for labels.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }
}

/// A view that is decoded and cut out: what engines compute with.
#[derive(Clone, Debug)]
pub struct PreparedView {
    /// Label for messages.
    pub name: String,
    /// sRGB-encoded colour, not premultiplied; background pixels hold whatever the picture had.
    pub color: Arc<RgbImage>,
    /// Soft matte, 255 inside the object; same size as `color`.
    pub matte: Arc<GrayImage>,
    /// Which side it shows, when known.
    pub direction: Option<Direction>,
    /// Its exact camera, when known.
    pub camera: Option<Camera>,
    /// How much it counts.
    pub weight: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_survive_text() {
        for direction in [
            Direction::Front,
            Direction::Free {
                azimuth_deg: -12.5,
                elevation_deg: 30.0,
            },
        ] {
            assert_eq!(direction.to_string().parse(), Ok(direction));
        }
        for wrong in ["", "sideways", "1", "1,x", "nan,0", "0,91"] {
            assert!(wrong.parse::<Direction>().is_err(), "{wrong}");
        }
    }
}
