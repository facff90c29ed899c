use serde::{Deserialize, Serialize};

/// A file format that a result can be written as.
///
/// USDZ is not among them: the one crate that writes it, `openusd`, asks for a newer compiler than this workspace builds
/// with. Blender makes USDZ from the GLB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Mesh, textures and provenance in one file.
    #[default]
    Glb,
    /// Mesh with its textures beside it.
    Obj,
    /// Bare surface, for printing.
    Stl,
    /// Bare surface with its unit, for printing.
    ThreeMf,
    /// Mesh with vertex colours.
    MeshPly,
    /// Gaussian splats, uncompressed.
    Ply,
    /// Gaussian splats, compressed.
    Spz,
}

impl ExportFormat {
    /// Every format, in the order of the menu.
    pub const ALL: [Self; 7] = [
        Self::Glb,
        Self::Obj,
        Self::Stl,
        Self::ThreeMf,
        Self::MeshPly,
        Self::Ply,
        Self::Spz,
    ];

    /// Short name, as in `GLB`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Glb => "GLB",
            Self::Obj => "OBJ",
            Self::Stl => "STL",
            Self::ThreeMf => "3MF",
            Self::MeshPly => "PLY mesh",
            Self::Ply => "PLY splats",
            Self::Spz => "SPZ splats",
        }
    }

    /// File extension without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Glb => "glb",
            Self::Obj => "obj",
            Self::Stl => "stl",
            Self::ThreeMf => "3mf",
            Self::MeshPly | Self::Ply => "ply",
            Self::Spz => "spz",
        }
    }

    /// One sentence on what it is for.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Glb => "Mesh and textures in one file. Opens in Blender, Unity, Unreal, Godot and on the web.",
            Self::Obj => "Mesh with its textures beside it. Opens nearly everywhere.",
            Self::Stl => "The bare surface, for CAD programs and slicers.",
            Self::ThreeMf => "The bare surface in millimetres, for 3D printing.",
            Self::MeshPly => "Mesh with vertex colors, for MeshLab and scanning programs.",
            Self::Ply => "Gaussian splats as every splat viewer reads them.",
            Self::Spz => "Gaussian splats in about a tenth of the size.",
        }
    }

    /// Whether it holds splats instead of a mesh.
    pub fn holds_splats(self) -> bool {
        matches!(self, Self::Ply | Self::Spz)
    }

    /// Whether it holds textures, or colours that come from them.
    pub fn holds_colors(self) -> bool {
        matches!(self, Self::Glb | Self::Obj | Self::MeshPly)
    }

    /// Whether its numbers have no unit of their own, so that the artist has to say what they count.
    pub fn lacks_unit(self) -> bool {
        matches!(self, Self::Obj | Self::Stl | Self::MeshPly)
    }

    /// The format that a file's ending stands for, in any case. Two formats share the ending of PLY: `holds_splats`
    /// tells which of them is meant.
    pub fn of_extension(extension: &str, holds_splats: bool) -> Option<Self> {
        let fits = |format: &Self| format.extension().eq_ignore_ascii_case(extension);
        let all = || Self::ALL.into_iter().filter(fits);
        all()
            .find(|format| format.holds_splats() == holds_splats)
            .or_else(|| all().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_names_its_format_and_ply_the_kind_that_is_meant() {
        for format in ExportFormat::ALL {
            let extension = format.extension().to_uppercase();
            assert_eq!(
                ExportFormat::of_extension(&extension, format.holds_splats()),
                Some(format)
            );
        }
        assert_eq!(ExportFormat::of_extension("glb", true), Some(ExportFormat::Glb));
        assert_eq!(ExportFormat::of_extension("usdz", false), None);
    }
}
