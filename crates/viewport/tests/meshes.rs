//! Meshes: shading modes, alpha, the frame of the model, and overlays.

mod common;

use std::sync::Arc;

use bozzetto_asset::color::linear_from_srgb_u8;
use bozzetto_asset::{AlphaMode, Camera, Direction, GaussianSplats, Projection, TriMesh};
use bozzetto_viewport::{Background, Environment, GpuError, OrbitCamera, RenderSettings, Scene, Shading, ToneMapping};
use common::{
    PERSPECTIVE, assert_close, colored_box, draw, front, merged, offscreen, plain, scene_of, sphere, textured,
};
use glam::Vec3;
use image::{Rgba, RgbaImage};

fn with(shading: Shading) -> RenderSettings {
    RenderSettings {
        shading,
        ..plain([0.02; 3])
    }
}

#[test]
fn each_shading_shows_what_it_says() {
    let red = textured(sphere(Vec3::ZERO, 0.4), [200, 30, 20, 255], AlphaMode::Opaque, 0.0, 0.5);
    let mut scene = scene_of(&red);
    let mut drawn = |shading| draw(&mut scene, &front(), [128; 2], &with(shading));

    let base_color = drawn(Shading::BaseColor);
    for at in [[64, 64], [50, 70], [80, 45]] {
        assert_close(&base_color, at, [200, 30, 20, 255], 2);
    }
    let normals = drawn(Shading::Normals);
    assert_close(&normals, [64, 64], [128, 128, 255, 255], 3);
    assert!(normals.get_pixel(90, 64).0[0] > 180 && normals.get_pixel(38, 64).0[0] < 76);
    assert!(normals.get_pixel(64, 38).0[1] > 180 && normals.get_pixel(64, 90).0[1] < 76);

    let lit = drawn(Shading::Pbr);
    let [r, g, b, _] = lit.get_pixel(64, 64).0;
    assert!(r > 90 && r > 2 * g && r > 2 * b, "lit red is still red: {r} {g} {b}");
    let brightness =
        |image: &RgbaImage, y| u32::from(image.get_pixel(64, y).0[0]) + u32::from(image.get_pixel(64, y).0[1]);
    assert!(brightness(&lit, 45) > brightness(&lit, 88), "light comes from above");

    let clay = drawn(Shading::Clay);
    let [r, g, b, _] = clay.get_pixel(64, 64).0;
    assert!(
        r.abs_diff(g) < 24 && g.abs_diff(b) < 24 && r > 90,
        "clay is near grey: {r} {g} {b}"
    );
    assert!(brightness(&clay, 45) > brightness(&clay, 88));
}

/// A square of two triangles facing the camera, its texture coordinates running once across it.
fn facing_square() -> TriMesh {
    let corners = [
        Vec3::new(-0.4, -0.4, 0.0),
        Vec3::new(0.4, -0.4, 0.0),
        Vec3::new(0.4, 0.4, 0.0),
        Vec3::new(-0.4, 0.4, 0.0),
    ];
    let mut mesh = TriMesh::new(corners.to_vec(), vec![[0, 1, 2], [0, 2, 3]]);
    mesh.uvs = corners.map(|corner| corner.truncate() / 0.8 + 0.5).to_vec();
    mesh.compute_normals();
    mesh
}

#[test]
fn material_and_texture_can_be_inspected() {
    let square = textured(facing_square(), [200, 30, 20, 255], AlphaMode::Opaque, 0.25, 0.75);
    let mut scene = scene_of(&square);
    let mut drawn = |shading| draw(&mut scene, &front(), [128; 2], &with(shading));
    assert_close(&drawn(Shading::Metallic), [64, 64], [64, 64, 64, 255], 2);
    assert_close(&drawn(Shading::Roughness), [64, 64], [191, 191, 191, 255], 2);
    let [r, g, b, _] = drawn(Shading::TexelDensity).get_pixel(64, 64).0;
    assert!(g > r && g > b, "the average density is green: {r} {g} {b}");
    let checker = drawn(Shading::UvChecker);
    let distinct: std::collections::HashSet<_> = (40..88).map(|x| checker.get_pixel(x, 60).0).collect();
    assert!(
        distinct.len() > 8,
        "squares and hues change along u: {}",
        distinct.len()
    );
    let matcap = drawn(Shading::Matcap);
    let [r, g, b, _] = matcap.get_pixel(64, 64).0;
    assert!(r > g && g > b, "terracotta whatever the material: {r} {g} {b}");
}

