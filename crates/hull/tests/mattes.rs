//! Cutting objects out of pictures: transparency passed through, backgrounds of several kinds removed, bad files refused.
//!
//! Opaque pictures are made here by laying an object with a known matte over a backdrop, so the truth is exact. The
//! figures are printed (`--nocapture`). `BOZZETTO_TEST_DATA` may name a folder with `views/` and `views518/` of cut-out
//! pictures to do the same with; `BOZZETTO_KEEP_MATTES` one to which pictures and mattes are written, to be looked at.

use std::path::{Path, PathBuf};

use bozzetto_asset::{MatteSettings, PreparedView, View};
use bozzetto_engine::{CancelToken, EngineError, Hint};
use bozzetto_hull::{prepare_view, prepare_view_with};
use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

/// How far from the true outline a pixel counts for the soft edge's error.
const EDGE_PX: i32 = 4;

// ---- pictures with a known matte ----

/// A figurine of our own: body, head, ear, stripes and a handle that the backdrop shows through.
fn figurine(size_px: u32) -> RgbaImage {
    let scale = size_px as f32;
    RgbaImage::from_fn(size_px, size_px, |px, py| {
        let (x, y) = ((px as f32 + 0.5) / scale - 0.5, (py as f32 + 0.5) / scale - 0.5);
        let ellipse = |cx: f32, cy: f32, rx: f32, ry: f32| (((x - cx) / rx).hypot((y - cy) / ry) - 1.0) * rx.min(ry);
        let body = ellipse(-0.03, 0.12, 0.22, 0.26);
        let head = ellipse(0.04, -0.2, 0.14, 0.13);
        let ear = ellipse(0.12, -0.33, 0.04, 0.08);
        let handle = ((x - 0.19).hypot(y - 0.1) - 0.12).abs() - 0.028;
        let distance = body.min(head).min(ear).min(handle);
        // An outline 1.5 pixels soft, as a camera or a renderer gives it.
        let alpha = (0.5 - distance * scale / 1.5).clamp(0.0, 1.0);
        let light = (0.75 - 1.1 * x - 0.7 * y).clamp(0.35, 1.1);
        let stripe = (y * 40.0 + (x * 9.0).sin() * 1.5).sin() > 0.3;
        let base = if stripe {
            [196.0, 92.0, 40.0]
        } else {
            [226.0, 168.0, 84.0]
        };
        let eye = (x - 0.08).hypot(y + 0.22) < 0.02;
        let [r, g, b] = if eye { [20.0, 18.0, 22.0] } else { base }.map(|value: f32| (value * light).min(255.0) as u8);
        Rgba([r, g, b, (alpha * 255.0 + 0.5) as u8])
    })
}

/// A number in `[0, 1)` for a pixel, always the same.
fn hash(x: u32, y: u32, salt: u32) -> f32 {
    let mut state = x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B) ^ salt.wrapping_mul(0xC2B2_AE35);
    for _ in 0..3 {
        state ^= state >> 15;
        state = state.wrapping_mul(0x2C1B_3C6D);
    }
    (state >> 8) as f32 / (1 << 24) as f32
}

/// The kinds of backdrop, each a colour for a pixel; positions in `[0, 1]`.
const BACKDROPS: [&str; 7] = ["plain", "gradient", "vignette", "noise", "checker", "shadow", "floor"];

