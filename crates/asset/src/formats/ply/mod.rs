//! PLY files: Gaussian splats as 3DGS writes them, and meshes.
//!
//! Splats come in the layout with 17 properties and the one with full spherical harmonics.
//! A row holds position, normal (unused), `f_dc_*`, `f_rest_*` (all red coefficients, then green, then blue), opacity
//! before the sigmoid, log scales and a (w, x, y, z) quaternion. Reading takes the properties in any order and of any
//! scalar type and skips what it does not know. Files are y-down and look along +Z as COLMAP's cameras do; both ways go
//! through the half turn `(x, y, z) -> (x, -y, -z)`. The header comment `bozzetto filter mip` records
//! [`SplatFilter::Mip`], which other programs ignore.
//!
//! The same ending stands for meshes: [`read_any`] tells the two apart by their columns. A mesh' file is z-up, see
//! [`write_mesh`].

mod header;
mod mesh;

pub use mesh::{decode_mesh, encode_mesh, read_mesh, write_mesh};

use std::path::Path;

use glam::{Quat, Vec3};
use rayon::prelude::*;

use super::splat_frame::{SH_SIGNS, check_writable, drop_broken, turned_point, turned_rotation};
use super::{FormatError, read_file};
use crate::{GaussianSplats, SplatFilter, TriMesh, files};
use header::{Element, Field, Header};

/// The header comment that records [`SplatFilter::Mip`].
const MIP_COMMENT: &str = "bozzetto filter mip";

/// Opacities are kept this far from 0 and 1, where the inverse sigmoid is infinite.
const MIN_LOGIT_DISTANCE: f32 = 1e-7;

/// Rows that one thread converts at least; fewer are not worth a thread.
const MIN_ROWS_PER_TASK: usize = 4096;

/// What a PLY file holds.
#[derive(Clone, Debug)]
pub enum PlyContent {
    /// Gaussian splats.
    Splats(GaussianSplats),
    /// A surface, perhaps with vertex colours.
    Mesh(TriMesh),
}

