//! Oracles of this crate's tests: a small rasteriser that shares no code with the engine, and measures.

#![expect(dead_code, reason = "every test binary takes what it needs")]

pub mod mesh_check;
pub mod raster;
pub mod scene;
pub mod solid;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bozzetto_asset::{Asset, Direction, PreparedView};
use bozzetto_engine::{CancelToken, Event, ParamValue, ParamValues, RunContext};
use bozzetto_hull::HullEngine;
use image::{GrayImage, Luma, RgbImage};

/// Folder with test data that is not part of the repository; says so when there is none.
#[expect(clippy::print_stdout, reason = "a test that looks at less says so")]
pub fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("BOZZETTO_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("NOT TESTED on more data: set BOZZETTO_TEST_DATA to the folder that holds it");
    }
    folder
}

/// A picture with real alpha as a view that is cut out.
pub fn view_from_alpha(path: &std::path::Path, direction: Option<Direction>) -> PreparedView {
    let rgba = image::open(path).expect("the picture can be read").to_rgba8();
    let (width, height) = rgba.dimensions();
    PreparedView {
        name: path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        color: Arc::new(RgbImage::from_fn(width, height, |x, y| {
            let [r, g, b, _] = rgba.get_pixel(x, y).0;
            image::Rgb([r, g, b])
        })),
        matte: Arc::new(GrayImage::from_fn(width, height, |x, y| {
            Luma([rgba.get_pixel(x, y).0[3]])
        })),
        direction,
        camera: None,
        weight: 1.0,
    }
}

/// Parameters from keys and numbers.
pub fn params(values: &[(&str, f64)]) -> ParamValues {
    ParamValues(
        values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ParamValue::Float(*value)))
            .collect(),
    )
}

/// Runs the engine on views that are cut out, and returns its asset and log lines.
pub fn generate(views: &[PreparedView], parameters: &ParamValues) -> (Asset, Vec<String>) {
    let lines = Mutex::new(Vec::new());
    let context = RunContext {
        cancel: CancelToken::new(),
        emit: &|event| {
            if let Event::Log { message, .. } = event {
                lines.lock().expect("no panic").push(message);
            }
        },
    };
    let asset = HullEngine::new()
        .run_views(views, parameters, &context)
        .expect("the engine makes an asset");
    (asset, lines.into_inner().expect("no panic"))
}
