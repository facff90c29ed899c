use std::path::{Path, PathBuf};
use std::sync::Arc;

use bozzetto_asset::formats::ply::PlyContent;
use bozzetto_asset::formats::{self, FormatError, generation};
use bozzetto_asset::{Asset, Provenance, TexturedMesh, View, ViewRecord, files};
use bozzetto_engine::{ParamValue, ParamValues};
use bozzetto_mesh::{Finished, MeshHealth};

use super::picture::hint_for;
use crate::app::state::Problem;

/// Most pictures that a folder gives.
const MAX_FOLDER_PICTURES: usize = 200;

/// What was found in the files and folders that the artist gave.
#[derive(Default)]
pub struct Found {
    /// Pictures, in the order of their names within each folder.
    pub views: Vec<View>,
    /// Settings that a GLB of our own brought.
    pub restored: Option<Restored>,
    /// A 3D file, to be shown as it is.
    pub opened: Option<Opened>,
    /// A saved generation's folder.
    pub generation: Option<PathBuf>,
    /// What could not be opened.
    pub problems: Vec<Problem>,
}

/// Settings of the run that made a GLB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restored {
    /// Engine id.
    pub engine: String,
    /// Its parameters.
    pub params: ParamValues,
    /// Seed.
    pub seed: u64,
    /// Pictures of the run that could be found again by their content.
    pub views: Vec<View>,
    /// Names of those that could not.
    pub missing: Vec<String>,
}

/// A 3D file.
pub struct Opened {
    /// Its name without folder and extension.
    pub name: String,
    /// Splats, or the geometry.
    pub asset: Asset,
    /// The mesh with its textures.
    pub finished: Option<Arc<Finished>>,
}

/// Looks through files and folders.
pub fn find(paths: &[PathBuf], library: &Path) -> Found {
    let mut found = Found::default();
    for path in paths {
        if let Err(problem) = look_at(path, library, &mut found) {
            found.problems.push(problem);
        }
    }
    found
}

