//! Splats at the limits of what is held: batches, few features, nothing visible, one splat over everything.

mod common;

use bozzetto_asset::{Camera, GaussianSplats};
use bozzetto_viewport::{Offscreen, RenderSettings, RendererOptions, Scene, Shows, SplatFigures, SplatTier};
use common::{Numbers, PERSPECTIVE, offscreen, offscreen_with, plain, psnr};
use glam::{Quat, Vec3};
use image::RgbaImage;

const SIZE_PX: [u32; 2] = [200, 136];

fn cloud(count: usize, scale: f32, opacity: f32) -> GaussianSplats {
    let mut numbers = Numbers::new(11);
    let mut splats = GaussianSplats::default();
    for _ in 0..count {
        splats.positions.push(numbers.vector() * 0.4);
        let log_scales = [numbers.next(), numbers.next(), numbers.next()].map(|number| (scale * (0.3 + number)).ln());
        splats.log_scales.push(log_scales.into());
        splats
            .rotations
            .push(Quat::from_rotation_arc(Vec3::Z, numbers.vector().normalize_or(Vec3::Y)));
        splats.opacities.push(opacity);
        let color = [numbers.next(), numbers.next(), numbers.next()];
        splats.sh.push(GaussianSplats::dc_from_srgb(color));
    }
    splats
}

fn scene_of(offscreen: &Offscreen, splats: &GaussianSplats) -> Scene {
    let mut scene = Scene::new();
    scene
        .set_splats(offscreen.device(), offscreen.queue(), Some(splats))
        .expect("uploaded");
    scene
}

fn picture(offscreen: &Offscreen, splats: &GaussianSplats, camera: &Camera, tier: SplatTier) -> RgbaImage {
    let mut scene = scene_of(offscreen, splats);
    let settings = RenderSettings {
        shows: Shows::Splats,
        splat_tier: Some(tier),
        ..plain([0.1; 3])
    };
    offscreen.render(&mut scene, camera, SIZE_PX, &settings).expect("drawn")
}

fn quality(a: &RgbaImage, b: &RgbaImage) -> f64 {
    let values =
        |image: &RgbaImage| -> Vec<f64> { image.as_raw().iter().map(|&value| f64::from(value) / 255.0).collect() };
    psnr(&values(a), &values(b))
}

fn camera() -> Camera {
    Camera::orbit(0.5, 0.3, 1.5, PERSPECTIVE, SIZE_PX[0] as f32 / SIZE_PX[1] as f32)
}

fn few_pairs(max_pairs: u32) -> Offscreen {
    offscreen_with(RendererOptions {
        max_pairs: Some(max_pairs),
        ..RendererOptions::default()
    })
}

#[test]
fn many_batches_give_the_picture_of_one() {
    let splats = cloud(3000, 0.06, 0.95);
    let few = few_pairs(4096);
    let one = picture(offscreen(), &splats, &camera(), SplatTier::Tiles);
    let many = picture(&few, &splats, &camera(), SplatTier::Tiles);
    let difference = quality(&one, &many);
    assert!(difference > 55.0, "{difference:.1} dB");

    let [once, often] = [offscreen(), &few].map(|offscreen| figures(offscreen, &splats));
    assert_eq!(once.num_batches, 1);
    assert!(often.num_batches > 2, "{often:?}");
    assert_eq!(often.num_visible, once.num_visible);
    // Tiles that are opaque after one batch get no pairs in the next.
    assert!(often.num_pairs < once.num_pairs, "{often:?} {once:?}");
}

/// What drawing the splats by tiles has counted.
fn figures(offscreen: &Offscreen, splats: &GaussianSplats) -> SplatFigures {
    let mut scene = scene_of(offscreen, splats);
    let settings = RenderSettings {
        shows: Shows::Splats,
        splat_tier: Some(SplatTier::Tiles),
        ..RenderSettings::cutout()
    };
    let figures = offscreen.time_splats(&mut scene, &camera(), SIZE_PX, &settings);
    figures.expect("drawn").expect("a clock")
}

#[test]
fn a_device_s_copies_and_sorts_are_timed() {
    assert!(offscreen().time_sort(5000).expect("sorted").is_some());
    assert!(offscreen().time_copy(1 << 20).expect("copied").is_some());
}

#[test]
fn splats_for_which_no_batches_suffice_become_quads() {
    // Transparent, so that no tile is ever done: 2000 splats over all of 117 tiles, 512 pairs a batch.
    let splats = cloud(2000, 0.5, 0.02);
    let expected = picture(offscreen(), &splats, &camera(), SplatTier::Quads);
    let found = picture(&few_pairs(512), &splats, &camera(), SplatTier::Tiles);
    assert_eq!(found, expected);
}

