//! 3MF: what slicers read instead of STL, because it knows its unit.
//!
//! A ZIP of three parts: the list of content types, the relation that names the model, and the model as XML
//! (3MF Core Specification 1.3). Numbers are millimetres; like STL it is +Z up with the front towards -Y. Vertices at one
//! place are one, as the format asks, so that a surface that its texture cut open is closed again; faces that name a
//! vertex twice, which the format forbids, are left out. Colours and textures are not written: slicers ignore them.

use std::fmt::Write as _;
use std::path::Path;

use glam::Vec3;

use super::FormatError;
use super::weld::Welder;
use super::z_up::z_up;
use super::zip;
use crate::{LengthUnit, TriMesh, files};

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>
"#;

const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="/3D/3dmodel.model" Id="rel0" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>
"#;

const MODEL_HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>
<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">
<metadata name="Application">Bozzetto "#,
    env!("CARGO_PKG_VERSION"),
    r#"</metadata>
<resources>
<object id="1" type="model">
<mesh>
<vertices>
"#
);

const MODEL_FOOT: &str = r#"</triangles>
</mesh>
</object>
</resources>
<build>
<item objectid="1"/>
</build>
</model>
"#;

/// Writes a file.
///
/// # Errors
/// A mesh that is empty, contradicts itself or has no face with three different corners, and what the system refuses.
pub fn write(path: &Path, mesh: &TriMesh) -> Result<(), FormatError> {
    files::write_bytes(path, &encode(mesh).map_err(|error| error.at(path))?)
}

/// Writes to memory; see [`write`].
pub fn encode(mesh: &TriMesh) -> Result<Vec<u8>, FormatError> {
    let model = model_text(mesh)?;
    let parts = [
        ("[Content_Types].xml", CONTENT_TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("3D/3dmodel.model", model.as_bytes()),
    ];
    zip::archive(&parts)
}

fn model_text(mesh: &TriMesh) -> Result<String, FormatError> {
    if mesh.triangles.is_empty() || !mesh.is_consistent() {
        return Err(FormatError::unwritable("the mesh is empty or contradicts itself"));
    }
    let mut welder = Welder::default();
    let triangles: Vec<[u32; 3]> = (0..mesh.triangles.len())
        .map(|face| mesh.corners(face).map(|corner| welder.vertex(corner)))
        .filter(|[a, b, c]| a != b && b != c && c != a)
        .collect();
    if triangles.is_empty() {
        return Err(FormatError::unwritable(
            "no face of the mesh has three different corners",
        ));
    }
    let mut text = String::with_capacity(MODEL_HEAD.len() + (welder.positions.len() + triangles.len()) * 60);
    text += MODEL_HEAD;
    for &position in &welder.positions {
        // Adding zero takes the sign off a zero.
        let [x, y, z] = (z_up(position) * LengthUnit::Millimetre.per_metre() + Vec3::ZERO).to_array();
        // Writing to a string cannot fail.
        let _ = writeln!(text, r#"<vertex x="{x}" y="{y}" z="{z}"/>"#);
    }
    text += "</vertices>\n<triangles>\n";
    for [a, b, c] in triangles {
        let _ = writeln!(text, r#"<triangle v1="{a}" v2="{b}" v3="{c}"/>"#);
    }
    text += MODEL_FOOT;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(bytes: &[u8], name: &str) -> String {
        String::from_utf8(zip::parts(bytes)[name].clone()).expect("text")
    }

    /// A tetrahedron whose every face has corners of its own, as a texture with seams everywhere leaves it, and a face
    /// that names one place twice.
    fn cut_open() -> TriMesh {
        let corners = [Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z];
        let faces = [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2], [0, 1, 1]];
        let positions = faces
            .iter()
            .flatten()
            .map(|&corner: &usize| corners[corner] * 0.05)
            .collect();
        let triangles = (0..5).map(|face| [3 * face, 3 * face + 1, 3 * face + 2]).collect();
        TriMesh::new(positions, triangles)
    }

    #[test]
    fn the_package_has_its_three_parts_and_names_them() {
        let bytes = encode(&cut_open()).expect("written");
        assert!(part(&bytes, "[Content_Types].xml").contains("3dmanufacturing-3dmodel+xml"));
        assert!(part(&bytes, "_rels/.rels").contains(r#"Target="/3D/3dmodel.model""#));
        assert_eq!(
            encode(&cut_open()).expect("written"),
            bytes,
            "the same mesh gives the same bytes"
        );
    }

    #[test]
    fn vertices_are_millimetres_z_up_and_each_place_is_one() {
        let model = part(&encode(&cut_open()).expect("written"), "3D/3dmodel.model");
        assert!(model.contains(r#"<model unit="millimeter""#));
        let lines = |tag: &str| model.lines().filter(|line| line.starts_with(tag)).collect::<Vec<_>>();
        // Of the model frame's X, Y and Z, in the order in which the faces name them.
        assert_eq!(
            lines("<vertex "),
            [
                r#"<vertex x="0" y="0" z="0"/>"#,
                r#"<vertex x="0" y="0" z="50"/>"#,
                r#"<vertex x="50" y="0" z="0"/>"#,
                r#"<vertex x="0" y="-50" z="0"/>"#,
            ]
        );
        let triangles = lines("<triangle ");
        assert_eq!(triangles.len(), 4);
        assert_eq!(triangles[0], r#"<triangle v1="0" v2="1" v3="2"/>"#);
    }

    #[test]
    fn nothing_is_not_written() {
        let nothing = TriMesh::default();
        let line = TriMesh::new(vec![Vec3::ZERO, Vec3::X], vec![[0, 1, 1]]);
        let broken = TriMesh::new(vec![Vec3::splat(f32::NAN); 3], vec![[0, 1, 2]]);
        for mesh in [nothing, line, broken] {
            assert!(matches!(encode(&mesh), Err(FormatError::Unwritable { .. })));
        }
    }
}
