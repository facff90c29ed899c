use bozzetto_asset::{AlphaMode, Asset, PbrSample, PbrVolume};
use glam::{IVec3, Quat, Vec2, Vec3};

use super::texels::TexelMap;
use super::*;
use crate::{ColorSource, FinishSettings, Finished, Prepared, finish, shapes};

/// A smooth colour that uses the whole range.
fn color_at(point: Vec3) -> [f32; 3] {
    let wave = |phase: f32, direction: Vec3| 0.5 + 0.45 * (point.dot(direction) * 7.0 + phase).sin();
    [
        wave(0.0, Vec3::new(1.0, 0.3, 0.2)),
        wave(1.0, Vec3::new(-0.2, 1.0, 0.4)),
        wave(2.0, Vec3::new(0.3, -0.3, 1.0)),
    ]
}

/// Voxels within two cells of a surface given by its distance function.
fn shell(resolution: u32, distance: impl Fn(Vec3) -> f32, sample: impl Fn(Vec3) -> PbrSample) -> PbrVolume {
    let voxel_size = 1.0 / resolution as f32;
    let mut volume = PbrVolume {
        origin: Vec3::splat(-0.5),
        voxel_size,
        resolution,
        ..PbrVolume::default()
    };
    let r = resolution as i32;
    for index in 0..r.pow(3) {
        let cell = IVec3::new(index % r, index / r % r, index / r / r);
        let center = volume.origin + (cell.as_vec3() + 0.5) * voxel_size;
        if distance(center).abs() < 2.0 * voxel_size {
            volume.coords.push(cell);
            volume.samples.push(sample(center));
        }
    }
    volume
}

fn matte(point: Vec3) -> PbrSample {
    PbrSample {
        base_color: color_at(point),
        alpha: 1.0,
        metallic: 0.0,
        roughness: 0.6,
    }
}

fn sphere_distance(point: Vec3) -> f32 {
    point.length() - 0.4
}

fn torus_distance(point: Vec3) -> f32 {
    Vec2::new(Vec2::new(point.x, point.z).length() - 0.3, point.y).length() - 0.12
}

fn asset(mesh: TriMesh, volume: Option<PbrVolume>) -> Asset {
    Asset {
        mesh: Some(Arc::new(mesh)),
        volume: volume.map(Arc::new),
        ..Asset::default()
    }
}

fn settings(target_faces: u32, texture_px: u32) -> FinishSettings {
    FinishSettings {
        target_faces,
        texture_px,
        ..FinishSettings::default()
    }
}

fn run(asset: &Asset, settings: &FinishSettings) -> Finished {
    finish(asset, settings, &Control::silent()).unwrap()
}

/// Base colour at a place in `[0, 1]^2`, bilinear in encoded values as the comparison is.
fn lookup(finished: &Finished, uv: Vec2) -> Vec3 {
    let picture = &finished.textured.material.base_color;
    let size = picture.width() as f32;
    let pixel = (uv * size - 0.5).clamp(Vec2::ZERO, Vec2::splat(size - 1.001));
    let (base, fraction) = (pixel.floor(), pixel.fract());
    let at = |x: u32, y: u32| {
        let [r, g, b, _] = picture.get_pixel(base.x as u32 + x, base.y as u32 + y).0;
        Vec3::new(f32::from(r), f32::from(g), f32::from(b)) / 255.0
    };
    at(0, 0)
        .lerp(at(1, 0), fraction.x)
        .lerp(at(0, 1).lerp(at(1, 1), fraction.x), fraction.y)
}

