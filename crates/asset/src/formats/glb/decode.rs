//! A GLB, ours or anybody's, as a [`TexturedMesh`].

use std::collections::BTreeMap;
use std::sync::Arc;

use glam::{Affine3A, Mat3, Quat, Vec2, Vec3};
use gltf::json;
use json::Root;
use json::mesh::{Mode, Semantic};
use json::validation::Checked::Valid;

use super::accessor::{Scene, get};
use super::container::Chunks;
use super::{EXTRAS_KEY, QUANTIZATION_EXTENSION, WEBP_EXTENSION, material, meshopt};
use crate::formats::{FormatError, compact};
use crate::{Provenance, TexturedMesh, TriMesh};

/// Required extensions that change nothing here or that are understood.
const KNOWN_EXTENSIONS: [&str; 6] = [
    WEBP_EXTENSION,
    QUANTIZATION_EXTENSION,
    meshopt::EXTENSION,
    meshopt::KHRONOS_EXTENSION,
    "KHR_texture_transform",
    "KHR_lights_punctual",
];

/// Entries read in all: a small file that places one mesh a thousand times must not take all memory.
const MAX_ENTRIES: u64 = 200_000_000;

pub(super) fn decode(bytes: &[u8]) -> Result<TexturedMesh, FormatError> {
    let chunks = Chunks::split(bytes)?;
    let root = parse(chunks.json)?;
    check_extensions(&root)?;
    let decompressed = meshopt::decompressed(&root, chunks.binary)?;
    let scene = Scene {
        root: &root,
        binary: chunks.binary,
        decompressed: &decompressed,
    };
    let mut merge = Merge::default();
    for (mesh, transform) in placed_meshes(&root)? {
        for primitive in &get(&root.meshes, mesh)?.primitives {
            merge.add(&scene, primitive, transform)?;
        }
    }
    if merge.mesh.triangles.is_empty() {
        return Err(FormatError::damaged("it holds no triangles"));
    }
    let main_material = merge.main_material();
    let material = if merge.has_several_plain_materials(&root) {
        merge.colors_from_materials(&root);
        material::white(&root, main_material)
    } else {
        material::read(&scene, main_material)?
    };
    Ok(TexturedMesh {
        mesh: Arc::new(merge.mesh),
        material,
        provenance: provenance(&root),
        coverage: Arc::default(),
    })
}

/// The description. Its indices are checked where they are used: the checks of the `gltf` crate itself panic on some
/// files (a primitive whose accessor does not exist).
pub(super) fn parse(text: &[u8]) -> Result<Root, FormatError> {
    serde_json::from_slice(text)
        .map_err(|error| FormatError::damaged(format!("its description cannot be read ({error})")))
}

fn check_extensions(root: &Root) -> Result<(), FormatError> {
    for name in &root.extensions_required {
        if !KNOWN_EXTENSIONS.contains(&name.as_str()) && !name.starts_with("KHR_materials_") {
            return Err(FormatError::unsupported(format!("the extension {name}")));
        }
    }
    Ok(())
}

fn provenance(root: &Root) -> Provenance {
    let ours = extra(root, EXTRAS_KEY).and_then(|provenance| serde_json::from_value(provenance).ok());
    ours.unwrap_or_else(|| Provenance {
        generator: root.asset.generator.clone().unwrap_or_default(),
        ..Provenance::default()
    })
}

/// A value of `asset.extras`.
pub(super) fn extra(root: &Root, key: &str) -> Option<serde_json::Value> {
    let extras = root.asset.extras.as_ref()?;
    let mut extras: serde_json::Map<String, serde_json::Value> = serde_json::from_str(extras.get()).ok()?;
    extras.remove(key)
}

pub(super) type PlacedMesh = (json::Index<json::Mesh>, Affine3A);

/// Every mesh of the scene with its transform to the model frame, in the order of the node tree.
pub(super) fn placed_meshes(root: &Root) -> Result<Vec<PlacedMesh>, FormatError> {
    let scene = root
        .scene
        .map_or_else(|| root.scenes.first(), |index| root.scenes.get(index.value()));
    let Some(scene) = scene else {
        // Without a scene nothing is placed; the meshes are there all the same.
        return Ok((0..root.meshes.len())
            .map(|index| (json::Index::new(index as u32), Affine3A::IDENTITY))
            .collect());
    };
    let mut visited = vec![false; root.nodes.len()];
    let mut pending: Vec<_> = scene
        .nodes
        .iter()
        .rev()
        .map(|&node| (node, Affine3A::IDENTITY))
        .collect();
    let mut placed = Vec::new();
    while let Some((index, parent)) = pending.pop() {
        let node = get(&root.nodes, index)?;
        if std::mem::replace(&mut visited[index.value()], true) {
            return Err(FormatError::damaged("a node of its scene has two parents"));
        }
        let transform = parent * node_transform(node);
        if !transform.is_finite() {
            return Err(FormatError::damaged("a node's transform is not made of finite numbers"));
        }
        placed.extend(node.mesh.map(|mesh| (mesh, transform)));
        let children = node.children.as_deref().unwrap_or_default();
        pending.extend(children.iter().rev().map(|&child| (child, transform)));
    }
    Ok(placed)
}

