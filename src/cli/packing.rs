//! The arguments that say how a mesh is written, the same for `generate` and `export`.

use std::path::Path;

use bozzetto_asset::formats::glb::TextureFormat;
use bozzetto_asset::{LengthUnit, Pivot};
use clap::ValueEnum;

use super::UsageError;
use super::content::extension_of;
use crate::export::{ExportFormat, ExportPreset, ExportSettings, PRESETS};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How the mesh is written")]
pub(super) struct Packing {
    /// Write it as this program or purpose needs it; what else is said here wins.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(PRESETS.map(|preset| preset.id)))]
    preset: Option<String>,

    /// Length of the longest side in metres.
    #[arg(long, value_name = "METRES")]
    size: Option<f32>,

    /// Which point becomes the origin: as it was generated, the middle, or the middle of what it stands on.
    #[arg(long, value_enum)]
    pivot: Option<PivotArgument>,

    /// What the numbers of OBJ, STL and PLY files count; GLB and 3MF know their unit.
    #[arg(long, value_enum)]
    unit: Option<UnitArgument>,

    /// How a GLB's textures are stored: PNG; JPEG for colours without alpha; WebP, which some programs cannot read.
    #[arg(long, value_enum)]
    texture_format: Option<TextureArgument>,

    /// Store a GLB's vertices in fewer bits: about half the size, off by 1/32767 of the object at most.
    #[arg(long)]
    quantize: bool,

    /// Compress a GLB with meshopt: for web viewers; Blender and Unreal cannot open it.
    #[arg(long)]
    meshopt: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PivotArgument {
    Model,
    Center,
    Bottom,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum UnitArgument {
    M,
    Cm,
    Mm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TextureArgument {
    Png,
    Jpeg,
    Webp,
}

impl Packing {
    /// The settings for a file, whose ending chooses the format. `holds_splats` tells which of the two kinds of PLY is
    /// meant.
    ///
    /// # Errors
    /// An ending that is no format, and a size that nothing has.
    pub(super) fn settings(&self, output: &Path, holds_splats: bool) -> Result<ExportSettings, UsageError> {
        let preset = self.preset.as_deref().and_then(ExportPreset::of_id);
        let mut settings = preset.map_or_else(ExportSettings::default, |preset| preset.settings);
        settings.format = ExportFormat::of_extension(&extension_of(output), holds_splats).ok_or_else(|| {
            UsageError(format!(
                "{} must end in .glb, .obj, .stl, .3mf, .ply or .spz.",
                output.display()
            ))
        })?;
        settings.placement.longest_side = self.size.or(settings.placement.longest_side);
        if let Some(pivot) = self.pivot {
            settings.placement.pivot = match pivot {
                PivotArgument::Model => Pivot::Model,
                PivotArgument::Center => Pivot::Center,
                PivotArgument::Bottom => Pivot::Bottom,
            };
        }
        if let Some(unit) = self.unit {
            settings.unit = match unit {
                UnitArgument::M => LengthUnit::Metre,
                UnitArgument::Cm => LengthUnit::Centimetre,
                UnitArgument::Mm => LengthUnit::Millimetre,
            };
        }
        if let Some(format) = self.texture_format {
            settings.texture_format = match format {
                TextureArgument::Png => TextureFormat::Png,
                TextureArgument::Jpeg => TextureFormat::Jpeg,
                TextureArgument::Webp => TextureFormat::WebP,
            };
        }
        settings.is_quantized |= self.quantize;
        settings.is_compressed |= self.meshopt;
        settings.validate().map_err(|error| UsageError(error.to_string()))?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        packing: Packing,
    }

    fn settings(words: &str, output: &str) -> Result<ExportSettings, String> {
        let words = std::iter::once("bozzetto").chain(words.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        let settings = line.packing.settings(Path::new(output), false);
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn without_words_a_file_is_written_as_it_was_made() {
        assert_eq!(settings("", "a.glb"), Ok(ExportSettings::default()));
        for preset in &PRESETS {
            let output = format!("a.{}", preset.settings.format.extension());
            assert_eq!(
                settings(&format!("--preset {}", preset.id), &output),
                Ok(preset.settings)
            );
        }
    }

    #[test]
    fn what_is_said_wins_over_the_preset_and_the_ending_over_its_format() {
        let words = "--preset print --size 0.3 --pivot center --unit cm --texture-format webp --quantize --meshopt";
        let settings = settings(words, "a.STL").expect("understood");
        assert_eq!(
            (settings.format, settings.unit),
            (ExportFormat::Stl, LengthUnit::Centimetre)
        );
        assert_eq!(settings.placement.longest_side, Some(0.3));
        assert_eq!(settings.placement.pivot, Pivot::Center);
        assert_eq!(settings.texture_format, TextureFormat::WebP);
        assert!(settings.is_quantized && settings.is_compressed);
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        for (words, output, wanted) in [
            ("", "a.usdz", "must end in"),
            ("--size 0", "a.glb", "is not between"),
            ("--preset maya", "a.glb", "blender"),
        ] {
            let error = settings(words, output).expect_err("refused");
            assert!(error.contains(wanted), "{error}");
        }
    }
}
