//! `bozzetto render`: a 3D file drawn into a picture, without a display.

use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bozzetto_asset::files;
use bozzetto_mesh::FlawedEdges;
use bozzetto_viewport::{
    AnimationFormat, Background, Environment, Offscreen, OrbitCamera, RenderSettings, Scene, Shading, Shows, Still,
    ToneMapping, Turntable,
};
use image::{ImageFormat, RgbaImage};

use super::UsageError;
use super::content::Content;
use super::progress::Progress;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A GLB, PLY, SPZ, OBJ or STL file, or a saved result's folder.
    input: PathBuf,

    /// Where the picture goes: a PNG, or a GIF or WebP that turns once round the object.
    #[arg(short, long, value_name = "OUT.png|OUT.gif|OUT.webp")]
    output: PathBuf,

    /// Width and height in pixels. A PNG is drawn part by part and may be of any size up to 65536; a GIF or WebP is drawn a
    /// whole picture at a time, and takes what the graphics card and the format do.
    #[arg(long, num_args = 2, value_names = ["WIDTH", "HEIGHT"], default_values_t = [1024, 1024], value_parser = clap::value_parser!(u32).range(1..=i64::from(Still::MAX_SIDE_PX)))]
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

    /// The light around the object.
    #[arg(long, value_enum, default_value_t = Light::Studio)]
    light: Light,

    /// How light becomes colour.
    #[arg(long, value_enum, default_value_t = Tone::Neutral)]
    tone_mapping: Tone,

    /// Frames of a GIF or WebP.
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u32).range(2..=720))]
    frames: u32,

    /// Seconds that a GIF or WebP takes to turn once.
    #[arg(long, default_value_t = 4.0)]
    seconds: f32,

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
    Matcap,
    UvChecker,
    Metallic,
    Roughness,
    TexelDensity,
    Health,
}

impl From<Look> for Shading {
    fn from(look: Look) -> Self {
        match look {
            Look::Pbr => Self::Pbr,
            Look::BaseColor => Self::BaseColor,
            Look::Clay => Self::Clay,
            Look::Normals => Self::Normals,
            Look::Matcap => Self::Matcap,
            Look::UvChecker => Self::UvChecker,
            Look::Metallic => Self::Metallic,
            Look::Roughness => Self::Roughness,
            Look::TexelDensity => Self::TexelDensity,
            Look::Health => Self::Health,
        }
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Light {
    Studio,
    Daylight,
    Overcast,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Tone {
    Neutral,
    Aces,
    Agx,
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
    if matches!(arguments.shading, Look::Health) {
        mark_flaws(&mut scene, &content);
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
    let settings = settings(arguments, shows);
    if let Some(format) = animation_format(&arguments.output) {
        let turntable = Turntable {
            orbit,
            num_frames: arguments.frames,
            duration: turn_duration(arguments)?,
            size_px: size,
            settings,
        };
        write_animation(
            &arguments.output,
            format,
            &turntable,
            &offscreen,
            &mut scene,
            &cancelled,
        )?;
    } else {
        let still = Still {
            camera: orbit.camera(size[0] as f32 / size[1] as f32),
            size_px: size,
            settings,
        };
        write_still(&arguments.output, &still, &offscreen, &mut scene, &cancelled)?;
    }
    super::output::line(&arguments.output.display().to_string());
    Ok(())
}

/// How the file moves, if it does.
fn animation_format(path: &Path) -> Option<AnimationFormat> {
    match super::content::extension_of(path).as_str() {
        "gif" => Some(AnimationFormat::Gif),
        "webp" => Some(AnimationFormat::WebP),
        _ => None,
    }
}

fn turn_duration(arguments: &Arguments) -> Result<Duration, UsageError> {
    let shortest = Turntable::min_duration(arguments.frames);
    let duration = Duration::try_from_secs_f32(arguments.seconds).unwrap_or_default();
    if duration < shortest {
        return Err(UsageError(format!(
            "An animation of {} frames cannot turn in {} s: it takes {} s at least. Give more --seconds or fewer --frames.",
            arguments.frames,
            arguments.seconds,
            shortest.as_secs_f32()
        )));
    }
    Ok(duration)
}

fn mark_flaws(scene: &mut Scene, content: &Content) {
    let mesh = match content {
        Content::Textured(textured) => Some(&*textured.mesh),
        Content::Mesh(mesh) => Some(&**mesh),
        Content::Generation(_, asset) => asset.mesh.as_deref(),
        Content::Splats(_) => None,
    };
    if let Some(mesh) = mesh {
        let flawed = FlawedEdges::of(mesh);
        scene.set_mesh_flaws(&flawed.open, &flawed.non_manifold);
    }
}

fn settings(arguments: &Arguments, shows: Shows) -> RenderSettings {
    let mut settings = RenderSettings {
        shows,
        shading: arguments.shading.into(),
        environment: match arguments.light {
            Light::Studio => Environment::Studio,
            Light::Daylight => Environment::Daylight,
            Light::Overcast => Environment::Overcast,
        },
        tone_mapping: match arguments.tone_mapping {
            Tone::Neutral => ToneMapping::Neutral,
            Tone::Aces => ToneMapping::Aces,
            Tone::Agx => ToneMapping::Agx,
        },
        wireframe: arguments.wireframe,
        ..RenderSettings::default()
    };
    if arguments.transparent {
        settings.background = Background::Transparent;
        settings.grid = false;
        settings.axes = false;
        // A shadow is neither clear nor opaque, and a GIF knows nothing else.
        settings.shadow = animation_format(&arguments.output) != Some(AnimationFormat::Gif);
    }
    settings
}

/// Draws a picture into a temporary file that is renamed in the end, with a bar on a terminal.
fn write_still(
    path: &Path,
    still: &Still,
    offscreen: &Offscreen,
    scene: &mut Scene,
    cancelled: &AtomicBool,
) -> anyhow::Result<()> {
    let progress = Progress::new(false);
    let written = files::write_atomic_or(path, |file| {
        still
            .write_png(offscreen, scene, file, |done, total| {
                progress.work("still", "Drawing the picture", u64::from(done), u64::from(total));
                !cancelled.load(Ordering::Relaxed)
            })
            .map_err(anyhow::Error::from)
    });
    progress.clear();
    super::check_cancelled(cancelled)?;
    written
}

/// Draws an animation and writes it under a temporary name, with a bar on a terminal.
fn write_animation(
    path: &Path,
    format: AnimationFormat,
    turntable: &Turntable,
    offscreen: &Offscreen,
    scene: &mut Scene,
    cancelled: &AtomicBool,
) -> anyhow::Result<()> {
    let progress = Progress::new(false);
    let total = u64::from(turntable.num_frames);
    let mut bytes = Vec::new();
    let drawn = turntable.write(format, offscreen, scene, &mut bytes, |done| {
        progress.work("turntable", "Turning the object", u64::from(done), total);
        !cancelled.load(Ordering::Relaxed)
    });
    progress.clear();
    super::check_cancelled(cancelled)?;
    drawn?;
    Ok(files::write_bytes(path, &bytes)?)
}

/// Writes a PNG under a temporary name and renames it.
pub(super) fn write_png(path: &Path, picture: &RgbaImage) -> anyhow::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    files::write_atomic(path, |file| -> io::Result<()> { file.write_all(bytes.get_ref()) })?;
    Ok(())
}