/// PSNR in dB of texture lookups against the analytic colour, over points of every face: its centre, its corners
/// and the middles of its sides, which on a seam lie on the border of a chart.
fn psnr(finished: &Finished, onto_surface: impl Fn(Vec3) -> Vec3) -> f32 {
    let mesh = &finished.textured.mesh;
    let third = 1.0 / 3.0;
    let weights = [
        Vec3::splat(third),
        Vec3::X,
        Vec3::Y,
        Vec3::Z,
        Vec3::new(0.5, 0.5, 0.0),
        Vec3::new(0.0, 0.5, 0.5),
        Vec3::new(0.5, 0.0, 0.5),
    ];
    let (mut sum, mut count) = (0.0_f64, 0.0);
    for triangle in &mesh.triangles {
        for weight in weights {
            let mix = |value: &dyn Fn(usize) -> Vec3| -> Vec3 {
                (0..3)
                    .map(|corner| value(triangle[corner] as usize) * weight[corner])
                    .sum()
            };
            let uv = mix(&|vertex| mesh.uvs[vertex].extend(0.0)).truncate();
            let point = onto_surface(mix(&|vertex| mesh.positions[vertex]));
            let expected = Vec3::from_array(color_at(point).map(color::srgb_from_linear));
            sum += f64::from(lookup(finished, uv).distance_squared(expected));
            count += 3.0;
        }
    }
    (-10.0 * (sum / count).log10()) as f32
}

#[test]
fn a_sphere_gets_the_colour_of_its_volume_up_to_the_seams() {
    let volume = shell(96, sphere_distance, matte);
    let finished = run(&asset(shapes::icosphere(0.4, 5), Some(volume)), &settings(4000, 512));
    let found = psnr(&finished, |point| point.normalize() * 0.4);
    assert!(found >= 35.0, "{found} dB");
    assert_eq!(finished.health.uv_overlap, Some(0.0));
    assert!(finished.health.is_watertight && finished.health.num_faces <= 4000);
}

#[test]
fn a_torus_gets_the_colour_of_its_volume_up_to_the_seams() {
    let volume = shell(96, torus_distance, matte);
    let finished = run(
        &asset(shapes::torus(0.3, 0.12, 160, 80), Some(volume)),
        &settings(4000, 512),
    );
    let onto_surface = |point: Vec3| {
        let ring = point.with_y(0.0).normalize() * 0.3;
        ring + (point - ring).normalize() * 0.12
    };
    let found = psnr(&finished, onto_surface);
    assert!(found >= 35.0, "{found} dB");
    assert_eq!(finished.health.euler_characteristic, 0);
}

#[test]
fn vertex_colours_are_baked_where_there_is_no_volume() {
    let mut mesh = shapes::icosphere(0.4, 6);
    mesh.colors = mesh
        .positions
        .iter()
        .map(|&point| Vec3::from_array(color_at(point)))
        .collect();
    let finished = run(&asset(mesh, None), &settings(4000, 512));
    let found = psnr(&finished, |point| point.normalize() * 0.4);
    assert!(found >= 35.0, "{found} dB");
    assert!(finished.textured.mesh.colors.is_empty());
}

/// Discs of 1 cm at points of a sphere, as flat as a trained model's, each with the colour of its place.
fn splat_ball() -> GaussianSplats {
    let points = shapes::icosphere(0.4, 5).positions;
    GaussianSplats {
        log_scales: vec![Vec3::new(0.01, 0.01, 0.000_1).map(f32::ln); points.len()],
        rotations: points
            .iter()
            .map(|point| Quat::from_rotation_arc(Vec3::Z, point.normalize()))
            .collect(),
        opacities: vec![0.9; points.len()],
        sh: points
            .iter()
            .map(|&point| GaussianSplats::dc_from_srgb(color_at(point).map(color::srgb_from_linear)))
            .collect(),
        positions: points,
        ..GaussianSplats::default()
    }
}

