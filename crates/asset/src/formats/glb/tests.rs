mod small;

use std::sync::Arc;

use glam::{Vec2, Vec3};
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::container::Chunks;
use super::*;
use crate::formats::test_support::{axes_mesh, mutated, never_panics, textured_quad};
use crate::{AlphaMode, Material, Provenance, TriMesh};

fn with_textures(texture_format: TextureFormat) -> GlbOptions {
    GlbOptions {
        texture_format,
        ..GlbOptions::default()
    }
}

fn round_trip(textured: &TexturedMesh, texture_format: TextureFormat) -> TexturedMesh {
    decode(&encode(textured, &with_textures(texture_format)).unwrap()).unwrap()
}

fn description(bytes: &[u8]) -> Value {
    serde_json::from_slice(Chunks::split(bytes).unwrap().json).unwrap()
}

/// A GLB of a description and data, as others might write it.
fn foreign(json: &Value, binary: &[u8]) -> Vec<u8> {
    let json = serde_json::to_vec(json).unwrap();
    Chunks { json: &json, binary }.join().unwrap()
}

#[test]
fn geometry_material_and_provenance_survive_in_both_texture_formats() {
    let textured = textured_quad(AlphaMode::Mask { cutoff: 0.25 });
    for format in [TextureFormat::Png, TextureFormat::WebP] {
        let back = round_trip(&textured, format);
        assert_eq!(*back.mesh, *textured.mesh);
        assert_eq!(back.material.base_color, textured.material.base_color);
        assert_eq!(back.material.orm, textured.material.orm);
        assert_eq!(back.material.normal, textured.material.normal);
        assert_eq!(back.material.alpha_mode, textured.material.alpha_mode);
        assert!(back.material.has_occlusion);
        assert_eq!(back.provenance, textured.provenance);
    }
}

#[test]
fn opaque_materials_write_no_alpha_and_webp_is_declared() {
    let textured = textured_quad(AlphaMode::Opaque);
    let webp = encode(&textured, &with_textures(TextureFormat::WebP)).unwrap();
    let description = description(&webp);
    assert_eq!(description["extensionsRequired"], json!([WEBP_EXTENSION]));
    assert_eq!(description["textures"][0].get("source"), None);
    assert_eq!(description["images"][0]["mimeType"], "image/webp");
    let back = decode(&webp).unwrap();
    assert!(back.material.base_color.pixels().all(|pixel| pixel.0[3] == 255));
}

#[test]
fn jpeg_holds_opaque_colour_and_png_all_the_rest() {
    let kinds = |alpha_mode| {
        let bytes = encode(&textured_quad(alpha_mode), &with_textures(TextureFormat::Jpeg)).unwrap();
        let facts = GlbFacts::of(&bytes).unwrap();
        assert_eq!(facts.extensions, [""; 0]);
        let kinds = facts
            .textures
            .into_iter()
            .map(|texture| (texture.name, texture.mime_type));
        (decode(&bytes).unwrap(), kinds.collect::<Vec<_>>())
    };
    let named = |kinds: [&str; 3]| {
        let names = ["base_color", "occlusion_roughness_metallic", "normal"];
        std::iter::zip(names, kinds)
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .collect::<Vec<_>>()
    };
    let (opaque, opaque_kinds) = kinds(AlphaMode::Opaque);
    assert_eq!(opaque_kinds, named(["image/jpeg", "image/png", "image/png"]));
    let exact = textured_quad(AlphaMode::Opaque).material;
    assert_eq!((opaque.material.orm, opaque.material.normal), (exact.orm, exact.normal));
    let differences = std::iter::zip(opaque.material.base_color.pixels(), exact.base_color.pixels())
        .flat_map(|(stored, exact)| std::array::from_fn::<_, 3, _>(|at| stored.0[at].abs_diff(exact.0[at])));
    // A picture of 8 by 4 texels of arbitrary colours is the worst that JPEG can meet.
    let (sum, count) = differences.fold((0.0, 0), |(sum, count), one| (sum + f32::from(one), count + 1));
    assert!(sum / (count as f32) < 12.0, "{}", sum / count as f32);

    let (cut_out, cut_out_kinds) = kinds(AlphaMode::Mask { cutoff: 0.5 });
    assert_eq!(cut_out_kinds, named(["image/png"; 3]));
    assert_eq!(
        cut_out.material.base_color,
        textured_quad(AlphaMode::Blend).material.base_color
    );
}

