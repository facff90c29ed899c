use std::fmt::Write as _;
use std::path::Path;

use glam::{Vec2, Vec3};
use image::RgbaImage;

use super::header::{Element, Field, Header, PropertyKind, Scalar};
use crate::color::{linear_from_srgb_u8, srgb_u8_from_linear};
use crate::formats::weld::Welder;
use crate::formats::z_up::{y_up, z_up};
use crate::formats::{FormatError, read_file};
use crate::{LengthUnit, TexturedMesh, TriMesh, files};

/// What the column with the corners of faces is called.
const CORNER_LISTS: [&str; 2] = ["vertex_indices", "vertex_index"];

/// Reads a mesh: positions, and normals and colours where the file has them. Polygons become triangle fans.
pub fn read_mesh(path: &Path) -> Result<TriMesh, FormatError> {
    decode_mesh(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads a mesh from memory; see [`read_mesh`].
pub fn decode_mesh(bytes: &[u8]) -> Result<TriMesh, FormatError> {
    let header = Header::parse(bytes)?;
    let (Some((vertices, rows)), Some((faces, face_rows))) =
        (header.find("vertex", bytes)?, header.find("face", bytes)?)
    else {
        return Err(FormatError::not_recognized(
            "mesh PLY",
            "it has no vertices or no faces",
        ));
    };
    let mut mesh = read_vertices(vertices, rows)?;
    mesh.triangles = read_triangles(faces, face_rows)?;
    if mesh.triangles.is_empty() {
        return Err(FormatError::damaged("it holds no triangles"));
    }
    let count = mesh.positions.len();
    if let Some(wrong) = mesh
        .triangles
        .iter()
        .flatten()
        .find(|corner| **corner as usize >= count)
    {
        return Err(FormatError::damaged(format!("a face names vertex {wrong} of {count}")));
    }
    let values = mesh.positions.iter().chain(&mesh.normals).chain(&mesh.colors);
    if !values.into_iter().all(|value| value.is_finite()) {
        return Err(FormatError::damaged("some of its vertices are not finite numbers"));
    }
    Ok(mesh)
}

fn read_vertices(element: &Element, rows: &[u8]) -> Result<TriMesh, FormatError> {
    let stride = element.fixed_stride()?;
    let fields = element.fields();
    let three = |names: [&str; 3]| -> Option<[Field; 3]> {
        let [a, b, c] = names.map(|name| fields.get(name).copied());
        Some([a?, b?, c?])
    };
    let position = three(["x", "y", "z"])
        .ok_or_else(|| FormatError::not_recognized("mesh PLY", "its vertices have no 'x', 'y' and 'z'"))?;
    let normal = three(["nx", "ny", "nz"]);
    let color = three(["red", "green", "blue"]);
    let vector = |fields: [Field; 3], row: &[u8]| Vec3::from(fields.map(|field| field.value(row)));
    let mut mesh = TriMesh::default();
    for row in rows.chunks_exact(stride.max(1)) {
        mesh.positions.push(y_up(vector(position, row)));
        mesh.normals
            .extend(normal.map(|normal| y_up(vector(normal, row)).normalize_or(Vec3::Y)));
        mesh.colors
            .extend(color.map(|color| Vec3::from(color.map(|channel| linear_channel(channel, row)))));
    }
    Ok(mesh)
}

/// Whole numbers go up to 255, others up to 1; both are sRGB.
fn linear_channel(field: Field, row: &[u8]) -> f32 {
    let value = field.value(row);
    let is_fraction = matches!(field.scalar, Scalar::F32 | Scalar::F64);
    let value = if is_fraction { value * 255.0 } else { value };
    linear_from_srgb_u8(value.round().clamp(0.0, 255.0) as u8)
}

/// The corners of all faces. The rows are known to be whole.
fn read_triangles(element: &Element, rows: &[u8]) -> Result<Vec<[u32; 3]>, FormatError> {
    let is_corners = |name: &str| CORNER_LISTS.contains(&name);
    if !element.properties.iter().any(|property| is_corners(&property.name)) {
        return Err(FormatError::damaged("its faces have no 'vertex_indices'"));
    }
    let mut triangles = Vec::new();
    let mut corners = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        for property in &element.properties {
            match property.kind {
                PropertyKind::Scalar(scalar) => rest = &rest[scalar.num_bytes()..],
                PropertyKind::List { count, item } => {
                    let length = count.value(rest) as usize;
                    let (list, after) = rest[count.num_bytes()..].split_at(length * item.num_bytes());
                    rest = after;
                    if is_corners(&property.name) {
                        corners.clear();
                        // Negative numbers become ones that no mesh reaches.
                        let index = |bytes: &[u8]| u32::try_from(item.value(bytes) as i64).unwrap_or(u32::MAX);
                        corners.extend(list.chunks_exact(item.num_bytes()).map(index));
                        triangles.extend(fan(&corners));
                    }
                }
            }
        }
    }
    Ok(triangles)
}

fn fan(corners: &[u32]) -> impl Iterator<Item = [u32; 3]> {
    let first = corners.first().copied().unwrap_or_default();
    let rest = corners.get(1..).unwrap_or_default();
    rest.windows(2).map(move |pair| [first, pair[0], pair[1]])
}

/// Writes a mesh whose numbers are in `unit`, +Z up and its front towards -Y as Blender and slicers expect. Vertices at
/// one place become one, so that the surface is as closed as it was before its texture cut it open; colours come from
/// the vertices, or from the base colour where the mesh has texture coordinates.
pub fn write_mesh(path: &Path, textured: &TexturedMesh, unit: LengthUnit) -> Result<(), FormatError> {
    files::write_bytes(path, &encode_mesh(textured, unit).map_err(|error| error.at(path))?)
}

/// Writes a mesh to memory; see [`write_mesh`].
pub fn encode_mesh(textured: &TexturedMesh, unit: LengthUnit) -> Result<Vec<u8>, FormatError> {
    let mesh = &*textured.mesh;
    let is_finite = mesh.normals.iter().chain(&mesh.colors).all(|vector| vector.is_finite())
        && mesh.uvs.iter().all(|uv| uv.is_finite());
    if mesh.triangles.is_empty() || !mesh.is_consistent() || !is_finite {
        return Err(FormatError::unwritable("the mesh is empty or contradicts itself"));
    }
    let mut welder = Welder::default();
    // The vertex that each place is first seen with.
    let mut firsts: Vec<u32> = Vec::new();
    let mut triangles = Vec::with_capacity(mesh.triangles.len());
    for triangle in &mesh.triangles {
        triangles.push(triangle.map(|vertex| {
            let number = welder.vertex(mesh.positions[vertex as usize]);
            if number as usize == firsts.len() {
                firsts.push(vertex);
            }
            number
        }));
    }
    let colors = Colors::of(textured);
    let mut bytes = header_text(
        firsts.len(),
        triangles.len(),
        !mesh.normals.is_empty(),
        colors.is_some(),
    )
    .into_bytes();
    for vertex in firsts.into_iter().map(|vertex| vertex as usize) {
        let position = z_up(mesh.positions[vertex]) * unit.per_metre();
        let normal = mesh.normals.get(vertex).map(|normal| z_up(*normal).to_array());
        for value in position.to_array().into_iter().chain(normal.into_iter().flatten()) {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(colors.as_ref().map(|colors| colors.at(vertex)).into_iter().flatten());
    }
    for triangle in triangles {
        bytes.push(3);
        bytes.extend(triangle.into_iter().flat_map(u32::to_le_bytes));
    }
    Ok(bytes)
}

fn header_text(num_vertices: usize, num_faces: usize, has_normals: bool, has_colors: bool) -> String {
    let mut text = String::from("ply\nformat binary_little_endian 1.0\ncomment Bozzetto, +Z up\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "element vertex {num_vertices}");
    text += "property float x\nproperty float y\nproperty float z\n";
    if has_normals {
        text += "property float nx\nproperty float ny\nproperty float nz\n";
    }
    if has_colors {
        text += "property uchar red\nproperty uchar green\nproperty uchar blue\n";
    }
    let _ = writeln!(text, "element face {num_faces}");
    text + "property list uchar int vertex_indices\nend_header\n"
}

/// Where the colours of vertices come from.
enum Colors<'a> {
    Vertices(&'a [Vec3]),
    Texture(&'a RgbaImage, &'a [Vec2]),
}

impl<'a> Colors<'a> {
    fn of(textured: &'a TexturedMesh) -> Option<Self> {
        let (mesh, texture) = (&*textured.mesh, &*textured.material.base_color);
        if !mesh.uvs.is_empty() && texture.width() * texture.height() > 1 {
            return Some(Self::Texture(texture, &mesh.uvs));
        }
        (!mesh.colors.is_empty()).then_some(Self::Vertices(&mesh.colors))
    }

    /// sRGB, as files have it.
    fn at(&self, vertex: usize) -> [u8; 3] {
        match self {
            Self::Vertices(colors) => colors[vertex].to_array().map(srgb_u8_from_linear),
            Self::Texture(texture, uvs) => {
                let [u, v] = uvs[vertex].to_array();
                // Tiled pictures repeat, those of an atlas end at their border.
                let texel = |share: f32, size: u32| {
                    let share = if (0.0..=1.0).contains(&share) {
                        share
                    } else {
                        share.rem_euclid(1.0)
                    };
                    ((share * size as f32) as u32).min(size - 1)
                };
                let [red, green, blue, _] = texture
                    .get_pixel(texel(u, texture.width()), texel(v, texture.height()))
                    .0;
                [red, green, blue]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{PlyContent, decode_any};
    use super::*;
    use crate::AlphaMode;
    use crate::formats::splat_frame::tests::axes_scene;
    use crate::formats::test_support::{axes_mesh, mutated, never_panics, textured_quad};

    fn plain(mesh: TriMesh) -> TexturedMesh {
        TexturedMesh {
            mesh: Arc::new(mesh),
            ..TexturedMesh::default()
        }
    }

    #[test]
    fn a_mesh_comes_back_with_its_colors() {
        let mesh = axes_mesh();
        let back = decode_mesh(&encode_mesh(&plain(mesh.clone()), LengthUnit::Metre).unwrap()).unwrap();
        assert_eq!(back.triangles.len(), 3);
        for index in 0..3 {
            assert_eq!(back.corners(index), mesh.corners(index));
        }
        for (position, color) in back.positions.iter().zip(&back.colors) {
            assert_eq!(position.max_position(), color.max_position(), "{position} {color}");
        }
        assert!(back.normals.iter().all(|normal| normal.is_normalized()));
    }

    #[test]
    fn files_are_z_up_in_the_unit_that_was_asked_for() {
        let triangle = plain(TriMesh::new(vec![Vec3::X, Vec3::Y, Vec3::Z], vec![[0, 1, 2]]));
        let bytes = encode_mesh(&triangle, LengthUnit::Centimetre).unwrap();
        let body = bytes.len() - 13 - 3 * 12;
        let numbers: Vec<f32> = bytes[body..body + 36]
            .chunks_exact(4)
            .map(|number| f32::from_le_bytes(number.try_into().unwrap()))
            .collect();
        assert_eq!(numbers, [100.0, 0.0, 0.0, 0.0, 0.0, 100.0, 0.0, -100.0, 0.0]);
    }

    #[test]
    fn seams_are_closed_and_textures_become_vertex_colors() {
        let mut textured = textured_quad(AlphaMode::Opaque);
        let mesh = Arc::make_mut(&mut textured.mesh);
        // The diagonal as a seam: both of its ends twice.
        for vertex in [0, 2] {
            mesh.positions.push(mesh.positions[vertex]);
            mesh.normals.push(Vec3::Z);
            mesh.uvs.push(mesh.uvs[vertex]);
            mesh.tangents.push(mesh.tangents[vertex]);
        }
        mesh.triangles[1] = [4, 5, 3];
        let back = decode_mesh(&encode_mesh(&textured, LengthUnit::Metre).unwrap()).unwrap();
        assert_eq!(back.positions.len(), 4);
        // The quad's first vertex lies at the texture's lower left corner.
        let [red, green, blue, _] = textured.material.base_color.get_pixel(0, 3).0;
        assert_eq!(back.colors[0], Vec3::from([red, green, blue].map(linear_from_srgb_u8)));
    }

    #[test]
    fn splats_and_meshes_are_told_apart() {
        let mesh = encode_mesh(&plain(axes_mesh()), LengthUnit::Metre).unwrap();
        assert!(matches!(decode_any(&mesh), Ok(PlyContent::Mesh(_))));
        let splats = super::super::encode(&axes_scene(1)).unwrap();
        assert!(matches!(decode_any(&splats), Ok(PlyContent::Splats(_))));
        let points = b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty uchar x\nend_header\n\x01";
        let error = decode_any(points).unwrap_err().to_string();
        assert!(error.contains("neither Gaussian splats"), "{error}");
        assert!(super::super::decode(&mesh).is_err() && decode_mesh(&splats).is_err());
    }

    #[test]
    fn polygons_of_other_programs_become_fans() {
        let mut bytes = b"ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\nproperty float y\n\
            property float z\nproperty float red\nproperty float green\nproperty float blue\nelement face 2\n\
            property uchar flags\nproperty list int uint vertex_index\nend_header\n"
            .to_vec();
        for corner in [[0.0_f32, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0]] {
            bytes.extend(corner.into_iter().chain([1.0, 0.0, 0.0]).flat_map(f32::to_le_bytes));
        }
        for corners in [&[0_u32, 1, 2, 3][..], &[0, 1]] {
            bytes.push(7);
            bytes.extend((corners.len() as u32).to_le_bytes());
            bytes.extend(corners.iter().flat_map(|corner| corner.to_le_bytes()));
        }
        let mesh = decode_mesh(&bytes).unwrap();
        assert_eq!(mesh.triangles, [[0, 1, 2], [0, 2, 3]]);
        assert_eq!((mesh.positions[2], mesh.colors[2]), (Vec3::new(1.0, 1.0, 0.0), Vec3::X));
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&9_u32.to_le_bytes());
        assert!(decode_mesh(&bytes).is_ok(), "a face of two corners is none");
        bytes[last - 8 - 4..last - 8].copy_from_slice(&9_u32.to_le_bytes());
        assert!(matches!(decode_mesh(&bytes), Err(FormatError::Damaged { .. })));
    }

    proptest! {
        #[test]
        fn bad_bytes_never_panic(bytes in mutated(encode_mesh(&plain(axes_mesh()), LengthUnit::Metre).unwrap())) {
            never_panics(&bytes, decode_any)?;
            never_panics(&bytes, decode_mesh)?;
        }
    }
}