fn backdrop(kind: &str, width: u32, height: u32) -> RgbImage {
    let mix = |a: [f32; 3], b: [f32; 3], t: f32| -> [f32; 3] { std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t) };
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let color = match kind {
            "plain" => [128.0, 152.0, 178.0],
            "gradient" => mix([222.0, 228.0, 236.0], [92.0, 118.0, 168.0], 0.35 * u + 0.65 * v),
            "vignette" => mix(
                [176.0, 190.0, 186.0],
                [74.0, 92.0, 96.0],
                ((u - 0.5).hypot(v - 0.45) * 1.4).min(1.0),
            ),
            "noise" => {
                let noise = |salt: u32| (hash(x, y, salt) + hash(x, y, salt + 9) + hash(x, y, salt + 17) - 1.5) * 40.0;
                [104.0 + noise(1), 138.0 + noise(2), 132.0 + noise(3)]
            }
            "checker" => {
                let cell = width.max(height) / 16;
                if (x / cell + y / cell).is_multiple_of(2) {
                    [88.0, 108.0, 150.0]
                } else {
                    [150.0, 170.0, 200.0]
                }
            }
            "shadow" => {
                let spot = ((u - 0.55) / 0.34).hypot((v - 0.86) / 0.1);
                let dark =
                    1.0 - 0.45 * (1.25 - spot).clamp(0.0, 1.0).powi(2) * (3.0 - 2.0 * (1.25 - spot).clamp(0.0, 1.0));
                mix([212.0, 214.0, 210.0], [188.0, 194.0, 200.0], v).map(|value| value * dark)
            }
            _ => {
                let floor = ((v - 0.7) * 40.0 + 0.5).clamp(0.0, 1.0);
                mix([150.0, 186.0, 172.0], [92.0, 88.0, 110.0], floor).map(|value| value * (0.9 + 0.2 * u))
            }
        };
        let grain = (hash(x, y, 77) - 0.5) * 3.0;
        Rgb(color.map(|value| (value + grain).clamp(0.0, 255.0) as u8))
    })
}

fn composited(object: &RgbaImage, backdrop: &RgbImage) -> RgbImage {
    RgbImage::from_fn(object.width(), object.height(), |x, y| {
        let (front, back) = (object.get_pixel(x, y).0, backdrop.get_pixel(x, y).0);
        let alpha = f32::from(front[3]) / 255.0;
        Rgb(std::array::from_fn(|i| {
            (f32::from(front[i]) * alpha + f32::from(back[i]) * (1.0 - alpha) + 0.5) as u8
        }))
    })
}

// ---- measures ----

struct Score {
    iou: f32,
    /// Mean absolute error of the matte within [`EDGE_PX`] of the true outline, `[0, 1]`.
    edge_error: f32,
}

fn score(truth: &RgbaImage, matte: &GrayImage) -> Score {
    let is_inside = |x: u32, y: u32| truth.get_pixel(x, y)[3] >= 128;
    let (mut both, mut either, mut error, mut num_edge) = (0_u64, 0_u64, 0.0_f64, 0_u64);
    for (x, y, pixel) in matte.enumerate_pixels() {
        let (true_inside, inside) = (is_inside(x, y), pixel[0] >= 128);
        both += u64::from(true_inside && inside);
        either += u64::from(true_inside || inside);
        let is_near = [(EDGE_PX, 0), (-EDGE_PX, 0), (0, EDGE_PX), (0, -EDGE_PX)]
            .iter()
            .any(|&(dx, dy)| {
                let (u, v) = (x as i32 + dx, y as i32 + dy);
                u >= 0
                    && v >= 0
                    && u < truth.width() as i32
                    && v < truth.height() as i32
                    && is_inside(u as u32, v as u32) != true_inside
            });
        if is_near {
            error += f64::from(pixel[0].abs_diff(truth.get_pixel(x, y)[3])) / 255.0;
            num_edge += 1;
        }
    }
    Score {
        iou: both as f32 / either.max(1) as f32,
        edge_error: (error / num_edge.max(1) as f64) as f32,
    }
}

fn prepared(folder: &Path, name: &str, picture: &RgbImage) -> Result<PreparedView, EngineError> {
    let path = folder.join(format!("{name}.png"));
    picture.save(&path).expect("the folder can be written to");
    let view = prepare_view(&View::new(&path));
    if let (Some(keep), Ok(view)) = (std::env::var_os("BOZZETTO_KEEP_MATTES"), &view) {
        keep_for_looking(Path::new(&keep), name, picture, view);
    }
    view
}

/// Picture, matte, cut-out over grey and clean colours side by side.
fn keep_for_looking(folder: &Path, name: &str, picture: &RgbImage, view: &PreparedView) {
    let (width, height) = picture.dimensions();
    let sheet =
        RgbImage::from_fn(width * 4, height, |x, y| {
            let u = x % width;
            let alpha = view.matte.get_pixel(u, y)[0];
            let color = view.color.get_pixel(u, y).0;
            match x / width {
                0 => *picture.get_pixel(u, y),
                1 => Rgb([alpha; 3]),
                2 => Rgb(color
                    .map(|value| ((u32::from(value) * u32::from(alpha) + 30 * u32::from(255 - alpha)) / 255) as u8)),
                _ => Rgb(color),
            }
        });
    sheet
        .save(folder.join(format!("matte_{name}.png")))
        .expect("the folder can be written to");
}

