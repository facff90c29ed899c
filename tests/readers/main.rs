//! What is written opens in the programs it is for: Blender and trimesh read the files and tell what they found, and that
//! is compared with what Bozzetto's own readers find.
//!
//! To add a format that trimesh knows: write the file in [`write_owl`] and name it in [`trimesh_finds_every_file_whole`].

#[path = "../common/mod.rs"]
mod common;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bozzetto_asset::formats::{glb, obj, ply, stl};
use bozzetto_asset::{AlphaMode, Asset, TriMesh};
use bozzetto_mesh::{Control, FinishSettings, MeshHealth, finish, shapes};
use common::{bozzetto, example_views, validate_glb};
use glam::Vec3;
use serde_json::{Value, json};

/// The Python that `packaging/test.sh` installs the readers for; `None`, told aloud, where it has not.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/readers");
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if python.is_file() {
        return Some(python);
    }
    // Straight to standard error: what a passing test prints is not shown.
    let told = writeln!(
        std::io::stderr(),
        "SKIPPED, Blender and trimesh do not read the exported files: they are not in {}. \
         Install Python 3.11 and run `bash packaging/test.sh`.",
        folder.display()
    );
    told.expect("standard error is open");
    None
}

/// What a script of this folder says of each file.
fn facts(python: &Path, script: &str, files: &[PathBuf]) -> Vec<Value> {
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers").join(script))
        .args(files)
        .output()
        .expect("Python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{errors}", output.status);
    let lines = String::from_utf8(output.stdout).expect("text");
    let facts: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{script}: {error}: {line}")))
        .collect();
    assert_eq!(facts.len(), files.len(), "{script}: {lines}{errors}");
    facts
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
}

/// The example, made and exported by the program into a folder.
fn write_owl(folder: &Path) {
    succeed(
        bozzetto()
            .arg("generate")
            .arg(example_views())
            .args([
                "--faces",
                "5000",
                "--texture",
                "512",
                "--set",
                "carve.resolution=96",
                "-o",
            ])
            .arg(folder.join("owl.glb"))
            .arg("--ply")
            .arg(folder.join("owl.ply")),
    );
    for name in ["owl.obj", "owl.stl", "owl.3mf", "mesh.ply"] {
        let mut export = bozzetto();
        export.arg("export").arg(folder.join("owl.glb")).arg("-o");
        succeed(export.arg(folder.join(name)));
    }
}

/// A ball with all the maps there are: metal on one side, rough above, and occluded by nothing.
fn write_ball(path: &Path, alpha: fn(Vec3) -> f32) {
    let mesh = shapes::noisy_sphere(5, 0.02, 40.0, 0.0);
    let volume = shapes::shell(&mesh, 64, &|point| bozzetto_asset::PbrSample {
        base_color: (point + 0.5).to_array(),
        alpha: alpha(point),
        metallic: f32::from(u8::from(point.x > 0.0)),
        roughness: point.y + 0.5,
    });
    let asset = Asset {
        mesh: Some(Arc::new(mesh)),
        volume: Some(Arc::new(volume)),
        ..Asset::default()
    };
    let settings = FinishSettings {
        target_faces: 4000,
        texture_px: 256,
        bakes_occlusion: true,
        ..FinishSettings::default()
    };
    let finished = finish(&asset, &settings, &Control::silent()).expect("it finishes");
    glb::write(path, &finished.textured, &glb::GlbOptions::default()).expect("it is written");
}

/// Solid everywhere.
fn solid(_: Vec3) -> f32 {
    1.0
}

/// An encoded colour, `[0, 1]`.
fn color([r, g, b, _]: [u8; 4]) -> Vec3 {
    Vec3::new(r.into(), g.into(), b.into()) / 255.0
}

fn vector(value: &Value) -> Vec3 {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value} is no vector: {error}"))
}

fn assert_near(found: &Value, expected: Vec3, what: &str) {
    let found = vector(found);
    let tolerance = 1e-4 * expected.length().max(1.0);
    assert!(
        found.distance(expected) < tolerance,
        "{what}: {found} instead of {expected}"
    );
}

fn mean(points: &[Vec3]) -> Vec3 {
    let sum: glam::DVec3 = points.iter().map(|point| point.as_dvec3()).sum();
    (sum / points.len() as f64).as_vec3()
}

