//! Live previews: what they look like, and what an update costs.

use std::sync::Arc;

use bozzetto_asset::{Camera, Projection, SparseStructure, TriMesh};
use glam::{IVec3, Vec3};
use image::{Rgba, RgbaImage};

use crate::gpu::made::{self, Made};
use crate::read_back::wait;
use crate::splat_order::tests::scattered_splats;
use crate::{Frame, Offscreen, OrbitCamera, Picture, RenderSettings, Scene, ScenePart, ScenePool, Shows, SplatTier};

/// Voxels of 0.1 m, (5, 5, 5) just beyond the middle of the model frame.
fn structure(coords: &[[i32; 3]], colors: &[Vec3]) -> SparseStructure {
    SparseStructure {
        origin: Vec3::splat(-0.5),
        voxel_size: 0.1,
        resolution: 10,
        coords: coords.iter().map(|at| IVec3::from(*at)).collect(),
        colors: colors.to_vec(),
    }
}

fn scene(offscreen: &Offscreen, structure: &SparseStructure) -> Scene {
    let mut scene = Scene::new();
    scene
        .set_voxels(offscreen.device(), offscreen.queue(), Some(structure))
        .expect("uploaded");
    scene
}

/// From the front, a pixel a hundredth of a metre.
fn front(offscreen: &Offscreen, scene: &mut Scene) -> RgbaImage {
    let camera = Camera::orbit(0.0, 0.0, 2.0, Projection::Orthographic { height: 1.0 }, 1.0);
    offscreen
        .render(scene, &camera, [100; 2], &RenderSettings::cutout())
        .expect("drawn")
}

#[test]
fn a_voxel_covers_exactly_its_cell_in_its_colour() {
    let offscreen = Offscreen::new().expect("a device");
    let mut scene = scene(&offscreen, &structure(&[[6, 2, 4], [1, 1, 1]], &[Vec3::X, Vec3::Y]));
    let picture = front(&offscreen, &mut scene);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let is_in = |column: u32, row: u32| {
            (column * 10..column * 10 + 10).contains(&x) && (100 - row * 10 - 10..100 - row * 10).contains(&y)
        };
        let [red, green, blue, alpha] = pixel.0;
        if is_in(6, 2) {
            assert!(
                red > 60 && red > 2 * green.max(blue) && alpha == 255,
                "{x} {y} {pixel:?}"
            );
        } else if is_in(1, 1) {
            assert!(
                green > 60 && green > 2 * red.max(blue) && alpha == 255,
                "{x} {y} {pixel:?}"
            );
        } else {
            assert_eq!(alpha, 0, "{x} {y}");
        }
    }
    let bounds = scene.bounds().expect("some");
    assert!(bounds.min.abs_diff_eq(Vec3::splat(-0.4), 1e-6), "{bounds:?}");
}

#[test]
fn light_tells_the_sides_of_a_voxel_apart_from_wherever_it_is_seen() {
    let offscreen = Offscreen::new().expect("a device");
    let mut scene = scene(
        &offscreen,
        &structure(&[[4, 4, 4], [5, 4, 4], [4, 5, 4], [5, 5, 5]], &[]),
    );
    for azimuth in [0.6, 2.2, 3.9, 5.5] {
        let camera = Camera::orbit(azimuth, 0.5, 1.5, Projection::Perspective { fov_y_rad: 0.3 }, 1.0);
        let picture = offscreen
            .render(&mut scene, &camera, [120; 2], &RenderSettings::cutout())
            .expect("drawn");
        let shades: std::collections::HashSet<u8> = picture
            .pixels()
            .filter(|pixel| pixel.0[3] == 255)
            .map(|pixel| pixel.0[1] / 8)
            .collect();
        assert!(shades.len() >= 3, "{azimuth}: {shades:?}");
        // No hole anywhere: what is covered is one stretch in each row.
        for row in picture.rows() {
            let alphas: Vec<u8> = row.map(|pixel| pixel.0[3]).collect();
            let num_starts = alphas.windows(2).filter(|pair| pair[0] == 0 && pair[1] > 0).count();
            assert!(num_starts <= 2, "{azimuth}: {alphas:?}");
        }
    }
}