// ---- tests ----

#[test]
fn real_transparency_is_passed_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("figurine.png");
    let truth = figurine(300);
    truth.save(&path).expect("written");
    let view = prepare_view(&View::new(&path)).expect("usable");
    assert_eq!(view.name, "figurine.png");
    for (x, y, pixel) in truth.enumerate_pixels() {
        assert_eq!(view.matte.get_pixel(x, y)[0], pixel[3]);
        if pixel[3] >= 128 {
            assert_eq!(view.color.get_pixel(x, y).0, pixel.0[..3]);
        }
    }
}

#[test]
fn backgrounds_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let truth = figurine(512);
    for kind in BACKDROPS {
        let picture = composited(&truth, &backdrop(kind, 512, 512));
        let view = prepared(folder.path(), kind, &picture).expect("object and backdrop differ");
        let score = score(&truth, &view.matte);
        println!(
            "figurine over {kind}: IoU {:.4}, edge error {:.4}",
            score.iou, score.edge_error
        );
        let (least_iou, most_error) = match kind {
            "plain" | "gradient" | "vignette" => (0.995, 0.015),
            "noise" => (0.97, 0.13), // the noise has the contrast of the edge
            _ => (0.98, 0.035),
        };
        assert!(score.iou >= least_iou, "{kind}: IoU {}", score.iou);
        assert!(
            score.edge_error <= most_error,
            "{kind}: edge error {}",
            score.edge_error
        );
    }
}

#[test]
fn backgrounds_of_given_pictures_are_removed() {
    let Some(data) = std::env::var_os("BOZZETTO_TEST_DATA").map(PathBuf::from) else {
        println!("BOZZETTO_TEST_DATA is not set: only the figurine made here was cut out.");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut pictures: Vec<PathBuf> = ["views", "views518"]
        .iter()
        .flat_map(|part| std::fs::read_dir(data.join(part)).expect("BOZZETTO_TEST_DATA has views/ and views518/"))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
        .collect();
    pictures.sort();
    assert!(!pictures.is_empty());
    let (mut failures, mut hard_scores) = (Vec::new(), Vec::new());
    for (index, path) in pictures.iter().enumerate() {
        let truth = image::open(path).expect("a picture").into_rgba8();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        // The two kinds that must always work, and one of the others in turn.
        for kind in [BACKDROPS[0], BACKDROPS[1], BACKDROPS[2 + index % 5]] {
            let picture = composited(&truth, &backdrop(kind, truth.width(), truth.height()));
            let result = prepared(folder.path(), &format!("{name}_{kind}"), &picture);
            let score = result.map_or(
                Score {
                    iou: 0.0,
                    edge_error: 1.0,
                },
                |view| score(&truth, &view.matte),
            );
            println!(
                "{name} over {kind}: IoU {:.4}, edge error {:.4}",
                score.iou, score.edge_error
            );
            if !["plain", "gradient"].contains(&kind) {
                hard_scores.push(score.iou);
            } else if score.iou < 0.95 {
                failures.push(format!("{name} over {kind}: {:.4}", score.iou));
            }
        }
    }
    // Some of these objects have the very colours of a backdrop: the mean counts.
    let mean = hard_scores.iter().sum::<f32>() / hard_scores.len() as f32;
    println!("mean over the other backdrops: {mean:.4}");
    assert!(mean >= 0.94, "mean over the other backdrops: {mean}");
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn the_same_picture_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("owl.png");
    composited(&figurine(300), &backdrop("noise", 300, 300))
        .save(&path)
        .expect("written");
    let on_threads = |count: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build()
            .expect("a pool");
        let view = pool.install(|| prepare_view(&View::new(&path))).expect("usable");
        (view.matte.as_raw().clone(), view.color.as_raw().clone())
    };
    let one = on_threads(1);
    assert!(one == on_threads(4));
    assert!(one == on_threads(1));
}

