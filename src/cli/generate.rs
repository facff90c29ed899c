//! `bozzetto generate`: pictures in, a GLB out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use bozzetto_asset::formats::{ply, spz};
use bozzetto_asset::{Asset, TexturedMesh};
use bozzetto_engine::{CancelToken, Engine, EngineError, EngineInfo, Job, ParamValues, Runner, RunnerEventKind};
use bozzetto_mesh::{Control, FinishSettings, Finished};
use bozzetto_viewport::{Offscreen, OrbitCamera, RenderSettings, Scene};
use serde_json::json;

use super::choice::{self, Python};
use super::colors::Colors;
use super::packing::Packing;
use super::rebuild::Rebuild;
use super::{UsageError, parameters, progress::Progress, sources};
use crate::export::{self, ExportSettings};
use crate::pictures;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pictures, folders of pictures or a `transforms.json`. Say which side a picture shows as in `left=picture.png`.
    #[arg(value_name = "VIEW", required_unless_present = "job")]
    views: Vec<String>,

    /// Where the mesh goes; the ending chooses the format: glb, obj, stl, 3mf or ply.
    #[arg(short, long, value_name = "OUT.glb")]
    output: PathBuf,

    /// Engine to use; see `bozzetto engines`.
    #[arg(long, default_value = "hull")]
    engine: String,

    #[command(flatten)]
    python: Python,

    /// Where the engine's weights are: a folder in their makers' layout or, for pipelines in Python, a repository on
    /// Hugging Face as `owner/name`.
    #[arg(long, value_name = "FOLDER")]
    weights: Option<PathBuf>,

    /// Agree to the licences of parts that the engine uses and that may not be used commercially.
    #[arg(long = "agree")]
    agrees: bool,

    /// Set a parameter; see `bozzetto engines`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    parameters: Vec<String>,

    /// The mesh to work on, for engines that need one: a GLB, OBJ, PLY or STL.
    #[arg(long, value_name = "FILE")]
    mesh: Option<PathBuf>,

    /// Seed for whatever is random.
    #[arg(long)]
    seed: Option<u64>,

    /// A job file as the program saves it; views, parameters and seed given here win over the file's.
    #[arg(long, value_name = "JOB.json")]
    job: Option<PathBuf>,

    /// Faces of the finished mesh.
    #[arg(long, value_name = "N", default_value_t = FinishSettings::default().target_faces)]
    faces: u32,

    /// Width and height of the textures in pixels.
    #[arg(long, value_name = "N", default_value_t = FinishSettings::default().texture_px, value_parser = clap::value_parser!(u32).range(64..=8192))]
    texture: u32,

    #[command(flatten)]
    rebuild: Rebuild,

    #[command(flatten)]
    colors: Colors,

    /// Write the splats too; the ending chooses PLY or SPZ.
    #[arg(long, value_name = "OUT.ply")]
    ply: Option<PathBuf>,

    /// Draw the result into a picture.
    #[arg(long, value_name = "OUT.png")]
    preview: Option<PathBuf>,

    /// Print events and the result as JSON, one object a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    packing: Packing,
}

/// What was made, for the last line.
struct Written {
    finished: Finished,
    paths: Vec<(&'static str, PathBuf)>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for path in [
        Some(&arguments.output),
        arguments.ply.as_ref(),
        arguments.preview.as_ref(),
    ]
    .into_iter()
    .flatten()
    {
        check_folder(path)?;
    }
    let settings = arguments.packing.settings(&arguments.output, false)?;
    if settings.format.holds_splats() {
        return Err(UsageError("-o is for the mesh; write splats with --ply.".to_owned()).into());
    }
    let saved = arguments.job.as_deref().map(read_job).transpose()?;
    let id = saved.as_ref().map_or(&arguments.engine, |job| &job.engine);
    let mut engine = arguments.python.engine(id, arguments.weights.as_deref())?;
    // An engine in a process of its own says what can be set once that runs.
    let info = engine.prepare(&CancelToken::new())?;
    choice::check_licences(&info, arguments.agrees)?;
    let job = job_from(arguments, saved, &info)?;
    let cancelled = super::listen_for_cancel()?;
    let progress = Progress::new(arguments.json);
    let result = generate_and_finish(arguments, job, engine, &cancelled, &progress)
        .and_then(|(asset, finished)| write_all(arguments, &settings, &asset, finished, &cancelled));
    match result {
        Ok(written) => {
            report(&written, &progress);
            Ok(())
        }
        Err(error) => {
            progress.clear();
            Err(error)
        }
    }
}

/// Says that an output folder is missing before minutes are spent.
fn check_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    Err(UsageError(format!(
        "The folder {} does not exist. Make it first.",
        folder.display()
    ))
    .into())
}

fn job_from(arguments: &Arguments, saved: Option<Job>, info: &EngineInfo) -> anyhow::Result<Job> {
    let mut job = saved.unwrap_or_else(|| Job {
        engine: info.id.clone(),
        params: ParamValues::default(),
        views: Vec::new(),
        mesh: None,
        seed: 0,
    });
    if !arguments.views.is_empty() {
        job.views = sources::views_from_arguments(&arguments.views)?;
    }
    if let Some(seed) = arguments.seed {
        job.seed = seed;
    }
    if let Some(mesh) = &arguments.mesh {
        job.mesh = Some(std::path::absolute(mesh).unwrap_or_else(|_| mesh.clone()));
    }
    parameters::assign(&mut job.params, &arguments.parameters, &info.params)?;
    Ok(job.validated(info)?)
}