fn node_transform(node: &json::Node) -> Affine3A {
    if let Some(columns) = &node.matrix {
        return Affine3A::from_mat4(glam::Mat4::from_cols_array(columns));
    }
    let rotation = node
        .rotation
        .map_or(Quat::IDENTITY, |rotation| Quat::from_array(rotation.0));
    let scale = node.scale.map_or(Vec3::ONE, Vec3::from_array);
    let translation = node.translation.map_or(Vec3::ZERO, Vec3::from_array);
    Affine3A::from_scale_rotation_translation(scale, rotation.normalize(), translation)
}

/// A primitive's place in the merged mesh.
struct Part {
    material: Option<json::Index<json::Material>>,
    vertices: std::ops::Range<usize>,
    num_triangles: usize,
}

/// All primitives as one mesh. Attributes that only some have are filled: normals are computed, UVs are zero, colours
/// white; tangents are left out unless all have them.
#[derive(Default)]
struct Merge {
    mesh: TriMesh,
    parts: Vec<Part>,
    num_entries: u64,
}

impl Merge {
    fn add(
        &mut self,
        scene: &Scene<'_>,
        primitive: &json::mesh::Primitive,
        transform: Affine3A,
    ) -> Result<(), FormatError> {
        let Valid(mode @ (Mode::Triangles | Mode::TriangleStrip | Mode::TriangleFan)) = primitive.mode else {
            // Points and lines have no surface.
            return Ok(());
        };
        self.check_entries(scene, primitive)?;
        let part = read_primitive(scene, primitive, mode)?;
        let mut part = compact::without_unused_vertices(&part).into_owned();
        if part.triangles.is_empty() {
            return Ok(());
        }
        place(&mut part, transform);
        if !part.is_consistent() {
            return Err(FormatError::damaged("some of its vertices are not finite numbers"));
        }
        if part.normals.is_empty() {
            part.compute_normals();
        }
        let first = self.mesh.positions.len();
        let added = part.positions.len();
        self.parts.push(Part {
            material: primitive.material,
            vertices: first..first + added,
            num_triangles: part.triangles.len(),
        });
        append(&mut self.mesh.uvs, part.uvs, first, added, Vec2::ZERO);
        append(&mut self.mesh.colors, part.colors, first, added, Vec3::ONE);
        if self.mesh.tangents.len() == first && part.tangents.len() == added {
            self.mesh.tangents.extend(part.tangents);
        } else {
            self.mesh.tangents.clear();
        }
        self.mesh.normals.extend(part.normals);
        self.mesh.positions.extend(part.positions);
        let offset = first as u32;
        self.mesh.triangles.extend(
            part.triangles
                .iter()
                .map(|triangle| triangle.map(|vertex| vertex + offset)),
        );
        Ok(())
    }

    fn check_entries(&mut self, scene: &Scene<'_>, primitive: &json::mesh::Primitive) -> Result<(), FormatError> {
        for &accessor in primitive.attributes.values().chain(&primitive.indices) {
            self.num_entries = self.num_entries.saturating_add(scene.count(accessor)?);
        }
        // Arrays without data are read as zeros, so a few bytes can claim many entries.
        let limit = MAX_ENTRIES.min((1 << 20) + 64 * scene.binary.len() as u64);
        if self.num_entries > limit {
            return Err(FormatError::TooLarge {
                path: std::path::PathBuf::new(),
                what: "vertices and corners",
                claimed: self.num_entries,
                limit,
            });
        }
        Ok(())
    }

    /// The material of the most triangles; the first in the file of equals.
    fn main_material(&self) -> Option<json::Index<json::Material>> {
        let mut num_triangles = BTreeMap::new();
        for part in &self.parts {
            *num_triangles
                .entry(part.material.map(|index| index.value() as u32))
                .or_insert(0) += part.num_triangles;
        }
        let main = num_triangles.into_iter().rev().max_by_key(|(_, count)| *count)?;
        main.0.map(json::Index::new)
    }

    fn has_several_plain_materials(&self, root: &Root) -> bool {
        let index = |part: &Part| part.material.map(|index| index.value());
        let has_several = self.parts.windows(2).any(|pair| index(&pair[0]) != index(&pair[1]));
        has_several && self.parts.iter().all(|part| material::is_plain(root, part.material))
    }

    /// Multiplies each part's material colour into its vertex colours.
    fn colors_from_materials(&mut self, root: &Root) {
        self.mesh.colors.resize(self.mesh.positions.len(), Vec3::ONE);
        for part in &self.parts {
            let [red, green, blue, _] = material::base_color_factor(root, part.material);
            for color in &mut self.mesh.colors[part.vertices.clone()] {
                *color *= Vec3::new(red, green, blue);
            }
        }
    }
}