#[test]
fn health_travels_beside_the_provenance() {
    let mut health = json!({"num_faces": 2, "is_watertight": false});
    let options = GlbOptions {
        health: Some(health.clone()),
        ..GlbOptions::default()
    };
    let textured = textured_quad(AlphaMode::Opaque);
    let bytes = encode(&textured, &options).unwrap();
    let facts = GlbFacts::of(&bytes).unwrap();
    health["file_bytes"] = bytes.len().into();
    assert_eq!((facts.health, facts.num_draw_calls), (Some(health), 1));
    assert_eq!(facts.num_bytes, bytes.len() as u64);
    assert_eq!(decode(&bytes).unwrap().provenance, textured.provenance);
    // Points are drawn too.
    let foreign = GlbFacts::of(&foreign_scene()).unwrap();
    assert_eq!((foreign.num_draw_calls, foreign.health), (3, None));
}

#[test]
fn colors_of_an_untextured_mesh_lie_on_their_axes() {
    let textured = TexturedMesh {
        mesh: Arc::new(axes_mesh()),
        ..TexturedMesh::default()
    };
    let bytes = encode(&textured, &GlbOptions::default()).unwrap();
    let attributes = &description(&bytes)["meshes"][0]["primitives"][0]["attributes"];
    assert!(attributes.get("COLOR_0").is_some() && attributes.get("TEXCOORD_0").is_none());
    let back = decode(&bytes).unwrap().mesh;
    assert_eq!(back.positions, textured.mesh.positions);
    assert_eq!(back.triangles, textured.mesh.triangles);
    for (position, color) in back.positions.iter().zip(&back.colors) {
        assert_eq!(position.max_position(), color.max_position(), "{position} {color}");
        assert!((position.max_element() > 0.2) == (color.max_element() > 0.99));
    }
}

#[test]
fn vertices_that_no_triangle_uses_are_left_out() {
    let mut mesh = axes_mesh();
    let expected = mesh.clone();
    mesh.positions.insert(0, Vec3::splat(100.0));
    mesh.normals.insert(0, Vec3::Y);
    mesh.colors.insert(0, Vec3::ONE);
    mesh.triangles.iter_mut().flatten().for_each(|index| *index += 1);
    let textured = TexturedMesh {
        mesh: Arc::new(mesh),
        ..TexturedMesh::default()
    };
    let bytes = encode(&textured, &GlbOptions::default()).unwrap();
    assert_eq!(decode(&bytes).unwrap().mesh.positions, expected.positions);
    assert_eq!(description(&bytes)["accessors"][0]["max"], json!([0.5, 0.5, 0.5]));
}

#[test]
fn large_meshes_take_wide_indices() {
    let num_vertices = 65_536 + 2;
    let positions = (0..num_vertices)
        .map(|index| Vec3::new(index as f32, (index % 7) as f32, 0.0))
        .collect();
    let triangles = (0..num_vertices as u32 - 2)
        .map(|index| [index, index + 1, index + 2])
        .collect();
    let textured = TexturedMesh {
        mesh: Arc::new(TriMesh::new(positions, triangles)),
        ..TexturedMesh::default()
    };
    assert_eq!(
        round_trip(&textured, TextureFormat::Png).mesh.triangles,
        textured.mesh.triangles
    );
}

#[test]
fn factors_stand_in_for_pictures_of_one_texel() {
    let mut textured = textured_quad(AlphaMode::Blend);
    textured.material.base_color = Arc::new(RgbaImage::from_pixel(1, 1, Rgba([200, 100, 0, 128])));
    textured.material.orm = None;
    textured.material.normal = None;
    textured.material.has_occlusion = false;
    textured.material.metallic_factor = 0.25;
    textured.material.roughness_factor = 0.75;
    let bytes = encode(&textured, &GlbOptions::default()).unwrap();
    assert_eq!(description(&bytes).get("images"), None);
    let back = decode(&bytes).unwrap().material;
    assert_eq!(back.base_color, textured.material.base_color);
    assert_eq!((back.metallic_factor, back.roughness_factor), (0.25, 0.75));
}

#[test]
fn nothing_and_nonsense_are_not_written() {
    let options = GlbOptions::default();
    assert!(matches!(
        encode(&TexturedMesh::default(), &options),
        Err(FormatError::Unwritable { .. })
    ));
    let mut textured = textured_quad(AlphaMode::Opaque);
    Arc::make_mut(&mut textured.mesh).uvs[0] = Vec2::NAN;
    assert!(matches!(
        encode(&textured, &options),
        Err(FormatError::Unwritable { .. })
    ));
}

