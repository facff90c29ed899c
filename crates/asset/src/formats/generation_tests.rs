use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::AlphaMode;
use crate::formats::test_support::{axes_mesh, textured_quad};

/// 2026-11-22 07:54:26 UTC.
const MOMENT: u64 = 1_795_334_066;

struct Bench {
    folder: tempfile::TempDir,
    asset: Asset,
    job: Value,
    thumbnail: RgbaImage,
    view_files: Vec<PathBuf>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("front.png");
        std::fs::write(&picture, b"a picture").unwrap();
        let view_files = vec![picture.clone(), folder.path().join("gone.png"), picture];
        Self {
            asset: Asset {
                mesh: Some(Arc::new(axes_mesh())),
                provenance: textured_quad(AlphaMode::Opaque).provenance,
                ..Asset::default()
            },
            job: json!({"engine": "hull", "parameters": {"carve.resolution": 64}}),
            thumbnail: RgbaImage::from_pixel(4, 4, image::Rgba([1, 2, 3, 4])),
            view_files,
            folder,
        }
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    fn save(&self, name: &str, created_unix_secs: u64) -> Result<Generation, FormatError> {
        let new = NewGeneration {
            name,
            created_unix_secs,
            job: &self.job,
            finish: &json!({"texture_px": 2048}),
            asset: &self.asset,
            thumbnail: &self.thumbnail,
            view_files: &self.view_files,
        };
        save(&self.library(), &new)
    }

    fn names_in_library(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.library()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_generation_is_restored_with_everything() {
    let bench = Bench::new();
    let saved = bench.save("Tiger, running!", MOMENT).unwrap();
    assert_eq!(saved.id, "20261122-075426-tiger-running");
    let (loaded, asset) = load(&saved.folder).unwrap();
    assert_eq!(loaded, saved);
    assert_eq!(loaded.job, bench.job);
    assert_eq!(loaded.finish, json!({"texture_px": 2048}));
    assert_eq!(loaded.provenance, bench.asset.provenance);
    assert_eq!(asset.mesh, bench.asset.mesh);
    assert_eq!(
        image::open(loaded.thumbnail_path()).unwrap().into_rgba8(),
        bench.thumbnail
    );
    // Copies keep their names, also twice the same; the missing one keeps its path.
    for copy in [&loaded.view_files[0], &loaded.view_files[2]] {
        assert!(copy.starts_with(&saved.folder) && copy.file_name().unwrap() == "front.png");
        assert_eq!(std::fs::read(copy).unwrap(), b"a picture");
    }
    assert_eq!(loaded.view_files[1], bench.view_files[1]);
}

#[test]
fn the_list_is_newest_first_and_names_damaged_folders() {
    let bench = Bench::new();
    assert!(list(&bench.library()).is_empty());
    let old = bench.save("old", MOMENT).unwrap();
    let damaged = bench.save("damaged", MOMENT + 60).unwrap();
    let twin = bench.save("new", MOMENT + 120).unwrap();
    let new = bench.save("new", MOMENT + 120).unwrap();
    std::fs::write(damaged.folder.join(INFO_FILE), b"{ \"format\": 1").unwrap();
    std::fs::create_dir(bench.library().join(".new-left-by-a-crash")).unwrap();
    std::fs::write(bench.library().join("notes.txt"), b"the artist's").unwrap();

    let entries = list(&bench.library());
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0].as_ref().unwrap().id, new.id);
    assert_eq!(entries[1].as_ref().unwrap().id, twin.id);
    assert!(entries[2].as_ref().unwrap_err().path().starts_with(&damaged.folder));
    assert_eq!(entries[3].as_ref().unwrap().id, old.id);
}

#[test]
fn a_generation_that_cannot_be_saved_leaves_nothing() {
    let mut bench = Bench::new();
    let mut mesh = axes_mesh();
    mesh.positions[0].x = f32::NAN;
    bench.asset.mesh = Some(Arc::new(mesh));
    assert!(matches!(
        bench.save("broken", MOMENT),
        Err(FormatError::Unwritable { .. })
    ));
    assert!(bench.names_in_library().is_empty());
}

#[test]
fn changes_are_written_back() {
    let bench = Bench::new();
    let mut generation = bench.save("before", MOMENT).unwrap();
    generation.name = "after".to_owned();
    generation.exported = json!([{"path": "out.glb"}]);
    update(&generation).unwrap();
    assert_eq!(load_info(&generation.folder).unwrap(), generation);
}

#[test]
fn deleting_takes_generations_only() {
    let bench = Bench::new();
    let generation = bench.save("", MOMENT).unwrap();
    assert!(matches!(
        delete(bench.folder.path()),
        Err(FormatError::NotRecognized { .. })
    ));
    assert!(bench.view_files[0].exists());
    std::fs::write(generation.folder.join(INFO_FILE), b"damaged").unwrap();
    delete(&generation.folder).unwrap();
    assert!(bench.names_in_library().is_empty());
}

#[test]
fn pictures_are_looked_for_inside_the_folder_only() {
    let folder = Path::new("/library/generation");
    let view = |path: &str| SavedView::Copy(path.to_owned()).path(folder);
    assert_eq!(view("views/00/a.png"), folder.join("views").join("00").join("a.png"));
    assert!(view("../../secret.png").starts_with(folder));
    assert!(view("/etc/passwd").starts_with(folder));
}

#[test]
fn a_newer_format_is_said_to_be_newer() {
    let bench = Bench::new();
    let generation = bench.save("future", MOMENT).unwrap();
    let path = generation.folder.join(INFO_FILE);
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("\"format\": 1", "\"format\": 2");
    std::fs::write(&path, text).unwrap();
    assert!(matches!(
        load_info(&generation.folder),
        Err(FormatError::Unsupported { .. })
    ));
}

#[test]
fn dates_are_right_around_leap_days() {
    for (secs, expected) in [
        (0, (1970, 1, 1)),
        (951_782_400, (2000, 2, 29)),
        (951_868_800, (2000, 3, 1)),
        (4_107_542_399, (2100, 2, 28)),
        (4_107_542_400, (2100, 3, 1)),
        (MOMENT, (2026, 11, 22)),
    ] {
        assert_eq!(civil_from_days(secs / 86_400), expected);
    }
    assert!(stem(0, "🦊 / \\ ..").ends_with("-untitled"));
}