#[test]
fn splats_are_baked_where_there_is_nothing_better() {
    let mut all = Asset {
        splats: Some(Arc::new(splat_ball())),
        ..asset(shapes::icosphere(0.4, 5), None)
    };
    let found = psnr(&run(&all, &settings(4000, 512)), |point| point.normalize() * 0.4);
    assert!(found >= 35.0, "{found} dB");

    let pixel = |asset: &Asset| {
        run(asset, &settings(500, 64))
            .textured
            .material
            .base_color
            .get_pixel(32, 32)
            .0
    };
    let mut colored = shapes::icosphere(0.4, 3);
    colored.colors = vec![Vec3::ONE; colored.positions.len()];
    all.mesh = Some(Arc::new(colored));
    assert_eq!(pixel(&all), [255; 4], "vertex colours come before splats");
    let black = shell(32, sphere_distance, |point| PbrSample {
        base_color: [0.0; 3],
        ..matte(point)
    });
    all.volume = Some(Arc::new(black));
    assert_eq!(pixel(&all), [0, 0, 0, 255], "a volume comes before vertex colours");
    let grey = Asset {
        splats: Some(Arc::default()),
        ..asset(shapes::icosphere(0.4, 3), None)
    };
    assert_eq!(pixel(&grey), [188, 188, 188, 255], "no splats are no source");
}

#[test]
fn every_texel_has_a_sensible_colour() {
    let volume = shell(64, sphere_distance, |_| PbrSample {
        base_color: [0.8, 0.1, 0.3],
        ..matte(Vec3::ZERO)
    });
    let finished = run(&asset(shapes::icosphere(0.4, 4), Some(volume)), &settings(1000, 256));
    let expected = [0.8, 0.1, 0.3].map(color::srgb_u8_from_linear);
    let coverage = &finished.textured.coverage;
    let mut num_outside = 0;
    for (pixel, covered) in finished.textured.material.base_color.pixels().zip(coverage.pixels()) {
        assert_eq!([pixel.0[0], pixel.0[1], pixel.0[2]], expected);
        assert_eq!(pixel.0[3], 255);
        num_outside += usize::from(covered.0[0] == 0);
    }
    assert!(num_outside > 1000 && num_outside < 256 * 256 / 2, "{num_outside}");
}

#[test]
fn a_face_that_collapses_in_the_texture_spoils_no_texel_around_it() {
    let mut dense = shapes::icosphere(0.4, 4);
    dense.compute_normals();
    dense.colors = vec![Vec3::new(0.8, 0.1, 0.3); dense.positions.len()];
    let mut target = crate::unwrap(&dense, 256, 2, &Control::silent()).unwrap().mesh;
    // A face at the border of a chart whose first two corners share one place in the texture.
    let [a, b, _] = target.triangles[0];
    target.uvs[b as usize] = target.uvs[a as usize];
    let surface = Surface {
        mesh: &dense,
        tree: &SearchTree::new(&dense),
        occlusion: None,
    };
    let options = BakeOptions {
        texture_px: 256,
        has_normal_map: false,
        has_orm: true,
    };
    let mut baked = from_vertex_colors(surface, &target, options, &Control::silent()).unwrap();
    baked.dilate(&Control::silent()).unwrap();
    let expected = [0.8, 0.1, 0.3].map(color::srgb_u8_from_linear);
    for value in &baked.values {
        assert_eq!(value.base_color[..3], expected);
        assert_eq!(value.orm, baked.values[0].orm);
    }
}

/// Half the size, each texel the mean of four, as graphics cards make mip levels.
fn halved<const N: usize>(texels: &[[u8; N]], size: usize) -> Vec<[u8; N]> {
    let half = size / 2;
    (0..half * half)
        .map(|index| {
            let first = index / half * 2 * size + index % half * 2;
            let four = [first, first + 1, first + size, first + size + 1];
            std::array::from_fn(|channel| {
                (four.iter().map(|&texel| u16::from(texels[texel][channel])).sum::<u16>() / 4) as u8
            })
        })
        .collect()
}

