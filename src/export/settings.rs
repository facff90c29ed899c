use bozzetto_asset::formats::glb::TextureFormat;
use bozzetto_asset::{LengthUnit, Placement};
use serde::{Deserialize, Serialize};

use super::{ExportFormat, ExportPreset, PRESETS};

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportSettings {
    /// The format.
    pub format: ExportFormat,
    /// How pictures inside a GLB are packed.
    pub texture_format: TextureFormat,
    /// Whether a GLB holds its vertex data in small whole numbers.
    pub is_quantized: bool,
    /// Whether a GLB's arrays are compressed.
    pub is_compressed: bool,
    /// What the numbers of formats without a unit count.
    pub unit: LengthUnit,
    /// Size and origin; meshes only.
    pub placement: Placement,
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The longest side is nothing that an object can have.
    #[error(
        "The size of {size} m is not between {} m and {} m.",
        Placement::SIZES.start(),
        Placement::SIZES.end()
    )]
    BadSize {
        /// What was asked for, metres.
        size: f32,
    },
}

impl ExportSettings {
    /// Checks the ranges.
    pub fn validate(&self) -> Result<(), SettingsError> {
        match self.placement.longest_side {
            Some(size) if !Placement::SIZES.contains(&size) => Err(SettingsError::BadSize { size }),
            _ => Ok(()),
        }
    }

    /// The preset whose settings these are; `None` when they are the artist's own.
    pub fn preset(&self) -> Option<&'static ExportPreset> {
        PRESETS.iter().find(|preset| preset.settings == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_nothing_has_are_refused_in_words() {
        let with = |size: f32| {
            let mut settings = ExportSettings::default();
            settings.placement.longest_side = Some(size);
            settings.validate()
        };
        assert!(with(0.3).is_ok() && ExportSettings::default().validate().is_ok());
        for size in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
            let error = with(size).expect_err("refused").to_string();
            assert!(error.contains("is not between 0.001 m and 10000 m"), "{error}");
        }
    }

    #[test]
    fn a_changed_field_belongs_to_no_preset() {
        for preset in &PRESETS {
            assert_eq!(preset.settings.preset().map(|preset| preset.name), Some(preset.name));
            let mut changed = preset.settings;
            changed.placement.longest_side = Some(0.123);
            assert!(changed.preset().is_none(), "{}", preset.name);
        }
        assert_eq!(
            ExportSettings::default().preset().map(|preset| preset.id),
            Some("standard")
        );
    }

    #[test]
    fn settings_survive_a_settings_file() {
        for preset in &PRESETS {
            let text = toml::to_string(&preset.settings).expect("can be written");
            assert_eq!(
                toml::from_str::<ExportSettings>(&text).expect("reads back"),
                preset.settings,
                "{text}"
            );
        }
    }
}
