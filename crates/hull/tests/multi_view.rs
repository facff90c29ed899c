//! Several views: known cameras on a turntable, and pictures by direction alone.

mod common;

use std::time::Instant;

use bozzetto_asset::{Direction, PreparedView, TriMesh};
use common::mesh_check::Topology;
use common::scene::Scene;
use common::{data_folder, generate, params, raster, solid, view_from_alpha};
use image::GrayImage;

/// Elevations in turn: level views alone would see neither the top nor under the belly.
const ELEVATIONS_DEG: [f32; 2] = [20.0, -15.0];

/// Share of the cube's cells that all mattes agree on, as a solid: the exact visual hull, the most that outlines tell.
fn visual_hull(views: &[PreparedView]) -> Vec<bool> {
    (0..solid::CELLS.pow(3))
        .map(|index| {
            let point = solid::cell_middle(index);
            views.iter().all(|view| {
                let (at, _) = view.camera.expect("known").project(point).expect("in front");
                let (width, height) = view.matte.dimensions();
                let (x, y) = ((at.x * width as f32) as i64, (at.y * height as f32) as i64);
                x >= 0
                    && y >= 0
                    && x < i64::from(width)
                    && y < i64::from(height)
                    && view.matte.get_pixel(x as u32, y as u32).0[0] > 127
            })
        })
        .collect()
}

#[expect(clippy::print_stdout, reason = "tests print what they measure")]
fn check_turntable(scene: &Scene, name: &str, least_solid: f64, least_outline: f64) {
    let views = scene.turntable(8, &ELEVATIONS_DEG, 512);
    let started = Instant::now();
    let (asset, stages) = generate(&views, &params(&[]));
    println!(
        "{name}: 8 views in {:.2} s: {stages:?}",
        started.elapsed().as_secs_f32()
    );
    let mesh = asset.mesh.as_ref().expect("a mesh");
    let topology = Topology::of(mesh);
    assert!(topology.is_closed_manifold(), "{topology:?}");

    let truth = solid::voxelized(&scene.mesh);
    let made = solid::iou(&solid::voxelized(mesh), &truth);
    let floor = solid::iou(&visual_hull(&views), &truth);
    println!("{name}: IoU with the true solid {made:.4}; of the exact visual hull {floor:.4}");
    assert!(made >= least_solid, "{made}");
    for (view, camera) in views.iter().zip(&asset.cameras) {
        let given = view.camera.expect("known");
        assert!(
            camera.world_from_view.abs_diff_eq(given.world_from_view, 1e-5),
            "the frame is kept"
        );
        let outline = raster::silhouette(mesh, camera, view.matte.width(), view.matte.height());
        let agreement = raster::iou(&outline, &view.matte);
        println!("{name} {}: outline IoU {agreement:.4}", view.name);
        assert!(agreement >= least_outline, "{}: {agreement}", view.name);
    }
    let error = color_error(scene, mesh, &views);
    println!("{name}: mean colour error {error:.4} of 1");
    assert!(error < 0.06, "{error}");
}

/// Mean absolute difference, sRGB, between the painted mesh and the scene in the given views, inside both.
fn color_error(scene: &Scene, mesh: &TriMesh, views: &[PreparedView]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for view in views {
        let camera = view.camera.expect("known");
        let (width, height) = view.matte.dimensions();
        let hits = raster::hits(mesh, &camera, width, height);
        let true_hits = raster::hits(&scene.mesh, &camera, width, height);
        for (hit, true_hit) in hits.iter().zip(&true_hits) {
            if let (Some(hit), Some(true_hit)) = (hit, true_hit) {
                let corners = mesh.triangles[hit.triangle as usize].map(|vertex| mesh.colors[vertex as usize]);
                let weights = hit.weights;
                let color = corners[0] * weights.x + corners[1] * weights.y + corners[2] * weights.z;
                let encode = |linear: glam::Vec3| linear.map(bozzetto_asset::color::srgb_from_linear);
                let difference = encode(color) - encode(scene.color(true_hit));
                sum += f64::from(difference.abs().element_sum() / 3.0);
                count += 1.0;
            }
        }
    }
    sum / count
}

#[test]
fn a_synthetic_object_on_a_turntable_is_found_again() {
    check_turntable(&Scene::synthetic(), "bean", 0.95, 0.97);
}

