use std::path::Path;
use std::sync::Arc;

use bozzetto_asset::formats::glb::GlbOptions;
use bozzetto_asset::formats::{FormatError, glb, obj, ply, spz, stl, three_mf};
use bozzetto_asset::{GaussianSplats, TexturedMesh};
use bozzetto_mesh::MeshHealth;

use super::{ExportFormat, ExportSettings};

/// Writes a mesh at its size and about its origin. A GLB takes the health along where it is known.
///
/// # Errors
/// What the format cannot hold, and what the system refuses.
pub fn write_mesh(
    path: &Path,
    textured: &TexturedMesh,
    health: Option<&MeshHealth>,
    settings: &ExportSettings,
) -> Result<(), FormatError> {
    let placed = placed(textured, settings);
    match settings.format {
        ExportFormat::Glb => glb::write(path, &placed, &glb_options(textured, health, settings)),
        ExportFormat::Obj => obj::write(path, &placed, settings.unit),
        ExportFormat::Stl => stl::write(path, &placed.mesh, settings.unit),
        ExportFormat::ThreeMf => three_mf::write(path, &placed.mesh),
        ExportFormat::MeshPly => ply::write_mesh(path, &placed, settings.unit),
        ExportFormat::Ply | ExportFormat::Spz => Err(nothing_for(path, settings.format)),
    }
}

/// Writes splats, which are as large and where they were generated.
///
/// # Errors
/// What the format cannot hold, and what the system refuses.
pub fn write_splats(path: &Path, splats: &GaussianSplats, format: ExportFormat) -> Result<(), FormatError> {
    match format {
        ExportFormat::Ply => ply::write(path, splats),
        ExportFormat::Spz => spz::write(path, splats),
        _ => Err(nothing_for(path, format)),
    }
}

/// Bytes that a mesh takes in a format that is one file; `None` for those that are several.
///
/// # Errors
/// What the format cannot hold.
pub fn encoded_size(
    textured: &TexturedMesh,
    health: Option<&MeshHealth>,
    settings: &ExportSettings,
) -> Result<Option<u64>, FormatError> {
    let placed = placed(textured, settings);
    let bytes = match settings.format {
        ExportFormat::Glb => glb::encode(&placed, &glb_options(textured, health, settings))?,
        ExportFormat::Stl => stl::encode(&placed.mesh, settings.unit)?,
        ExportFormat::ThreeMf => three_mf::encode(&placed.mesh)?,
        ExportFormat::MeshPly => ply::encode_mesh(&placed, settings.unit)?,
        ExportFormat::Obj | ExportFormat::Ply | ExportFormat::Spz => return Ok(None),
    };
    Ok(Some(bytes.len() as u64))
}

fn placed(textured: &TexturedMesh, settings: &ExportSettings) -> TexturedMesh {
    TexturedMesh {
        mesh: settings.placement.placed(&textured.mesh),
        material: textured.material.clone(),
        provenance: textured.provenance.clone(),
        coverage: Arc::clone(&textured.coverage),
    }
}

fn glb_options(textured: &TexturedMesh, health: Option<&MeshHealth>, settings: &ExportSettings) -> GlbOptions {
    let scaled = health.map(|health| health.scaled(settings.placement.scale(&textured.mesh)));
    GlbOptions {
        texture_format: settings.texture_format,
        is_quantized: settings.is_quantized,
        is_compressed: settings.is_compressed,
        health: scaled.and_then(|health| serde_json::to_value(health).ok()),
    }
}

fn nothing_for(path: &Path, format: ExportFormat) -> FormatError {
    FormatError::Unwritable {
        path: path.to_owned(),
        reason: format!("this result has nothing that {} can hold", format.label()),
    }
}

#[cfg(test)]
mod tests {
    use bozzetto_asset::{LengthUnit, Pivot, TriMesh};
    use glam::Vec3;

    use super::*;

    /// A tetrahedron with edges of 1 m along the axes, beside the origin.
    fn tetrahedron() -> TexturedMesh {
        let corners = [Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z].map(|corner| corner + Vec3::new(3.0, 1.0, 0.0));
        let triangles = vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];
        TexturedMesh {
            mesh: Arc::new(TriMesh::new(corners.to_vec(), triangles)),
            ..TexturedMesh::default()
        }
    }

    fn small_and_standing(format: ExportFormat) -> ExportSettings {
        let mut settings = ExportSettings {
            format,
            unit: LengthUnit::Millimetre,
            ..ExportSettings::default()
        };
        settings.placement.longest_side = Some(0.2);
        settings.placement.pivot = Pivot::Bottom;
        settings
    }

    #[test]
    fn every_mesh_format_is_written_at_its_size_and_about_its_origin() {
        let folder = tempfile::tempdir().expect("a folder");
        let textured = tetrahedron();
        for format in ExportFormat::ALL.into_iter().filter(|format| !format.holds_splats()) {
            let path = folder.path().join("a").with_extension(format.extension());
            let settings = small_and_standing(format);
            write_mesh(&path, &textured, None, &settings).expect("written");
            let bounds = match format {
                ExportFormat::Glb => glb::read(&path).expect("reads back").mesh.bounds(),
                ExportFormat::Obj => obj::read(&path).expect("reads back").bounds(),
                ExportFormat::Stl => stl::read(&path).expect("reads back").bounds(),
                ExportFormat::MeshPly => ply::read_mesh(&path).expect("reads back").bounds(),
                // Its own test looks into the file.
                _ => continue,
            };
            let (low, high) = bounds.expect("corners");
            let unit = if format.lacks_unit() { 1000.0 } else { 1.0 };
            let expected = [Vec3::new(-0.1, 0.0, -0.1) * unit, Vec3::new(0.1, 0.2, 0.1) * unit];
            assert!(
                low.abs_diff_eq(expected[0], 1e-4) && high.abs_diff_eq(expected[1], 1e-4),
                "{format:?} {low} {high}"
            );
            let size = encoded_size(&textured, None, &settings).expect("fits");
            let written = path.metadata().expect("there").len();
            assert_eq!(size, (format != ExportFormat::Obj).then_some(written), "{format:?}");
        }
    }

    #[test]
    fn the_health_that_a_glb_takes_along_is_of_the_size_it_is_written_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.glb");
        let textured = tetrahedron();
        let health = MeshHealth::of(&textured.mesh);
        let settings = small_and_standing(ExportFormat::Glb);
        write_mesh(&path, &textured, Some(&health), &settings).expect("written");
        let facts = glb::facts(&path).expect("described");
        let told: MeshHealth = serde_json::from_value(facts.health.expect("taken along")).expect("is a health");
        let expected = MeshHealth::of(&glb::read(&path).expect("reads back").mesh);
        assert!(
            (told.signed_volume / expected.signed_volume - 1.0).abs() < 1e-5,
            "{told:?} {expected:?}"
        );
        assert_eq!((told.num_faces, told.is_watertight), (4, true));
        assert_eq!(told.num_draw_calls, facts.num_draw_calls);
        assert_eq!(told.file_bytes, path.metadata().ok().map(|metadata| metadata.len()));
    }

    #[test]
    fn what_a_format_cannot_hold_is_a_sentence() {
        let path = Path::new("a.spz");
        let mesh = write_mesh(path, &tetrahedron(), None, &small_and_standing(ExportFormat::Spz));
        let splats = write_splats(path, &GaussianSplats::default(), ExportFormat::Glb);
        for (result, format) in [(mesh, "SPZ"), (splats, "GLB")] {
            let error = result.expect_err("refused").to_string();
            assert!(error.contains(format) && error.contains("nothing that"), "{error}");
        }
    }
}