/// Three primitives as other programs write them: a quantised strip placed by a mirrored node, a triangle whose last
/// vertex comes from a sparse array, and points that have no surface. Two plain materials, red and blue.
fn foreign_scene() -> Vec<u8> {
    let mut binary = Vec::new();
    let mut views = Vec::new();
    let mut push = |bytes: &[u8]| {
        binary.resize(binary.len().next_multiple_of(4), 0);
        views.push(json!({"buffer": 0, "byteOffset": binary.len(), "byteLength": bytes.len()}));
        binary.extend_from_slice(bytes);
        views.len() - 1
    };
    // Normalised bytes, padded to four: (0,0,0) (1,0,0) (0,1,0) (1,1,0) in units of 127.
    let quantized = push(&[0, 0, 0, 9, 127, 0, 0, 9, 0, 127, 0, 9, 127, 127, 0, 9]);
    let strip = push(&[0, 1, 2, 3]);
    let sparse_index = push(&2_u16.to_le_bytes());
    let sparse_value = push(bytemuck::cast_slice(&[0.0_f32, 0.0, 4.0]));
    let base = push(bytemuck::cast_slice(&[0.0_f32, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
    views[quantized]["byteStride"] = json!(4);
    let description = json!({
        "asset": {"version": "2.0", "generator": "someone else"},
        "extensionsUsed": ["KHR_mesh_quantization", "KHR_texture_transform"],
        "extensionsRequired": ["KHR_mesh_quantization", "KHR_texture_transform"],
        "buffers": [{"byteLength": binary.len()}],
        "bufferViews": views,
        "accessors": [
            {"bufferView": quantized, "componentType": 5120, "normalized": true, "count": 4, "type": "VEC3",
             "min": [0, 0, 0], "max": [1, 1, 0]},
            {"bufferView": strip, "componentType": 5121, "count": 4, "type": "SCALAR"},
            {"bufferView": base, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [3, 0, 4],
             "sparse": {"count": 1, "indices": {"bufferView": sparse_index, "componentType": 5123},
                        "values": {"bufferView": sparse_value}}},
        ],
        "materials": [
            {"pbrMetallicRoughness": {"baseColorFactor": [1.0, 0.0, 0.0, 1.0]}},
            {"pbrMetallicRoughness": {"baseColorFactor": [0.0, 0.0, 1.0, 1.0]}},
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": 5, "material": 0}]},
            {"primitives": [{"attributes": {"POSITION": 2}, "material": 1},
                            {"attributes": {"POSITION": 2}, "mode": 0}]},
        ],
        "nodes": [
            {"children": [1], "translation": [0.0, 0.0, 5.0]},
            {"mesh": 0, "scale": [-2.0, 2.0, 2.0]},
            {"mesh": 1},
        ],
        "scenes": [{"nodes": [0, 2]}],
        "scene": 0,
    });
    foreign(&description, &binary)
}

#[test]
fn files_of_others_are_merged_into_the_model_frame() {
    let textured = decode(&foreign_scene()).unwrap();
    let mesh = &*textured.mesh;
    assert_eq!(textured.provenance.generator, "someone else");
    assert_eq!(mesh.triangles.len(), 3);
    assert_eq!(mesh.positions[1], Vec3::new(-2.0, 0.0, 5.0));
    assert_eq!(mesh.positions[6], Vec3::new(0.0, 0.0, 4.0));
    // The strip faced +Z before it was mirrored in X, and still does; the sparse triangle faces -Y.
    for normal in &mesh.normals[..4] {
        assert!(normal.abs_diff_eq(Vec3::Z, 1e-6), "{normal}");
    }
    assert!(mesh.normals[4].abs_diff_eq(Vec3::NEG_Y, 1e-6));
    assert!(mesh.uvs.is_empty());
    assert_eq!(mesh.colors[0], Vec3::X);
    assert_eq!(mesh.colors[6], Vec3::Z);
    assert_eq!(textured.material.base_color.get_pixel(0, 0).0, [255; 4]);
}

#[test]
fn occlusion_of_another_size_and_factors_are_merged_into_one_picture() {
    let mut textured = textured_quad(AlphaMode::Opaque);
    textured.material = Material {
        base_color: Arc::new(RgbaImage::from_pixel(8, 8, Rgba([128, 64, 32, 255]))),
        orm: Some(Arc::new(RgbImage::from_pixel(8, 8, Rgb([40, 200, 100])))),
        normal: Some(Arc::new(RgbImage::from_pixel(2, 2, Rgb([128, 128, 255])))),
        has_occlusion: true,
        ..Material::default()
    };
    let bytes = encode(&textured, &GlbOptions::default()).unwrap();
    let chunks = Chunks::split(&bytes).unwrap();
    let mut description = description(&bytes);
    let material = &mut description["materials"][0];
    material["pbrMetallicRoughness"]["roughnessFactor"] = json!(0.5);
    material["occlusionTexture"] = json!({"index": 2, "strength": 0.5});
    let back = decode(&foreign(&description, chunks.binary)).unwrap().material;
    // Occlusion comes from the normal map's red here: 255 - 0.5 * (255 - 128); roughness is halved.
    assert_eq!(back.orm.unwrap().get_pixel(7, 7).0, [191, 100, 100]);
    assert_eq!(back.normal.unwrap().dimensions(), (8, 8));
}

#[test]
fn bad_files_name_what_is_wrong() {
    let good = foreign_scene();
    let binary = Chunks::split(&good).unwrap().binary;
    let with = |pointer: &str, value: Value| {
        let mut description = description(&good);
        *description.pointer_mut(pointer).unwrap() = value;
        decode(&foreign(&description, binary))
    };
    let truncated = |result| matches!(result, Err(FormatError::Truncated { .. }));
    let damaged = |result| matches!(result, Err(FormatError::Damaged { .. }));
    let too_large = |result| matches!(result, Err(FormatError::TooLarge { .. }));
    assert!(truncated(with("/accessors/0/count", json!(150_000))));
    assert!(too_large(with("/accessors/0/count", json!(150_000_000))));
    assert!(too_large(with("/accessors/0/count", json!(u64::MAX))));
    assert!(truncated(with("/bufferViews/0/byteOffset", json!(u64::MAX))));
    assert!(truncated(with("/accessors/2/sparse/count", json!(1_u64 << 40))));
    assert!(damaged(with("/accessors/2/type", json!("VEC4"))));
    assert!(damaged(with("/accessors/0/bufferView", json!(99))));
    assert!(damaged(with("/nodes/0/children", json!([0]))));
    assert!(damaged(with("/nodes/0/children", json!([2]))));
    assert!(damaged(with("/nodes/0/translation", json!([1e39, 0.0, 0.0]))));
    let unsupported = |result| matches!(result, Err(FormatError::Unsupported { .. }));
    assert!(unsupported(with(
        "/extensionsRequired",
        json!(["KHR_draco_mesh_compression"])
    )));
    let mut cut = good.clone();
    cut.truncate(good.len() - 1);
    assert!(truncated(decode(&cut)));
    assert!(matches!(decode(b"ply\n"), Err(FormatError::NotRecognized { .. })));
}

#[test]
fn a_wide_and_a_tall_picture_do_not_make_a_huge_one() {
    let mut textured = textured_quad(AlphaMode::Opaque);
    textured.material = Material {
        base_color: Arc::new(RgbaImage::new(16_384, 1)),
        normal: Some(Arc::new(RgbImage::new(1, 16_384))),
        ..Material::default()
    };
    let bytes = encode(&textured, &GlbOptions::default()).unwrap();
    assert!(matches!(
        decode(&bytes),
        Err(FormatError::TooLarge { claimed, .. }) if claimed == 1 << 28
    ));
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    let mut bytes = foreign_scene();
    let value = 4.0_f32.to_le_bytes();
    let at = bytes.windows(4).rposition(|window| window == value).unwrap();
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(matches!(decode(&bytes), Err(FormatError::Damaged { .. })));
}

#[test]
fn others_may_write_no_provenance_or_a_broken_one() {
    let bytes = encode(&textured_quad(AlphaMode::Opaque), &GlbOptions::default()).unwrap();
    let chunks = Chunks::split(&bytes).unwrap();
    for extras in [json!("text"), json!({"bozzetto": 3}), json!({"other": {}})] {
        let mut description = description(&bytes);
        description["asset"]["extras"] = extras;
        let provenance = decode(&foreign(&description, chunks.binary)).unwrap().provenance;
        let expected = Provenance {
            generator: "Bozzetto test".to_owned(),
            ..Provenance::default()
        };
        assert_eq!(provenance, expected);
    }
}

proptest! {
    #[test]
    fn bad_bytes_never_panic(
        bytes in mutated(encode(&textured_quad(AlphaMode::Blend), &GlbOptions::default()).unwrap()),
    ) {
        never_panics(&bytes, decode)?;
    }

    #[test]
    fn bad_foreign_bytes_never_panic(bytes in mutated(foreign_scene())) {
        never_panics(&bytes, |bytes| {
            let textured = decode(bytes)?;
            assert!(textured.mesh.is_consistent());
            Ok(textured)
        })?;
    }

    #[test]
    fn random_numbers_in_the_description_never_panic(which in any::<prop::sample::Index>(), value in prop_oneof![
        any::<u64>().prop_map(Value::from), (0_u64..20).prop_map(Value::from), any::<f64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from), Just(Value::Null), Just(json!([])), Just(json!("x")),
    ]) {
        let good = foreign_scene();
        let mut description = description(&good);
        let mut leaves = Vec::new();
        collect_leaves(&mut description, &mut leaves);
        let index = which.index(leaves.len());
        *leaves.swap_remove(index) = value;
        never_panics(&foreign(&description, Chunks::split(&good).unwrap().binary), decode)?;
    }
}

fn collect_leaves<'a>(value: &'a mut Value, leaves: &mut Vec<&'a mut Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| collect_leaves(item, leaves)),
        Value::Object(fields) => fields.values_mut().for_each(|field| collect_leaves(field, leaves)),
        leaf => leaves.push(leaf),
    }
}
