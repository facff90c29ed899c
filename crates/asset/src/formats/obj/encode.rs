use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use image::{GrayImage, RgbImage};
use rayon::prelude::*;

use crate::color::{linear_from_srgb_u8, srgb_from_linear};
use crate::files::{beside, write_atomic, write_bytes};
use crate::formats::pictures::Pixels;
use crate::formats::{FormatError, compact};
use crate::{AlphaMode, LengthUnit, Material, TexturedMesh, TriMesh};

pub(super) fn write(path: &Path, textured: &TexturedMesh, unit: LengthUnit) -> Result<(), FormatError> {
    let mesh = &*textured.mesh;
    let is_finite = mesh.uvs.iter().all(|uv| uv.is_finite())
        && mesh.normals.iter().chain(&mesh.colors).all(|vector| vector.is_finite());
    if mesh.triangles.is_empty() || !mesh.is_consistent() || !is_finite {
        let reason = "the mesh is empty or contradicts itself";
        return Err(FormatError::unwritable(reason).at(path));
    }
    let mesh = &*compact::without_unused_vertices(mesh);
    let stem = path
        .file_stem()
        .map_or_else(|| "model".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let stem: String = stem.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    let pictures = Pictures::of(&textured.material, !mesh.uvs.is_empty());
    pictures.write(path, &stem)?;
    let material_text = material_text(&textured.material, &pictures, &stem);
    write_bytes(&beside(path, &format!("{stem}.mtl")), material_text.as_bytes())?;
    // The geometry comes last: who finds it finds all that it names.
    let writes_colors = pictures.base_color.is_none();
    write_atomic(path, |writer| write_geometry(writer, mesh, &stem, writes_colors, unit))
}

fn write_geometry(
    writer: &mut impl Write,
    mesh: &TriMesh,
    stem: &str,
    writes_colors: bool,
    unit: LengthUnit,
) -> io::Result<()> {
    writeln!(writer, "# Bozzetto, +Y up, {}\nmtllib {stem}.mtl\no model", unit.name())?;
    for (index, &position) in mesh.positions.iter().enumerate() {
        let position = position * unit.per_metre();
        write!(writer, "v {} {} {}", position.x, position.y, position.z)?;
        if let Some(color) = mesh.colors.get(index).filter(|_| writes_colors) {
            let [red, green, blue] = color
                .to_array()
                .map(|channel| srgb_from_linear(channel.clamp(0.0, 1.0)));
            write!(writer, " {red} {green} {blue}")?;
        }
        writeln!(writer)?;
    }
    for uv in &mesh.uvs {
        writeln!(writer, "vt {} {}", uv.x, 1.0 - uv.y)?;
    }
    for normal in &mesh.normals {
        writeln!(writer, "vn {} {} {}", normal.x, normal.y, normal.z)?;
    }
    writeln!(writer, "usemtl material")?;
    for triangle in &mesh.triangles {
        write!(writer, "f")?;
        for &vertex in triangle {
            let number = u64::from(vertex) + 1;
            match (mesh.uvs.is_empty(), mesh.normals.is_empty()) {
                (true, true) => write!(writer, " {number}")?,
                (false, true) => write!(writer, " {number}/{number}")?,
                (true, false) => write!(writer, " {number}//{number}")?,
                (false, false) => write!(writer, " {number}/{number}/{number}")?,
            }
        }
        writeln!(writer)?;
    }
    Ok(())
}

/// The pictures of a material as the format wants them, each value in a file of its own.
struct Pictures<'a> {
    base_color: Option<Pixels<'a>>,
    occlusion: Option<GrayImage>,
    roughness: Option<GrayImage>,
    metallic: Option<GrayImage>,
    normal: Option<&'a RgbImage>,
}