fn look_at(path: &Path, library: &Path, found: &mut Found) -> Result<(), Problem> {
    if path.is_dir() {
        return look_into(path, found);
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str().unwrap_or_default() {
        "json" if path.file_name().is_some_and(|name| name == "generation.json") => {
            found.generation = path.parent().map(Path::to_owned);
        }
        "json" => found.views.extend(views_of_transforms(path)?),
        "glb" => {
            let textured = formats::glb::read(path).map_err(|error| problem_of(&error))?;
            found.restored = restored(&textured.provenance, path, library);
            found.opened = Some(opened_mesh(path, textured));
        }
        "ply" => found.opened = Some(opened_ply(path)?),
        "spz" => found.opened = Some(opened_splats(path, formats::spz::read(path))?),
        "obj" => found.opened = Some(opened_raw(path, formats::obj::read(path))?),
        "stl" => found.opened = Some(opened_raw(path, formats::stl::read(path))?),
        _ if is_picture(path) => found.views.push(View::new(path)),
        _ => return Err(not_readable(path)),
    }
    Ok(())
}

fn look_into(folder: &Path, found: &mut Found) -> Result<(), Problem> {
    if folder.join("generation.json").is_file() {
        found.generation = Some(folder.to_owned());
        return Ok(());
    }
    let transforms = folder.join("transforms.json");
    if transforms.is_file() {
        found.views.extend(views_of_transforms(&transforms)?);
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(|error| {
        Problem::with_hint(
            format!("The folder {} cannot be read: {error}.", folder.display()),
            "Check that it is still there and may be opened.",
        )
    })?;
    let mut pictures: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && is_picture(path))
        .collect();
    if pictures.is_empty() {
        return Err(Problem::with_hint(
            format!("There are no pictures in {}.", folder.display()),
            "Choose a folder with PNG, JPEG, WebP, BMP or TIFF files of one object.",
        ));
    }
    pictures.sort_by_key(|path| natural_key(path));
    if pictures.len() > MAX_FOLDER_PICTURES {
        let num_left_out = pictures.len() - MAX_FOLDER_PICTURES;
        pictures.truncate(MAX_FOLDER_PICTURES);
        found.problems.push(Problem::with_hint(
            format!("The folder holds {num_left_out} pictures more than are taken at once."),
            format!("The first {MAX_FOLDER_PICTURES} by name were added."),
        ));
    }
    found.views.extend(pictures.into_iter().map(View::new));
    Ok(())
}

fn views_of_transforms(path: &Path) -> Result<Vec<View>, Problem> {
    formats::transforms::read(path).map_err(|error| problem_of(&error))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn opened_mesh(path: &Path, textured: TexturedMesh) -> Opened {
    let health = MeshHealth::of(&textured.mesh);
    Opened {
        name: stem(path),
        asset: Asset {
            mesh: Some(Arc::clone(&textured.mesh)),
            provenance: textured.provenance.clone(),
            ..Asset::default()
        },
        finished: Some(Arc::new(Finished::as_made(textured, health))),
    }
}

fn opened_ply(path: &Path) -> Result<Opened, Problem> {
    match formats::ply::read_any(path) {
        Ok(PlyContent::Mesh(mesh)) => opened_raw(path, Ok(mesh)),
        Ok(PlyContent::Splats(splats)) => opened_splats(path, Ok(splats)),
        Err(error) => Err(problem_of(&error)),
    }
}

fn opened_splats(path: &Path, read: Result<bozzetto_asset::GaussianSplats, FormatError>) -> Result<Opened, Problem> {
    let splats = read.map_err(|error| problem_of(&error))?;
    let asset = Asset {
        splats: Some(Arc::new(splats)),
        ..Asset::default()
    };
    Ok(Opened {
        name: stem(path),
        asset,
        finished: None,
    })
}

fn opened_raw(path: &Path, read: Result<bozzetto_asset::TriMesh, FormatError>) -> Result<Opened, Problem> {
    let mesh = read.map_err(|error| problem_of(&error))?;
    let asset = Asset {
        mesh: Some(Arc::new(mesh)),
        ..Asset::default()
    };
    Ok(Opened {
        name: stem(path),
        asset,
        finished: None,
    })
}

/// The settings that made a GLB, with its pictures looked up beside it and in the library.
fn restored(provenance: &Provenance, glb: &Path, library: &Path) -> Option<Restored> {
    if provenance.engine.is_empty() {
        return None;
    }
    let mut restored = Restored {
        engine: provenance.engine.clone(),
        params: params_of(provenance),
        seed: provenance.seed,
        ..Restored::default()
    };
    let saved = generation::list(library);
    let in_library = || {
        saved
            .iter()
            .flatten()
            .flat_map(|generation| generation.view_files.iter().cloned())
    };
    for record in &provenance.views {
        let beside = glb.with_file_name(&record.name);
        let candidates = std::iter::once(beside).chain(in_library().filter(|path| ends_like(path, &record.name)));
        match candidates.into_iter().find(|path| has_hash(path, record)) {
            Some(path) => restored.views.push(record.to_view(path)),
            None => restored.missing.push(record.name.clone()),
        }
    }
    Some(restored)
}

/// Parameters as provenance keeps them.
pub fn params_of(provenance: &Provenance) -> ParamValues {
    let values = provenance.parameters.iter().filter_map(|(key, value)| {
        let value = serde_json::from_value::<ParamValue>(value.clone()).ok()?;
        Some((key.clone(), value))
    });
    ParamValues(values.collect())
}

/// The library puts a number before the names of its copies, so that two pictures of one name can lie side by side.
fn ends_like(path: &Path, name: &str) -> bool {
    path.file_name()
        .is_some_and(|file| file.to_string_lossy().ends_with(name))
}

fn has_hash(path: &Path, record: &ViewRecord) -> bool {
    path.is_file() && files::sha256_of_file(path).is_ok_and(|hash| hash == record.sha256)
}

fn problem_of(error: &FormatError) -> Problem {
    Problem::new(error.to_string())
}

/// By its extension, or by its first bytes where the extension says nothing.
pub(crate) fn is_picture(path: &Path) -> bool {
    if image::ImageFormat::from_path(path).is_ok_and(|format| format.reading_enabled()) {
        return true;
    }
    let mut start = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| std::io::Read::read_to_end(&mut std::io::Read::take(file, 64), &mut start));
    read.is_ok() && image::guess_format(&start).is_ok_and(|format| format.reading_enabled())
}

fn not_readable(path: &Path) -> Problem {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    match path.metadata() {
        Err(error) => Problem::with_hint(format!("'{name}' cannot be opened: {error}."), hint_for(path)),
        Ok(_) => Problem::with_hint(
            format!("'{name}' is nothing that Bozzetto reads."),
            "It reads PNG, JPEG, WebP, BMP and TIFF pictures, transforms.json, and GLB, OBJ, STL, PLY and SPZ files.",
        ),
    }
}

/// Sorts `view2` before `view10`, and ignores case.
pub(crate) fn natural_key(path: &Path) -> Vec<(String, u64)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut parts = vec![(String::new(), 0_u64)];
    let mut ends_in_digits = false;
    for character in name.chars() {
        if ends_in_digits && !character.is_ascii_digit() {
            parts.push((String::new(), 0));
        }
        ends_in_digits = character.is_ascii_digit();
        // The list is never empty: it starts with a part.
        if let Some((text, number)) = parts.last_mut() {
            match character.to_digit(10) {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(u64::from(digit)),
                None => text.push(character),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use bozzetto_asset::{Camera, MatteSettings, Projection};

    fn write_picture(path: &Path) {
        image::RgbaImage::new(4, 4).save(path).expect("can be written");
    }

    #[test]
    fn folders_give_their_pictures_in_the_order_an_artist_counts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["view10.png", "View2.png", "view1.png"] {
            write_picture(&folder.path().join(name));
        }
        std::fs::write(folder.path().join("notes.txt"), "hello").expect("can be written");
        let found = find(&[folder.path().to_owned()], folder.path());
        let names: Vec<_> = found.views.iter().map(View::name).collect();
        assert_eq!(names, ["view1.png", "View2.png", "view10.png"]);
        assert!(found.problems.is_empty());
    }

    #[test]
    fn each_thing_that_cannot_be_opened_gives_a_sentence_and_the_rest_is_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        write_picture(&path("good.png"));
        std::fs::copy(path("good.png"), path("no_extension")).expect("can be copied");
        std::fs::write(path("notes.txt"), "hello").expect("can be written");
        std::fs::create_dir(path("empty")).expect("can be made");
        std::fs::write(path("broken.glb"), "glTF").expect("can be written");
        let paths = [
            "notes.txt",
            "good.png",
            "empty",
            "gone.png.bak",
            "no_extension",
            "broken.glb",
        ]
        .map(path);
        let found = find(&paths, folder.path());
        let names: Vec<_> = found.views.iter().map(View::name).collect();
        assert_eq!(names, ["good.png", "no_extension"]);
        let sentences: Vec<_> = found.problems.iter().map(|problem| problem.sentence.as_str()).collect();
        assert_eq!(sentences.len(), 4, "{sentences:?}");
        for (sentence, wanted) in sentences
            .iter()
            .zip(["notes.txt", "empty", "gone.png.bak", "broken.glb"])
        {
            assert!(sentence.contains(wanted), "{sentence}");
        }
    }

    #[test]
    fn a_glb_brings_its_settings_and_pictures_back_by_content() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let picture = folder.path().join("front.png");
        write_picture(&picture);
        let camera = Camera::orbit(0.4, 0.2, 2.0, Projection::Perspective { fov_y_rad: 0.6 }, 1.0);
        let matte = MatteSettings {
            threshold: 0.3,
            ..MatteSettings::default()
        };
        let record = |name: &str, sha256: String| ViewRecord {
            name: name.to_owned(),
            sha256,
            direction: "left".to_owned(),
            camera: Some(camera),
            matte,
            weight: 0.25,
        };
        let provenance = Provenance {
            engine: "hull".into(),
            seed: 5,
            parameters: [("carve.resolution".to_owned(), serde_json::json!(64))].into(),
            views: vec![
                record("front.png", files::sha256_of_file(&picture).expect("can be read")),
                record("front.png", "of another picture".into()),
            ],
            ..Provenance::default()
        };
        let restored = restored(
            &provenance,
            &folder.path().join("thing.glb"),
            &folder.path().join("library"),
        );
        let restored = restored.expect("there is an engine");
        assert_eq!((restored.engine.as_str(), restored.seed), ("hull", 5));
        assert_eq!(restored.params.int("carve.resolution"), Some(64));
        assert_eq!(restored.views.len(), 1);
        let view = &restored.views[0];
        assert_eq!(view.direction, Some(bozzetto_asset::Direction::Left));
        assert_eq!((view.camera, view.matte, view.weight), (Some(camera), matte, 0.25));
        assert_eq!(restored.missing, ["front.png"]);
        assert!(super::restored(&Provenance::default(), Path::new("a.glb"), Path::new("b")).is_none());
    }
}
