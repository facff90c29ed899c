//! `bozzetto export`: a saved result, or any 3D file, in another format or at another size.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bozzetto_asset::formats::generation::Generation;
use bozzetto_asset::{Asset, GaussianSplats, Material, TexturedMesh, TriMesh};
use bozzetto_mesh::{Control, FinishSettings, Finished, MeshHealth};

use super::colors::Colors;
use super::content::Content;
use super::packing::Packing;
use super::rebuild::Rebuild;
use super::{UsageError, progress::Progress};
use crate::export::{self, ExportFormat};
use crate::pictures;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A saved result's folder, or a GLB, PLY, SPZ, OBJ or STL file.
    input: PathBuf,

    /// Where it goes; the ending chooses the format: glb, obj, stl, 3mf, ply or spz.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// Write the mesh of a saved result into a PLY file, also where there are splats.
    #[arg(long)]
    mesh: bool,

    /// Faces of the finished mesh (saved results only).
    #[arg(long, value_name = "N")]
    faces: Option<u32>,

    /// Width and height of the textures in pixels (saved results only).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(64..=8192))]
    texture: Option<u32>,

    #[command(flatten)]
    rebuild: Rebuild,

    #[command(flatten)]
    colors: Colors,

    #[command(flatten)]
    packing: Packing,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let cancelled = super::listen_for_cancel()?;
    let content = Content::open(&arguments.input)?;
    let is_saved = matches!(content, Content::Generation(..));
    let needs_saved =
        arguments.faces.or(arguments.texture).is_some() || arguments.rebuild.is_said() || arguments.colors.is_said();
    if !is_saved && needs_saved {
        let name = arguments.input.display();
        return Err(UsageError(format!(
            "--faces, --texture, --remesh, --project-back and --colors need a saved result; {name} is finished already."
        ))
        .into());
    }
    let output = &arguments.output;
    let settings = arguments
        .packing
        .settings(output, !arguments.mesh && content.has_splats())?;
    if settings.format.holds_splats() {
        export::write_splats(output, splats(&content, &arguments.input)?, settings.format)?;
    } else {
        let (textured, known) = textured(content, arguments, &cancelled)?;
        // Looking a mesh over takes longer than writing it; only a GLB takes along what is found.
        let health = match known {
            None if settings.format == ExportFormat::Glb => Some(examined(&textured, &cancelled)?),
            known => known,
        };
        export::write_mesh(output, &textured, health.as_ref(), &settings)?;
    }
    super::check_cancelled(&cancelled)?;
    super::output::line(&output.display().to_string());
    Ok(())
}

/// The finished mesh of a saved result with its health, or the mesh of a file as it is.
fn textured(
    content: Content,
    arguments: &Arguments,
    cancelled: &AtomicBool,
) -> anyhow::Result<(TexturedMesh, Option<MeshHealth>)> {
    let textured = match content {
        Content::Generation(generation, asset) => {
            let finished = finish_generation(&generation, &asset, arguments, cancelled)?;
            return Ok((finished.textured, Some(finished.health)));
        }
        Content::Textured(textured) => *textured,
        Content::Mesh(mesh) => plain(mesh),
        Content::Splats(_) => return Err(no_part(&arguments.input, "a mesh").into()),
    };
    Ok((textured, None))
}

fn examined(textured: &TexturedMesh, cancelled: &AtomicBool) -> anyhow::Result<MeshHealth> {
    let control = Control {
        is_cancelled: &|| cancelled.load(Ordering::Relaxed),
        ..Control::silent()
    };
    let texture_px = textured.material.base_color.width();
    Ok(MeshHealth::examined(&textured.mesh, &control)?.with_layout(&textured.mesh, Some(texture_px)))
}

/// Finishes as the artist last did, but for what the arguments say.
fn finish_generation(
    generation: &Generation,
    asset: &Asset,
    arguments: &Arguments,
    cancelled: &AtomicBool,
) -> anyhow::Result<Finished> {
    let saved = serde_json::from_value::<FinishSettings>(generation.finish.clone()).unwrap_or_default();
    let mut settings = FinishSettings {
        target_faces: arguments.faces.unwrap_or(saved.target_faces),
        texture_px: arguments.texture.unwrap_or(saved.texture_px),
        ..saved
    };
    arguments.rebuild.apply(&mut settings);
    arguments.colors.apply(&mut settings);
    let views = pictures::views_of(pictures::job_of(generation).as_ref());
    if !arguments.colors.is_said() {
        settings = pictures::applicable(settings, &views, &asset.cameras);
    }
    let progress = Progress::new(false);
    let control = Control {
        is_cancelled: &|| cancelled.load(Ordering::Relaxed),
        progress: &|step| progress.step(&step),
    };
    let finished = pictures::finish(asset, &views, &settings, &control);
    progress.clear();
    Ok(finished?)
}

fn plain(mesh: Arc<TriMesh>) -> TexturedMesh {
    TexturedMesh {
        mesh,
        material: Material {
            roughness_factor: 0.8,
            ..Material::default()
        },
        ..TexturedMesh::default()
    }
}

fn splats<'a>(content: &'a Content, input: &Path) -> anyhow::Result<&'a GaussianSplats> {
    match content {
        Content::Splats(splats) => Ok(splats),
        Content::Generation(_, asset) => asset.splats.as_deref().ok_or_else(|| no_part(input, "splats").into()),
        Content::Textured(_) | Content::Mesh(_) => Err(no_part(input, "splats").into()),
    }
}

fn no_part(input: &Path, what: &str) -> UsageError {
    UsageError(format!("There is no such thing as {what} in {}.", input.display()))
}
