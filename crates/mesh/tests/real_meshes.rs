//! Meshes that people made: from the folder that `BOZZETTO_TEST_DATA` names, else a generated stand-in.

mod common;

use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::{Asset, TriMesh};
use bozzetto_mesh::{Control, FinishSettings, MeshHealth, finish, shapes};

#[expect(clippy::print_stdout, reason = "whoever reads the output must see what was tested")]
fn meshes() -> Vec<(String, TriMesh)> {
    let Some(folder) = std::env::var_os("BOZZETTO_TEST_DATA") else {
        println!("BOZZETTO_TEST_DATA is not set: testing on a generated torus instead of spot and bob.");
        return vec![("torus".to_owned(), shapes::torus(0.3, 0.1, 120, 60))];
    };
    ["spot.obj", "bob_tri.obj"]
        .map(|name| {
            (
                name.to_owned(),
                common::read_obj(&Path::new(&folder).join("meshes").join(name)),
            )
        })
        .into()
}

#[test]
fn closed_objects_come_out_closed_and_laid_out() {
    for (name, mesh) in meshes() {
        let before = MeshHealth::of(&mesh);
        let asset = Asset {
            mesh: Some(Arc::new(mesh)),
            ..Asset::default()
        };
        for target_faces in [3000, 1000] {
            let settings = FinishSettings {
                target_faces,
                texture_px: 512,
                ..FinishSettings::default()
            };
            let finished = finish(&asset, &settings, &Control::silent()).unwrap();
            let health = finished.health;
            println!(
                "{name}: {} to {} faces, {} charts, {:.0} % of the texture, {health:?}",
                before.num_faces,
                health.num_faces,
                finished.num_charts,
                finished.texture_utilization * 100.0
            );
            assert_eq!(health.is_watertight, before.is_watertight, "{name}");
            assert_eq!(health.euler_characteristic, before.euler_characteristic, "{name}");
            assert_eq!(health.uv_overlap, Some(0.0), "{name}");
            assert!(health.num_faces <= target_faces as usize, "{name}");
            // Vertices stay on the surface, so round parts lose volume: a ball of n faces about 12 / n of it.
            let change = (health.signed_volume / before.signed_volume - 1.0).abs();
            assert!(change < 30.0 / f64::from(target_faces), "{name}: {change}");
        }
    }
}