fn read_job(path: &Path) -> anyhow::Result<Job> {
    let text = std::fs::read_to_string(path).map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| UsageError(format!("{} is no job: {error}", path.display())).into())
}

fn generate_and_finish(
    arguments: &Arguments,
    job: Job,
    engine: Box<dyn Engine>,
    cancelled: &AtomicBool,
    progress: &Progress,
) -> anyhow::Result<(Asset, Finished)> {
    let views = pictures::views_of(Some(&job));
    let asset = generate(job, engine, cancelled, progress)?;
    let mut settings = FinishSettings {
        target_faces: arguments.faces,
        texture_px: arguments.texture,
        ..FinishSettings::default()
    };
    arguments.rebuild.apply(&mut settings);
    arguments.colors.apply(&mut settings);
    let control = Control {
        is_cancelled: &|| cancelled.load(Ordering::Relaxed),
        progress: &|step| progress.step(&step),
    };
    let finished = pictures::finish(&asset, &views, &settings, &control)?;
    Ok((asset, finished))
}

fn generate(job: Job, engine: Box<dyn Engine>, cancelled: &AtomicBool, progress: &Progress) -> anyhow::Result<Asset> {
    let runner = Runner::start(vec![engine], Arc::new(|| {}))?;
    let id = runner.submit(job);
    loop {
        if cancelled.load(Ordering::Relaxed) {
            // This process ends, and the engine's with it.
            runner.cancel_at_once(id);
        }
        // Woken often enough that Ctrl+C is felt at once.
        match runner.events().recv_timeout(std::time::Duration::from_millis(50)) {
            Ok(event) => match event.kind {
                RunnerEventKind::Queued | RunnerEventKind::Started => {}
                RunnerEventKind::Event(event) => progress.event(&event),
                RunnerEventKind::Done(asset) => return Ok(asset),
                RunnerEventKind::Failed(error) => return Err(error.into()),
                RunnerEventKind::Cancelled => return Err(EngineError::Cancelled.into()),
            },
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => {
                return Err(EngineError::Internal {
                    reason: "the inference thread ended".into(),
                }
                .into());
            }
        }
    }
}

/// Writes what was asked for. A cancelled run takes back what it wrote; a failure keeps it, for it took long to make.
fn write_all(
    arguments: &Arguments,
    settings: &ExportSettings,
    asset: &Asset,
    finished: Finished,
    cancelled: &AtomicBool,
) -> anyhow::Result<Written> {
    let mut paths = Vec::new();
    let written = write_each(arguments, settings, asset, &finished, cancelled, &mut paths);
    if super::check_cancelled(cancelled).is_err() {
        for (_, path) in &paths {
            // Whatever cannot be removed is a whole file all the same.
            let _ = std::fs::remove_file(path);
        }
        return Err(EngineError::Cancelled.into());
    }
    written.map(|()| Written { finished, paths })
}

fn write_each(
    arguments: &Arguments,
    settings: &ExportSettings,
    asset: &Asset,
    finished: &Finished,
    cancelled: &AtomicBool,
    paths: &mut Vec<(&'static str, PathBuf)>,
) -> anyhow::Result<()> {
    super::check_cancelled(cancelled)?;
    export::write_mesh(&arguments.output, &finished.textured, Some(&finished.health), settings)?;
    paths.push((settings.format.extension(), arguments.output.clone()));
    if let Some(path) = &arguments.ply {
        super::check_cancelled(cancelled)?;
        let splats = asset.splats.as_deref();
        let splats = splats.context("This engine makes no splats, so there is nothing for --ply")?;
        if super::content::extension_of(path) == "spz" {
            spz::write(path, splats)?;
        } else {
            ply::write(path, splats)?;
        }
        paths.push(("splats", path.clone()));
    }
    if let Some(path) = &arguments.preview {
        super::check_cancelled(cancelled)?;
        let drawn = render_preview(path, &finished.textured);
        drawn.with_context(|| format!("{} is written, but its preview is not", arguments.output.display()))?;
        paths.push(("preview", path.clone()));
    }
    Ok(())
}

/// Draws the finished mesh from the front left, slightly above.
fn render_preview(path: &Path, textured: &TexturedMesh) -> anyhow::Result<()> {
    let offscreen = Offscreen::new()?;
    let mut scene = Scene::new();
    scene.set_textured_mesh(offscreen.device(), offscreen.queue(), Some(textured))?;
    let mut orbit = OrbitCamera {
        azimuth_rad: 0.6,
        elevation_rad: 0.25,
        ..OrbitCamera::default()
    };
    if let Some(bounds) = scene.bounds() {
        orbit.frame(bounds);
    }
    let picture = offscreen.render(&mut scene, &orbit.camera(1.0), [1024, 1024], &RenderSettings::default())?;
    super::render::write_png(path, &picture)
}

fn report(written: &Written, progress: &Progress) {
    let mesh = &written.finished.textured.mesh;
    let mut lines = vec![format!(
        "{} faces, {} vertices",
        mesh.triangles.len(),
        mesh.positions.len()
    )];
    lines.extend(
        written
            .paths
            .iter()
            .map(|(what, path)| format!("{what:>8}  {}", path.display())),
    );
    let paths: serde_json::Map<_, _> = written
        .paths
        .iter()
        .map(|(what, path)| ((*what).to_owned(), json!(path)))
        .collect();
    progress.finish(
        &lines.join("\n"),
        &json!({
            "event": "done",
            "files": paths,
            "faces": mesh.triangles.len(),
            "vertices": mesh.positions.len(),
            "health": written.finished.health,
            "provenance": written.finished.textured.provenance,
        }),
    );
}
