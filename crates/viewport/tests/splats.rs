//! Splats against a reference in double precision, and with the mesh in one depth buffer.

mod common;
#[path = "common/reference.rs"]
mod reference;

use bozzetto_asset::{Camera, GaussianSplats, Projection, SplatFilter, color};
use bozzetto_viewport::{RenderSettings, Scene, Shading, Shows, SplatTier};
use common::{Numbers, PERSPECTIVE, assert_close, colored_box, draw, offscreen, plain, psnr, sphere};
use glam::{Quat, Vec3};
use image::RgbaImage;

const SIZE: u32 = 256;
const BACKGROUND: f32 = 0.1;
/// Eight-bit rounding alone gives 59 dB, dither 58 dB; what is left is for packing and half-float blending.
const MIN_PSNR: f64 = 45.0;

fn random_splats(count: usize, sh_degree: u8, filter: SplatFilter, log_scale: (f32, f32)) -> GaussianSplats {
    let mut numbers = Numbers::new(7 + u64::from(sh_degree));
    let mut splats = GaussianSplats {
        sh_degree,
        filter,
        ..GaussianSplats::default()
    };
    for _ in 0..count {
        splats.positions.push(numbers.vector() * 0.45);
        let spread = |number: f32| log_scale.0 + (log_scale.1 - log_scale.0) * number;
        let log_scales = [numbers.next(), numbers.next(), numbers.next()].map(spread);
        splats.log_scales.push(log_scales.into());
        let [x, y, z, w] = [numbers.signed(), numbers.signed(), numbers.signed(), numbers.signed()];
        splats.rotations.push(Quat::from_xyzw(x, y, z, w + 1e-3).normalize());
        splats.opacities.push(numbers.next());
        splats.sh.push(GaussianSplats::dc_from_srgb([
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ]));
        for _ in 1..splats.num_sh_coefficients() {
            splats.sh.push((numbers.vector() * 0.25).to_array());
        }
    }
    splats
}

/// A sphere's surface of voxels with 32 small splats each, as TRELLIS makes them.
fn voxel_shell() -> GaussianSplats {
    const GRID: i32 = 20;
    let mut splats = GaussianSplats {
        filter: SplatFilter::Mip,
        ..GaussianSplats::default()
    };
    let mut numbers = Numbers::new(3);
    let voxel = 1.0 / GRID as f32;
    let cells = (0..GRID).flat_map(|z| (0..GRID).flat_map(move |y| (0..GRID).map(move |x| [x, y, z])));
    for cell in cells {
        let center = (Vec3::from(cell.map(|at| at as f32)) + 0.5) * voxel - 0.5;
        if (center.length() - 0.4).abs() > voxel * 0.5 {
            continue;
        }
        for _ in 0..32 {
            splats.positions.push(center + numbers.vector() * voxel * 0.6);
            let log_scale = |number: f32| (voxel * (0.03 + 0.3 * number)).ln();
            splats.log_scales.push(Vec3::new(
                log_scale(numbers.next()),
                log_scale(numbers.next()),
                log_scale(numbers.next()),
            ));
            splats
                .rotations
                .push(Quat::from_rotation_arc(Vec3::Z, numbers.vector().normalize_or(Vec3::Y)));
            splats.opacities.push(0.1 + 0.89 * numbers.next());
            splats.sh.push(GaussianSplats::dc_from_srgb(
                (center + 0.5 + numbers.vector() * 0.2).to_array(),
            ));
        }
    }
    splats
}

fn splats_only(tier: SplatTier) -> RenderSettings {
    RenderSettings {
        shows: Shows::Splats,
        splat_tier: Some(tier),
        ..plain([BACKGROUND; 3])
    }
}

/// Near, far, off the axes, upside down, and one that is parallel.
fn cameras() -> [Camera; 6] {
    let orbit = |azimuth, elevation, distance| Camera::orbit(azimuth, elevation, distance, PERSPECTIVE, 1.0);
    [
        orbit(0.4, 0.2, 1.7),
        orbit(3.6, -0.9, 1.6),
        orbit(-0.8, 0.5, 1.1),
        orbit(2.1, 1.4, 2.6),
        orbit(5.0, 0.0, 0.7),
        Camera::orbit(0.9, -0.4, 1.0, Projection::Orthographic { height: 1.3 }, 1.0),
    ]
}

fn expected(splats: &GaussianSplats, camera: &Camera) -> Vec<f64> {
    reference::render(
        splats,
        camera,
        SIZE as usize,
        f64::from(color::srgb_from_linear(BACKGROUND)),
    )
}

fn values(drawn: &RgbaImage) -> Vec<f64> {
    let rgb = drawn.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]]);
    rgb.map(|value| f64::from(value) / 255.0).collect()
}

/// Both tiers must look like the reference from every camera.
#[track_caller]
fn assert_like_reference(name: &str, splats: &GaussianSplats) {
    let mut scene = Scene::new();
    scene
        .set_splats(offscreen().device(), offscreen().queue(), Some(splats))
        .expect("uploaded");
    for (number, camera) in cameras().iter().enumerate() {
        let expected = expected(splats, camera);
        for tier in SplatTier::ON_DEVICE {
            let drawn = draw(&mut scene, camera, [SIZE; 2], &splats_only(tier));
            let quality = psnr(&values(&drawn), &expected);
            assert!(quality >= MIN_PSNR, "{name}, camera {number}, {tier}: {quality:.1} dB");
        }
        let background = f64::from(color::srgb_from_linear(BACKGROUND));
        let covered = expected.iter().filter(|&&value| (value - background).abs() > 0.05);
        assert!(
            covered.count() * 10 > expected.len(),
            "{name}: the scene is almost empty, the comparison says nothing"
        );
    }
}

