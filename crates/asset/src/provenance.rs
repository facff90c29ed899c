use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Camera, MatteSettings, View};

/// Where an asset came from: enough to make it again. Travels in saved generations and in a GLB's `asset.extras`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name and version of the program that made it, as in `Bozzetto 0.1.0`.
    pub generator: String,
    /// Engine id, as in `hull`.
    pub engine: String,
    /// Every parameter by key, as the engine ran with it.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Seed of the run.
    pub seed: u64,
    /// Name, content hash and settings of each view that took part.
    pub views: Vec<ViewRecord>,
    /// The mesh that the engine worked on; absent for engines that need none, and in files of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mesh: Option<FileRecord>,
    /// Content hash of each weight file, by file name; empty for engines without weights.
    pub weights: BTreeMap<String, String>,
    /// Seconds since the Unix epoch when the run began.
    pub created_unix_secs: u64,
    /// Wall time of the run in seconds.
    pub duration_secs: f64,
}

/// A file as provenance remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileRecord {
    /// Its name without its folder.
    pub name: String,
    /// SHA-256 of its content, lower-case hexadecimal.
    pub sha256: String,
}

/// A view as provenance remembers it: everything that a run takes from a [`View`] but where its file lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewRecord {
    /// File name without its folder, so that a shared GLB does not tell where its maker lives.
    pub name: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Direction as in [`crate::Direction`]'s text form, empty when unknown.
    pub direction: String,
    /// Its exact camera in the model frame, when the artist gave one; absent in files of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Camera>,
    /// How the object was cut out.
    pub matte: MatteSettings,
    /// How much it counted against the others; 1 is usual.
    pub weight: f32,
}

impl ViewRecord {
    /// What is to be remembered of a view whose file has this SHA-256.
    pub fn of(view: &View, sha256: String) -> Self {
        Self {
            name: view.name(),
            sha256,
            direction: view
                .direction
                .map(|direction| direction.to_string())
                .unwrap_or_default(),
            camera: view.camera,
            matte: view.matte,
            weight: view.weight,
        }
    }

    /// The view again, with its file at `path`.
    pub fn to_view(&self, path: impl Into<PathBuf>) -> View {
        View {
            direction: self.direction.parse().ok(),
            camera: self.camera,
            weight: self.weight,
            matte: self.matte,
            ..View::new(path)
        }
    }
}

impl Default for ViewRecord {
    fn default() -> Self {
        Self {
            name: String::new(),
            sha256: String::new(),
            direction: String::new(),
            camera: None,
            matte: MatteSettings::default(),
            weight: 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Direction, Projection};

    #[test]
    fn a_view_comes_back_from_its_record_through_json() {
        let view = View {
            direction: Some(Direction::Back),
            camera: Some(Camera::look_at(
                glam::Vec3::new(0.3, 0.7, 2.1),
                glam::Vec3::ZERO,
                Projection::Perspective { fov_y_rad: 0.61 },
                1.5,
            )),
            weight: 0.3,
            matte: MatteSettings {
                threshold: 0.37,
                inverted: true,
                ignores_alpha: true,
            },
            ..View::new("pictures/back.png")
        };
        let text = serde_json::to_string(&ViewRecord::of(&view, "abc".into())).expect("can be written");
        let record: ViewRecord = serde_json::from_str(&text).expect("reads back");
        assert_eq!((record.name.as_str(), record.sha256.as_str()), ("back.png", "abc"));
        assert_eq!(record.to_view("pictures/back.png"), view);
    }

    #[test]
    fn records_of_older_files_have_the_usual_settings() {
        let old = r#"{ "name": "a.png", "sha256": "abc", "direction": "left" }"#;
        let record: ViewRecord = serde_json::from_str(old).expect("reads");
        let usual = View {
            direction: Some(Direction::Left),
            ..View::new("a.png")
        };
        assert_eq!(record.to_view("a.png"), usual);
        let text = serde_json::to_string(&record).expect("can be written");
        assert!(!text.contains("camera"), "{text}");
    }
}