#[test]
fn edge_colours_are_the_objects_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let size = 300;
    let disc = RgbaImage::from_fn(size, size, |x, y| {
        let distance = (x as f32 - 150.0).hypot(y as f32 - 150.0) - 90.0;
        Rgba([190, 60, 40, ((0.5 - distance / 3.0).clamp(0.0, 1.0) * 255.0) as u8])
    });
    let picture = composited(&disc, &backdrop("plain", size, size));
    let view = prepared(folder.path(), "disc", &picture).expect("usable");
    let mut errors: Vec<u8> = view
        .color
        .enumerate_pixels()
        .filter(|&(x, y, _)| (x as f32 - 150.0).hypot(y as f32 - 150.0) < 94.0)
        .map(|(_, _, pixel)| {
            let channels = pixel.0.iter().zip([190, 60, 40]);
            channels.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
        })
        .collect();
    errors.sort_unstable();
    let (worst, high) = (errors[errors.len() - 1], errors[errors.len() * 99 / 100]);
    println!("bled in: at most {worst} of 255, 99 in 100 pixels at most {high}");
    assert!(worst <= 20 && high <= 6, "{worst} and {high} of 255 bled in");
    let far = view.color.get_pixel(20, 20);
    assert_eq!(far, picture.get_pixel(20, 20));
}

#[test]
fn settings_invert_the_matte_move_its_edge_and_ignore_transparency() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("figurine.png");
    let truth = figurine(256);
    truth.save(&path).expect("written");
    let with = |matte: MatteSettings| {
        let view = prepare_view(&View {
            matte,
            ..View::new(&path)
        })
        .expect("usable");
        view.matte.as_ref().clone()
    };
    let inverted = with(MatteSettings {
        inverted: true,
        ..MatteSettings::default()
    });
    assert!(truth.pixels().zip(inverted.pixels()).all(|(a, b)| 255 - a[3] == b[0]));
    let area = |threshold: f32| {
        let matte = with(MatteSettings {
            threshold,
            ..MatteSettings::default()
        });
        matte.iter().filter(|&&value| value >= 128).count()
    };
    assert!(area(0.1) > area(0.5) && area(0.5) > area(0.9));

    // Hidden under the transparency lies a plain backdrop: told to ignore transparency, it must be found and removed.
    let mut opaque_truth = truth.clone();
    let full = composited(&truth, &backdrop("plain", 256, 256));
    for (x, y, pixel) in opaque_truth.enumerate_pixels_mut() {
        let [r, g, b] = full.get_pixel(x, y).0;
        *pixel = Rgba([r, g, b, if x < 128 { 255 } else { 0 }]);
    }
    opaque_truth.save(&path).expect("written");
    let ignoring = with(MatteSettings {
        ignores_alpha: true,
        ..MatteSettings::default()
    });
    assert!(score(&truth, &ignoring).iou > 0.97);
}

#[test]
fn a_cancelled_picture_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("figurine.png");
    figurine(64).save(&path).expect("written");
    let cancel = CancelToken::new();
    cancel.cancel();
    assert_eq!(
        prepare_view_with(&View::new(&path), &cancel).err(),
        Some(EngineError::Cancelled)
    );
}

#[test]
fn every_kind_of_pixel_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let rgba = figurine(200);
    let picture = image::DynamicImage::ImageRgba8(rgba.clone());
    let opaque =
        image::DynamicImage::ImageRgb8(composited(&rgba, &RgbImage::from_pixel(200, 200, Rgb([240, 244, 250]))));
    let cases = [
        ("rgba16.png", image::DynamicImage::ImageRgba16(picture.to_rgba16())),
        (
            "grey_alpha.png",
            image::DynamicImage::ImageLumaA8(picture.to_luma_alpha8()),
        ),
        ("rgba.webp", picture.clone()),
        ("rgba.tiff", picture.clone()),
        ("grey16.png", image::DynamicImage::ImageLuma16(opaque.to_luma16())),
        ("rgb.bmp", opaque.clone()),
        ("rgb.jpg", opaque.clone()),
        ("grey.jpg", image::DynamicImage::ImageLuma8(opaque.to_luma8())),
    ];
    for (name, picture) in cases {
        let path = folder.path().join(name);
        picture.save(&path).expect("written");
        let view = prepare_view(&View::new(&path)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let iou = score(&rgba, &view.matte).iou;
        assert!(iou > 0.9, "{name}: IoU {iou}");
    }
    // The content counts, not the ending.
    let path = folder.path().join("really_a_png.jpg");
    rgba.save_with_format(&path, image::ImageFormat::Png).expect("written");
    assert!(prepare_view(&View::new(&path)).is_ok());
}

