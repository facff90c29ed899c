//! Pictures: what frames are drawn into, apart from what they show.

mod common;

use bozzetto_asset::{AlphaMode, Camera, GaussianSplats};
use bozzetto_viewport::{Frame, Picture, Prepared, RenderSettings, Scene, Shading, Shows, SplatTier};
use common::{Numbers, PERSPECTIVE, draw, front, offscreen, plain, scene_of, sphere, textured};
use glam::{Quat, Vec3};
use image::RgbaImage;

#[test]
fn a_still_frame_is_drawn_once() {
    let device = offscreen().device();
    let queue = offscreen().queue();
    let ball = textured(sphere(Vec3::ZERO, 0.4), [255; 4], AlphaMode::Opaque, 0.0, 0.5);
    let mut scene = scene_of(&ball);
    let splats = GaussianSplats {
        positions: vec![Vec3::ZERO; 3],
        log_scales: vec![Vec3::splat(-3.0); 3],
        rotations: vec![Quat::IDENTITY; 3],
        opacities: vec![0.5; 3],
        sh: vec![[0.0; 3]; 3],
        ..GaussianSplats::default()
    };
    scene.set_splats(device, queue, Some(&splats)).expect("uploaded");
    let frame = Frame {
        camera: front(),
        size_px: [64, 48],
        settings: RenderSettings {
            shows: Shows::Both,
            ..RenderSettings::default()
        },
    };
    let mut picture = Picture::new();
    let mut prepare = |scene: &mut Scene, frame: &Frame| prepare(scene, &mut picture, frame);
    assert_eq!(prepare(&mut scene, &frame), Prepared::Drew);
    assert_eq!(prepare(&mut scene, &frame), Prepared::Reused);
    let mut zoomed = frame.clone();
    zoomed.camera = Camera::orbit(0.0, 0.0, 1.5, PERSPECTIVE, 1.0);
    assert_eq!(prepare(&mut scene, &zoomed), Prepared::Drew);
    assert_eq!(prepare(&mut scene, &zoomed), Prepared::Reused);
    scene.set_raw_mesh(device, queue, None).expect("cleared");
    assert_eq!(prepare(&mut scene, &zoomed), Prepared::Drew);
    assert_eq!(prepare(&mut scene, &zoomed), Prepared::Reused);
    let nothing = Frame {
        size_px: [0, 48],
        ..frame
    };
    assert_eq!(prepare(&mut scene, &nothing), Prepared::Reused);
}

#[test]
fn the_window_s_pass_gets_the_same_picture() {
    let device = offscreen().device();
    let queue = offscreen().queue();
    let ball = textured(sphere(Vec3::ZERO, 0.4), [200, 60, 20, 255], AlphaMode::Opaque, 0.0, 0.4);
    let mut scene = scene_of(&ball);
    let settings = plain([0.2; 3]);
    let expected = draw(&mut scene, &front(), [64; 2], &settings);
    let window = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("window"),
        size: wgpu::Extent3d {
            width: 64,
            height: 64,
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let frame = Frame {
        camera: front(),
        size_px: [64; 2],
        settings,
    };
    let mut picture = Picture::new();
    offscreen()
        .renderer()
        .prepare(&mut scene, &mut picture, device, queue, &mut encoder, &frame)
        .expect("prepared");
    let view = window.create_view(&wgpu::TextureViewDescriptor::default());
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: &view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations::default(),
        })],
        ..wgpu::RenderPassDescriptor::default()
    });
    offscreen().renderer().blit(&picture, &mut pass);
    drop(pass);
    let found = common::read(device, queue, encoder, &window);
    assert_eq!(found, expected);
}

fn prepare(scene: &mut Scene, picture: &mut Picture, frame: &Frame) -> Prepared {
    let (device, queue) = (offscreen().device(), offscreen().queue());
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let prepared = offscreen()
        .renderer()
        .prepare(scene, picture, device, queue, &mut encoder, frame);
    queue.submit([encoder.finish()]);
    prepared.expect("prepared")
}

fn image(scene: &mut Scene, picture: &mut Picture, frame: &Frame) -> RgbaImage {
    offscreen()
        .renderer()
        .render_image(scene, picture, offscreen().device(), offscreen().queue(), frame)
        .expect("drawn")
}

#[test]
fn pictures_of_one_scene_stay_each_for_itself() {
    let ball = textured(sphere(Vec3::ZERO, 0.4), [200, 60, 20, 255], AlphaMode::Opaque, 0.0, 0.5);
    let mut scene = scene_of(&ball);
    let lit = Frame {
        camera: front(),
        size_px: [64, 48],
        settings: plain([0.2; 3]),
    };
    let clay = Frame {
        size_px: [32, 48],
        settings: RenderSettings {
            shading: Shading::Clay,
            ..plain([0.2; 3])
        },
        ..lit.clone()
    };
    let (mut left, mut right) = (Picture::new(), Picture::new());
    assert_eq!(prepare(&mut scene, &mut left, &lit), Prepared::Drew);
    assert_eq!(prepare(&mut scene, &mut right, &clay), Prepared::Drew);
    assert_eq!(prepare(&mut scene, &mut left, &lit), Prepared::Reused);
    assert_eq!(prepare(&mut scene, &mut right, &clay), Prepared::Reused);
    scene
        .set_textured_mesh(offscreen().device(), offscreen().queue(), None)
        .expect("cleared");
    assert_eq!(prepare(&mut scene, &mut left, &lit), Prepared::Drew);
    assert_eq!(prepare(&mut scene, &mut right, &clay), Prepared::Drew);
}

fn cloud(seed: u64) -> GaussianSplats {
    let mut numbers = Numbers::new(seed);
    let mut splats = GaussianSplats::default();
    for _ in 0..500 {
        splats.positions.push(numbers.vector() * 0.4);
        splats.log_scales.push(Vec3::splat(0.03_f32.ln()));
        splats.rotations.push(Quat::IDENTITY);
        splats.opacities.push(numbers.next());
        splats.sh.push(GaussianSplats::dc_from_srgb([
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ]));
    }
    splats
}

#[test]
fn a_picture_shows_one_scene_after_the_other() {
    let (device, queue) = (offscreen().device(), offscreen().queue());
    for tier in [SplatTier::Tiles, SplatTier::Quads, SplatTier::ProcessorSorted] {
        let frame = Frame {
            camera: front(),
            size_px: [96, 64],
            settings: RenderSettings {
                shows: Shows::Splats,
                splat_tier: Some(tier),
                ..plain([0.1; 3])
            },
        };
        let mut scenes = [1, 2].map(|seed| {
            let mut scene = Scene::new();
            scene.set_splats(device, queue, Some(&cloud(seed))).expect("uploaded");
            scene
        });
        let mut shared = Picture::new();
        let seen = scenes.each_mut().map(|scene| image(scene, &mut shared, &frame));
        assert_ne!(seen[0], seen[1]);
        let again = scenes.each_mut().map(|scene| image(scene, &mut Picture::new(), &frame));
        assert!(seen == again, "{tier}");
    }
}
