//! A set of weights in the released layout, narrow and random: it drives the whole engine in seconds on a processor.
//!
//! What it makes means nothing, but there is always something: the structure's decoder is biased so that voxels lie along
//! the edges of the cube alone, some tens of them, and which ones depends on the noise; the shape's decoder subdivides each
//! into 64, in flat pieces.

mod description;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use tch::Kind;

use crate::Result;
use crate::birefnet::{BiRefNet, BiRefNetConfig};
use crate::decoder::{DecoderConfig, MaterialDecoder, ShapeDecoder};
use crate::dino::{DinoConfig, DinoLayout, DinoModel};
use crate::flow::{FlowConfig, SlatFlow, StructureFlow};
use crate::structure::{StructureDecoder, StructureDecoderConfig};
use crate::weights::{Adjustment, RandomWeights, TensorSpec, record, write_whole};

/// Channels of a latent of shape or material.
const LATENT: i64 = 6;
/// Channels of a structure's latent.
const STRUCTURE_LATENT: i64 = 8;
/// Channels of what the image encoder sees.
const CONDITION: i64 = 16;

/// Writes the set below `folder`, as [`crate::weights::Library`] finds it there.
pub fn make(folder: &Path) -> Result<()> {
    write_json(&folder.join("pipeline.json"), &description::pipeline(LATENT as usize))?;
    flows(folder)?;
    structure_decoder(folder)?;
    decoders(folder)?;
    companions(folder)
}

fn flows(folder: &Path) -> Result<()> {
    let structure = flow(16, STRUCTURE_LATENT, STRUCTURE_LATENT);
    let specs = record(|weights| StructureFlow::new(weights, &structure, Kind::Float))?;
    let stem = description::STRUCTURE_FLOW;
    write_model(
        folder,
        stem,
        "SparseStructureFlowModel",
        &structure,
        &specs,
        Kind::BFloat16,
        random(stem),
    )?;
    for (stem, resolution, is_material) in [
        (description::SHAPE_FLOW_512, 32, false),
        (description::SHAPE_FLOW_1024, 64, false),
        (description::MATERIAL_FLOW_512, 32, true),
        (description::MATERIAL_FLOW_1024, 64, true),
    ] {
        let config = flow(resolution, if is_material { 2 * LATENT } else { LATENT }, LATENT);
        let specs = record(|weights| SlatFlow::new(weights, &config, Kind::Float))?;
        write_model(
            folder,
            stem,
            "SLatFlowModel",
            &config,
            &specs,
            Kind::BFloat16,
            random(stem),
        )?;
    }
    Ok(())
}

fn flow(resolution: i64, in_channels: i64, out_channels: i64) -> FlowConfig {
    FlowConfig {
        resolution,
        in_channels,
        model_channels: 24,
        cond_channels: CONDITION,
        out_channels,
        num_blocks: 2,
        num_heads: Some(2),
        num_head_channels: Some(64),
        mlp_ratio: 2.0,
        pe_mode: "rope".to_owned(),
        rope_freq: (1.0, 10_000.0),
        share_mod: true,
        qk_rms_norm: true,
        qk_rms_norm_cross: true,
    }
}

fn structure_decoder(folder: &Path) -> Result<()> {
    let channels = vec![16, 8, 8];
    let last = channels[channels.len() - 1] as usize;
    let config = StructureDecoderConfig {
        out_channels: 1,
        latent_channels: STRUCTURE_LATENT,
        num_res_blocks: 1,
        channels,
        num_res_blocks_middle: 1,
    };
    let specs = record(|weights| StructureDecoder::new(weights, &config, Kind::Float))?;
    // The last convolution sums what is 0.9 on average everywhere, with a minus: the fewer of its 27 places lie within the
    // cube, the less. At a corner there are 8 (7.3), along an edge 12 (10.9), at a face 18 (16.4). Channels weigh
    // differently, so that the sum varies along an edge, by 0.3.
    let weights = (0..last).flat_map(|channel| {
        let weight = -(0.4 + 1.2 * channel as f32 / (last - 1) as f32) / last as f32;
        std::iter::repeat_n(weight, 27)
    });
    let stem = description::STRUCTURE_DECODER;
    let random = random(stem)
        .with("out_layer.0.weight", Adjustment::Repeated(vec![1.0]))
        .with("out_layer.0.bias", Adjustment::Repeated(vec![1.0]))
        .with("out_layer.2.weight", Adjustment::Repeated(weights.collect()))
        .with("out_layer.2.bias", Adjustment::Repeated(vec![10.5]));
    write_model(
        folder,
        stem,
        "SparseStructureDecoder",
        &config,
        &specs,
        Kind::Half,
        random,
    )
}

