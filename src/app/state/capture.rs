use std::path::PathBuf;
use std::time::Duration;

use bozzetto_viewport::{AnimationFormat, Still, Turntable};
use serde::{Deserialize, Serialize};

use super::Problem;

/// What a picture of the stage is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFormat {
    /// One picture with every shade of transparency.
    #[default]
    Png,
    /// The object turning, for every program.
    Gif,
    /// The object turning, smaller and smoother.
    WebP,
}

impl CaptureFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Png, Self::Gif, Self::WebP];

    /// What it is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Png => "Still PNG",
            Self::Gif => "Turning GIF",
            Self::WebP => "Turning WebP",
        }
    }

    /// What it is good for.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Png => "What the stage shows, from where you look at it.",
            Self::Gif => "Once round, for ever. 256 colors; plays everywhere.",
            Self::WebP => "Once round, for ever. All colors and soft edges in a small file; plays in browsers.",
        }
    }

    /// End of its files' names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
        }
    }

    /// Greatest width and height, pixels.
    pub fn max_side_px(self) -> u32 {
        match self {
            Self::Png => Still::MAX_SIDE_PX,
            Self::Gif | Self::WebP => CaptureSettings::MAX_ANIMATED_SIDE_PX,
        }
    }

    /// How it moves, if it does.
    pub fn animation(self) -> Option<AnimationFormat> {
        match self {
            Self::Png => None,
            Self::Gif => Some(AnimationFormat::Gif),
            Self::WebP => Some(AnimationFormat::WebP),
        }
    }
}

/// How a picture of the stage is made. Remembered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptureSettings {
    /// What it is written as.
    pub format: CaptureFormat,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// Leaves out the ground and what lies behind.
    pub is_transparent: bool,
    /// Frames of a turn.
    pub num_frames: u32,
    /// Seconds that a turn takes.
    pub seconds: f32,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            format: CaptureFormat::default(),
            size_px: [1920, 1080],
            is_transparent: false,
            num_frames: 48,
            seconds: 4.0,
        }
    }
}

impl CaptureSettings {
    /// Least width and height, pixels.
    pub const MIN_SIDE_PX: u32 = 16;
    /// Greatest width and height of an animation, pixels: each frame is drawn at once, and all of the file is held.
    pub const MAX_ANIMATED_SIDE_PX: u32 = 8192;
    /// Fewest and most frames of a turn.
    pub const NUM_FRAMES: [u32; 2] = [2, 240];
    /// Shortest and longest turn, seconds.
    pub const SECONDS: [f32; 2] = [0.5, 30.0];

    /// The nearest settings that can be drawn.
    #[must_use]
    pub fn clamped(self) -> Self {
        let [fewest, greatest] = Self::NUM_FRAMES;
        let num_frames = self.num_frames.clamp(fewest, greatest);
        let shortest = Turntable::min_duration(num_frames).as_secs_f32().max(Self::SECONDS[0]);
        let seconds = if self.seconds.is_finite() {
            self.seconds.clamp(shortest, Self::SECONDS[1])
        } else {
            Self::default().seconds
        };
        Self {
            size_px: self
                .size_px
                .map(|side| side.clamp(Self::MIN_SIDE_PX, self.format.max_side_px())),
            num_frames,
            seconds,
            ..self
        }
    }

    /// How long a turn takes.
    pub fn duration(&self) -> Duration {
        Duration::try_from_secs_f32(self.seconds).unwrap_or_default()
    }
}

/// How the last picture of the stage stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum CaptureStatus {
    /// Nothing is drawn.
    #[default]
    Idle,
    /// The file dialog is open.
    Choosing,
    /// Being drawn.
    Drawing {
        /// Where it goes.
        path: PathBuf,
        /// Frames of an animation or parts of a still that are done.
        done: u32,
        /// All of them; 0 before the first.
        total: u32,
    },
    /// Not written.
    Failed(Problem),
}

/// Pictures of the stage.
#[derive(Clone, Debug, Default)]
pub struct CaptureState {
    /// How the next one is made.
    pub settings: CaptureSettings,
    /// How the last one stands.
    pub status: CaptureStatus,
    /// Folder of the last one.
    pub folder: Option<PathBuf>,
}

impl CaptureState {
    /// Whether a dialog is open or a picture is being drawn.
    pub fn is_busy(&self) -> bool {
        matches!(self.status, CaptureStatus::Choosing | CaptureStatus::Drawing { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_drawn_become_the_nearest_that_can() {
        let wild = CaptureSettings {
            size_px: [0, 100_000],
            num_frames: 9_999,
            seconds: f32::NAN,
            ..CaptureSettings::default()
        };
        let tame = wild.clamped();
        assert_eq!(tame.size_px, [16, 65_536]);
        let turning = CaptureSettings {
            format: CaptureFormat::WebP,
            ..wild
        };
        assert_eq!(turning.clamped().size_px, [16, 8192]);
        assert_eq!(tame.num_frames, 240);
        let hasty = CaptureSettings {
            num_frames: 100,
            seconds: 0.1,
            ..tame
        };
        assert_eq!(hasty.clamped().duration(), Turntable::min_duration(100));
        assert_eq!(CaptureSettings::default().clamped(), CaptureSettings::default());
    }
}
