//! Arrays on the worker border and in saved generations: safetensors files.
//!
//! | tensor | shape | type |
//! | --- | --- | --- |
//! | `mesh.positions`, `mesh.normals`, `mesh.colors` | `[V, 3]` | F32 |
//! | `mesh.uvs` | `[V, 2]` | F32 |
//! | `mesh.tangents` | `[V, 4]` | F32 |
//! | `mesh.triangles` | `[F, 3]` | U32 |
//! | `splats.positions`, `splats.log_scales` | `[N, 3]` | F32 |
//! | `splats.rotations` (w, x, y, z) | `[N, 4]` | F32 |
//! | `splats.opacities` | `[N]` | F32 |
//! | `splats.sh` | `[N, (degree + 1)^2, 3]` | F32 |
//! | `volume.coords` | `[N, 3]` | I32 |
//! | `volume.samples` (red, green, blue, alpha, metallic, roughness) | `[N, 6]` | F32 |
//! | `structure.coords` | `[N, 3]` | I32 |
//! | `structure.colors` | `[N, 3]` | F32 |
//! | `material.base_color` | `[H, W, 4]` | U8 |
//! | `material.orm`, `material.normal` | `[H, W, 3]` | U8 |
//! | `view.0000.color`, `view.0001.color`, ... | `[H, W, 3]` | U8 |
//! | `view.0000.matte`, ... | `[H, W]` | U8 |
//!
//! Attributes that a mesh or a structure does not have are left out. What is no array (the placement of a volume and of
//! a structure, cameras, factors of a material, provenance, names of views) is JSON under the metadata key `bozzetto`. A file may hold any of the parts; readers take theirs
//! and pass over the rest, so that a new part breaks no older reader.
//! Everything is checked before it is used: shapes, types, lengths against one another, indices, finite numbers.

mod material;
mod tensors;
mod views;

use std::path::Path;
use std::sync::Arc;

use glam::{IVec3, Quat, Vec2, Vec3};
use serde::{Deserialize, Serialize};

use super::FormatError;
use super::mapped::Mapped;
use crate::{
    Asset, Camera, GaussianSplats, PbrSample, PbrVolume, PreparedView, Provenance, SparseStructure, SplatFilter,
    TriMesh,
};
use tensors::{TensorFile, TensorList};

/// Name of the file that [`write_asset`] makes in its folder.
pub const ASSET_FILE: &str = "asset.safetensors";

const BROKEN_STRUCTURE: &str = "its voxels contradict themselves or hold values that are not finite numbers";

/// What the parts need besides arrays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Notes {
    #[serde(skip_serializing_if = "Option::is_none")]
    splat_filter: Option<SplatFilter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<VoxelPlacement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structure: Option<VoxelPlacement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    material: Option<material::MaterialNotes>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cameras: Vec<Camera>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<Provenance>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    views: Vec<views::ViewNotes>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct VoxelPlacement {
    origin: Vec3,
    voxel_size: f32,
    resolution: u32,
}

/// Writes everything that an asset holds as [`ASSET_FILE`] in a folder.
///
/// # Errors
/// Parts that contradict themselves or hold values that are not finite, and what the system refuses.
pub fn write_asset(folder: &Path, asset: &Asset) -> Result<(), FormatError> {
    let mut list = TensorList::default();
    let mut notes = Notes {
        cameras: asset.cameras.clone(),
        provenance: Some(asset.provenance.clone()),
        ..Notes::default()
    };
    if let Some(mesh) = &asset.mesh {
        push_mesh(&mut list, mesh);
    }
    if let Some(splats) = &asset.splats {
        push_splats(&mut list, &mut notes, splats);
    }
    if let Some(volume) = &asset.volume {
        push_volume(&mut list, &mut notes, volume);
    }
    if let Some(material) = &asset.material {
        material::push(&mut list, &mut notes, material);
    }
    let path = folder.join(ASSET_FILE);
    check_cameras(&asset.cameras)
        .and_then(|()| material::check(asset.mesh.as_deref(), asset.material.as_deref()))
        .and_then(|()| check_parts(asset.mesh.as_deref(), asset.splats.as_deref(), asset.volume.as_deref()))
        .map_err(|reason| FormatError::unwritable(reason).at(&path))?;
    list.write(&path, &notes)
}

/// Reads what [`write_asset`] wrote.
///
/// # Errors
/// [`FormatError`] with the file and what is wrong in it.
pub fn read_asset(folder: &Path) -> Result<Asset, FormatError> {
    from_file(&folder.join(ASSET_FILE), |file, notes| {
        check_cameras(&notes.cameras).map_err(FormatError::damaged)?;
        let part = |prefix: &str| file.has(&format!("{prefix}.positions"));
        let mesh = part("mesh").then(|| mesh_of(file)).transpose()?;
        let material = material::of(file, notes.material.as_ref())?;
        material::check(mesh.as_ref(), material.as_ref()).map_err(FormatError::damaged)?;
        Ok(Asset {
            splats: part("splats")
                .then(|| splats_of(file, &notes))
                .transpose()?
                .map(Arc::new),
            mesh: mesh.map(Arc::new),
            material: material.map(Arc::new),
            volume: file
                .has("volume.coords")
                .then(|| volume_of(file, &notes))
                .transpose()?
                .map(Arc::new),
            cameras: notes.cameras,
            provenance: notes.provenance.unwrap_or_default(),
        })
    })
}

