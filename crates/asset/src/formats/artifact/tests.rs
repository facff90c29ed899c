use image::{GrayImage, RgbImage};
use proptest::prelude::*;

use super::*;
use crate::formats::splat_frame::tests::axes_scene;
use crate::formats::test_support::{axes_mesh, mutated, never_panics, textured_quad};
use crate::{AlphaMode, Direction, Projection};

fn volume() -> PbrVolume {
    PbrVolume {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / 64.0,
        resolution: 64,
        coords: vec![IVec3::new(63, 0, 0), IVec3::new(0, 63, 0), IVec3::new(0, 0, 63)],
        samples: [Vec3::X, Vec3::Y, Vec3::Z]
            .map(|color| PbrSample {
                base_color: color.into(),
                alpha: 1.0,
                metallic: 0.25,
                roughness: 0.5,
            })
            .to_vec(),
    }
}

fn structure() -> SparseStructure {
    SparseStructure {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / 64.0,
        resolution: 64,
        coords: volume().coords,
        colors: Vec::new(),
    }
}

#[test]
fn a_broken_structure_is_neither_written_nor_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("structure.safetensors");
    let mut broken = structure();
    broken.coords[1].y = 64;
    assert!(matches!(
        write_structure(&path, &broken),
        Err(FormatError::Unwritable { .. })
    ));
    let (mut list, mut notes) = (TensorList::default(), Notes::default());
    push_structure(&mut list, &mut notes, &broken);
    list.write(&path, &notes).unwrap();
    assert!(matches!(read_structure(&path), Err(FormatError::Damaged { .. })));
    write_volume(&path, &volume()).unwrap();
    let error = read_structure(&path).unwrap_err().to_string();
    assert!(error.contains("where its voxels lie"), "{error}");
}

fn asset() -> Asset {
    Asset {
        splats: Some(Arc::new(axes_scene(3))),
        mesh: Some(Arc::new(axes_mesh())),
        material: None,
        volume: Some(Arc::new(volume())),
        cameras: vec![Camera::orbit(
            0.3,
            0.1,
            2.0,
            Projection::Orthographic { height: 1.2 },
            1.5,
        )],
        provenance: textured_quad(AlphaMode::Opaque).provenance,
    }
}

fn view(name: &str, width: u32) -> PreparedView {
    PreparedView {
        name: name.to_owned(),
        color: Arc::new(RgbImage::from_fn(width, 3, |x, y| image::Rgb([x as u8, y as u8, 77]))),
        matte: Arc::new(GrayImage::from_fn(width, 3, |x, y| image::Luma([(x * y * 20) as u8]))),
        direction: Some(Direction::Left),
        camera: Some(Camera::orbit(
            1.0,
            0.0,
            2.0,
            Projection::Perspective { fov_y_rad: 0.7 },
            2.0,
        )),
        weight: 0.5,
    }
}

#[test]
fn an_asset_survives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let asset = asset();
    write_asset(folder.path(), &asset).unwrap();
    let back = read_asset(folder.path()).unwrap();
    assert_eq!(back.splats, asset.splats);
    assert_eq!(back.mesh, asset.mesh);
    assert_eq!(back.volume, asset.volume);
    assert_eq!(back.cameras, asset.cameras);
    assert_eq!(back.provenance, asset.provenance);
}

#[test]
fn parts_that_an_asset_lacks_stay_away_and_the_same_asset_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let asset = Asset {
        splats: None,
        volume: None,
        ..asset()
    };
    write_asset(folder.path(), &asset).unwrap();
    let back = read_asset(folder.path()).unwrap();
    assert!(back.splats.is_none() && back.volume.is_none() && back.mesh.is_some());
    let first = std::fs::read(folder.path().join(ASSET_FILE)).unwrap();
    write_asset(folder.path(), &asset).unwrap();
    assert_eq!(std::fs::read(folder.path().join(ASSET_FILE)).unwrap(), first);
}

#[test]
fn a_textured_mesh_survives_and_contradictions_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let quad = textured_quad(AlphaMode::Mask { cutoff: 0.25 });
    let asset = Asset {
        mesh: Some(Arc::clone(&quad.mesh)),
        material: Some(Arc::new(quad.material.clone())),
        ..Asset::default()
    };
    write_asset(folder.path(), &asset).unwrap();
    let back = read_asset(folder.path()).unwrap().textured().unwrap();
    assert_eq!(back.mesh, quad.mesh);
    assert_eq!(back.material.base_color, quad.material.base_color);
    assert_eq!(back.material.orm, quad.material.orm);
    assert_eq!(back.material.normal, quad.material.normal);
    assert_eq!(back.material.alpha_mode, AlphaMode::Mask { cutoff: 0.25 });
    let mut smaller = quad.material.clone();
    smaller.orm = Some(Arc::new(RgbImage::new(1, 1)));
    for (mesh, material) in [(axes_mesh(), quad.material.clone()), ((*quad.mesh).clone(), smaller)] {
        let broken = Asset {
            mesh: Some(Arc::new(TriMesh {
                uvs: if mesh == *quad.mesh {
                    mesh.uvs.clone()
                } else {
                    Vec::new()
                },
                ..mesh
            })),
            material: Some(Arc::new(material)),
            ..Asset::default()
        };
        let written = write_asset(folder.path(), &broken);
        assert!(matches!(written, Err(FormatError::Unwritable { .. })), "{written:?}");
    }
}

