//! The example that comes with the program, inside its file: a program without its folder has it too.

use std::path::Path;

use bozzetto_asset::View;
use bozzetto_asset::files;
use bozzetto_asset::formats::{FormatError, transforms};

const CAMERAS: &str = "transforms.json";

/// Name and content of each file.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../assets/examples/owl/", $name)) as &[u8])),*]
    };
}

static FILES: [(&str, &[u8]); 9] = files![
    "transforms.json",
    "owl_az000_el10.png",
    "owl_az045_el30.png",
    "owl_az090_el10.png",
    "owl_az135_el30.png",
    "owl_az180_el10.png",
    "owl_az225_el30.png",
    "owl_az270_el10.png",
    "owl_az315_el30.png",
];

/// Writes the pictures to a folder, where they are not there already, and gives them as views with their cameras.
pub fn unpack(folder: &Path) -> Result<Vec<View>, FormatError> {
    for (name, content) in &FILES {
        let path = folder.join(name);
        let is_there = path
            .metadata()
            .is_ok_and(|metadata| metadata.len() == content.len() as u64);
        if !is_there {
            files::write_bytes(&path, content)?;
        }
    }
    transforms::read(&folder.join(CAMERAS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_unpacks_to_eight_views_with_cameras_and_mends_what_is_broken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let broken = folder.path().join(FILES[1].0);
        std::fs::write(&broken, "cut short").expect("can be written");
        let views = unpack(folder.path()).expect("can be unpacked");
        assert_eq!(views.len(), 8);
        assert!(views.iter().all(|view| view.camera.is_some() && view.path.is_file()));
        assert_eq!(std::fs::read(broken).expect("is there"), FILES[1].1);
    }
}
