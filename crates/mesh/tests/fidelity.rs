//! How close finished meshes stay to what they were made of.
//!
//! A small copy of what `bozzetto bench finish --fidelity` measures at full size: as many voxels to a face, faces to a
//! finished face and texels to a finished face as 5.24 million faces and 1024^3 voxels to 300 000 faces and 2048 px.

mod common;

use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::{Asset, TriMesh};
use bozzetto_mesh::bake::{Surface, VolumeSampler};
use bozzetto_mesh::fidelity::Fidelity;
use bozzetto_mesh::nearest::SearchTree;
use bozzetto_mesh::{Control, FinishSettings, finish, shapes};

const VOXELS: u32 = 256;
const TEXTURE_PX: u32 = 512;
const TARGET_FACES: u32 = 18_750;
const PICTURE_PX: u32 = 128;
/// The finest waves of the colours, in voxels.
const WAVELENGTH: f32 = 24.0;

#[expect(clippy::print_stdout, reason = "whoever reads the output must see what was tested")]
fn assert_faithful(name: &str, mut mesh: TriMesh) {
    let volume = shapes::shell(&mesh, VOXELS, &|point| shapes::waves(point, WAVELENGTH / VOXELS as f32));
    let asset = Asset {
        mesh: Some(Arc::new(mesh.clone())),
        volume: Some(Arc::new(volume.clone())),
        ..Asset::default()
    };
    let settings = FinishSettings {
        target_faces: TARGET_FACES,
        texture_px: TEXTURE_PX,
        ..FinishSettings::default()
    };
    let finished = finish(&asset, &settings, &Control::silent()).expect("it finishes");
    mesh.compute_normals();
    let surface = Surface {
        tree: &SearchTree::new(&mesh),
        mesh: &mesh,
        occlusion: None,
    };
    let sampler = VolumeSampler::new(&volume).expect("a sound volume");
    let found = Fidelity::of(&finished.textured, surface, &sampler, PICTURE_PX);
    println!(
        "{name}: {} to {} faces, {found:?}",
        mesh.triangles.len(),
        finished.health.num_faces
    );
    assert!(finished.health.num_faces <= TARGET_FACES as usize, "{name}");
    assert!(found.base_color_psnr >= 35.0, "{name}: {found:?}");
    assert!(found.shaded_psnr >= 35.0, "{name}: {found:?}");
    let voxels = |metres: f32| metres * VOXELS as f32;
    assert!(voxels(found.greatest_distance) < 1.0, "{name}: {found:?}");
    assert!(voxels(found.mean_distance) < 0.1, "{name}: {found:?}");
    assert!(found.normal_deviation < 0.02, "{name}: {found:?}");
    assert!(
        found.normal_deviation * 2.0 < found.vertex_normal_deviation,
        "{name}: the normal map helps: {found:?}"
    );
}

#[test]
fn a_noisy_ball_keeps_its_shape_and_looks() {
    assert_faithful("ball", shapes::noisy_sphere(7, 0.02, 40.0, 0.000_2));
}

#[test]
fn a_cow_keeps_its_shape_and_looks() {
    let mesh = if let Some(folder) = std::env::var_os("BOZZETTO_TEST_DATA") {
        common::read_obj(&Path::new(&folder).join("meshes/spot.obj"))
    } else {
        println!("BOZZETTO_TEST_DATA is not set: testing on a generated torus instead of spot.");
        shapes::torus(0.3, 0.1, 80, 40)
    };
    assert_faithful("spot", shapes::bumpy(&shapes::fitted(&mesh), 3, 0.005, 40.0));
}