#[test]
fn voxels_and_mesh_hide_each_other_by_depth() {
    let offscreen = Offscreen::new().expect("a device");
    let mut scene = scene(&offscreen, &structure(&[[4, 4, 4], [5, 5, 2]], &[Vec3::X, Vec3::X]));
    // A green sheet between the two.
    let corner = |x: f32, y: f32| Vec3::new(x, y, -0.15);
    let mut sheet = TriMesh::new(
        vec![
            corner(-0.5, -0.5),
            corner(0.5, -0.5),
            corner(0.5, 0.5),
            corner(-0.5, 0.5),
        ],
        vec![[0, 1, 2], [0, 2, 3]],
    );
    sheet.colors = vec![Vec3::Y; 4];
    scene
        .set_raw_mesh(offscreen.device(), offscreen.queue(), Some(&sheet))
        .expect("uploaded");
    let picture = front(&offscreen, &mut scene);
    let [before, behind] = [[45, 55], [55, 45]].map(|[x, y]| picture.get_pixel(x, y).0);
    assert!(before[0] > before[1], "the voxel in front: {before:?}");
    assert!(behind[1] > behind[0], "the sheet hides the other: {behind:?}");
}

#[test]
fn broken_voxels_are_refused_and_none_are_nothing() {
    let offscreen = Offscreen::new().expect("a device");
    let mut scene = Scene::new();
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let refused = scene.set_voxels(device, queue, Some(&structure(&[[10, 0, 0]], &[])));
    assert!(refused.is_err() && scene.bounds().is_none());
    assert!(scene.set_voxels(device, queue, Some(&structure(&[], &[]))).is_ok());
    assert!(scene.bounds().is_none());
}

/// A ball of voxels.
fn ball(radius: f32) -> SparseStructure {
    let coords: Vec<[i32; 3]> = (0..10 * 10 * 10)
        .map(|i| [i % 10, i / 10 % 10, i / 100])
        .filter(|at| (IVec3::from(*at).as_vec3() - 4.5).length() < radius)
        .collect();
    structure(&coords, &[])
}

/// What updates make, each shown in a frame as a window does it: by filling the scene, and by the frame.
fn made_by_updates(
    offscreen: &Offscreen,
    settings: &RenderSettings,
    mut fill: impl FnMut(&mut Scene, usize),
) -> Vec<[Made; 2]> {
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let pool = ScenePool::default();
    let (mut shown, mut picture) = (Scene::new(), Picture::new());
    let frame = Frame {
        camera: OrbitCamera::default().camera(1.0),
        size_px: [64; 2],
        settings: settings.clone(),
    };
    let mut update = |index| {
        let mut next = Scene::with_pool(&pool);
        let filling = made::by(|| {
            fill(&mut next, index);
            offscreen.renderer().bind_scene(&mut next, device);
        });
        shown = next;
        let drawing = made::by(|| {
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            offscreen
                .renderer()
                .prepare(&mut shown, &mut picture, device, queue, &mut encoder, &frame)
                .expect("drawn");
            queue.submit([encoder.finish()]);
        });
        // A window waits for the screen between two frames.
        wait(device).expect("drawn");
        [filling, drawing]
    };
    (0..8).map(&mut update).collect()
}

#[test]
fn voxels_that_follow_voxels_make_neither_pipelines_nor_buffers() {
    let offscreen = Offscreen::new().expect("a device");
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let made = made_by_updates(&offscreen, &RenderSettings::default(), |scene, index| {
        // Coarse to fine and back, as previews come.
        let structure = ball(4.9 - (index % 3) as f32 * 0.4);
        scene.set_voxels(device, queue, Some(&structure)).expect("uploaded");
    });
    // One structure is on the screen while the next is filled, and each grows to what it must hold.
    for made in &made[3..] {
        assert_eq!(*made, [Made::default(); 2]);
    }
}

/// Splats alone, by this tier.
fn splats_by(tier: SplatTier) -> RenderSettings {
    RenderSettings {
        shows: Shows::Splats,
        splat_tier: Some(tier),
        ..RenderSettings::cutout()
    }
}

