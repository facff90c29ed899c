//! `bozzetto bench`: figures that anyone can measure again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bozzetto_asset::formats::obj;
use bozzetto_asset::{LengthUnit, TexturedMesh, TriMesh};
use bozzetto_engine::{CancelToken, Engine, Event, Job, ParamValues, RunContext};
use bozzetto_hull::HullEngine;
use bozzetto_mesh::{Control, FinishSettings, finish};
use parking_lot::Mutex;

use super::{bench_finish, bench_remesh, bench_unwrap, bench_viewport, output, parameters, sources};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Time each stage from pictures to the finished mesh.
    Generate {
        /// Pictures, folders of pictures or a `transforms.json`.
        #[arg(required = true)]
        views: Vec<String>,

        /// Set a parameter; see `bozzetto engines`.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        parameters: Vec<String>,
    },
    /// Time each step from a large raw surface to the written file.
    Finish(bench_finish::Arguments),
    /// Rebuild a surface as one closed surface, and measure how true it is.
    Remesh(bench_remesh::Arguments),
    /// Lay out a texture, and measure the layout.
    Unwrap(bench_unwrap::Arguments),
    /// Time the window's frames while it generates, while the number of faces is dragged, and at rest.
    Window {
        /// Pictures, folders of pictures or a `transforms.json`; the bundled example when none is given.
        views: Vec<PathBuf>,

        /// Set a parameter; see `bozzetto engines`. With carve.resolution=448 the example has a million faces.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        parameters: Vec<String>,
    },
    /// Time the steps of drawing splats, off-screen, by the graphics card's clock.
    Viewport(bench_viewport::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Generate { views, parameters } => generate(views, parameters),
        What::Finish(arguments) => bench_finish::run(arguments),
        What::Remesh(arguments) => bench_remesh::run(arguments),
        What::Unwrap(arguments) => bench_unwrap::run(arguments),
        What::Viewport(arguments) => bench_viewport::run(arguments),
        What::Window { views, parameters } => window(views, parameters),
    }
}

fn window(views: &[PathBuf], parameters: &[String]) -> anyhow::Result<()> {
    let mut params = ParamValues::default();
    parameters::assign(&mut params, parameters, &HullEngine::new().info().params)?;
    output::line(&crate::app::bench_window(views.to_vec(), params)?);
    Ok(())
}

fn generate(views: &[String], parameters: &[String]) -> anyhow::Result<()> {
    let mut engine = HullEngine::new();
    let info = engine.info();
    let mut params = ParamValues::default();
    parameters::assign(&mut params, parameters, &info.params)?;
    let job = Job {
        engine: info.id.clone(),
        params,
        views: sources::views_from_arguments(views)?,
        mesh: None,
        seed: 0,
    }
    .validated(&info)?;
    let stages: Arc<Mutex<Vec<(String, Instant)>>> = Arc::default();
    let started = Instant::now();
    let seen = Arc::clone(&stages);
    let emit = move |event: Event| {
        if let Event::Stage { label, .. } = event {
            seen.lock().push((label, Instant::now()));
        }
    };
    let asset = engine.run(
        &job,
        &RunContext {
            cancel: CancelToken::new(),
            emit: &emit,
        },
    )?;
    let ended = Instant::now();

    let stages = stages.lock();
    for (index, (label, began)) in stages.iter().enumerate() {
        let until = stages.get(index + 1).map_or(ended, |(_, next)| *next);
        print_row(label, (until - *began).as_secs_f64());
    }
    print_row("Engine, all", (ended - started).as_secs_f64());
    let finished = finish(&asset, &FinishSettings::default(), &Control::silent())?;
    for timing in &finished.timings {
        print_row(timing.step.label(), timing.duration_secs);
    }
    print_row("Finish, all", ended.elapsed().as_secs_f64());
    Ok(())
}

fn print_row(label: &str, duration_secs: f64) {
    output::line(&format!("{label:<32} {:>9.1} ms", duration_secs * 1000.0));
}

/// Writes a mesh without its texture, as an OBJ file for another program.
pub(super) fn write_bare(path: &Path, mesh: &TriMesh) -> anyhow::Result<()> {
    let bare = TexturedMesh {
        mesh: Arc::new(mesh.clone()),
        ..TexturedMesh::default()
    };
    obj::write(path, &bare, LengthUnit::Metre)?;
    Ok(())
}

/// How long something of ours took, for the end of a line; nothing for another program's.
pub(super) fn taken(secs: Option<f64>) -> String {
    secs.map_or_else(String::new, |secs| {
        format!(", {secs:.2} s on {} threads", rayon::current_num_threads())
    })
}