/// Reads a file of either kind.
pub fn read_any(path: &Path) -> Result<PlyContent, FormatError> {
    decode_any(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read_any`].
pub fn decode_any(bytes: &[u8]) -> Result<PlyContent, FormatError> {
    let header = Header::parse(bytes)?;
    if header.has_property("vertex", "f_dc_0") {
        return decode(bytes).map(PlyContent::Splats);
    }
    if header.has_element("face") {
        return decode_mesh(bytes).map(PlyContent::Mesh);
    }
    Err(FormatError::not_recognized(
        "PLY",
        "it holds points alone, neither Gaussian splats (its points have no 'f_dc_0') nor faces",
    ))
}

/// Reads a file of splats. Splats that hold something other than finite numbers are left out.
pub fn read(path: &Path) -> Result<GaussianSplats, FormatError> {
    decode(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read`].
pub fn decode(bytes: &[u8]) -> Result<GaussianSplats, FormatError> {
    Ok(decode_counted(bytes)?.0)
}

/// Reads from memory and also tells how many splats were left out because they were not finite.
pub fn decode_counted(bytes: &[u8]) -> Result<(GaussianSplats, usize), FormatError> {
    let header = Header::parse(bytes)?;
    let Some((element, rows)) = header.find("vertex", bytes)? else {
        return Err(FormatError::damaged("it has no vertices"));
    };
    let layout = RowLayout::of(element)?;
    let mut splats = layout.splats(rows);
    if header.comments.iter().any(|comment| comment == MIP_COMMENT) {
        splats.filter = SplatFilter::Mip;
    }
    let num_dropped = drop_broken(&mut splats);
    Ok((splats, num_dropped))
}

/// Writes a file.
pub fn write(path: &Path, splats: &GaussianSplats) -> Result<(), FormatError> {
    files::write_bytes(path, &encode(splats).map_err(|error| error.at(path))?)
}

/// Writes to memory.
pub fn encode(splats: &GaussianSplats) -> Result<Vec<u8>, FormatError> {
    check_writable(splats)?;
    let num_rest = splats.num_sh_coefficients() - 1;
    let mut bytes = header_text(splats.len(), num_rest, splats.filter).into_bytes();
    let stride = (17 + 3 * num_rest) * size_of::<f32>();
    let body = bytes.len();
    bytes.resize(body + splats.len() * stride, 0);
    bytes[body..]
        .par_chunks_exact_mut(stride)
        .with_min_len(MIN_ROWS_PER_TASK)
        .enumerate()
        .for_each(|(index, row)| write_row(splats, index, row));
    Ok(bytes)
}

fn header_text(num_splats: usize, num_rest: usize, filter: SplatFilter) -> String {
    let mut text = String::from("ply\nformat binary_little_endian 1.0\n");
    if filter == SplatFilter::Mip {
        text.extend(["comment ", MIP_COMMENT, "\n"]);
    }
    text.extend(["element vertex ", &num_splats.to_string(), "\n"]);
    let fixed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let names = [
        fixed(&["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]),
        (0..3 * num_rest).map(|index| format!("f_rest_{index}")).collect(),
        fixed(&[
            "opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3",
        ]),
    ]
    .concat();
    for name in names {
        text.extend(["property float ", &name, "\n"]);
    }
    text + "end_header\n"
}

fn write_row(splats: &GaussianSplats, index: usize, row: &mut [u8]) {
    let num_coefficients = splats.num_sh_coefficients();
    let sh = &splats.sh[index * num_coefficients..(index + 1) * num_coefficients];
    let position = turned_point(splats.positions[index]);
    let rotation = turned_rotation(splats.rotations[index]);
    let rest = (0..3).flat_map(|channel| (1..num_coefficients).map(move |k| sh[k][channel] * SH_SIGNS[k]));
    let values = (position.to_array().into_iter())
        .chain([0.0; 3])
        .chain(sh[0])
        .chain(rest)
        .chain([logit(splats.opacities[index])])
        .chain(splats.log_scales[index].to_array())
        .chain([rotation.w, rotation.x, rotation.y, rotation.z]);
    for (target, value) in row.chunks_exact_mut(size_of::<f32>()).zip(values) {
        target.copy_from_slice(&value.to_le_bytes());
    }
}

fn logit(opacity: f32) -> f32 {
    let opacity = opacity.clamp(MIN_LOGIT_DISTANCE, 1.0 - MIN_LOGIT_DISTANCE);
    (opacity / (1.0 - opacity)).ln()
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Where everything that a splat needs lies in a row.
#[derive(Debug)]
struct RowLayout {
    stride: usize,
    position: [Field; 3],
    dc: [Field; 3],
    /// Coefficient-major, RGB within a coefficient.
    rest: Vec<[Field; 3]>,
    opacity: Field,
    log_scale: [Field; 3],
    /// (w, x, y, z)
    rotation: [Field; 4],
}

impl RowLayout {
    fn of(element: &Element) -> Result<Self, FormatError> {
        let stride = element.fixed_stride()?;
        let fields = element.fields();
        let field = |name: &str| {
            fields.get(name).copied().ok_or_else(|| {
                FormatError::not_recognized("Gaussian splat PLY", format!("its points have no '{name}'"))
            })
        };
        let num_rest = (0..element.properties.len())
            .take_while(|index| fields.contains_key(format!("f_rest_{index}").as_str()))
            .count();
        // Degree 4 exists in few files; its extra coefficients are beyond what is drawn and are left out.
        let degree = match num_rest {
            0 => 0_usize,
            9 => 1,
            24 => 2,
            45 | 72 => 3,
            _ => {
                return Err(FormatError::damaged(format!(
                    "its points have {num_rest} higher colour coefficients, where 0, 9, 24 or 45 are possible"
                )));
            }
        };
        let num_file_coefficients = num_rest / 3;
        let rest_field = |coefficient: usize, channel: usize| {
            field(&format!("f_rest_{}", channel * num_file_coefficients + coefficient))
        };
        let rest = (0..(degree + 1).pow(2) - 1)
            .map(|k| Ok([rest_field(k, 0)?, rest_field(k, 1)?, rest_field(k, 2)?]))
            .collect::<Result<_, FormatError>>()?;
        Ok(Self {
            stride,
            position: [field("x")?, field("y")?, field("z")?],
            dc: [field("f_dc_0")?, field("f_dc_1")?, field("f_dc_2")?],
            rest,
            opacity: field("opacity")?,
            log_scale: [field("scale_0")?, field("scale_1")?, field("scale_2")?],
            rotation: [field("rot_0")?, field("rot_1")?, field("rot_2")?, field("rot_3")?],
        })
    }

    /// Splats of whole rows.
    fn splats(&self, rows: &[u8]) -> GaussianSplats {
        let count = rows.len() / self.stride;
        let num_coefficients = self.rest.len() + 1;
        let mut splats = GaussianSplats {
            positions: vec![Vec3::ZERO; count],
            log_scales: vec![Vec3::ZERO; count],
            rotations: vec![Quat::IDENTITY; count],
            opacities: vec![0.0; count],
            sh_degree: num_coefficients.isqrt() as u8 - 1,
            sh: vec![[0.0; 3]; count * num_coefficients],
            filter: SplatFilter::Dilate,
        };
        (
            rows.par_chunks_exact(self.stride),
            &mut splats.positions,
            &mut splats.log_scales,
            &mut splats.rotations,
            &mut splats.opacities,
            splats.sh.par_chunks_exact_mut(num_coefficients),
        )
            .into_par_iter()
            .with_min_len(MIN_ROWS_PER_TASK)
            .for_each(|(row, position, log_scale, rotation, opacity, sh)| {
                *position = turned_point(self.position.map(|field| field.value(row)).into());
                *log_scale = self.log_scale.map(|field| field.value(row)).into();
                let [w, x, y, z] = self.rotation.map(|field| field.value(row));
                *rotation = turned_rotation(Quat::from_xyzw(x, y, z, w));
                *opacity = sigmoid(self.opacity.value(row));
                sh[0] = self.dc.map(|field| field.value(row));
                for (k, fields) in self.rest.iter().enumerate() {
                    sh[k + 1] = fields.map(|field| field.value(row) * SH_SIGNS[k + 1]);
                }
            });
        splats
    }
}

#[cfg(test)]
mod tests;