#[test]
fn splats_that_follow_splats_make_neither_pipelines_nor_buffers() {
    let offscreen = Offscreen::new().expect("a device");
    let (device, queue) = (offscreen.device(), offscreen.queue());
    for tier in [SplatTier::Tiles, SplatTier::Quads, SplatTier::ProcessorSorted] {
        let made = made_by_updates(&offscreen, &splats_by(tier), |scene, index| {
            // More and fewer, as previews come.
            let splats = scattered_splats(2_000 + (index * 700) % 3_000, 0.1);
            scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
        });
        for made in &made[3..] {
            assert_eq!(*made, [Made::default(); 2], "{tier}");
        }
    }
}

#[test]
fn splats_that_outgrow_their_room_get_a_larger_one_and_then_no_more() {
    let offscreen = Offscreen::new().expect("a device");
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let made = made_by_updates(&offscreen, &splats_by(SplatTier::Tiles), |scene, index| {
        let count = if index < 4 { 16_000 } else { 17_000 };
        let splats = scattered_splats(count, 0.1);
        scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
    });
    let num_buffers: Vec<u32> = made.iter().map(|[filling, _]| filling.num_buffers).collect();
    assert_eq!(num_buffers[3], 0, "{num_buffers:?}");
    assert!(num_buffers[4] > 0, "{num_buffers:?}");
    assert_eq!(num_buffers[6..], [0, 0], "{num_buffers:?}");
}

#[test]
fn nothing_is_seen_of_the_splats_that_had_the_room_before() {
    let offscreen = Offscreen::new().expect("a device");
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let camera = Camera::orbit(0.4, 0.3, 2.0, Projection::Perspective { fov_y_rad: 0.8 }, 1.0);
    for tier in [SplatTier::Tiles, SplatTier::Quads, SplatTier::ProcessorSorted] {
        let draw = |scene: &mut Scene, count| {
            let splats = scattered_splats(count, 0.05);
            scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
            let picture = offscreen.render(scene, &camera, [128; 2], &splats_by(tier));
            picture.expect("drawn")
        };
        let mut pooled = Scene::with_pool(&ScenePool::default());
        let many = draw(&mut pooled, 5_000);
        let few = draw(&mut pooled, 2_000);
        assert!(many != few, "{tier}");
        assert!(few == draw(&mut Scene::new(), 2_000), "{tier}");
        assert!(many == draw(&mut pooled, 5_000), "{tier}");
    }
}

#[test]
fn what_has_not_changed_is_neither_uploaded_nor_lost() {
    let offscreen = Offscreen::new().expect("a device");
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let splats = scattered_splats(2_000, 0.05);
    let view = Camera::orbit(0.8, 0.3, 0.7, Projection::Perspective { fov_y_rad: 0.5 }, 1.0);
    let photo = Arc::new(RgbaImage::from_pixel(8, 8, Rgba([0, 255, 0, 255])));
    let cameras = [(view, Some(photo))];
    let fill_whole = |scene: &mut Scene| {
        scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
        scene.set_view_cameras(device, queue, &cameras).expect("uploaded");
    };
    let eye = Camera::orbit(0.0, 0.2, 2.0, Projection::Perspective { fov_y_rad: 0.8 }, 1.0);
    let settings = RenderSettings {
        cameras: true,
        ..RenderSettings::cutout()
    };
    let draw = |scene: &mut Scene| {
        let picture = offscreen.render(scene, &eye, [96; 2], &settings);
        picture.expect("drawn")
    };
    let mut whole = Scene::new();
    fill_whole(&mut whole);

    let (mut scene, mut other) = (Scene::new(), Scene::new());
    scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
    let without_cameras = draw(&mut scene);
    let made = made::by(|| {
        let mut patch = Scene::new();
        patch.set_view_cameras(device, queue, &cameras).expect("uploaded");
        scene.take_parts(patch, &[ScenePart::ViewCameras]);
    });
    assert_eq!(made, Made::default());
    let with_cameras = draw(&mut scene);
    assert_ne!(with_cameras, without_cameras);
    assert!(with_cameras == draw(&mut whole), "the splats are still there");

    fill_whole(&mut other);
    other.take_parts(Scene::new(), &[ScenePart::Splats, ScenePart::ViewCameras]);
    assert!(other.bounds().is_none(), "empty parts are taken as well");
    assert!(draw(&mut other).pixels().all(|pixel| pixel.0[3] == 0));
}