#[test]
fn single_parts_survive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.safetensors");
    for degree in 0..=3 {
        write_splats(&path, &axes_scene(degree)).unwrap();
        assert_eq!(read_splats(&path).unwrap(), axes_scene(degree));
    }
    write_splats(&path, &GaussianSplats::default()).unwrap();
    assert!(read_splats(&path).unwrap().is_empty());
    let quad = textured_quad(AlphaMode::Opaque).mesh;
    write_mesh(&path, &quad).unwrap();
    assert_eq!(read_mesh(&path).unwrap(), *quad);
    write_volume(&path, &volume()).unwrap();
    assert_eq!(read_volume(&path).unwrap(), volume());
    for colors in [Vec::new(), vec![Vec3::X, Vec3::Y, Vec3::Z]] {
        let structure = SparseStructure { colors, ..structure() };
        write_structure(&path, &structure).unwrap();
        assert_eq!(read_structure(&path).unwrap(), structure);
    }
    assert!(read_mesh(&path).unwrap_err().to_string().contains("mesh.positions"));
}

#[test]
fn prepared_views_survive_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.safetensors");
    let mut views = vec![view("front.png", 4), view("left.png", 7)];
    views[1].camera = None;
    write_views(&path, &views).unwrap();
    let back = read_views(&path).unwrap();
    assert_eq!(back.len(), 2);
    for (read, written) in back.iter().zip(&views) {
        assert_eq!(read.name, written.name);
        assert_eq!((&read.color, &read.matte), (&written.color, &written.matte));
        assert_eq!(
            (read.direction, read.camera, read.weight),
            (written.direction, written.camera, written.weight)
        );
    }
    views[0].matte = Arc::new(GrayImage::new(1, 1));
    assert!(matches!(
        write_views(&path, &views),
        Err(FormatError::Unwritable { .. })
    ));
}

/// Writes a file around all checks, as a faulty worker would.
fn write_unchecked(path: &Path, mesh: &TriMesh, volume: &PbrVolume) {
    let (mut list, mut notes) = (TensorList::default(), Notes::default());
    push_mesh(&mut list, mesh);
    push_volume(&mut list, &mut notes, volume);
    list.write(path, &notes).unwrap();
}

#[test]
fn what_a_faulty_worker_writes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.safetensors");
    let broken: [fn(&mut TriMesh, &mut PbrVolume); 6] = [
        |mesh, _| mesh.triangles[1][2] = 1000,
        |mesh, _| mesh.positions[0].y = f32::NAN,
        |mesh, _| mesh.normals[2].z = f32::INFINITY,
        |mesh, _| mesh.colors.truncate(2),
        |_, volume| volume.coords[0].x = 64,
        |_, volume| volume.samples[1].alpha = f32::NAN,
    ];
    for (index, break_it) in broken.into_iter().enumerate() {
        let (mut mesh, mut volume) = (axes_mesh(), volume());
        break_it(&mut mesh, &mut volume);
        write_unchecked(&path, &mesh, &volume);
        let results = [read_mesh(&path).err(), read_volume(&path).err()];
        assert!(
            matches!(results[usize::from(index >= 4)], Some(FormatError::Damaged { .. })),
            "{index} {results:?}"
        );
        assert!(results[usize::from(index < 4)].is_none(), "{index} {results:?}");
        assert!(matches!(write_mesh(&path, &mesh), Err(FormatError::Unwritable { .. })) == (index < 4));
    }
}

#[test]
fn missing_empty_and_short_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read_asset(folder.path()), Err(FormatError::Read { .. })));
    let path = folder.path().join(ASSET_FILE);
    write_asset(folder.path(), &asset()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 4, 8, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = read_asset(folder.path()).unwrap_err();
        assert!(matches!(error, FormatError::Damaged { .. }), "{error}");
        assert_eq!(error.path(), path);
    }
    assert!(matches!(read_mesh(folder.path()), Err(FormatError::Read { .. })));
}

proptest! {
    #[test]
    fn bad_bytes_never_panic(bytes in mutated({
        let folder = tempfile::tempdir().unwrap();
        write_asset(folder.path(), &asset()).unwrap();
        std::fs::read(folder.path().join(ASSET_FILE)).unwrap()
    })) {
        never_panics(&bytes, |bytes| {
            let (file, notes) = TensorFile::parse(bytes)?;
            let mesh = mesh_of(&file)?;
            assert!(mesh.is_consistent());
            splats_of(&file, &notes)?;
            volume_of(&file, &notes)?;
            views::read(&file, notes.views).map(|views| views.len())
        })?;
    }
}