#[test]
fn anisotropic_splats_look_like_the_reference() {
    let splats = random_splats(500, 0, SplatFilter::Dilate, (-7.0, -2.4));
    assert_like_reference("anisotropic", &splats);
}

#[test]
fn harmonics_of_every_degree_look_like_the_reference() {
    for degree in 1..=3 {
        let splats = random_splats(400, degree, SplatFilter::Dilate, (-5.0, -2.6));
        assert_like_reference(&format!("harmonics of degree {degree}"), &splats);
    }
}

#[test]
fn an_object_of_voxels_looks_like_the_reference() {
    let splats = voxel_shell();
    assert!(splats.len() > 10_000, "{} splats", splats.len());
    assert_like_reference("voxels, mip filter", &splats);
}

#[test]
fn the_mip_filter_looks_like_the_reference_with_harmonics() {
    let splats = random_splats(600, 3, SplatFilter::Mip, (-8.0, -2.3));
    assert_like_reference("degree 3, mip filter", &splats);
}

fn one_splat(position: Vec3, color: [f32; 3]) -> GaussianSplats {
    GaussianSplats {
        positions: vec![position],
        log_scales: vec![Vec3::splat(0.12_f32.ln())],
        rotations: vec![Quat::IDENTITY],
        opacities: vec![1.0],
        sh: vec![GaussianSplats::dc_from_srgb(color)],
        ..GaussianSplats::default()
    }
}

#[test]
fn mesh_and_splats_hide_each_other_by_depth() {
    let (device, queue) = (offscreen().device(), offscreen().queue());
    let slab = colored_box(Vec3::ZERO, Vec3::new(0.4, 0.4, 0.02), Vec3::new(0.0, 0.0, 1.0));
    let middle = [64, 64];
    let mut scene = Scene::new();
    scene.set_raw_mesh(device, queue, Some(&slab)).expect("uploaded");
    for projection in [PERSPECTIVE, Projection::Orthographic { height: 1.5 }] {
        let camera = Camera::orbit(0.0, 0.0, 2.0, projection, 1.0);
        for tier in SplatTier::ON_DEVICE {
            let settings = RenderSettings {
                shows: Shows::Both,
                shading: Shading::BaseColor,
                splat_tier: Some(tier),
                ..plain([0.0; 3])
            };
            let mut with_splat_at = |z: f32| {
                let splat = one_splat(Vec3::Z * z, [1.0, 0.0, 0.0]);
                scene.set_splats(device, queue, Some(&splat)).expect("uploaded");
                draw(&mut scene, &camera, [128; 2], &settings)
            };
            assert_close(&with_splat_at(0.3), middle, [252, 0, 3, 255], 3);
            assert_close(&with_splat_at(-0.3), middle, [0, 0, 255, 255], 1);
        }
    }
}

#[test]
fn both_tiers_agree_about_splats_in_and_around_a_mesh() {
    let (device, queue) = (offscreen().device(), offscreen().queue());
    let mut scene = Scene::new();
    let mesh = sphere(Vec3::ZERO, 0.38);
    scene.set_raw_mesh(device, queue, Some(&mesh)).expect("uploaded");
    scene.set_splats(device, queue, Some(&voxel_shell())).expect("uploaded");
    for camera in cameras() {
        let [tiles, quads] = SplatTier::ON_DEVICE.map(|tier| {
            let settings = RenderSettings {
                shows: Shows::Both,
                ..splats_only(tier)
            };
            draw(&mut scene, &camera, [SIZE; 2], &settings)
        });
        let quality = psnr(&values(&tiles), &values(&quads));
        assert!(quality >= MIN_PSNR, "{quality:.1} dB");
    }
}

#[test]
fn splats_over_nothing_keep_their_alpha() {
    let (device, queue) = (offscreen().device(), offscreen().queue());
    let mut splats = one_splat(Vec3::ZERO, [0.2, 0.6, 1.0]);
    splats.opacities[0] = 0.5;
    let mut scene = Scene::new();
    scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
    let camera = Camera::orbit(0.0, 0.0, 2.0, PERSPECTIVE, 1.0);
    for tier in SplatTier::ON_DEVICE {
        let settings = RenderSettings {
            shows: Shows::Splats,
            splat_tier: Some(tier),
            ..RenderSettings::cutout()
        };
        let image = draw(&mut scene, &camera, [128; 2], &settings);
        assert_close(&image, [64, 64], [51, 153, 255, 127], 2);
        assert_close(&image, [2, 2], [0, 0, 0, 0], 0);
    }
}

#[test]
fn splats_that_are_not_numbers_are_left_out() {
    let (device, queue) = (offscreen().device(), offscreen().queue());
    let mut splats = one_splat(Vec3::ZERO, [1.0, 0.0, 0.0]);
    let broken = one_splat(Vec3::new(f32::NAN, 0.0, 0.0), [0.0, 1.0, 0.0]);
    splats.positions.extend(broken.positions);
    splats.log_scales.extend([Vec3::splat(f32::INFINITY)]);
    splats.rotations.extend([Quat::from_xyzw(0.0, 0.0, 0.0, 0.0)]);
    splats.opacities.extend([f32::NAN]);
    splats.sh.extend([[f32::NAN; 3]]);
    let mut scene = Scene::new();
    scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
    let camera = Camera::orbit(0.0, 0.0, 2.0, PERSPECTIVE, 1.0);
    for tier in SplatTier::ON_DEVICE {
        let image = draw(&mut scene, &camera, [128; 2], &splats_only(tier));
        assert!(image.get_pixel(64, 64).0[0] > 240);
    }
    assert!(scene.bounds().is_some_and(|bounds| bounds.min.is_finite()));
}