/// Appends an attribute that either side may lack.
fn append<T: Clone>(whole: &mut Vec<T>, part: Vec<T>, first: usize, added: usize, filler: T) {
    if whole.is_empty() && part.is_empty() {
        return;
    }
    whole.resize(first, filler.clone());
    whole.extend(part);
    whole.resize(first + added, filler);
}

fn read_primitive(scene: &Scene<'_>, primitive: &json::mesh::Primitive, mode: Mode) -> Result<TriMesh, FormatError> {
    let attribute = |semantic: Semantic| primitive.attributes.get(&Valid(semantic)).copied();
    let Some(positions) = attribute(Semantic::Positions) else {
        // Some compressed or procedural primitives have none; there is nothing to show.
        return Ok(TriMesh::default());
    };
    let positions: Vec<Vec3> = scene.floats::<3>(positions)?.into_iter().map(Vec3::from).collect();
    let count = positions.len();
    let corners = match primitive.indices {
        Some(indices) => scene.indices(indices)?,
        None => (0..count as u32).collect(),
    };
    if let Some(wrong) = corners.iter().find(|corner| **corner as usize >= count) {
        return Err(FormatError::damaged(format!(
            "a triangle names vertex {wrong} of {count}"
        )));
    }
    let uv_set = material::uv_set(scene.root, primitive.material);
    let uvs = attribute(Semantic::TexCoords(uv_set))
        .map(|index| scene.floats::<2>(index))
        .transpose()?;
    let normals = attribute(Semantic::Normals)
        .map(|index| scene.floats::<3>(index))
        .transpose()?;
    let colors = attribute(Semantic::Colors(0))
        .map(|index| scene.colors(index))
        .transpose()?;
    let tangents = attribute(Semantic::Tangents)
        .map(|index| scene.floats::<4>(index))
        .transpose()?;
    let mesh = TriMesh {
        positions,
        triangles: triangles(&corners, mode),
        normals: vectors(normals),
        uvs: uvs.unwrap_or_default().into_iter().map(Vec2::from).collect(),
        colors: vectors(colors),
        tangents: tangents.unwrap_or_default(),
    };
    let lengths = [
        mesh.normals.len(),
        mesh.uvs.len(),
        mesh.colors.len(),
        mesh.tangents.len(),
    ];
    if lengths.iter().any(|&length| length != 0 && length != count) {
        return Err(FormatError::damaged(format!(
            "arrays of {lengths:?} entries belong to {count} vertices"
        )));
    }
    if !mesh.uvs.iter().all(|uv| uv.is_finite()) || !mesh.colors.iter().all(|color| color.is_finite()) {
        return Err(FormatError::damaged(
            "some texture coordinates or colours are not finite numbers",
        ));
    }
    Ok(mesh)
}

fn vectors(values: Option<Vec<[f32; 3]>>) -> Vec<Vec3> {
    values.unwrap_or_default().into_iter().map(Vec3::from).collect()
}

fn triangles(corners: &[u32], mode: Mode) -> Vec<[u32; 3]> {
    match mode {
        // Every other triangle of a strip runs the other way round.
        Mode::TriangleStrip => (corners.windows(3).enumerate())
            .map(|(index, c)| {
                if index % 2 == 0 {
                    [c[0], c[1], c[2]]
                } else {
                    [c[1], c[0], c[2]]
                }
            })
            .collect(),
        Mode::TriangleFan => match corners.split_first() {
            Some((&first, rest)) => rest.windows(2).map(|pair| [first, pair[0], pair[1]]).collect(),
            None => Vec::new(),
        },
        _ => corners.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect(),
    }
}

/// Moves a part to the model frame. A mirroring transform turns triangles inside out, which is undone.
fn place(part: &mut TriMesh, transform: Affine3A) {
    let linear = Mat3::from(transform.matrix3);
    let is_mirrored = linear.determinant() < 0.0;
    let to_normal = if linear.determinant() == 0.0 {
        linear
    } else {
        linear.inverse().transpose()
    };
    for position in &mut part.positions {
        *position = transform.transform_point3(*position);
    }
    for normal in &mut part.normals {
        *normal = (to_normal * *normal).normalize_or(Vec3::Y);
    }
    for tangent in &mut part.tangents {
        let [x, y, z, handedness] = *tangent;
        let turned = (linear * Vec3::new(x, y, z)).normalize_or(Vec3::X);
        let handedness = if (handedness < 0.0) == is_mirrored { 1.0 } else { -1.0 };
        *tangent = [turned.x, turned.y, turned.z, handedness];
    }
    if is_mirrored {
        for triangle in &mut part.triangles {
            triangle.swap(1, 2);
        }
    }
}