#[test]
fn mip_levels_hold_nothing_that_the_surface_does_not() {
    // Red from 0.4 to 0.8, green none, blue 0.2; roughness from 0.4 to 0.8; normals near the surface's own.
    let between = |point: Vec3| 0.6 + 0.2 * (point.x * 9.0).sin();
    let volume = shell(96, sphere_distance, |point| PbrSample {
        base_color: [between(point), 0.0, 0.2],
        roughness: between(point),
        ..matte(point)
    });
    let finished = run(
        &asset(shapes::noisy_sphere(5, 0.004, 30.0, 0.0), Some(volume)),
        &settings(1500, 256),
    );
    let material = &finished.textured.material;
    let [darkest, brightest] = [0.39, 0.81].map(color::srgb_u8_from_linear);
    let blue = color::srgb_u8_from_linear(0.2);
    let mut colors: Vec<[u8; 4]> = material.base_color.pixels().map(|pixel| pixel.0).collect();
    let mut orm: Vec<[u8; 3]> = material.orm.as_ref().unwrap().pixels().map(|pixel| pixel.0).collect();
    let mut normals: Vec<[u8; 3]> = material
        .normal
        .as_ref()
        .unwrap()
        .pixels()
        .map(|pixel| pixel.0)
        .collect();
    let mut size = 256;
    while size > 1 {
        (colors, orm, normals) = (halved(&colors, size), halved(&orm, size), halved(&normals, size));
        size /= 2;
        for &[red, green, texel_blue, alpha] in &colors {
            assert!((darkest..=brightest).contains(&red), "level of {size}: red {red}");
            assert!(
                green == 0 && texel_blue.abs_diff(blue) <= 1 && alpha == 255,
                "level of {size}"
            );
        }
        for &[occlusion, roughness, metallic] in &orm {
            assert!(
                (98..=208).contains(&roughness) && occlusion == 255 && metallic == 0,
                "level of {size}"
            );
        }
        assert!(normals.iter().all(|normal| normal[2] > 200), "level of {size}");
    }
}

#[test]
fn constant_materials_need_no_texture_and_varying_ones_get_one() {
    let mesh = || shapes::icosphere(0.4, 4);
    let constant = run(
        &asset(mesh(), Some(shell(64, sphere_distance, matte))),
        &settings(1000, 256),
    );
    let material = &constant.textured.material;
    assert!(material.orm.is_none() && !material.has_occlusion);
    assert!((material.roughness_factor - 0.6).abs() < 0.005 && material.metallic_factor == 0.0);

    let varying = shell(64, sphere_distance, |point| PbrSample {
        metallic: if point.x > 0.0 { 1.0 } else { 0.0 },
        ..matte(point)
    });
    let varied = run(&asset(mesh(), Some(varying.clone())), &settings(1000, 256));
    let orm = varied.textured.material.orm.as_ref().expect("metallic varies");
    assert_eq!(varied.textured.material.metallic_factor, 1.0);
    let metallic: Vec<u8> = orm.pixels().map(|pixel| pixel.0[2]).collect();
    assert!(metallic.contains(&255) && metallic.contains(&0));
    assert!(
        orm.pixels()
            .all(|pixel| pixel.0[0] == 255 && pixel.0[1].abs_diff(153) <= 1)
    );

    let without = FinishSettings {
        bakes_orm: false,
        ..settings(1000, 256)
    };
    let flat = run(&asset(mesh(), Some(varying)), &without).textured.material;
    assert!(flat.orm.is_none() && (flat.metallic_factor - 0.5).abs() < 0.1);
}

#[test]
fn occlusion_is_packed_in_red_with_constants_beside_it() {
    let with = FinishSettings {
        bakes_occlusion: true,
        occlusion_distance: 0.5,
        ..settings(2000, 256)
    };
    let finished = run(&asset(shapes::torus(0.2, 0.12, 64, 32), None), &with);
    let material = &finished.textured.material;
    let orm = material.orm.as_ref().expect("occlusion");
    assert!(material.has_occlusion);
    let red: Vec<u8> = orm.pixels().map(|pixel| pixel.0[0]).collect();
    assert!(red.iter().min() < Some(&200) && red.iter().max() == Some(&255));
    assert!(
        orm.pixels()
            .all(|pixel| pixel.0[1] == orm.get_pixel(0, 0).0[1] && pixel.0[2] == 0)
    );
}

