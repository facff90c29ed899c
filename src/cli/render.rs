//! `bozzetto render`: a 3D file drawn into a picture, without a display.

use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};

use bozzetto_asset::files;
use bozzetto_viewport::{Background, Offscreen, OrbitCamera, RenderSettings, Scene, Shading, Shows};
use image::{ImageFormat, RgbaImage};

use super::content::Content;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A GLB, PLY, SPZ, OBJ or STL file, or a saved result's folder.
    input: PathBuf,

    /// Where the PNG goes.
    #[arg(short, long, value_name = "OUT.png")]
    output: PathBuf,

    /// Width and height in pixels.
    #[arg(long, num_args = 2, value_names = ["WIDTH", "HEIGHT"], default_values_t = [1024, 1024], value_parser = clap::value_parser!(u32).range(1..=16384))]
    size: Vec<u32>,

    /// Where the camera stands, in degrees: 0 is the front, 90 the object's left.
    #[arg(long, default_value_t = 35.0, allow_negative_numbers = true)]
    azimuth: f32,

    /// How high the camera stands, in degrees.
    #[arg(long, default_value_t = 15.0, allow_negative_numbers = true)]
    elevation: f32,

    /// What is drawn of a saved result.
    #[arg(long, value_enum, default_value_t = Part::Mesh)]
    shows: Part,

    /// How the mesh is shaded.
    #[arg(long, value_enum, default_value_t = Look::Pbr)]
    shading: Look,

    /// Draw the edges of the faces on top.
    #[arg(long)]
    wireframe: bool,

    /// Leave the background transparent, without grid.
    #[arg(long)]
    transparent: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Part {
    Splats,
    Mesh,
    Both,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Look {
    Pbr,
    BaseColor,
    Clay,
    Normals,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let cancelled = super::listen_for_cancel()?;
    let content = Content::open(&arguments.input)?;
    let offscreen = Offscreen::new()?;
    let mut scene = Scene::new();
    let (device, queue) = (offscreen.device(), offscreen.queue());
    let mut shows = match arguments.shows {
        Part::Splats => Shows::Splats,
        Part::Mesh => Shows::Mesh,
        Part::Both => Shows::Both,
    };
    match &content {
        Content::Textured(textured) => scene.set_textured_mesh(device, queue, Some(textured))?,
        Content::Mesh(mesh) => scene.set_raw_mesh(device, queue, Some(mesh))?,
        Content::Splats(splats) => {
            scene.set_splats(device, queue, Some(splats))?;
            shows = Shows::Splats;
        }
        Content::Generation(_, asset) => {
            scene.set_raw_mesh(device, queue, asset.mesh.as_deref())?;
            scene.set_splats(device, queue, asset.splats.as_deref())?;
        }
    }
    let size = [arguments.size[0], arguments.size[1]];
    let mut orbit = OrbitCamera {
        azimuth_rad: arguments.azimuth.to_radians(),
        elevation_rad: arguments.elevation.to_radians(),
        ..OrbitCamera::default()
    };
    if let Some(bounds) = scene.bounds() {
        orbit.frame(bounds);
    }
    let camera = orbit.camera(size[0] as f32 / size[1] as f32);
    let picture = offscreen.render(&mut scene, &camera, size, &settings(arguments, shows))?;
    super::check_cancelled(&cancelled)?;
    write_png(&arguments.output, &picture)?;
    super::output::line(&arguments.output.display().to_string());
    Ok(())
}

fn settings(arguments: &Arguments, shows: Shows) -> RenderSettings {
    let mut settings = RenderSettings {
        shows,
        shading: match arguments.shading {
            Look::Pbr => Shading::Pbr,
            Look::BaseColor => Shading::BaseColor,
            Look::Clay => Shading::Clay,
            Look::Normals => Shading::Normals,
        },
        wireframe: arguments.wireframe,
        ..RenderSettings::default()
    };
    if arguments.transparent {
        settings.background = Background::Transparent;
        settings.grid = false;
        settings.axes = false;
    }
    settings
}

/// Writes a PNG under a temporary name and renames it.
pub(super) fn write_png(path: &Path, picture: &RgbaImage) -> anyhow::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    files::write_atomic(path, |file| -> io::Result<()> { file.write_all(bytes.get_ref()) })?;
    Ok(())
}