/// Writes a mesh to a file.
pub fn write_mesh(path: &Path, mesh: &TriMesh) -> Result<(), FormatError> {
    check_parts(Some(mesh), None, None).map_err(|reason| FormatError::unwritable(reason).at(path))?;
    let mut list = TensorList::default();
    push_mesh(&mut list, mesh);
    list.write(path, &Notes::default())
}

/// Reads a mesh from a file.
pub fn read_mesh(path: &Path) -> Result<TriMesh, FormatError> {
    from_file(path, |file, _| mesh_of(file))
}

/// Writes splats to a file.
pub fn write_splats(path: &Path, splats: &GaussianSplats) -> Result<(), FormatError> {
    check_parts(None, Some(splats), None).map_err(|reason| FormatError::unwritable(reason).at(path))?;
    let (mut list, mut notes) = (TensorList::default(), Notes::default());
    push_splats(&mut list, &mut notes, splats);
    list.write(path, &notes)
}

/// Reads splats from a file.
pub fn read_splats(path: &Path) -> Result<GaussianSplats, FormatError> {
    from_file(path, |file, notes| splats_of(file, &notes))
}

/// Writes a volume to a file.
pub fn write_volume(path: &Path, volume: &PbrVolume) -> Result<(), FormatError> {
    check_parts(None, None, Some(volume)).map_err(|reason| FormatError::unwritable(reason).at(path))?;
    let (mut list, mut notes) = (TensorList::default(), Notes::default());
    push_volume(&mut list, &mut notes, volume);
    list.write(path, &notes)
}

/// Reads a volume from a file.
pub fn read_volume(path: &Path) -> Result<PbrVolume, FormatError> {
    from_file(path, |file, notes| volume_of(file, &notes))
}

/// Writes a sparse structure to a file.
pub fn write_structure(path: &Path, structure: &SparseStructure) -> Result<(), FormatError> {
    if !structure.is_consistent() {
        return Err(FormatError::unwritable(BROKEN_STRUCTURE).at(path));
    }
    let (mut list, mut notes) = (TensorList::default(), Notes::default());
    push_structure(&mut list, &mut notes, structure);
    list.write(path, &notes)
}

/// Reads a sparse structure from a file.
pub fn read_structure(path: &Path) -> Result<SparseStructure, FormatError> {
    from_file(path, |file, notes| structure_of(file, &notes))
}

/// Writes prepared views to one file.
pub fn write_views(path: &Path, prepared: &[PreparedView]) -> Result<(), FormatError> {
    views::write(path, prepared)
}

/// Reads prepared views from one file.
pub fn read_views(path: &Path) -> Result<Vec<PreparedView>, FormatError> {
    from_file(path, |file, notes| views::read(file, notes.views))
}

fn from_file<T>(
    path: &Path,
    read: impl FnOnce(&TensorFile<'_>, Notes) -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    let bytes = Mapped::open(path)?;
    let (file, notes) = TensorFile::parse(&bytes).map_err(|error| error.at(path))?;
    read(&file, notes).map_err(|error| error.at(path))
}

fn push_mesh<'a>(list: &mut TensorList<'a>, mesh: &'a TriMesh) {
    list.push("mesh.positions", &[3], &mesh.positions);
    list.push("mesh.triangles", &[3], &mesh.triangles);
    list.push_optional("mesh.normals", &[3], &mesh.normals);
    list.push_optional("mesh.uvs", &[2], &mesh.uvs);
    list.push_optional("mesh.colors", &[3], &mesh.colors);
    list.push_optional("mesh.tangents", &[4], &mesh.tangents);
}

fn mesh_of(file: &TensorFile<'_>) -> Result<TriMesh, FormatError> {
    let mesh = TriMesh {
        positions: file.rows::<Vec3>("mesh.positions", &[3])?,
        triangles: file.rows::<[u32; 3]>("mesh.triangles", &[3])?,
        normals: file.optional_rows::<Vec3>("mesh.normals", &[3])?,
        uvs: file.optional_rows::<Vec2>("mesh.uvs", &[2])?,
        colors: file.optional_rows::<Vec3>("mesh.colors", &[3])?,
        tangents: file.optional_rows::<[f32; 4]>("mesh.tangents", &[4])?,
    };
    check_parts(Some(&mesh), None, None).map_err(FormatError::damaged)?;
    Ok(mesh)
}

fn push_splats<'a>(list: &mut TensorList<'a>, notes: &mut Notes, splats: &'a GaussianSplats) {
    notes.splat_filter = Some(splats.filter);
    list.push("splats.positions", &[3], &splats.positions);
    list.push("splats.log_scales", &[3], &splats.log_scales);
    let wxyz: Vec<[f32; 4]> = splats.rotations.iter().map(|q| [q.w, q.x, q.y, q.z]).collect();
    list.push_copy("splats.rotations", &[4], &wxyz);
    list.push("splats.opacities", &[], &splats.opacities);
    list.push_grouped("splats.sh", &[splats.num_sh_coefficients(), 3], &splats.sh);
}