#[test]
fn the_cameras_orientation_mark_is_applied() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("turned.jpg");
    let mut jpeg = Vec::new();
    let picture = composited(&figurine(256), &backdrop("plain", 256, 256));
    let cropped = image::imageops::crop_imm(&picture, 20, 0, 200, 256).to_image();
    cropped
        .write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg)
        .expect("encoded");
    // An APP1 segment right after the start marker: TIFF header, one entry, orientation (0x0112) 6: turn clockwise.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut segment = vec![0xFF, 0xE1, 0, (exif.len() + 2) as u8];
    segment.append(&mut exif);
    jpeg.splice(2..2, segment);
    std::fs::write(&path, jpeg).expect("written");
    let view = prepare_view(&View::new(&path)).expect("usable");
    assert_eq!(view.color.dimensions(), (256, 200));
    // The ear, at the top right of the picture as stored, is at the bottom right now.
    assert!(view.matte.get_pixel(256 - 44, 139)[0] >= 128);
}

fn refusal(path: &Path) -> EngineError {
    match prepare_view(&View::new(path)) {
        Ok(_) => panic!("{} was taken", path.display()),
        Err(error) => error,
    }
}

#[test]
fn bad_files_are_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let mut png = Vec::new();
    figurine(200)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .expect("encoded");
    let mut tiny = Vec::new();
    RgbImage::new(1, 1)
        .write_to(&mut std::io::Cursor::new(&mut tiny), image::ImageFormat::Png)
        .expect("encoded");
    let cases = [
        (file("empty.png", b""), "empty"),
        (file("cut.png", &png[..png.len() / 2]), "cut short"),
        (file("header.png", &png[..20]), "cut short"),
        (
            file("text.png", b"Dear diary, today I renamed a file."),
            "it is not a PNG",
        ),
        (file("tiny.png", &tiny), "1 x 1"),
        (file("huge.png", &claiming(20_000, 20_000)), "20000 x 20000"),
        (file("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "HEIC"),
        (folder.path().to_path_buf(), "folder"),
    ];
    for (path, wanted) in cases {
        let error = refusal(&path);
        assert!(matches!(error, EngineError::BadView { .. }), "{error:?}");
        let text = error.to_string();
        let name = path.file_name().expect("a name").to_string_lossy();
        assert!(text.contains(wanted) && text.contains(&*name), "{text}");
        assert!(error.hint().is_some());
    }
    let error = refusal(&folder.path().join("missing.png"));
    assert!(
        matches!(&error, EngineError::Io { .. }) && error.to_string().contains("no such file"),
        "{error}"
    );
}

/// A PNG that says it is of a size and holds next to nothing.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 6, 0, 0, 0]);
    for (kind, data) in [(b"IHDR", header), (b"IDAT", vec![0x78, 0x9c]), (b"IEND", Vec::new())] {
        png.extend((data.len() as u32).to_be_bytes());
        let body = [kind.to_vec(), data].concat();
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    }
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |mut crc, &byte| {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

#[test]
fn pictures_without_an_object_are_refused_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        ("clear.png", RgbaImage::new(128, 128), "transparent everywhere"),
        (
            "one_colour.png",
            RgbaImage::from_pixel(128, 128, Rgba([90, 120, 60, 255])),
            "cannot be told",
        ),
        (
            "gradient.png",
            image::DynamicImage::ImageRgb8(backdrop("gradient", 128, 128)).into_rgba8(),
            "cannot be told",
        ),
        (
            "noise.png",
            image::DynamicImage::ImageRgb8(backdrop("noise", 128, 128)).into_rgba8(),
            "cannot be told",
        ),
    ];
    for (name, picture, wanted) in cases {
        let path = folder.path().join(name);
        picture.save(&path).expect("written");
        let error = refusal(&path);
        assert!(matches!(error, EngineError::NoResult { .. }), "{name}: {error:?}");
        assert!(
            error.to_string().contains(wanted) && error.to_string().contains(name),
            "{error}"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("backdrop")));
    }
    let flat = GrayImage::from_pixel(64, 64, Luma([200]));
    let path = folder.path().join("grey.png");
    flat.save(&path).expect("written");
    assert!(matches!(refusal(&path), EngineError::NoResult { .. }));
}
