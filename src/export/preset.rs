use bozzetto_asset::formats::glb::TextureFormat;
use bozzetto_asset::{LengthUnit, Pivot, Placement};

use super::{ExportFormat, ExportSettings};

/// Settings for one program or purpose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportPreset {
    /// As the command line names it.
    pub id: &'static str,
    /// As the window names it.
    pub name: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// What it sets.
    pub settings: ExportSettings,
}

/// Longest side of what is to be printed, metres: fits the bed of nearly every printer.
const PRINT_SIZE: f32 = 0.1;

const fn standing(unit: LengthUnit) -> ExportSettings {
    ExportSettings {
        format: ExportFormat::Glb,
        texture_format: TextureFormat::Png,
        is_quantized: false,
        is_compressed: false,
        unit,
        placement: Placement {
            longest_side: None,
            pivot: Pivot::Bottom,
        },
    }
}

/// The presets, each as what surely opens there. No release of Blender up to 5.1 and none of Unreal reads meshopt
/// compression; WebP pictures are read by Blender but not by Unreal; Unity's glTFast reads quantised vertex data, but
/// needs another package for compression. Viewers on the web (three.js, model-viewer, Babylon.js) read both.
pub static PRESETS: [ExportPreset; 6] = [
    ExportPreset {
        id: "standard",
        name: "Standard",
        summary: "A GLB that opens everywhere, with size and origin as they were generated.",
        settings: ExportSettings {
            placement: Placement {
                longest_side: None,
                pivot: Pivot::Model,
            },
            ..standing(LengthUnit::Metre)
        },
    },
    ExportPreset {
        id: "blender",
        name: "Blender",
        summary: "A GLB that stands on the grid, in metres.",
        settings: standing(LengthUnit::Metre),
    },
    ExportPreset {
        id: "unreal",
        name: "Unreal",
        summary: "A GLB that stands on the floor. Unreal turns its metres into centimetres itself.",
        settings: standing(LengthUnit::Centimetre),
    },
    ExportPreset {
        id: "unity",
        name: "Unity",
        summary: "A GLB that stands on the floor, for glTFast, with vertices in fewer bits.",
        settings: ExportSettings {
            is_quantized: true,
            ..standing(LengthUnit::Metre)
        },
    },
    ExportPreset {
        id: "web",
        name: "Web",
        summary: "A small GLB for three.js, model-viewer and Babylon.js; Blender cannot open it.",
        settings: ExportSettings {
            texture_format: TextureFormat::Jpeg,
            is_quantized: true,
            is_compressed: true,
            ..standing(LengthUnit::Metre)
        },
    },
    ExportPreset {
        id: "print",
        name: "3D print",
        summary: "A 3MF in millimetres, 100 mm on its longest side, standing on the bed.",
        settings: ExportSettings {
            format: ExportFormat::ThreeMf,
            placement: Placement {
                longest_side: Some(PRINT_SIZE),
                pivot: Pivot::Bottom,
            },
            ..standing(LengthUnit::Millimetre)
        },
    },
];

impl ExportPreset {
    /// The preset that the command line names so.
    pub fn of_id(id: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_told_apart_and_can_be_written() {
        for (index, preset) in PRESETS.iter().enumerate() {
            assert!(preset.settings.validate().is_ok(), "{}", preset.name);
            assert!(!preset.settings.format.holds_splats());
            assert_eq!(ExportPreset::of_id(preset.id), Some(preset));
            for other in &PRESETS[..index] {
                assert_ne!(other.settings, preset.settings, "{} and {}", other.name, preset.name);
            }
        }
    }

    #[test]
    fn what_needs_an_extension_that_a_program_does_not_read_is_off_there() {
        for id in ["standard", "blender", "unreal"] {
            let settings = ExportPreset::of_id(id).expect("there").settings;
            assert!(!settings.is_quantized && !settings.is_compressed);
            assert_eq!(settings.texture_format, TextureFormat::Png);
        }
        assert!(!ExportPreset::of_id("unity").expect("there").settings.is_compressed);
    }
}