#[test]
fn spot_on_a_turntable_is_found_again() {
    let Some(folder) = data_folder() else { return };
    let meshes = folder.join("meshes");
    let scene = Scene::read(&meshes.join("spot.obj"), &meshes.join("spot_texture.png"));
    check_turntable(&scene, "spot", 0.92, 0.97);
}

#[test]
fn three_tiger_views_by_direction_give_one_closed_solid() {
    let Some(folder) = data_folder() else { return };
    let views = [
        ("tiger_front.png", Direction::Front),
        ("tiger_left.png", Direction::Left),
        ("tiger_back.png", Direction::Back),
    ]
    .map(|(name, direction)| view_from_alpha(&folder.join("views").join(name), Some(direction)));
    let (asset, stages) = generate(&views, &params(&[]));
    println!("tiger: {stages:?}");
    let mesh = asset.mesh.as_ref().expect("a mesh");
    let topology = Topology::of(mesh);
    assert!(topology.is_closed_manifold(), "{topology:?}");
    assert_eq!(topology.num_components, 1);
    let mut sum = 0.0;
    for (view, camera) in views.iter().zip(&asset.cameras) {
        let outline = raster::silhouette(mesh, camera, view.matte.width(), view.matte.height());
        let agreement = raster::iou(&outline, &view.matte);
        println!("tiger {}: outline IoU {agreement:.4}", view.name);
        assert!(agreement >= 0.93, "{}: {agreement}", view.name);
        sum += agreement;
    }
    let best = best_pair_sum(&views[0].matte, &views[2].matte) + 1.0;
    println!(
        "tiger: the outlines' IoU sum to {sum:.4}; no solid can pass {best:.4}, because front and back disagree: gap {:.4}",
        best - sum
    );
}

/// The most that the overlap of one shape with two mattes, the second mirrored, can sum to: over shifts and scales of the
/// second, and over how much of what only one of them holds the shape takes in.
fn best_pair_sum(front: &GrayImage, back: &GrayImage) -> f64 {
    let inside = |matte: &GrayImage, x: f32, y: f32| {
        x >= 0.0
            && y >= 0.0
            && (x as u32) < matte.width()
            && (y as u32) < matte.height()
            && matte.get_pixel(x as u32, y as u32).0[0] > 127
    };
    let middle = |matte: &GrayImage| {
        let (mut low, mut high) = ((f32::MAX, f32::MAX), (0.0f32, 0.0f32));
        for (x, y, value) in matte.enumerate_pixels() {
            if value.0[0] > 127 {
                low = (low.0.min(x as f32), low.1.min(y as f32));
                high = (high.0.max(x as f32), high.1.max(y as f32));
            }
        }
        ((low.0 + high.0) * 0.5, (low.1 + high.1) * 0.5)
    };
    let (front_middle, back_middle) = (middle(front), middle(back));
    let stride = 4usize;
    let sum_at = |scale: f32, dx: f32, dy: f32| {
        let (mut both, mut only_front, mut only_back) = (0.0, 0.0, 0.0);
        for y in (-40..front.height() as i64 + 40).step_by(stride) {
            for x in (-40..front.width() as i64 + 40).step_by(stride) {
                let (x, y) = (x as f32, y as f32);
                let in_front = inside(front, x, y);
                let mirrored = back_middle.0 - (x - front_middle.0 - dx) * scale;
                let in_back = inside(back, mirrored, back_middle.1 + (y - front_middle.1 - dy) * scale);
                match (in_front, in_back) {
                    (true, true) => both += 1.0,
                    (true, false) => only_front += 1.0,
                    (false, true) => only_back += 1.0,
                    (false, false) => {}
                }
            }
        }
        // The sum is convex in each of the shares taken, so its maximum lies at a corner.
        [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
            .into_iter()
            .map(|(a, b)| {
                (both + a * only_front) / (both + only_front + b * only_back)
                    + (both + b * only_back) / (both + only_back + a * only_front)
            })
            .fold(0.0f64, f64::max)
    };
    let mut best = 0.0f64;
    for scale in -6..=6 {
        for dx in -6..=6 {
            for dy in -2..=2 {
                best = best.max(sum_at(1.0 + scale as f32 * 0.01, dx as f32 * 4.0, dy as f32 * 4.0));
            }
        }
    }
    best
}
