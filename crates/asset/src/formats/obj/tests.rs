use std::sync::Arc;

use glam::{Vec2, Vec3};
use proptest::prelude::*;

use super::*;
use crate::AlphaMode;
use crate::formats::test_support::{axes_mesh, mutated, never_panics, textured_quad};

const SQUARE: &str = "# a square with negative indices, a long line and a weight\n\
    mtllib x.mtl\nv 0 0 0 1.0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n\
    vt 0 0\nvt 1 0 0\nvt 1 1\nvt 0 1\nvn 0 0 2\ng group\ns off\n\
    f -4/-4/-1 -3/-3/-1 \\\n  -2/-2/-1 -1/-1/-1\r\n";

#[test]
fn polygons_become_fans_and_negative_indices_count_from_the_end() {
    let mesh = decode(SQUARE.as_bytes()).unwrap();
    assert_eq!(mesh.triangles, [[0, 1, 2], [0, 2, 3]]);
    assert_eq!(mesh.positions[2], Vec3::new(1.0, 1.0, 0.0));
    assert_eq!(mesh.uvs[3], Vec2::ZERO);
    assert_eq!(mesh.normals, [Vec3::Z; 4]);
}

#[test]
fn a_corner_is_split_where_its_uv_differs_and_partial_attributes_are_left_out() {
    let text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 1\nvn 0 0 1\nf 1/1 2/1 3/1//\nf 1/2//1 3/1 2/1\n";
    let mesh = decode(text.replace("3/1//", "3/1").replace("1/2//1", "1/2/1").as_bytes()).unwrap();
    assert_eq!(mesh.positions.len(), 4);
    assert_eq!(mesh.uvs.len(), 4);
    assert!(mesh.normals.is_empty());
}

#[test]
fn a_finished_mesh_is_written_with_its_material_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my model.obj");
    let textured = textured_quad(AlphaMode::Blend);
    write(&path, &textured, LengthUnit::Metre).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.positions, textured.mesh.positions);
    assert_eq!(back.triangles, textured.mesh.triangles);
    assert_eq!(back.uvs, textured.mesh.uvs);
    assert_eq!(back.normals, textured.mesh.normals);

    let geometry = std::fs::read_to_string(&path).unwrap();
    assert!(geometry.contains("mtllib my_model.mtl\n"));
    let material = std::fs::read_to_string(folder.path().join("my_model.mtl")).unwrap();
    for (term, name) in [
        ("map_Kd", "base_color"),
        ("map_Pr", "roughness"),
        ("map_Pm", "metallic"),
        ("map_ao", "occlusion"),
        ("norm", "normal"),
    ] {
        let file = format!("my_model_{name}.png");
        assert!(material.contains(&format!("{term} {file}\n")), "{material}");
        assert_eq!(image::open(folder.path().join(file)).unwrap().width(), 8);
    }
    let roughness = image::open(folder.path().join("my_model_roughness.png"))
        .unwrap()
        .into_luma8();
    assert_eq!(
        roughness.get_pixel(3, 1).0[0],
        textured.material.orm.unwrap().get_pixel(3, 1).0[1]
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        7,
        "nothing temporary is left"
    );
}

#[test]
fn vertex_colors_lie_on_their_axes_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("axes.obj");
    let textured = TexturedMesh {
        mesh: Arc::new(axes_mesh()),
        ..TexturedMesh::default()
    };
    write(&path, &textured, LengthUnit::Metre).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.positions, textured.mesh.positions);
    for (read, written) in back.colors.iter().zip(&textured.mesh.colors) {
        assert!(read.abs_diff_eq(*written, 1e-5), "{read} {written}");
    }
}

#[test]
fn a_material_of_one_texel_keeps_vertex_colors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.obj");
    let mut textured = textured_quad(AlphaMode::Blend);
    let mesh = Arc::make_mut(&mut textured.mesh);
    mesh.colors = vec![Vec3::Y; mesh.positions.len()];
    textured.material.base_color = Arc::new(image::RgbaImage::from_pixel(1, 1, image::Rgba([255, 255, 255, 51])));
    write(&path, &textured, LengthUnit::Metre).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.uvs, textured.mesh.uvs);
    assert_eq!(back.colors, textured.mesh.colors);
    let material = std::fs::read_to_string(folder.path().join("plain.mtl")).unwrap();
    assert!(
        material.contains("Kd 1 1 1\n") && material.contains("d 0.2\n"),
        "{material}"
    );
    assert!(!material.contains("map_Kd"), "{material}");
}

#[test]
fn comments_are_not_continued_and_the_last_line_may_be() {
    let mesh = decode(b"# drawn in C:\\art\\\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 \\\n3 \\").unwrap();
    assert_eq!(mesh.positions.len(), 3);
    assert_eq!(mesh.triangles, [[0, 1, 2]]);
    let error = decode(b"v 0 0 0\nv 1 \\").unwrap_err().to_string();
    assert!(error.contains("line 2 has 1 numbers of 3"), "{error}");
}

#[test]
fn bad_lines_are_named() {
    for (text, words) in [
        ("v 0 0\n", "line 1 has 2 numbers of 3"),
        ("v 0 0 nan\n", "line 1 has 'nan' where a finite number belongs"),
        ("v 0 0 0\nf 1 1\n", "line 2 describes a face with 2 corners"),
        ("v 0 0 0\nf 1 1 2\n", "line 2 names entry 2 of a list of 1"),
        ("v 0 0 0\nf 1 1 0\n", "line 2 names entry 0 of a list of 1"),
        ("v 0 0 0\nf 1 1 -2\n", "line 2 names entry -2 of a list of 1"),
        ("v 0 0 0\nf 1 x 1\n", "line 2 has 'x' where an index belongs"),
        ("v 0 0 0\n", "no faces"),
    ] {
        let sentence = decode(text.as_bytes()).unwrap_err().to_string();
        assert!(sentence.contains(words), "{sentence}");
    }
}

proptest! {
    #[test]
    fn bad_bytes_never_panic(bytes in mutated(SQUARE.as_bytes().to_vec())) {
        never_panics(&bytes, |bytes| {
            let mesh = decode(bytes)?;
            assert!(mesh.is_consistent());
            Ok(mesh)
        })?;
    }
}
