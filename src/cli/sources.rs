//! Turns the VIEW arguments of the command line into views.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bozzetto_asset::{Direction, View, formats::transforms};

use super::UsageError;
use crate::app::{is_picture, natural_key};

/// Views from arguments: a picture, `DIRECTION=picture`, a folder of pictures, or a `transforms.json`.
pub(super) fn views_from_arguments(arguments: &[String]) -> anyhow::Result<Vec<View>> {
    let mut views = Vec::new();
    for argument in arguments {
        let (direction, path) = split_direction(argument);
        if path.is_dir() {
            let with_cameras = path.join("transforms.json");
            if with_cameras.is_file() {
                views.extend(transforms::read(&with_cameras)?);
            } else {
                views.extend(pictures_in(&path)?.into_iter().map(View::new));
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        {
            views.extend(transforms::read(&path)?);
        } else if path.is_file() {
            views.push(View {
                direction,
                ..View::new(path)
            });
        } else {
            return Err(UsageError(format!("There is no file or folder {}.", path.display())).into());
        }
    }
    Ok(views)
}

/// Splits `left=picture.png`; a file whose own name holds an equals sign is taken as it is.
fn split_direction(argument: &str) -> (Option<Direction>, PathBuf) {
    let whole = PathBuf::from(argument);
    if whole.exists() {
        return (None, whole);
    }
    match argument
        .split_once('=')
        .map(|(name, path)| (name.parse::<Direction>(), path))
    {
        Some((Ok(direction), path)) => (Some(direction), PathBuf::from(path)),
        _ => (None, whole),
    }
}

fn pictures_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry
            .with_context(|| format!("{} cannot be read", folder.display()))?
            .path();
        if is_picture(&path) {
            pictures.push(path);
        }
    }
    if pictures.is_empty() {
        return Err(UsageError(format!("There is no picture in {}.", folder.display())).into());
    }
    pictures.sort_by_key(|path| natural_key(path));
    Ok(pictures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_may_stand_before_the_file() {
        let (direction, path) = split_direction("left=photos/a=b.png");
        assert_eq!(
            (direction, path),
            (Some(Direction::Left), PathBuf::from("photos/a=b.png"))
        );
        assert_eq!(split_direction("a=b.png"), (None, PathBuf::from("a=b.png")));
        let (free, _) = split_direction("45,20=x.png");
        assert_eq!(
            free,
            Some(Direction::Free {
                azimuth_deg: 45.0,
                elevation_deg: 20.0
            })
        );
    }

    #[test]
    fn a_folder_gives_its_pictures_in_order_of_name() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["view10.png", "view2.PNG", "notes.txt"] {
            std::fs::write(folder.path().join(name), b"")?;
        }
        let names: Vec<_> = pictures_in(folder.path())?
            .iter()
            .map(|path| View::new(path).name())
            .collect();
        assert_eq!(names, ["view2.PNG", "view10.png"]);
        Ok(())
    }
}