#[test]
fn alpha_mode_follows_the_data() {
    let mode = |alpha: &dyn Fn(Vec3) -> f32| {
        let volume = shell(64, sphere_distance, |point| PbrSample {
            alpha: alpha(point),
            ..matte(point)
        });
        let finished = run(&asset(shapes::icosphere(0.4, 4), Some(volume)), &settings(1000, 256));
        let alphas: Vec<u8> = finished.textured.material.base_color.pixels().map(|p| p.0[3]).collect();
        (finished.textured.material.alpha_mode, alphas)
    };
    let (opaque, alphas) = mode(&|_| 0.995);
    assert_eq!(opaque, AlphaMode::Opaque);
    assert!(alphas.iter().all(|&alpha| alpha == 255));
    assert_eq!(
        mode(&|point| f32::from(point.y > 0.0)).0,
        AlphaMode::Mask { cutoff: 0.5 }
    );
    assert_eq!(mode(&|point| 0.5 + point.y).0, AlphaMode::Blend);
}

#[test]
fn a_normal_map_brings_the_dense_normal_back() {
    // A bumpy sphere baked onto a coarse one: decoded as a shader does, the map must give the dense normals.
    let mut dense = shapes::noisy_sphere(6, 0.01, 40.0, 0.0);
    dense.compute_normals();
    let finished = run(&asset(dense.clone(), None), &settings(3000, 1024));
    let mesh = &finished.textured.mesh;
    let picture = finished.textured.material.normal.as_ref().expect("normal map");
    let tree = SearchTree::new(&dense);
    let map = TexelMap::new(mesh, 1024);
    let (mut with_map, mut without, mut count) = (0.0, 0.0, 0.0);
    for index in (0..1024 * 1024).step_by(37).filter(|&index| map.is_inside(index)) {
        let texel = map.texel(mesh, index).unwrap();
        let frame = Frame::at(mesh, texel);
        let hit = tree.nearest(frame.position).unwrap();
        let truth = vertex_colors::interpolated(&dense.normals, &dense, &hit).normalize();
        let pixel = picture.get_pixel(index as u32 % 1024, index as u32 / 1024).0;
        let local = Vec3::from_array(pixel.map(|value| f32::from(value) / 127.5 - 1.0));
        let bitangent = frame.raw_normal.cross(frame.tangent) * frame.sign;
        let shaded = (frame.tangent * local.x + bitangent * local.y + frame.raw_normal * local.z).normalize();
        with_map += shaded.angle_between(truth);
        without += frame.normal.angle_between(truth);
        count += 1.0;
    }
    let (with_map, without) = (with_map / count, without / count);
    assert!(
        with_map < 0.02 && with_map * 5.0 < without,
        "{with_map} against {without} rad"
    );
}

#[test]
fn views_paint_what_they_see_and_fill_the_rest() {
    let camera = |azimuth: f32| {
        Camera::orbit(
            azimuth,
            0.2,
            2.0,
            bozzetto_asset::Projection::Perspective { fov_y_rad: 0.6 },
            1.0,
        )
    };
    let mut dense = shapes::icosphere(0.4, 5);
    dense.compute_normals();
    let tree = SearchTree::new(&dense);
    let views: Vec<(PreparedView, Camera)> = (0..4)
        .map(|i| camera(i as f32 * std::f32::consts::FRAC_PI_2))
        .map(|camera| (photo(&dense, &tree, &camera, 400), camera))
        .collect();
    let surface = Surface {
        mesh: &dense,
        tree: &tree,
        occlusion: None,
    };
    let target = crate::unwrap(&dense, 512, 2, &Control::silent()).unwrap().mesh;
    let options = BakeOptions {
        texture_px: 512,
        has_normal_map: false,
        has_orm: true,
    };
    let mut baked = from_views(surface, &target, &views, options, &Control::silent()).unwrap();
    baked.dilate(&Control::silent()).unwrap();
    let map = TexelMap::new(&target, 512);
    let (mut sum, mut count) = (0.0_f64, 0.0);
    for index in (0..512 * 512).filter(|&index| map.is_inside(index)) {
        let frame = Frame::at(&target, map.texel(&target, index).unwrap());
        let [r, g, b, _] = baked.values[index].base_color;
        let found = Vec3::new(f32::from(r), f32::from(g), f32::from(b)) / 255.0;
        if frame.position.y.abs() < 0.25 {
            let expected = Vec3::from_array(color_at(frame.position).map(color::srgb_from_linear));
            sum += f64::from(found.distance_squared(expected));
            count += 3.0;
        } else {
            assert!(
                found.max_element() > 0.05,
                "the green background or black got in: {found}"
            );
        }
    }
    let found = -10.0 * (sum / count).log10();
    assert!(found >= 30.0, "{found} dB");
}

