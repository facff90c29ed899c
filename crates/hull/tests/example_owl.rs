//! The bundled example: its pictures, cameras and file names must tell the same story.

use std::path::Path;

use bozzetto_asset::Projection;
use bozzetto_asset::formats::transforms;
use bozzetto_hull::{prepare_view, propose_directions};

#[test]
fn file_names_and_cameras_of_the_owl_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/examples/owl");
    let views = transforms::read(&folder.join("transforms.json")).expect("readable");
    assert_eq!(views.len(), 8);
    let names: Vec<String> = views.iter().map(bozzetto_asset::View::name).collect();
    for (view, direction) in views.iter().zip(propose_directions(&names)) {
        let camera = view.camera.expect("transforms.json gives cameras");
        assert!(matches!(camera.projection, Projection::Perspective { .. }));
        let (azimuth, elevation) = direction.expect("the name tells").azimuth_elevation_deg();
        let eye = camera.eye();
        assert!(
            (eye.x.atan2(eye.z).to_degrees().rem_euclid(360.0) - azimuth).abs() < 0.01,
            "{}",
            view.name()
        );
        assert!(
            ((eye.y / eye.length()).asin().to_degrees() - elevation).abs() < 0.01,
            "{}",
            view.name()
        );
        assert!(
            camera.forward().dot(-eye.normalize()) > 0.9999,
            "{} looks past the owl",
            view.name()
        );
    }
}

#[test]
fn every_picture_of_the_owl_is_whole_and_cut_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/examples/owl");
    for view in transforms::read(&folder.join("transforms.json")).expect("readable") {
        let prepared = prepare_view(&view).unwrap_or_else(|error| panic!("{error}"));
        let (width, height) = prepared.matte.dimensions();
        let mut inside = 0;
        for (x, y, pixel) in prepared.matte.enumerate_pixels() {
            let is_border = x.min(y) < 8 || x + 8 >= width || y + 8 >= height;
            assert!(!is_border || pixel[0] == 0, "{} touches the border", prepared.name);
            inside += u32::from(pixel[0] >= 128);
        }
        let share = inside as f32 / (width * height) as f32;
        assert!((0.2..0.6).contains(&share), "{}: {share}", prepared.name);
    }
}
