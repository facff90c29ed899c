//! A [`TexturedMesh`] as a GLB: one node, one mesh, one primitive, one material.

mod geometry;
mod material;

use std::collections::BTreeMap;

use gltf::json;
use json::validation::Checked::Valid;
use json::{Index, Root};
use serde_json::{Value, json};

use super::container::Chunks;
use super::meshopt::{self, CompressedView, Mode};
use super::{EXTRAS_KEY, FILE_BYTES_KEY, GlbOptions, HEALTH_KEY};
use crate::formats::{FormatError, compact};
use crate::{Provenance, TexturedMesh, TriMesh};

pub(super) fn encode(textured: &TexturedMesh, options: &GlbOptions) -> Result<Vec<u8>, FormatError> {
    let mesh = &*textured.mesh;
    check(mesh)?;
    let mesh = compact::without_unused_vertices(mesh);
    let mesh = if options.is_compressed {
        &meshopt::reordered(&mesh)
    } else {
        &*mesh
    };
    let mut builder = Builder::default();
    let material = builder.push_material(&textured.material, mesh, options.texture_format)?;
    let (primitive, scale) = builder.push_primitive(mesh, &textured.material, material, options)?;
    builder.push_scene(primitive, scale);
    builder.finish(&textured.provenance, options.health.as_ref())
}

fn check(mesh: &TriMesh) -> Result<(), FormatError> {
    if mesh.triangles.is_empty() {
        return Err(FormatError::unwritable("there is no surface to write"));
    }
    if !mesh.is_consistent() {
        return Err(FormatError::unwritable("the mesh contradicts itself"));
    }
    if !mesh.uvs.iter().all(|uv| uv.is_finite()) {
        return Err(FormatError::unwritable(
            "some texture coordinates are not finite numbers",
        ));
    }
    Ok(())
}

fn asset(provenance: &Provenance, health: Option<&Value>) -> Result<json::Asset, FormatError> {
    let generator = if provenance.generator.is_empty() {
        concat!("Bozzetto ", env!("CARGO_PKG_VERSION")).to_owned()
    } else {
        provenance.generator.clone()
    };
    let no_json =
        |error: serde_json::Error| FormatError::unwritable(format!("its provenance has no JSON form ({error})"));
    let mut extras = BTreeMap::from([(EXTRAS_KEY, serde_json::to_value(provenance).map_err(no_json)?)]);
    extras.extend(health.map(|health| (HEALTH_KEY, health.clone())));
    Ok(json::Asset {
        generator: Some(generator),
        extras: Some(serde_json::value::to_raw_value(&extras).map_err(no_json)?),
        ..json::Asset::default()
    })
}

/// Entries of an array, for the view that it lies in.
struct Entries<'a> {
    bytes: &'a [u8],
    count: usize,
    stride: usize,
    mode: Mode,
}

#[derive(Default)]
struct Builder {
    root: Root,
    binary: Vec<u8>,
    /// Bytes that the compressed arrays have when they are not; together they are a second buffer that is not there.
    num_uncompressed: usize,
}

impl Builder {
    fn push_scene(&mut self, primitive: json::mesh::Primitive, scale: f32) {
        let mesh = self.root.push(json::Mesh {
            extensions: None,
            extras: None,
            name: Some("model".to_owned()),
            primitives: vec![primitive],
            weights: None,
        });
        let node = self.root.push(json::Node {
            mesh: Some(mesh),
            name: Some("model".to_owned()),
            scale: (scale != 1.0).then_some([scale; 3]),
            ..json::Node::default()
        });
        let scene = self.root.push(json::Scene {
            extensions: None,
            extras: None,
            name: None,
            nodes: vec![node],
        });
        self.root.scene = Some(scene);
    }