#[test]
fn blender_imports_one_upright_object_with_its_maps_wired() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let [owl, ball] = ["owl.glb", "ball.glb"].map(|name| folder.path().join(name));
    write_owl(folder.path());
    write_ball(&ball, solid);
    let facts = facts(&python, "with_blender.py", &[owl.clone(), ball.clone()]);
    for (path, facts) in [&owl, &ball].into_iter().zip(&facts) {
        let textured = glb::read(path).expect("it reads back");
        assert_eq!(facts["complaints"], json!([]));
        assert_eq!(facts["objects"], json!(["MESH"]));
        assert_same_mesh(&facts["meshes"][0], &textured.mesh);
        assert_eq!(facts["materials"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            (&facts["materials"][0]["principled"], &facts["materials"][0]["is_shown"]),
            (&json!(1), &json!(true))
        );
    }
    let size = vector(&facts[0]["meshes"][0]["high"]) - vector(&facts[0]["meshes"][0]["low"]);
    assert!((0.8..1.002).contains(&size.max_element()), "about a metre: {size}");

    let inputs = &facts[1]["materials"][0]["inputs"];
    assert_picture(&inputs["Base Color"], &["TEX_IMAGE.Color"], "sRGB");
    assert_picture(
        &inputs["Metallic"],
        &["SEPARATE_COLOR.Blue", "TEX_IMAGE.Color"],
        "Non-Color",
    );
    assert_picture(
        &inputs["Roughness"],
        &["SEPARATE_COLOR.Green", "TEX_IMAGE.Color"],
        "Non-Color",
    );
    assert_picture(
        &inputs["Normal"],
        &["NORMAL_MAP.Normal", "TEX_IMAGE.Color"],
        "Non-Color",
    );
    assert_eq!(
        inputs["Metallic"]["picture"]["name"],
        inputs["Roughness"]["picture"]["name"]
    );
    let inputs = &facts[0]["materials"][0]["inputs"];
    assert_picture(&inputs["Base Color"], &["TEX_IMAGE.Color"], "sRGB");
    assert_picture(
        &inputs["Normal"],
        &["NORMAL_MAP.Normal", "TEX_IMAGE.Color"],
        "Non-Color",
    );
    assert_eq!(
        inputs["Metallic"]["value"],
        json!(0.0),
        "one value for the whole needs no picture"
    );
    assert_eq!(inputs["Alpha"]["value"], json!(1.0), "it is solid");
}

#[test]
fn blender_imports_every_packing_that_it_knows() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_owl(folder.path());
    let at = |name: &str| folder.path().join(name);
    let packings = [
        ("jpeg.glb", "--texture-format jpeg"),
        ("webp.glb", "--texture-format webp"),
        ("unity.glb", "--preset unity"),
    ];
    for (name, words) in packings {
        let mut export = bozzetto();
        export.arg("export").arg(at("owl.glb")).args(words.split(' '));
        succeed(export.arg("-o").arg(at(name)));
    }
    let paths = packings.map(|(name, _)| at(name));
    for (path, facts) in paths.iter().zip(facts(&python, "with_blender.py", &paths)) {
        assert_eq!(facts["complaints"], json!([]), "{}", path.display());
        assert_eq!(facts["objects"], json!(["MESH"]), "{}", path.display());
        assert_same_mesh(&facts["meshes"][0], &glb::read(path).expect("it reads back").mesh);
        assert_eq!(facts["materials"][0]["principled"], json!(1), "{}", path.display());
        let inputs = &facts["materials"][0]["inputs"];
        assert_picture(&inputs["Base Color"], &["TEX_IMAGE.Color"], "sRGB");
    }
}

#[test]
fn every_kind_of_material_is_valid_gltf() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ball.glb");
    for (alpha, mode) in [
        (solid as fn(Vec3) -> f32, AlphaMode::Opaque),
        (
            |point| f32::from(u8::from(point.z > 0.0)),
            AlphaMode::Mask { cutoff: 0.5 },
        ),
        (|point| point.z + 0.5, AlphaMode::Blend),
    ] {
        write_ball(&path, alpha);
        let material = glb::read(&path).expect("it reads back").material;
        assert_eq!(material.alpha_mode, mode);
        assert!(material.orm.is_some() && material.has_occlusion && material.normal.is_some());
        validate_glb(&path);
    }
}

/// Points of the model frame where +Z is up and -Y the front, as in Blender and in files for printers.
fn z_up(points: &[Vec3]) -> Vec<Vec3> {
    points.iter().map(|p| Vec3::new(p.x, -p.z, p.y)).collect()
}

fn assert_same_box(found: &Value, mesh: &TriMesh, name: &str) {
    let (low, high) = mesh.bounds().expect("vertices");
    assert_near(&found["low"], low, &format!("{name}: low corner"));
    assert_near(&found["high"], high, &format!("{name}: high corner"));
}

