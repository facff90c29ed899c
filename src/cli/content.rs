//! Opens any 3D file or saved result that the program knows.

use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::formats::generation::Generation;
use bozzetto_asset::formats::ply::PlyContent;
use bozzetto_asset::formats::{generation, glb, obj, ply, spz, stl};
use bozzetto_asset::{GaussianSplats, TexturedMesh, TriMesh};

use super::UsageError;

/// What a file held.
pub(super) enum Content {
    /// A mesh with its material, from a GLB.
    Textured(Box<TexturedMesh>),
    /// A mesh alone, from OBJ, STL or PLY.
    Mesh(Arc<TriMesh>),
    /// Splats, from PLY or SPZ.
    Splats(Arc<GaussianSplats>),
    /// A saved result.
    Generation(Box<Generation>, Box<bozzetto_asset::Asset>),
}

impl Content {
    /// Reads a file by its ending, or a folder as a saved result.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            let (generation, asset) = generation::load(path)?;
            return Ok(Self::Generation(Box::new(generation), Box::new(asset)));
        }
        Ok(match extension_of(path).as_str() {
            "glb" => Self::Textured(Box::new(glb::read(path)?)),
            "ply" => match ply::read_any(path)? {
                PlyContent::Splats(splats) => Self::Splats(Arc::new(splats)),
                PlyContent::Mesh(mesh) => Self::Mesh(Arc::new(mesh)),
            },
            "spz" => Self::Splats(Arc::new(spz::read(path)?)),
            "obj" => Self::Mesh(Arc::new(obj::read(path)?)),
            "stl" => Self::Mesh(Arc::new(stl::read(path)?)),
            _ => {
                return Err(UsageError(format!(
                    "{} is no kind of 3D file that can be opened here. GLB, PLY, SPZ, OBJ, STL and saved results can.",
                    path.display()
                ))
                .into());
            }
        })
    }

    /// The mesh alone; `path` is what it was opened from.
    pub(super) fn into_mesh(self, path: &Path) -> Result<Arc<TriMesh>, UsageError> {
        let mesh = match self {
            Self::Textured(textured) => Some(textured.mesh),
            Self::Mesh(mesh) => Some(mesh),
            Self::Splats(_) => None,
            Self::Generation(_, asset) => asset.mesh,
        };
        mesh.ok_or_else(|| UsageError(format!("There is no mesh in {}.", path.display())))
    }

    /// Whether there are splats in it.
    pub(super) fn has_splats(&self) -> bool {
        match self {
            Self::Splats(_) => true,
            Self::Generation(_, asset) => asset.splats.is_some(),
            Self::Textured(_) | Self::Mesh(_) => false,
        }
    }
}

/// The ending of a file's name in lower case, without the dot.
pub(super) fn extension_of(path: &Path) -> String {
    path.extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default()
}
