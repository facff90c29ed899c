//! Quantised and compressed files.

use super::*;

/// A sphere's cap of a few hundred faces with everything that a finished mesh has, off the origin.
fn textured_cap() -> TexturedMesh {
    let (columns, rows) = (24, 16);
    let mut mesh = TriMesh::default();
    for row in 0..=rows {
        for column in 0..=columns {
            let uv = Vec2::new(column as f32 / columns as f32, row as f32 / rows as f32);
            let (around, down) = (uv.x * std::f32::consts::TAU, 0.1 + uv.y * 1.3);
            let normal = Vec3::new(around.sin() * down.sin(), down.cos(), around.cos() * down.sin());
            mesh.positions.push(normal * 0.4 + Vec3::new(0.05, 0.1, -0.02));
            mesh.normals.push(normal);
            mesh.uvs.push(uv);
            mesh.tangents
                .push([around.cos(), 0.0, -around.sin(), if column < 12 { 1.0 } else { -1.0 }]);
        }
    }
    for row in 0..rows {
        for column in 0..columns {
            let corner = row * (columns + 1) + column;
            mesh.triangles.push([corner, corner + columns + 1, corner + 1]);
            mesh.triangles
                .push([corner + 1, corner + columns + 1, corner + columns + 2]);
        }
    }
    TexturedMesh {
        mesh: Arc::new(mesh),
        ..textured_quad(AlphaMode::Mask { cutoff: 0.5 })
    }
}

/// Every triangle with the attributes of its corners, whatever the order of vertices, triangles and corners.
fn surface(mesh: &TriMesh) -> Vec<Vec<[f32; 12]>> {
    let vertex = |index: &u32| {
        let index = *index as usize;
        let [position, normal] = [mesh.positions[index], mesh.normals[index]].map(|vector| vector.to_array());
        let (uv, tangent) = (mesh.uvs[index].to_array(), mesh.tangents[index]);
        let values = [&position[..], &normal, &uv, &tangent].concat();
        values.try_into().expect("twelve numbers")
    };
    let by_uv = |a: &[f32; 12], b: &[f32; 12]| a[6].total_cmp(&b[6]).then(a[7].total_cmp(&b[7]));
    let mut triangles: Vec<Vec<[f32; 12]>> = mesh
        .triangles
        .iter()
        .map(|corners| {
            let mut corners: Vec<_> = corners.iter().map(vertex).collect();
            let first = (0..3).min_by(|&a, &b| by_uv(&corners[a], &corners[b])).expect("three");
            corners.rotate_left(first);
            corners
        })
        .collect();
    // Texture coordinates tell the corners apart, also after they were rounded.
    triangles.sort_by(|a, b| by_uv(&a[0], &b[0]).then(by_uv(&a[1], &b[1])));
    triangles
}

#[test]
fn small_files_read_back_within_what_is_promised() {
    let textured = textured_cap();
    let exact = surface(&textured.mesh);
    let mut sizes = Vec::new();
    for (is_quantized, is_compressed) in [(false, false), (true, false), (false, true), (true, true)] {
        let options = GlbOptions {
            is_quantized,
            is_compressed,
            ..GlbOptions::default()
        };
        let bytes = encode(&textured, &options).unwrap();
        sizes.push(bytes.len());
        let facts = GlbFacts::of(&bytes).unwrap();
        let expected = [
            (is_quantized, QUANTIZATION_EXTENSION),
            (is_compressed, meshopt::EXTENSION),
        ];
        let expected: Vec<_> = expected
            .iter()
            .filter(|(is_on, _)| *is_on)
            .map(|(_, name)| *name)
            .collect();
        assert_eq!(facts.extensions, expected);
        assert_eq!(
            description(&bytes).get("extensionsRequired").is_some(),
            !expected.is_empty()
        );
        let back = decode(&bytes).unwrap();
        assert_eq!(back.provenance, textured.provenance);
        assert_eq!(back.material.base_color, textured.material.base_color);
        let stored = surface(&back.mesh);
        assert_eq!(stored.len(), exact.len());
        // Of positions, normals, texture coordinates and tangents; a little more where reading normalises again.
        let bounds = if is_quantized {
            [0.5 / 32_767.0, 4e-5, 1e-5, 8e-3]
        } else {
            [0.0, 1e-6, 0.0, 1e-6]
        };
        let bound_of = |at: usize| bounds[[0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3][at]];
        for (stored, exact) in stored.iter().flatten().zip(exact.iter().flatten()) {
            for at in 0..12 {
                assert!(
                    (stored[at] - exact[at]).abs() <= bound_of(at),
                    "{at}: {stored:?} {exact:?}"
                );
            }
        }
    }
    assert!(
        sizes[1] < sizes[0] && sizes[2] < sizes[0] && sizes[3] < sizes[1].min(sizes[2]),
        "{sizes:?}"
    );
}

#[test]
fn a_quantized_object_keeps_its_pivot_and_a_plain_scale() {
    let options = GlbOptions {
        is_quantized: true,
        ..GlbOptions::default()
    };
    let description = description(&encode(&textured_cap(), &options).unwrap());
    let node = &description["nodes"][0];
    assert_eq!(node["scale"], json!([0.5, 0.5, 0.5]));
    assert!(node.get("translation").is_none() && node.get("matrix").is_none());
    for accessor in description["accessors"].as_array().unwrap() {
        let view = accessor["bufferView"].as_u64().unwrap() as usize;
        let stride = &description["bufferViews"][view]["byteStride"];
        let expected = if accessor["type"] == "VEC3" {
            json!(8)
        } else {
            Value::Null
        };
        assert_eq!(*stride, expected);
    }
}

#[test]
fn false_claims_of_compressed_arrays_are_found_before_they_take_memory() {
    let options = GlbOptions {
        is_compressed: true,
        ..GlbOptions::default()
    };
    let good = encode(&textured_cap(), &options).unwrap();
    let chunks = Chunks::split(&good).unwrap();
    let with = |key: &str, value: Value| {
        let mut description = description(&good);
        let views = description["bufferViews"].as_array_mut().unwrap();
        let view = views.iter_mut().find(|view| view.get("extensions").is_some()).unwrap();
        view["extensions"][meshopt::EXTENSION][key] = value;
        decode(&foreign(&description, chunks.binary))
    };
    assert!(matches!(
        with("count", json!(u64::MAX)),
        Err(FormatError::TooLarge { .. })
    ));
    assert!(matches!(with("count", json!(10)), Err(FormatError::Damaged { .. })));
    assert!(matches!(
        with("byteOffset", json!(u64::MAX)),
        Err(FormatError::Truncated { .. })
    ));
    assert!(matches!(
        with("byteStride", json!(6)),
        Err(FormatError::Unsupported { .. })
    ));
    assert!(matches!(with("mode", json!("MAGIC")), Err(FormatError::Damaged { .. })));
    assert!(matches!(with("buffer", json!(7)), Err(FormatError::Unsupported { .. })));
    assert!(with("filter", json!("NONE")).is_ok());
}

proptest! {
    #[test]
    fn bad_small_bytes_never_panic(bytes in mutated(encode(&textured_cap(), &GlbOptions {
        is_quantized: true,
        is_compressed: true,
        ..GlbOptions::default()
    }).unwrap())) {
        never_panics(&bytes, decode)?;
    }
}