fn splats_of(file: &TensorFile<'_>, notes: &Notes) -> Result<GaussianSplats, FormatError> {
    let rotations = file.rows::<[f32; 4]>("splats.rotations", &[4])?;
    let num_coefficients = file.shape("splats.sh")?.get(1).copied().unwrap_or_default();
    let Some(sh_degree) = (0..=3_u8).find(|degree| (usize::from(*degree) + 1).pow(2) == num_coefficients) else {
        return Err(FormatError::damaged(format!(
            "its splats have {num_coefficients} colour coefficients, not 1, 4, 9 or 16"
        )));
    };
    let splats = GaussianSplats {
        positions: file.rows::<Vec3>("splats.positions", &[3])?,
        log_scales: file.rows::<Vec3>("splats.log_scales", &[3])?,
        rotations: rotations
            .into_iter()
            .map(|[w, x, y, z]| Quat::from_xyzw(x, y, z, w))
            .collect(),
        opacities: file.rows::<f32>("splats.opacities", &[])?,
        sh_degree,
        sh: file.rows::<[f32; 3]>("splats.sh", &[num_coefficients, 3])?,
        filter: notes.splat_filter.unwrap_or_default(),
    };
    check_parts(None, Some(&splats), None).map_err(FormatError::damaged)?;
    Ok(splats)
}

fn push_volume<'a>(list: &mut TensorList<'a>, notes: &mut Notes, volume: &'a PbrVolume) {
    notes.volume = Some(VoxelPlacement {
        origin: volume.origin,
        voxel_size: volume.voxel_size,
        resolution: volume.resolution,
    });
    list.push("volume.coords", &[3], &volume.coords);
    list.push("volume.samples", &[6], &volume.samples);
}

fn volume_of(file: &TensorFile<'_>, notes: &Notes) -> Result<PbrVolume, FormatError> {
    let placement = notes
        .volume
        .ok_or_else(|| FormatError::damaged("it does not tell where its volume lies"))?;
    let volume = PbrVolume {
        origin: placement.origin,
        voxel_size: placement.voxel_size,
        resolution: placement.resolution,
        coords: file.rows::<IVec3>("volume.coords", &[3])?,
        samples: file.rows::<PbrSample>("volume.samples", &[6])?,
    };
    check_parts(None, None, Some(&volume)).map_err(FormatError::damaged)?;
    Ok(volume)
}

fn push_structure<'a>(list: &mut TensorList<'a>, notes: &mut Notes, structure: &'a SparseStructure) {
    notes.structure = Some(VoxelPlacement {
        origin: structure.origin,
        voxel_size: structure.voxel_size,
        resolution: structure.resolution,
    });
    list.push("structure.coords", &[3], &structure.coords);
    list.push_optional("structure.colors", &[3], &structure.colors);
}

fn structure_of(file: &TensorFile<'_>, notes: &Notes) -> Result<SparseStructure, FormatError> {
    let placement = notes
        .structure
        .ok_or_else(|| FormatError::damaged("it does not tell where its voxels lie"))?;
    let structure = SparseStructure {
        origin: placement.origin,
        voxel_size: placement.voxel_size,
        resolution: placement.resolution,
        coords: file.rows::<IVec3>("structure.coords", &[3])?,
        colors: file.optional_rows::<Vec3>("structure.colors", &[3])?,
    };
    if structure.is_consistent() {
        Ok(structure)
    } else {
        Err(FormatError::damaged(BROKEN_STRUCTURE))
    }
}

/// What must hold of every part, whichever way it goes.
fn check_parts(
    mesh: Option<&TriMesh>,
    splats: Option<&GaussianSplats>,
    volume: Option<&PbrVolume>,
) -> Result<(), &'static str> {
    if let Some(mesh) = mesh {
        let is_finite = mesh.normals.iter().chain(&mesh.colors).all(|vector| vector.is_finite())
            && mesh.uvs.iter().all(|uv| uv.is_finite())
            && mesh.tangents.iter().flatten().all(|value| value.is_finite());
        if !mesh.is_consistent() || !is_finite {
            return Err("its mesh contradicts itself or holds values that are not finite numbers");
        }
    }
    if let Some(splats) = splats
        && super::splat_frame::check_writable(splats).is_err()
    {
        return Err("its splats contradict themselves or hold values that are not finite numbers");
    }
    if let Some(volume) = volume {
        let values: &[f32] = bytemuck::cast_slice(&volume.samples);
        if !volume.is_consistent() || !values.iter().all(|value| value.is_finite()) {
            return Err("its volume contradicts itself or holds values that are not finite numbers");
        }
    }
    Ok(())
}

fn check_cameras(cameras: &[Camera]) -> Result<(), &'static str> {
    if cameras.iter().all(Camera::is_usable) {
        Ok(())
    } else {
        Err("one of its cameras holds numbers that make no sense")
    }
}

#[cfg(test)]
mod tests;