/// `mesh` in the model frame against what Blender has.
fn assert_same_mesh(found: &Value, mesh: &TriMesh) {
    let turned = TriMesh::new(z_up(&mesh.positions), Vec::new());
    assert_same_box(found, &turned, "Blender");
    // The box of a round thing looks the same from many sides; where most of it lies does not.
    assert_near(&found["mean"], mean(&turned.positions), "mean of the vertices");
    assert_eq!(found["is_at_origin"], json!(true));
    assert_eq!(
        (&found["vertices"], &found["faces"]),
        (&json!(mesh.positions.len()), &json!(mesh.triangles.len()))
    );
    assert_eq!(found["needed_repair"], json!(false));
    assert_eq!(found["uv_maps"], json!(1));
    let range = |name: &str| [0, 1].map(|end| found[name][end].as_f64().expect("a number"));
    let [low, high] = range("uv_range");
    assert!(
        low >= -1e-4 && high <= 1.0001,
        "texture coordinates from {low} to {high}"
    );
    let [low, high] = range("normal_length_range");
    assert!(low > 0.99 && high < 1.01, "normals from {low} to {high} long");
    assert!(
        found["volume"].as_f64().is_some_and(|volume| volume > 0.0),
        "faces look outwards"
    );
}

fn assert_picture(input: &Value, through: &[&str], color_space: &str) {
    assert_eq!(input["through"], json!(through));
    let picture = &input["picture"];
    assert_eq!(picture["color_space"], json!(color_space), "{picture}");
    assert_eq!(picture["is_packed"], json!(true), "{picture}");
    assert!(
        picture["spread"].as_f64().is_some_and(|spread| spread > 0.005),
        "blank: {picture}"
    );
}

#[test]
fn trimesh_finds_every_file_whole() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_owl(folder.path());
    let at = |name: &str| folder.path().join(name);
    let stl = stl::read(&at("owl.stl")).expect("an STL");
    let mesh_ply = ply::read_mesh(&at("mesh.ply")).expect("a mesh PLY");
    let glb = (*glb::read(&at("owl.glb")).expect("a GLB").mesh).clone();
    // 3MF counts in millimetres and keeps places, no texture.
    let millimetres = z_up(&glb.positions).iter().map(|place| place * 1000.0).collect();
    let read: [(&str, TriMesh); 5] = [
        ("owl.3mf", TriMesh::new(millimetres, glb.triangles.clone())),
        ("owl.glb", glb),
        (
            "mesh.ply",
            TriMesh::new(z_up(&mesh_ply.positions), mesh_ply.triangles.clone()),
        ),
        ("owl.obj", obj::read(&at("owl.obj")).expect("an OBJ")),
        ("owl.stl", TriMesh::new(z_up(&stl.positions), stl.triangles)),
    ];
    let paths = read.clone().map(|(name, _)| at(name));
    for ((name, mesh), found) in read.iter().zip(facts(&python, "with_trimesh.py", &paths)) {
        assert_same_box(&found, mesh, name);
        let health = MeshHealth::of(mesh);
        assert!(health.is_watertight, "{name}: {health:?}");
        assert_eq!(found["faces"], json!(health.num_faces), "{name}");
        assert_eq!(found["is_watertight"], json!(true), "{name}");
        let volume = found["volume"].as_f64().expect("a number");
        assert!((volume / health.signed_volume - 1.0).abs() < 1e-3, "{name}: {volume}");
        assert_eq!(
            found["uvs"] != json!(0),
            !mesh.uvs.is_empty(),
            "{name}: texture coordinates"
        );
    }

    // Pictures and vertex colours arrive too.
    let found = facts(&python, "with_trimesh.py", &["owl.glb", "owl.obj", "mesh.ply"].map(at));
    let picture = glb::read(&at("owl.glb")).expect("a GLB").material.base_color;
    let of_picture: Vec<Vec3> = picture.pixels().map(|pixel| color(pixel.0)).collect();
    for (name, found) in ["owl.glb", "owl.obj"].iter().zip(&found) {
        assert_eq!(found["picture"]["size"], json!([512, 512]), "{name}");
        assert_near(&found["picture"]["color"], mean(&of_picture), name);
    }
    let encoded = |color: &Vec3| Vec3::from_array(color.to_array().map(bozzetto_asset::color::srgb_from_linear));
    let of_vertices: Vec<Vec3> = mesh_ply.colors.iter().map(encoded).collect();
    let told = vector(&found[2]["vertex_color"]);
    assert!(told.distance(mean(&of_vertices)) < 0.003, "{told}");

    let splats = ply::read(&at("owl.ply")).expect("a PLY");
    let found = &facts(&python, "with_trimesh.py", &[at("owl.ply")])[0];
    assert_eq!(found["vertices"], json!(splats.len()));
    // Splats are y-down in files and look along +Z.
    let turned = splats.positions.iter().map(|p| Vec3::new(p.x, -p.y, -p.z));
    assert_same_box(found, &TriMesh::new(turned.collect(), Vec::new()), "owl.ply");
}
