//! `bozzetto inspect`: what is in a 3D file or a saved result.

use std::path::{Path, PathBuf};

use bozzetto_asset::formats::glb::{self, GlbFacts};
use bozzetto_asset::{GaussianSplats, Provenance, TexturedMesh, TriMesh};
use bozzetto_mesh::{Control, MeshHealth};
use serde_json::{Map, Value, json};

use super::content::Content;
use super::output;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A GLB, PLY, SPZ, OBJ or STL file, or a saved result's folder.
    input: PathBuf,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let facts = match Content::open(&arguments.input)? {
        Content::Textured(textured) => glb_facts(&textured, &glb::facts(&arguments.input)?),
        Content::Mesh(mesh) => json!({ "mesh": mesh_facts(&mesh, None, file_bytes(&arguments.input)) }),
        Content::Splats(splats) => json!({ "splats": splats_facts(&splats) }),
        Content::Generation(generation, asset) => json!({
            "name": generation.name,
            "created_unix_secs": generation.created_unix_secs,
            "job": generation.job,
            "mesh": asset.mesh.as_deref().map(|mesh| mesh_facts(mesh, None, None)),
            "splats": asset.splats.as_deref().map(splats_facts),
            "volume": asset.volume.as_deref().map(|volume| json!({
                "voxels": volume.coords.len(),
                "resolution": volume.resolution,
                "voxel_size": volume.voxel_size,
            })),
            "cameras": asset.cameras.len(),
            "provenance": provenance_facts(&asset.provenance),
        }),
    };
    if arguments.json {
        output::json(&facts);
    } else {
        output::line(&arguments.input.display().to_string());
        print_tree(&facts, 1);
    }
    Ok(())
}

fn glb_facts(textured: &TexturedMesh, facts: &GlbFacts) -> Value {
    let material = &textured.material;
    let mut mesh = mesh_facts(&textured.mesh, Some(material.base_color.width()), Some(facts.num_bytes));
    mesh["health"]["num_draw_calls"] = json!(facts.num_draw_calls);
    json!({
        "mesh": mesh,
        "health_when_written": facts.health,
        "extensions": facts.extensions,
        "textures": facts.textures,
        "material": {
            "base_color_px": [material.base_color.width(), material.base_color.height()],
            "orm_px": material.orm.as_ref().map(|map| [map.width(), map.height()]),
            "normal_px": material.normal.as_ref().map(|map| [map.width(), map.height()]),
            "alpha_mode": material.alpha_mode,
            "metallic_factor": material.metallic_factor,
            "roughness_factor": material.roughness_factor,
            "occlusion": material.has_occlusion,
        },
        "provenance": provenance_facts(&textured.provenance),
    })
}

fn file_bytes(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|metadata| metadata.len())
}

fn mesh_facts(mesh: &TriMesh, texture_px: Option<u32>, file_bytes: Option<u64>) -> Value {
    // Nobody cancels here, so it does not fail; if it did, all but the self-intersections is better than nothing.
    let health = MeshHealth::examined(mesh, &Control::silent()).unwrap_or_else(|_| MeshHealth::of(mesh));
    let health = health.with_layout(mesh, texture_px);
    json!({
        "bounds": mesh.bounds().map(|(low, high)| [low.to_array(), high.to_array()]),
        "normals": !mesh.normals.is_empty(),
        "uvs": !mesh.uvs.is_empty(),
        "vertex_colors": !mesh.colors.is_empty(),
        "health": MeshHealth { file_bytes, ..health },
    })
}

fn splats_facts(splats: &GaussianSplats) -> Value {
    json!({
        "count": splats.len(),
        "sh_degree": splats.sh_degree,
        "filter": splats.filter,
        "bounds": splats.bounds().map(|(low, high)| [low.to_array(), high.to_array()]),
    })
}

/// Provenance, or nothing when the file was made by another program.
fn provenance_facts(provenance: &Provenance) -> Option<&Provenance> {
    (!provenance.engine.is_empty()).then_some(provenance)
}

/// Prints a JSON tree as indented lines; empty values are left out.
fn print_tree(value: &Value, depth: usize) {
    let empty = Map::new();
    for (key, value) in value.as_object().unwrap_or(&empty) {
        let label = key.replace('_', " ");
        let indent = "  ".repeat(depth);
        match value {
            Value::Null => {}
            Value::Object(_) => {
                output::line(&format!("{indent}{label}"));
                print_tree(value, depth + 1);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                output::line(&format!("{indent}{label}"));
                for item in items {
                    print_tree(item, depth + 1);
                }
            }
            Value::String(text) => output::line(&format!("{indent}{label:<24} {text}")),
            other => output::line(&format!("{indent}{label:<24} {other}")),
        }
    }
}