impl<'a> Pictures<'a> {
    fn of(material: &'a Material, has_uvs: bool) -> Self {
        let has_texels = |(width, height): (u32, u32)| has_uvs && width * height > 0;
        let has_picture = has_texels(material.base_color.dimensions()) && material.base_color.dimensions() != (1, 1);
        let orm = material.orm.as_ref().filter(|picture| has_texels(picture.dimensions()));
        let channel = |index: usize| {
            orm.map(|picture| {
                GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
                    image::Luma([picture.get_pixel(x, y).0[index]])
                })
            })
        };
        let normal: Option<&Arc<RgbImage>> = material.normal.as_ref();
        Self {
            // One texel is a factor, which leaves room for vertex colours.
            base_color: has_picture.then(|| match material.alpha_mode {
                AlphaMode::Opaque => Pixels::Opaque(&material.base_color),
                AlphaMode::Mask { .. } | AlphaMode::Blend => Pixels::Rgba(&material.base_color),
            }),
            occlusion: channel(0).filter(|_| material.has_occlusion),
            roughness: channel(1),
            metallic: channel(2),
            normal: normal
                .map(|picture| &**picture)
                .filter(|picture| has_texels(picture.dimensions())),
        }
    }

    fn write(&self, path: &Path, stem: &str) -> Result<(), FormatError> {
        let write_one = |suffix: &str, pixels: &Pixels<'_>| {
            let file = beside(path, &format!("{stem}_{suffix}.png"));
            let bytes = pixels.encode_png().map_err(|error| error.at(&file))?;
            write_bytes(&file, &bytes)
        };
        let grays = [
            ("occlusion", &self.occlusion),
            ("roughness", &self.roughness),
            ("metallic", &self.metallic),
        ];
        let (colors, grays) = rayon::join(
            || {
                if let Some(pixels) = &self.base_color {
                    write_one("base_color", pixels)?;
                }
                self.normal
                    .map_or(Ok(()), |picture| write_one("normal", &Pixels::Rgb(picture)))
            },
            || {
                grays.par_iter().try_for_each(|(suffix, picture)| {
                    picture
                        .as_ref()
                        .map_or(Ok(()), |picture| write_one(suffix, &Pixels::Gray(picture)))
                })
            },
        );
        colors.and(grays)
    }
}

/// The material file: the classic terms, and the PBR terms (`Pr`, `Pm`, `norm`) that Blender and most others read.
fn material_text(material: &Material, pictures: &Pictures<'_>, stem: &str) -> String {
    let factor = |pixel: Option<&image::Rgba<u8>>| {
        pixel.map_or([1.0; 3], |pixel| {
            [pixel.0[0], pixel.0[1], pixel.0[2]].map(linear_from_srgb_u8)
        })
    };
    let [red, green, blue] = match &pictures.base_color {
        Some(_) => [1.0; 3],
        None => factor(material.base_color.pixels().next()),
    };
    let mut text = format!("# Bozzetto\nnewmtl material\nKd {red} {green} {blue}\nillum 2\n");
    let mut line = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} {value}");
    };
    if pictures.base_color.is_some() {
        line("map_Kd", format!("{stem}_base_color.png"));
        if material.alpha_mode != AlphaMode::Opaque {
            line("map_d", format!("{stem}_base_color.png"));
        }
    } else if let Some(pixel) = material.base_color.pixels().next()
        && material.alpha_mode != AlphaMode::Opaque
    {
        line("d", (f32::from(pixel.0[3]) / 255.0).to_string());
    }
    match &pictures.roughness {
        Some(_) => line("map_Pr", format!("{stem}_roughness.png")),
        None => line("Pr", material.roughness_factor.to_string()),
    }
    match &pictures.metallic {
        Some(_) => line("map_Pm", format!("{stem}_metallic.png")),
        None => line("Pm", material.metallic_factor.to_string()),
    }
    if pictures.occlusion.is_some() {
        line("map_ao", format!("{stem}_occlusion.png"));
    }
    if pictures.normal.is_some() {
        line("norm", format!("{stem}_normal.png"));
    }
    text
}
