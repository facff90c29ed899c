//! One view: a rounded solid with exactly the picture's outline.

mod common;

use std::sync::Arc;

use bozzetto_asset::{Direction, PreparedView};
use common::mesh_check::Topology;
use common::{data_folder, generate, params, raster, view_from_alpha};
use image::{GrayImage, Luma, Rgb, RgbImage};

#[expect(clippy::print_stdout, reason = "tests print what they measure")]
fn check(view: &PreparedView, least: f64) {
    let (asset, stages) = generate(std::slice::from_ref(view), &params(&[]));
    let mesh = asset.mesh.as_ref().expect("a mesh");
    let topology = Topology::of(mesh);
    assert!(topology.is_closed_manifold(), "{}: {topology:?}", view.name);
    let outline = raster::silhouette(mesh, &asset.cameras[0], view.matte.width(), view.matte.height());
    let agreement = raster::iou(&outline, &view.matte);
    println!("{}: outline IoU {agreement:.4}, {stages:?}", view.name);
    assert!(agreement >= least, "{}: {agreement}", view.name);
    let (low, high) = mesh.bounds().expect("not empty");
    assert!(low.min_element() >= -0.5 && high.max_element() <= 0.5, "{low} {high}");
}

#[test]
fn five_pictures_keep_their_outlines() {
    let Some(folder) = data_folder() else { return };
    for name in [
        "building_castle",
        "creature_dragon",
        "misc_crate",
        "misc_lantern",
        "vehicle_biplane",
    ] {
        let path = folder.join("views").join(name).with_extension("png");
        check(&view_from_alpha(&path, Some(Direction::Front)), 0.98);
    }
}

/// A ring with a thin bar across, red on the left, blue on the right.
fn ring() -> PreparedView {
    let side = 400;
    let inside = |x: f32, y: f32| {
        let r = ((x - 200.0).powi(2) + (y - 200.0).powi(2)).sqrt();
        let bar = (y - 200.0).abs() < 5.0 && r < 150.0;
        (r < 170.0 && r > 110.0) || bar
    };
    PreparedView {
        name: "ring.png".to_owned(),
        color: Arc::new(RgbImage::from_fn(side, side, |x, _| {
            if x < 200 {
                Rgb([220, 30, 30])
            } else {
                Rgb([30, 30, 220])
            }
        })),
        matte: Arc::new(GrayImage::from_fn(side, side, |x, y| {
            let count = (0..16)
                .filter(|i| {
                    inside(
                        x as f32 + (i % 4) as f32 / 4.0 + 0.125,
                        y as f32 + (i / 4) as f32 / 4.0 + 0.125,
                    )
                })
                .count();
            Luma([(count * 255 / 16) as u8])
        })),
        direction: Some(Direction::Front),
        camera: None,
        weight: 1.0,
    }
}

#[test]
fn holes_and_thin_bars_stay() {
    check(&ring(), 0.98);
}

#[test]
fn thickness_follows_the_local_width() {
    let (asset, _) = generate(
        &[ring()],
        &params(&[("carve.relief", 0.0), ("carve.resolution", 160.0)]),
    );
    let mesh = asset.mesh.expect("a mesh");
    let depth_near = |x: f32, y: f32| {
        mesh.positions
            .iter()
            .filter(|p| (p.x - x).abs() < 0.01 && (p.y - y).abs() < 0.02)
            .fold(0.0f32, |most, p| most.max(p.z.abs()))
    };
    // 340 pixels are 0.96 m: the ring is 60 pixels wide, the bar 10.
    let px = 0.96 / 340.0;
    let (ring, bar) = (depth_near(0.0, 140.0 * px), depth_near(0.0, 0.0));
    assert!(
        ring > 20.0 * px && ring < 45.0 * px,
        "the ring is {} pixels deep",
        ring / px
    );
    assert!(bar > 2.0 * px && bar < 9.0 * px, "the bar is {} pixels deep", bar / px);
}

#[test]
fn the_back_is_painted_from_the_front() {
    let (asset, _) = generate(&[ring()], &params(&[("carve.resolution", 128.0)]));
    let mesh = asset.mesh.expect("a mesh");
    for (position, color) in mesh.positions.iter().zip(&mesh.colors) {
        if position.x < -0.02 {
            assert!(color.x > color.z, "left is red on both sides: {position} {color}");
        } else if position.x > 0.02 {
            assert!(color.z > color.x, "right is blue on both sides: {position} {color}");
        }
    }
}
