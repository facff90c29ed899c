use gltf::json;
use json::Root;
use serde_json::Value;

use super::container::Chunks;
use super::decode::{extra, parse, placed_meshes};
use super::{HEALTH_KEY, accessor};
use crate::formats::FormatError;

/// What a GLB's description tells beside its mesh. Any GLB has these, also one that needs an extension that is not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GlbFacts {
    /// Size of the file in bytes.
    pub num_bytes: u64,
    /// Primitives that the scene draws, those of a mesh that is placed twice counted twice: each is a call to the
    /// graphics card.
    pub num_draw_calls: usize,
    /// Names of the extensions that it uses.
    pub extensions: Vec<String>,
    /// Its pictures.
    pub textures: Vec<TextureFacts>,
    /// What was sound and broken about the mesh when one of our files was written.
    pub health: Option<Value>,
}

/// A picture inside of a GLB.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct TextureFacts {
    /// What the file calls it.
    pub name: String,
    /// As in `image/png`.
    pub mime_type: String,
    /// Size of the compressed picture.
    pub num_bytes: u64,
}

impl GlbFacts {
    /// Reads the description of a file in memory.
    pub fn of(bytes: &[u8]) -> Result<Self, FormatError> {
        let root = parse(Chunks::split(bytes)?.json)?;
        let num_draw_calls = placed_meshes(&root)?
            .into_iter()
            .map(|(mesh, _)| Ok(accessor::get(&root.meshes, mesh)?.primitives.len()))
            .sum::<Result<usize, FormatError>>()?;
        Ok(Self {
            num_bytes: bytes.len() as u64,
            num_draw_calls,
            extensions: root.extensions_used.clone(),
            textures: root.images.iter().map(|image| texture(&root, image)).collect(),
            health: extra(&root, HEALTH_KEY),
        })
    }
}

fn texture(root: &Root, image: &json::Image) -> TextureFacts {
    let view = image.buffer_view.and_then(|view| root.buffer_views.get(view.value()));
    TextureFacts {
        name: image.name.clone().unwrap_or_default(),
        mime_type: image.mime_type.as_ref().map(|mime| mime.0.clone()).unwrap_or_default(),
        num_bytes: view.map_or(0, |view| view.byte_length.0),
    }
}