fn decoders(folder: &Path) -> Result<()> {
    let config = DecoderConfig {
        latent_channels: LATENT,
        ..DecoderConfig::tiny()
    };
    let stem = description::SHAPE_DECODER;
    let mut shape_weights = random(stem).with("to_subdiv.weight", Adjustment::Scaled(0.2));
    // A row of two, twice, then squares of four: each child whose logit is shifted up is there.
    for (level, num_children) in [2, 2, 4, 4].into_iter().enumerate() {
        let logits = (0..8).map(|child| if child < num_children { 4.0 } else { -4.0 });
        let ending = format!("blocks.{level}.{}.to_subdiv.bias", config.num_blocks[level]);
        shape_weights = shape_weights.with(&ending, Adjustment::Repeated(logits.collect()));
    }
    // Edges along the third axis cross the surface: those are the ones that flat pieces can make quads of.
    let head = vec![0.0, 0.0, 0.0, -2.0, -2.0, 2.0, 0.5];
    shape_weights = shape_weights.with("output_layer.bias", Adjustment::Repeated(head));
    let specs = record(|weights| ShapeDecoder::new(weights, &config, Kind::Float))?;
    write_model(
        folder,
        stem,
        "FlexiDualGridVaeDecoder",
        &config,
        &specs,
        Kind::Half,
        shape_weights,
    )?;
    let stem = description::MATERIAL_DECODER;
    let specs = record(|weights| MaterialDecoder::new(weights, &config, Kind::Float))?;
    write_model(
        folder,
        stem,
        "SparseUnetVaeDecoder",
        &config,
        &specs,
        Kind::Half,
        random(stem),
    )
}

/// The networks that come from other repositories.
fn companions(folder: &Path) -> Result<()> {
    let dino = DinoConfig {
        hidden_size: CONDITION,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 32,
        ..DinoConfig::default()
    };
    let place = folder.join(description::DINO);
    let specs = record(|weights| DinoModel::new(weights, &dino, DinoLayout::Timm))?;
    write_json(&place.join("config.json"), &dino)?;
    random(description::DINO).write(&place.join("model.safetensors"), &specs, Kind::Float)?;

    let specs = record(|weights| BiRefNet::new(weights, &BiRefNetConfig::tiny(), Kind::Float))?;
    // Most of a picture is the object, whatever it shows.
    let mut weights = random(description::BIREFNET).with("conv_out1.0.bias", Adjustment::Repeated(vec![4.0]));
    let path = folder.join(description::BIREFNET).join("model.safetensors");
    weights.write(&path, &specs, Kind::Half)
}

/// Numbers of their own for each file.
fn random(stem: &str) -> RandomWeights {
    let seed = stem
        .bytes()
        .fold(0_u64, |seed, byte| seed.wrapping_mul(131).wrapping_add(byte.into()));
    RandomWeights::new(seed)
}

fn write_model(
    folder: &Path,
    stem: &str,
    class: &'static str,
    config: &impl Serialize,
    specs: &BTreeMap<String, TensorSpec>,
    kind: Kind,
    mut random: RandomWeights,
) -> Result<()> {
    let description = serde_json::json!({ "name": class, "args": config });
    write_json(&folder.join(format!("{stem}.json")), &description)?;
    random.write(&folder.join(format!("{stem}.safetensors")), specs, kind)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| crate::TrellisError::Invalid(error.to_string()))?;
    write_whole(path, &text)
}