#[test]
fn sorting_without_subgroups_gives_the_same_picture() {
    let splats = cloud(5000, 0.02, 0.6);
    let portable = offscreen_with(RendererOptions {
        subgroups: false,
        ..RendererOptions::default()
    });
    for tier in SplatTier::ON_DEVICE {
        let expected = picture(offscreen(), &splats, &camera(), tier);
        assert_eq!(picture(&portable, &splats, &camera(), tier), expected);
    }
}

#[test]
fn a_device_that_cannot_sort_draws_the_same_quads() {
    let splats = cloud(3000, 0.02, 0.6);
    let weak = Offscreen::with_options(RendererOptions::default(), |descriptor| {
        descriptor.required_limits.max_compute_workgroup_storage_size = 16 << 10;
    })
    .expect("opened");
    let expected = picture(offscreen(), &splats, &camera(), SplatTier::Quads);
    let found = picture(&weak, &splats, &camera(), SplatTier::Tiles);
    let difference = quality(&found, &expected);
    assert!(difference > 60.0, "{difference:.1} dB");
}

#[test]
fn splats_behind_the_camera_leave_the_picture_empty() {
    let mut splats = cloud(1000, 0.02, 0.9);
    let away = Camera::orbit(0.0, 0.0, 3.0, PERSPECTIVE, 1.0);
    for position in &mut splats.positions {
        position.z += 10.0;
    }
    for tier in SplatTier::ON_DEVICE {
        let image = picture(offscreen(), &splats, &away, tier);
        let empty = picture(offscreen(), &GaussianSplats::default(), &away, tier);
        assert_eq!(image, empty, "{tier}");
    }
}

#[test]
fn one_splat_may_cover_the_picture() {
    let mut splats = cloud(1, 3.0, 0.8);
    splats.positions[0] = Vec3::ZERO;
    let [tiles, quads] = SplatTier::ON_DEVICE.map(|tier| picture(offscreen(), &splats, &camera(), tier));
    let difference = quality(&tiles, &quads);
    assert!(difference > 50.0, "{difference:.1} dB");
    assert!(
        quality(
            &tiles,
            &picture(offscreen(), &GaussianSplats::default(), &camera(), SplatTier::Tiles)
        ) < 30.0
    );
}

#[test]
fn splats_are_split_among_bindings_that_are_too_small_for_them() {
    let mut splats = cloud(60_000, 0.01, 0.5);
    // Room for the ellipses, but of the harmonics only for 16,384 splats' at once.
    let small = Offscreen::with_options(RendererOptions::default(), |descriptor| {
        descriptor.required_limits.max_storage_buffer_binding_size = 60_000 * 32;
    })
    .expect("opened");
    splats.sh_degree = 3;
    splats.sh = splats
        .sh
        .iter()
        .flat_map(|&color| [color].into_iter().chain([[0.05, -0.1, 0.02]; 15]))
        .collect();
    for tier in SplatTier::ON_DEVICE {
        let expected = picture(offscreen(), &splats, &camera(), tier);
        let found = picture(&small, &splats, &camera(), tier);
        assert_eq!(found, expected, "{tier}");
    }
}

#[test]
fn left_to_itself_the_renderer_draws_the_same_picture() {
    let splats = cloud(30_000, 0.01, 0.7);
    let offscreen = offscreen();
    let mut scene = Scene::new();
    scene
        .set_splats(offscreen.device(), offscreen.queue(), Some(&splats))
        .expect("uploaded");
    offscreen
        .renderer()
        .choose_splat_tier(&mut scene, offscreen.device(), offscreen.queue())
        .expect("chosen");
    let draw = |scene: &mut Scene, splat_tier| {
        let settings = RenderSettings {
            shows: Shows::Splats,
            splat_tier,
            ..plain([0.1; 3])
        };
        offscreen.render(scene, &camera(), SIZE_PX, &settings).expect("drawn")
    };
    let found = draw(&mut scene, None);
    // The processor's order and the device's share a buffer: neither may take the other's for its own.
    for tier in [
        SplatTier::Quads,
        SplatTier::ProcessorSorted,
        SplatTier::Tiles,
        SplatTier::ProcessorSorted,
    ] {
        let difference = quality(&found, &draw(&mut scene, Some(tier)));
        assert!(difference > 45.0, "{tier}: {difference:.1} dB");
    }
}
