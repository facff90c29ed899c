//! `bozzetto bench remesh`: how true a rebuilt surface is, ours or another program's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bozzetto_asset::TriMesh;
use bozzetto_mesh::fidelity::Deviation;
use bozzetto_mesh::{Control, MeshHealth, RemeshSettings, orient_outward, remesh, shapes, weld};
use glam::Vec3;
use serde_json::json;

use super::bench::{taken, write_bare};
use super::content::Content;
use super::output;

/// Teeth and radii of the gear, and half its height, metres.
const GEAR: (u32, f32, f32, f32) = (12, 0.38, 0.5, 0.12);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What is rebuilt: `cube` and `gear`, both turned so that no side lies along the lattice, or a 3D file with a mesh.
    #[arg(value_name = "cube|gear|MESH")]
    shape: PathBuf,

    /// Cells along its longest side.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(16..=2048))]
    cells: u32,

    /// Put vertices in the middle of what crosses a cell, not where the surface's planes meet.
    #[arg(long)]
    rounded: bool,

    /// How far vertices move back to the surface they came from, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    project_back: f32,

    /// Measure what another program made of it.
    #[arg(long, value_name = "MESH", conflicts_with_all = ["rounded", "project_back"])]
    rebuilt: Option<PathBuf>,

    /// Write what is rebuilt, as it was before, as an OBJ file for another program.
    #[arg(long, value_name = "OBJ")]
    bare: Option<PathBuf>,

    /// Write the rebuilt surface as an OBJ file.
    #[arg(short, long, value_name = "OBJ")]
    output: Option<PathBuf>,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let original = original(arguments)?;
    if let Some(path) = &arguments.bare {
        write_bare(path, &original)?;
    }
    let began = Instant::now();
    let (rebuilt, secs) = if let Some(path) = &arguments.rebuilt {
        (Content::open(path)?.into_mesh(path)?, None)
    } else {
        let settings = RemeshSettings {
            resolution: arguments.cells,
            projects_back: arguments.project_back,
            keeps_features: !arguments.rounded,
            ..RemeshSettings::default()
        };
        let mesh = remesh(&original, &settings, &Control::silent())?;
        (Arc::new(mesh), Some(began.elapsed().as_secs_f64()))
    };
    if let Some(path) = &arguments.output {
        write_bare(path, &rebuilt)?;
    }
    let (low, high) = original.bounds().unwrap_or_default();
    let cell = (high - low).max_element() / arguments.cells as f32;
    tell(
        &rebuilt,
        &Deviation::of(&rebuilt, &original, cell),
        secs,
        arguments.json,
    );
    Ok(())
}

fn original(arguments: &Arguments) -> anyhow::Result<TriMesh> {
    Ok(match arguments.shape.to_str() {
        Some("cube") => shapes::turned(shapes::cube(Vec3::ZERO)),
        Some("gear") => shapes::turned(shapes::gear(GEAR.0, GEAR.1, GEAR.2, GEAR.3)),
        _ => {
            let mesh = Content::open(&arguments.shape)?.into_mesh(&arguments.shape)?;
            let mesh = weld(&mesh, 0.0, &Control::silent())?;
            orient_outward(&mesh, &Control::silent())?
        }
    })
}

fn tell(rebuilt: &TriMesh, deviation: &Deviation, secs: Option<f64>, as_json: bool) {
    let health = MeshHealth::of(rebuilt);
    let num_faces = rebuilt.triangles.len();
    if as_json {
        output::json(&json!({
            "faces": num_faces, "secs": secs, "cells": deviation,
            "watertight": health.is_watertight, "components": health.num_components, "inner_shells": health.num_inner_shells,
        }));
        return;
    }
    let taken = taken(secs);
    output::line(&format!(
        "{num_faces} faces, {}, {} components, {} inner shells{taken}",
        if health.is_watertight { "watertight" } else { "open" },
        health.num_components,
        health.num_inner_shells
    ));
    output::line(&format!(
        "Off the original by {:.3} cells on the mean, {:.2} at most",
        deviation.mean, deviation.greatest
    ));
    if let (Some(mean), Some(greatest)) = (deviation.mean_at_edges, deviation.greatest_at_edges) {
        output::line(&format!(
            "Along its sharp edges by {mean:.3} cells on the mean, {greatest:.2} at most"
        ));
    }
}