#[test]
fn pictures_show_over_what_was_generated() {
    let mut dense = shapes::icosphere(0.4, 5);
    dense.compute_normals();
    let tree = SearchTree::new(&dense);
    let camera = Camera::orbit(
        0.0,
        0.0,
        2.0,
        bozzetto_asset::Projection::Perspective { fov_y_rad: 0.6 },
        1.0,
    );
    let pictures = Arc::new(vec![(photo(&dense, &tree, &camera, 400), camera)]);
    let generated = Vec3::new(0.9, 0.0, 0.9);
    dense.colors = vec![generated; dense.positions.len()];
    let asset = Asset {
        mesh: Some(Arc::new(dense)),
        ..Asset::default()
    };
    let settings = FinishSettings {
        texture_px: 256,
        colors_from: ColorSource::Pictures,
        ..FinishSettings::default()
    };
    let prepared = Prepared::new(&asset, &settings, &Control::silent()).unwrap();
    assert_eq!(
        prepared.finish(&settings, &Control::silent()).unwrap_err(),
        MeshError::NoPictures
    );
    let finished = prepared
        .with_pictures(pictures)
        .finish(&settings, &Control::silent())
        .unwrap();
    let mesh = &finished.textured.mesh;
    let map = TexelMap::new(mesh, 256);
    let mut num_seen = 0;
    for index in (0..256 * 256).filter(|&index| map.is_inside(index)) {
        let frame = Frame::at(mesh, map.texel(mesh, index).unwrap());
        let pixel = finished
            .textured
            .material
            .base_color
            .get_pixel(index as u32 % 256, index as u32 / 256);
        let found = Vec3::from_array([0, 1, 2].map(|channel| color::linear_from_srgb_u8(pixel[channel])));
        let toward_eye = (camera.eye() - frame.position).normalize();
        let cosine = frame.normal.dot(toward_eye);
        if cosine > 0.6 {
            let expected = Vec3::from_array(color_at(frame.position));
            assert!(found.distance(expected) < 0.12, "{found} for {expected}");
            num_seen += 1;
        } else if cosine < 0.0 {
            assert!(found.distance(generated) < 0.02, "{found} at the back");
        }
    }
    assert!(num_seen > 1000);
}

/// A picture of the coloured mesh over a green background.
fn photo(mesh: &TriMesh, tree: &SearchTree, camera: &Camera, size: u32) -> PreparedView {
    let mut picture = image::RgbImage::from_pixel(size, size, image::Rgb([0, 255, 0]));
    let mut matte = GrayImage::new(size, size);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let place = Vec2::new(x as f32 + 0.5, y as f32 + 0.5) / size as f32;
        let (origin, direction) = camera.ray(place);
        let mut closest = f32::INFINITY;
        tree.traverse(origin, direction, 0.0, f32::MAX, |_, distance| {
            closest = closest.min(distance);
            false
        });
        if closest.is_finite() {
            *pixel = image::Rgb(color_at(origin + direction * closest).map(color::srgb_u8_from_linear));
            matte.put_pixel(x, y, image::Luma([255]));
        }
    }
    assert!(!mesh.triangles.is_empty());
    PreparedView {
        name: "test".to_owned(),
        color: Arc::new(picture),
        matte: Arc::new(matte),
        direction: None,
        camera: Some(*camera),
        weight: 1.0,
    }
}
