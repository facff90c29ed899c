//! `bozzetto bench unwrap`: how good a texture layout is, ours or another program's, and what it took.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bozzetto_asset::TriMesh;
use bozzetto_mesh::{Control, LayoutQuality, shapes, simplify, unwrap, weld};
use serde_json::json;

use super::bench::{taken, write_bare};
use super::content::Content;
use super::{UsageError, output};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A 3D file with a mesh; the bumpy ball of `bench finish` when none is given.
    mesh: Option<PathBuf>,

    /// Simplify to this many faces first.
    #[arg(long)]
    faces: Option<usize>,

    /// Side of the texture, pixels.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(16..=8192))]
    texture: u32,

    /// Empty texels around each chart.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=64))]
    padding: u32,

    /// Measure the layout that the file has.
    #[arg(long, conflicts_with_all = ["faces", "bare"], requires = "mesh")]
    as_it_is: bool,

    /// Write the mesh that is laid out, without texture coordinates, as an OBJ file for another program.
    #[arg(long, value_name = "OBJ")]
    bare: Option<PathBuf>,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mesh = match &arguments.mesh {
        Some(path) => Content::open(path)?.into_mesh(path)?,
        None => Arc::new(ball(arguments.faces)),
    };
    if arguments.as_it_is {
        if mesh.uvs.is_empty() {
            return Err(UsageError("The file has no texture coordinates to measure.".to_owned()).into());
        }
        tell(&LayoutQuality::of(&mesh)?, mesh.triangles.len(), None, arguments.json);
        return Ok(());
    }
    let mut mesh = weld(&mesh, 0.0, &Control::silent())?;
    if let Some(faces) = arguments.faces {
        mesh = simplify(&mesh, faces, &Control::silent())?;
    }
    let mesh = TriMesh::new(mesh.positions, mesh.triangles);
    if let Some(path) = &arguments.bare {
        write_bare(path, &mesh)?;
    }
    let began = Instant::now();
    let unwrapped = unwrap(&mesh, arguments.texture, arguments.padding, &Control::silent())?;
    let secs = began.elapsed().as_secs_f64();
    let quality = LayoutQuality::of(&unwrapped.mesh)?;
    tell(&quality, mesh.triangles.len(), Some(secs), arguments.json);
    Ok(())
}

/// The ball with several times the faces that will be left, or with 82 thousand.
fn ball(num_faces: Option<usize>) -> TriMesh {
    let level = num_faces.map_or(6, |faces| {
        let is_enough = |level: &u32| 20 << (2 * level) >= faces.saturating_mul(4);
        (4..9).find(is_enough).unwrap_or(9)
    });
    shapes::noisy_sphere(level, 0.02, 40.0, 0.0)
}

fn tell(quality: &LayoutQuality, num_faces: usize, secs: Option<f64>, as_json: bool) {
    if as_json {
        output::json(&json!({ "faces": num_faces, "secs": secs, "quality": quality }));
        return;
    }
    let taken = taken(secs);
    output::line(&format!("{num_faces} faces, {} charts{taken}", quality.num_charts));
    output::line(&format!(
        "Stretch {:.3} on the mean, {:.1} at worst; {} faces without room in the texture",
        quality.stretch, quality.worst_stretch, quality.num_collapsed_faces
    ));
    output::line(&format!(
        "{:.1} % of the texture covered; seams {:.1} times as long as the diagonal",
        quality.coverage * 100.0,
        quality.seam_length
    ));
}