    fn finish(mut self, provenance: &Provenance, health: Option<&Value>) -> Result<Vec<u8>, FormatError> {
        let buffer = |num_bytes: usize, extensions| json::Buffer {
            byte_length: num_bytes.into(),
            name: None,
            uri: None,
            extensions,
            extras: None,
        };
        self.root.push(buffer(self.binary.len(), None));
        if self.num_uncompressed > 0 {
            let others = [(meshopt::EXTENSION.to_owned(), json!({ "fallback": true }))];
            let others = others.into_iter().collect();
            let extensions = json::extensions::buffer::Buffer { others };
            self.root.push(buffer(self.num_uncompressed, Some(extensions)));
        }
        // The file tells its own size: a longer number makes it longer, until both agree.
        let mut health = health.cloned();
        let mut num_bytes = 0;
        loop {
            if let Some(Value::Object(health)) = &mut health {
                health.insert(FILE_BYTES_KEY.to_owned(), num_bytes.into());
            }
            self.root.asset = asset(provenance, health.as_ref())?;
            let json = serde_json::to_vec(&self.root)
                .map_err(|error| FormatError::unwritable(format!("its description has no JSON form ({error})")))?;
            let chunks = Chunks {
                json: &json,
                binary: &self.binary,
            };
            if health.is_none() || chunks.num_bytes() == num_bytes {
                return chunks.join();
            }
            num_bytes = chunks.num_bytes();
        }
    }

    /// Declares an extension without which the file cannot be read.
    fn require(&mut self, extension: &str) {
        if !self.root.extensions_required.iter().any(|name| name == extension) {
            self.root.extensions_used.push(extension.to_owned());
            self.root.extensions_required.push(extension.to_owned());
        }
    }

    /// Appends bytes to the file's data and returns where they begin.
    fn push_bytes(&mut self, bytes: &[u8]) -> usize {
        self.binary.resize(self.binary.len().next_multiple_of(4), 0);
        let offset = self.binary.len();
        self.binary.extend_from_slice(bytes);
        offset
    }

    fn push_view(&mut self, bytes: &[u8]) -> Index<json::buffer::View> {
        let offset = self.push_bytes(bytes);
        self.root.push(view(0, offset, bytes.len()))
    }

    /// An array as it is. `stride` is given where entries are padded.
    fn push_array(
        &mut self,
        bytes: &[u8],
        stride: Option<usize>,
        target: json::buffer::Target,
    ) -> Index<json::buffer::View> {
        let offset = self.push_bytes(bytes);
        self.root.push(json::buffer::View {
            byte_stride: stride.map(json::buffer::Stride),
            target: Some(Valid(target)),
            ..view(0, offset, bytes.len())
        })
    }

    /// An array whose compressed bytes are given.
    fn push_compressed(
        &mut self,
        encoded: &[u8],
        entries: &Entries<'_>,
        target: json::buffer::Target,
    ) -> Result<Index<json::buffer::View>, FormatError> {
        self.require(meshopt::EXTENSION);
        let offset = self.push_bytes(encoded);
        let compressed = CompressedView::new(offset, encoded.len(), entries.stride, entries.count, entries.mode);
        let compressed = serde_json::to_value(compressed)
            .map_err(|error| FormatError::unwritable(format!("its description has no JSON form ({error})")))?;
        let others = [(meshopt::EXTENSION.to_owned(), compressed)].into_iter().collect();
        let place = self.num_uncompressed;
        self.num_uncompressed = (place + entries.bytes.len()).next_multiple_of(4);
        let is_vertex_data = entries.mode == Mode::Attributes;
        Ok(self.root.push(json::buffer::View {
            byte_stride: is_vertex_data.then_some(json::buffer::Stride(entries.stride)),
            target: Some(Valid(target)),
            extensions: Some(json::extensions::buffer::View { others }),
            ..view(1, place, entries.bytes.len())
        }))
    }
}

fn view(buffer: u32, offset: usize, length: usize) -> json::buffer::View {
    json::buffer::View {
        buffer: Index::new(buffer),
        byte_length: length.into(),
        byte_offset: Some(offset.into()),
        byte_stride: None,
        name: None,
        target: None,
        extensions: None,
        extras: None,
    }
}
