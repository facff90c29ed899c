use std::path::{Path, PathBuf};

/// How the bridge's wheel is called, whatever its version and platform.
const PREFIX: &str = "bozzetto_bridge-";
const ENDING: &str = ".whl";

/// Why there is no wheel.
#[derive(Debug, thiserror::Error)]
#[error("The bridge's wheel is not beside the program ({}). Install Bozzetto again, or name the wheel.", .looked_in.display())]
pub struct WheelError {
    /// The folder where it should be.
    looked_in: PathBuf,
}

/// The wheel of the bridge that came with the program: beside it, or in the folder `share/bozzetto` next to the
/// program's own.
pub fn bundled_wheel() -> Result<PathBuf, WheelError> {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("."));
    let places = [
        folder.to_owned(),
        folder.join("../share/bozzetto"),
        folder.join("../wheels"),
    ];
    places
        .iter()
        .find_map(|place| newest_in(place))
        .ok_or_else(|| WheelError {
            looked_in: folder.to_owned(),
        })
}

/// The wheel with the last name in a folder: of several versions the newest, as names go.
fn newest_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let wheels = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(ENDING))
    });
    wheels.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wheel_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest_in(folder.path()), None);
        for name in [
            "bozzetto_bridge-0.1.0-cp310-abi3-any.whl",
            "bozzetto_bridge-0.2.0-cp310-abi3-any.whl",
            "x.whl",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = newest_in(folder.path()).unwrap();
        assert!(found.ends_with("bozzetto_bridge-0.2.0-cp310-abi3-any.whl"));
    }
}