#[test]
fn a_normal_map_bends_alike_with_and_without_tangents() {
    let mut square = textured(facing_square(), [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    // Tilted to the right and a little upwards; v grows upwards on this square, so that its texture is mirrored.
    square.material.normal = Some(Arc::new(image::RgbImage::from_pixel(4, 4, image::Rgb([200, 148, 224]))));
    let middle = |square: &bozzetto_asset::TexturedMesh, azimuth| {
        let camera = Camera::orbit(azimuth, 0.0, 2.0, PERSPECTIVE, 1.0);
        draw(&mut scene_of(square), &camera, [128; 2], &with(Shading::Normals))
            .get_pixel(64, 60)
            .0
    };
    let sides = [0.0, std::f32::consts::PI];
    let without = sides.map(|azimuth| middle(&square, azimuth));
    Arc::make_mut(&mut square.mesh).tangents = vec![[1.0, 0.0, 0.0, -1.0]; 4];
    for (azimuth, without) in sides.into_iter().zip(without) {
        let with = middle(&square, azimuth);
        let distance = with.into_iter().zip(without).map(|(a, b)| a.abs_diff(b)).max();
        assert!(distance <= Some(3), "{without:?} without and {with:?} with tangents");
    }
    assert!(without[0][0] > 180, "it faces right: {:?}", without[0]);
}

#[test]
fn texel_density_tells_coarse_from_fine() {
    // The left half of the texture covers a quarter of the square: twice the average density along u.
    let mut mesh = facing_square();
    let strip = |x0: f32, x1: f32, u0: f32, u1: f32| {
        let at = |x: f32, y: f32| Vec3::new(x, y, 0.0);
        let corners = [at(x0, -0.4), at(x1, -0.4), at(x1, 0.4), at(x0, 0.4)];
        (
            corners,
            [[u0, 0.0], [u1, 0.0], [u1, 1.0], [u0, 1.0]].map(glam::Vec2::from),
        )
    };
    let (left, left_uv) = strip(-0.4, -0.36, 0.0, 0.5);
    let (right, right_uv) = strip(-0.36, 0.4, 0.5, 1.0);
    mesh.positions = [left, right].concat();
    mesh.uvs = [left_uv, right_uv].concat();
    mesh.triangles = vec![[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]];
    mesh.compute_normals();
    let square = textured(mesh, [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    let picture = draw(&mut scene_of(&square), &front(), [256; 2], &with(Shading::TexelDensity));
    // Pixels a metre at the square: half the picture over half the view's height.
    let scale = 128.0 / (2.0 * 0.35_f32.tan());
    let [r, _, b, _] = picture.get_pixel((128.0 - 0.38 * scale) as u32, 128).0;
    assert!(r > 2 * b, "fine is red: {r} {b}");
}

#[test]
fn health_shows_backs_and_flawed_edges() {
    let square = textured(facing_square(), [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    let mut scene = scene_of(&square);
    let settings = with(Shading::Health);
    let [r, g, b, _] = draw(&mut scene, &front(), [128; 2], &settings).get_pixel(64, 64).0;
    assert!(
        r.abs_diff(g) < 12 && g.abs_diff(b) < 12,
        "the outside is grey: {r} {g} {b}"
    );
    let behind = Camera::orbit(std::f32::consts::PI, 0.0, 2.0, PERSPECTIVE, 1.0);
    let [r, g, b, _] = draw(&mut scene, &behind, [128; 2], &settings).get_pixel(64, 64).0;
    assert!(r > 2 * g && b > 2 * g, "the inside is magenta: {r} {g} {b}");
    let edge = [Vec3::new(-0.4, 0.0, 0.01), Vec3::new(0.4, 0.0, 0.01)];
    scene.set_mesh_flaws(&[edge], &[]);
    let [r, g, b, _] = draw(&mut scene, &front(), [128; 2], &settings).get_pixel(64, 64).0;
    assert!(r > 2 * g && r > 2 * b, "an open edge is red: {r} {g} {b}");
    let [r, g, b, _] = draw(&mut scene, &front(), [128; 2], &with(Shading::BaseColor))
        .get_pixel(64, 64)
        .0;
    assert_eq!([r, g, b], [255; 3], "edges are marked in that picture only");
}

#[test]
fn environments_and_tone_mappings_differ_but_keep_grey_grey() {
    let ball = textured(
        sphere(Vec3::ZERO, 0.4),
        [128, 128, 128, 255],
        AlphaMode::Opaque,
        0.0,
        0.9,
    );
    let mut scene = scene_of(&ball);
    let mut middle = |environment, tone_mapping| {
        let settings = RenderSettings {
            environment,
            tone_mapping,
            ..with(Shading::Pbr)
        };
        draw(&mut scene, &front(), [128; 2], &settings).get_pixel(64, 52).0
    };
    let neutral = Environment::ALL.map(|environment| middle(environment, ToneMapping::Neutral));
    for [r, g, b, _] in neutral {
        assert!((60..220).contains(&g), "neither night nor glare: {r} {g} {b}");
        assert!(
            r.abs_diff(g) < 30 && b.abs_diff(g) < 30,
            "grey stays near grey: {r} {g} {b}"
        );
    }
    assert!(neutral[0] != neutral[1] && neutral[1] != neutral[2]);
    for tone_mapping in [ToneMapping::Aces, ToneMapping::Agx] {
        let [_, mapped, ..] = middle(Environment::Studio, tone_mapping);
        let [_, plain, ..] = neutral[0];
        assert!(
            mapped != plain && mapped.abs_diff(plain) < 60,
            "{tone_mapping:?}: {mapped} against {plain}"
        );
    }
}

#[test]
fn a_stop_of_exposure_doubles_the_light_before_it_is_tone_mapped() {
    let grey = textured(
        sphere(Vec3::ZERO, 0.4),
        [120, 120, 120, 255],
        AlphaMode::Opaque,
        0.0,
        1.0,
    );
    let mut scene = scene_of(&grey);
    let mut pictures = [-1.0, 0.0].map(|exposure| {
        let settings = RenderSettings {
            exposure,
            ..RenderSettings::cutout()
        };
        draw(&mut scene, &front(), [128; 2], &settings)
    });
    let [dark, bright] = &mut pictures;
    let mut num_compared = 0;
    for (dark, bright) in dark.pixels().zip(bright.pixels()) {
        // Khronos PBR Neutral takes 0.04 off everything between 0.08 and 0.8.
        let light = |pixel: &Rgba<u8>| [0, 1, 2].map(|at| linear_from_srgb_u8(pixel.0[at]) + 0.04);
        let (once, twice) = (light(dark), light(bright));
        let is_ordinary = once.iter().chain(&twice).all(|value| (0.1..0.75).contains(value));
        if dark.0[3] == 255 && is_ordinary {
            num_compared += 1;
            for (once, twice) in once.into_iter().zip(twice) {
                assert!((twice / once - 2.0).abs() < 0.08, "{dark:?} {bright:?}");
            }
        }
    }
    assert!(num_compared > 300, "{num_compared}");
}

#[test]
fn a_plain_material_needs_no_texture_coordinates() {
    let mut red = textured(sphere(Vec3::ZERO, 0.4), [255, 0, 0, 255], AlphaMode::Opaque, 0.0, 0.5);
    let mesh = Arc::make_mut(&mut red.mesh);
    mesh.uvs.clear();
    mesh.colors.clear();
    red.material.base_color = Arc::new(RgbaImage::from_pixel(1, 1, Rgba([255, 0, 0, 255])));
    let picture = draw(&mut scene_of(&red), &front(), [64, 64], &with(Shading::BaseColor));
    assert_close(&picture, [32, 32], [255, 0, 0, 255], 2);
}

#[test]
fn metal_and_roughness_change_the_picture() {
    let spread = |metallic, roughness| {
        let ball = textured(
            sphere(Vec3::ZERO, 0.4),
            [200, 190, 180, 255],
            AlphaMode::Opaque,
            metallic,
            roughness,
        );
        let image = draw(&mut scene_of(&ball), &front(), [128; 2], &with(Shading::Pbr));
        let values: Vec<f64> = (40..88)
            .flat_map(|y| (40..88).map(move |x| (x, y)))
            .map(|(x, y)| f64::from(image.get_pixel(x, y).0[1]))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let (mirror, rough_metal) = (spread(1.0, 0.05), spread(1.0, 0.9));
    assert!(mirror > rough_metal + 5.0, "{mirror} {rough_metal}");
}

#[test]
fn the_model_frame_is_seen_as_it_should_be() {
    let bar = |axis: Vec3| colored_box(axis * 0.3, Vec3::splat(0.04) + axis * 0.15, axis);
    let axes = merged(&[bar(Vec3::X), bar(Vec3::Y), bar(Vec3::Z)]);
    let mut scene = Scene::new();
    scene
        .set_raw_mesh(offscreen().device(), offscreen().queue(), Some(&axes))
        .expect("uploaded");
    let mut seen_from = |direction, is_orthographic| {
        let mut orbit = OrbitCamera {
            is_orthographic,
            target: Vec3::ZERO,
            ..OrbitCamera::default()
        };
        orbit.distance = 2.0;
        orbit.look_from(direction);
        draw(&mut scene, &orbit.camera(1.0), [128; 2], &with(Shading::BaseColor))
    };
    let (red, green, blue) = ([255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]);
    for is_orthographic in [false, true] {
        let image = seen_from(Direction::Front, is_orthographic);
        assert_close(&image, [94, 64], red, 1);
        assert_close(&image, [64, 34], green, 1);
        assert_close(&image, [64, 64], blue, 1);
        // From +X: the front (+Z) is to the left.
        let image = seen_from(Direction::Left, is_orthographic);
        assert_close(&image, [34, 64], blue, 1);
        assert_close(&image, [64, 34], green, 1);
        assert_close(&image, [64, 64], red, 1);
        // From above: the front is at the bottom of the picture.
        let image = seen_from(Direction::Top, is_orthographic);
        assert_close(&image, [94, 64], red, 1);
        assert_close(&image, [64, 94], blue, 1);
        assert_close(&image, [64, 64], green, 1);
    }
}

#[test]
fn cut_outs_are_transparent_and_their_edges_straight() {
    let white = textured(sphere(Vec3::ZERO, 0.4), [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    let settings = RenderSettings {
        shading: Shading::BaseColor,
        ..RenderSettings::cutout()
    };
    let image = draw(&mut scene_of(&white), &front(), [128; 2], &settings);
    assert_close(&image, [0, 0], [0; 4], 0);
    assert_close(&image, [64, 64], [255; 4], 1);
    let edges: Vec<_> = image
        .pixels()
        .filter(|pixel| pixel.0[3] > 0 && pixel.0[3] < 255)
        .collect();
    assert!(edges.len() > 40, "edges are smooth: {}", edges.len());
    assert!(
        edges.iter().all(|pixel| pixel.0[..3].iter().all(|&value| value >= 253)),
        "alpha is straight"
    );
}

#[test]
fn alpha_modes_cut_and_blend() {
    let half_hidden = |alpha_mode, alpha: u8| {
        let ball = textured(sphere(Vec3::ZERO, 0.4), [255, 255, 255, alpha], alpha_mode, 0.0, 0.5);
        draw(
            &mut scene_of(&ball),
            &front(),
            [64; 2],
            &RenderSettings {
                shading: Shading::BaseColor,
                ..RenderSettings::cutout()
            },
        )
    };
    assert_close(&half_hidden(AlphaMode::Mask { cutoff: 0.5 }, 100), [32, 32], [0; 4], 0);
    assert_close(
        &half_hidden(AlphaMode::Mask { cutoff: 0.5 }, 150),
        [32, 32],
        [255; 4],
        1,
    );
    // Back and front of the sphere: 1 - (1 - 0.4)^2 = 0.64.
    let blended = half_hidden(AlphaMode::Blend, 102).get_pixel(32, 32).0[3];
    assert!(blended.abs_diff(163) <= 3, "{blended}");
}

#[test]
fn back_faces_are_seen() {
    let mut inside_out = sphere(Vec3::ZERO, 0.4);
    for triangle in &mut inside_out.triangles {
        triangle.swap(1, 2);
    }
    let ball = textured(inside_out, [10, 200, 40, 255], AlphaMode::Opaque, 0.0, 0.5);
    let image = draw(&mut scene_of(&ball), &front(), [64; 2], &with(Shading::BaseColor));
    assert_close(&image, [32, 32], [10, 200, 40, 255], 2);
}

#[test]
fn wireframe_draws_edges_and_leaves_faces() {
    let slab = colored_box(Vec3::ZERO, Vec3::splat(0.4), Vec3::splat(0.5));
    let mut scene = Scene::new();
    scene
        .set_raw_mesh(offscreen().device(), offscreen().queue(), Some(&slab))
        .expect("uploaded");
    let settings = RenderSettings {
        wireframe: true,
        ..with(Shading::BaseColor)
    };
    let camera = Camera::orbit(0.0, 0.0, 2.0, Projection::Orthographic { height: 1.0 }, 1.0);
    let image = draw(&mut scene, &camera, [200; 2], &settings);
    let face = bozzetto_asset::color::srgb_u8_from_linear(0.5);
    assert_close(&image, [60, 90], [face, face, face, 255], 1);
    let darkest_across_diagonal = (0..200).map(|x| image.get_pixel(x, 90).0[0]).min();
    assert!(
        darkest_across_diagonal.is_some_and(|value| value < 130),
        "{darkest_across_diagonal:?}"
    );
    assert!(image.pixels().filter(|pixel| pixel.0[0] == face).count() > 20_000);
}

#[test]
fn ground_and_cameras_are_drawn_when_asked_for() {
    let ball = textured(sphere(Vec3::ZERO, 0.4), [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    let mut scene = scene_of(&ball);
    let photo = Arc::new(RgbaImage::from_pixel(40, 30, Rgba([0, 255, 0, 255])));
    let view = Camera::orbit(1.2, 0.3, 1.2, PERSPECTIVE, 4.0 / 3.0);
    scene
        .set_view_cameras(offscreen().device(), offscreen().queue(), &[(view, Some(photo))])
        .expect("uploaded");
    let camera = Camera::orbit(0.2, 0.4, 3.0, PERSPECTIVE, 1.0);
    let mut num_opaque = |settings: &RenderSettings| {
        let image = draw(&mut scene, &camera, [160; 2], settings);
        let green = image
            .pixels()
            .filter(|pixel| pixel.0[1] > 250 && pixel.0[0] < 5)
            .count();
        (image.pixels().filter(|pixel| pixel.0[3] > 0).count(), green)
    };
    let bare = num_opaque(&RenderSettings::cutout());
    let grid = num_opaque(&RenderSettings {
        grid: true,
        ..RenderSettings::cutout()
    });
    let shadow = num_opaque(&RenderSettings {
        shadow: true,
        ..RenderSettings::cutout()
    });
    let cameras = num_opaque(&RenderSettings {
        cameras: true,
        ..RenderSettings::cutout()
    });
    assert!(grid.0 > bare.0 + 2000, "{grid:?} {bare:?}");
    assert!(shadow.0 > bare.0 + 500, "{shadow:?} {bare:?}");
    assert!(bare.1 == 0 && cameras.1 > 30, "{cameras:?}");
}

#[test]
fn what_does_not_fit_or_does_not_agree_is_an_error() {
    let device = offscreen().device();
    let queue = offscreen().queue();
    let mut scene = Scene::new();
    let broken = TriMesh::new(vec![Vec3::ZERO; 3], vec![[0, 1, 3]]);
    let error = scene
        .set_raw_mesh(device, queue, Some(&broken))
        .expect_err("index out of range");
    assert!(matches!(error, GpuError::BadContent { .. }), "{error}");
    let splats = GaussianSplats {
        positions: vec![Vec3::ZERO],
        ..GaussianSplats::default()
    };
    let error = scene
        .set_splats(device, queue, Some(&splats))
        .expect_err("arrays disagree");
    assert!(matches!(error, GpuError::BadContent { .. }), "{error}");

    let limit = device.limits().max_texture_dimension_2d;
    let error = offscreen()
        .render(&mut scene, &front(), [limit + 1, 4], &RenderSettings::default())
        .expect_err("too wide");
    assert!(error.to_string().contains(&limit.to_string()), "{error}");
    let mut wide = textured(sphere(Vec3::ZERO, 0.4), [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    wide.material.base_color = Arc::new(RgbaImage::new(limit + 1, 1));
    let error = scene
        .set_textured_mesh(device, queue, Some(&wide))
        .expect_err("too wide");
    assert!(matches!(error, GpuError::TooLarge { .. }), "{error}");
    assert!(scene.bounds().is_none(), "what failed is not there");
}

#[test]
fn an_empty_scene_is_its_background() {
    let mut scene = Scene::new();
    let settings = RenderSettings {
        background: Background::Gradient {
            top: [1.0; 3],
            bottom: [0.0; 3],
        },
        ..RenderSettings::cutout()
    };
    let image = draw(&mut scene, &front(), [16, 64], &settings);
    assert!(image.get_pixel(8, 0).0[0] > 250 && image.get_pixel(8, 63).0[0] < 30);
    assert_eq!(draw(&mut scene, &front(), [0, 5], &settings).dimensions(), (0, 5));
}
